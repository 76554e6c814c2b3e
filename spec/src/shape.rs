//! The shape of one sample's value, and one pure rule for each operation.
//!
//! A rule takes the shapes that come in and gives the shape that goes out, or a [`Misfit`]. An axis that is
//! not known passes through every rule. The batch axis is implied everywhere and never part of a [`Shape`].

use crate::ActivationKind;
use std::fmt;

/// The axes of one sample, without the batch axis; `None` is a size that only the compiler knows.
///
/// ```
/// use damper_spec::Shape;
///
/// assert_eq!(Shape::known([3, 32, 32]).to_string(), "[3, 32, 32]");
/// assert_eq!(Shape(vec![None, Some(3)]).to_string(), "[_, 3]");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape(pub Vec<Option<usize>>);

impl Shape {
    /// A shape whose axes are all known.
    pub fn known(axes: impl IntoIterator<Item = usize>) -> Self {
        Self(axes.into_iter().map(Some).collect())
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The first axis: channels, or the features of a value of rank one.
    pub fn channels(&self) -> Option<usize> {
        self.0.first().copied().flatten()
    }

    /// The last axis: what `linear` reads.
    pub fn features(&self) -> Option<usize> {
        self.0.last().copied().flatten()
    }

    /// How many numbers a sample has, if every axis is known.
    pub fn elements(&self) -> Option<usize> {
        self.0.iter().try_fold(1_usize, |product, axis| {
            axis.map(|size| product.saturating_mul(size))
        })
    }

    /// The product of the axes behind the first: 1 for a value of rank one.
    pub fn positions(&self) -> Option<usize> {
        Self(self.0.iter().skip(1).copied().collect()).elements()
    }

    /// The shape that both can be, with every axis that one of the two knows; `None` if they differ.
    pub fn unify(&self, other: &Self) -> Option<Self> {
        (self.rank() == other.rank()).then_some(())?;
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => (a == b).then_some(Some(*a)),
                (known, None) | (None, known) => Some(*known),
            })
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, axis) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match axis {
                Some(size) => write!(f, "{size}")?,
                None => f.write_str("_")?,
            }
        }
        f.write_str("]")
    }
}

/// What the axes of a value mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[features]`, or what only its reader can tell: an input of two axes.
    #[default]
    Features,
    /// `[time, features]`
    Sequence,
    /// `[channels, ..]`: channels first, then the positions.
    Channels,
}

/// Why shapes do not fit an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The name the mistake has in the catalogue of lints.
    pub lint: &'static str,
    /// What the operation wants and what the value is.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Misfit {
    fn new(message: String) -> Self {
        Self {
            lint: "shape_mismatch",
            message,
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// `linear` and `swiglu`: `[.., in] -> [.., out]`.
///
/// ```
/// use damper_spec::{Shape, shape};
///
/// let image = Shape::known([784]);
/// assert_eq!(shape::linear("linear", &image, Some(10)), Ok(Shape::known([10])));
/// assert_eq!(shape::linear("linear", &image, None), Ok(Shape(vec![None])));
/// assert_eq!(shape::linear("linear", &Shape::known([50, 32]), Some(8)), Ok(Shape::known([50, 8])));
/// ```
///
/// # Errors
/// A value with spatial axes: `linear` would act on its width alone.
///
/// ```
/// # use damper_spec::{Shape, shape};
/// let misfit = shape::linear("linear", &Shape::known([1, 28, 28]), Some(10)).unwrap_err();
/// assert_eq!(misfit.lint, "missing_flatten");
/// assert_eq!(misfit.to_string(), "`linear` wants [features], this value is [1, 28, 28]");
/// ```
pub fn linear(word: &str, input: &Shape, out: Option<usize>) -> Result<Shape, Misfit> {
    match input.rank() {
        1 | 2 => {
            let mut axes = input.0.clone();
            if let Some(last) = axes.last_mut() {
                *last = out;
            }
            Ok(Shape(axes))
        }
        _ => {
            let flat = input
                .elements()
                .map_or_else(|| "_".to_owned(), |size| size.to_string());
            Err(Misfit {
                lint: "missing_flatten",
                ..Misfit::new(format!("`{word}` wants [features], this value is {input}"))
                    .help(format!("give it a flat value: [{flat}]"))
            })
        }
    }
}

/// An activation keeps the shape; `glu` halves the last axis.
///
/// ```
/// use damper_spec::{ActivationKind, Shape, shape};
///
/// assert_eq!(shape::activation(ActivationKind::Relu, &Shape::known([64])), Ok(Shape::known([64])));
/// assert_eq!(shape::activation(ActivationKind::Glu, &Shape::known([64])), Ok(Shape::known([32])));
/// ```
///
/// # Errors
/// `glu` over an odd number of features.
///
/// ```
/// # use damper_spec::{ActivationKind, Shape, shape};
/// let misfit = shape::activation(ActivationKind::Glu, &Shape::known([7])).unwrap_err();
/// assert_eq!(misfit.to_string(), "`glu` wants an even number of features, this value is [7]");
/// ```
pub fn activation(kind: ActivationKind, input: &Shape) -> Result<Shape, Misfit> {
    if input.rank() == 0 {
        return Err(Misfit::new(format!(
            "`{}` wants [features], this value is {input}",
            kind.word()
        )));
    }
    if kind != ActivationKind::Glu {
        return Ok(input.clone());
    }
    match input.features() {
        Some(odd) if odd % 2 == 1 => Err(Misfit::new(format!(
            "`glu` wants an even number of features, this value is {input}"
        ))
        .help(format!(
            "twice as many features as it shall give: `linear({})`",
            odd + 1
        ))),
        features => {
            let mut axes = input.0.clone();
            if let Some(last) = axes.last_mut() {
                *last = features.map(|size| size / 2);
            }
            Ok(Shape(axes))
        }
    }
}

/// A normalisation keeps the shape: `batch_norm` reads the first axis, `layer_norm` the last.
///
/// ```
/// use damper_spec::{Shape, shape};
///
/// assert_eq!(shape::norm("layer_norm", &Shape::known([64])), Ok(Shape::known([64])));
/// ```
///
/// # Errors
/// A value without axes.
///
/// ```
/// # use damper_spec::{Shape, shape};
/// let misfit = shape::norm("batch_norm", &Shape::default()).unwrap_err();
/// assert_eq!(misfit.to_string(), "`batch_norm` wants [features], this value is []");
/// ```
pub fn norm(word: &str, input: &Shape) -> Result<Shape, Misfit> {
    if input.rank() == 0 {
        return Err(Misfit::new(format!(
            "`{word}` wants [features], this value is {input}"
        )));
    }
    Ok(input.clone())
}

/// Another model takes one input of its declared shape.
///
/// ```
/// use damper_spec::{Shape, shape};
///
/// assert_eq!(shape::fits("Encoder", &Shape::known([64]), &Shape::known([64])), Ok(()));
/// ```
///
/// # Errors
/// The value has another shape.
///
/// ```
/// # use damper_spec::{Shape, shape};
/// let misfit = shape::fits("Encoder", &Shape::known([64]), &Shape::known([32])).unwrap_err();
/// assert_eq!(misfit.to_string(), "`Encoder` wants [64], this value is [32]");
/// ```
pub fn fits(word: &str, wanted: &Shape, input: &Shape) -> Result<(), Misfit> {
    match wanted.unify(input) {
        Some(_) => Ok(()),
        None => Err(Misfit::new(format!(
            "`{word}` wants {wanted}, this value is {input}"
        ))),
    }
}

/// `add` and `mul`: all values have one shape.
///
/// ```
/// use damper_spec::{Shape, shape};
///
/// let (deep, wide) = (Shape::known([32]), Shape(vec![None]));
/// assert_eq!(shape::same("add", &[("deep", &deep), ("wide", &wide)]), Ok(Shape::known([32])));
/// ```
///
/// # Errors
/// Two of them differ.
///
/// ```
/// # use damper_spec::{Shape, shape};
/// let (deep, wide) = (Shape::known([32]), Shape::known([16]));
/// let misfit = shape::same("add", &[("deep", &deep), ("wide", &wide)]).unwrap_err();
/// assert_eq!(misfit.to_string(), "`add` wants values of one shape: `deep` is [32], `wide` is [16]");
/// assert_eq!(misfit.help.as_deref(), Some("bring both to one size, such as `linear(32)` at the end of `wide`"));
/// ```
pub fn same(word: &str, values: &[(&str, &Shape)]) -> Result<Shape, Misfit> {
    let Some((&(first_name, first), rest)) = values.split_first() else {
        return Ok(Shape::default());
    };
    let mut whole = first.clone();
    for &(name, shape) in rest {
        whole = whole.unify(shape).ok_or_else(|| {
            let misfit = Misfit::new(format!(
                "`{word}` wants values of one shape: `{first_name}` is {first}, `{name}` is {shape}"
            ));
            match first.features() {
                Some(size) if first.rank() == 1 && shape.rank() == 1 => misfit.help(format!(
                    "bring both to one size, such as `linear({size})` at the end of `{name}`"
                )),
                _ => misfit,
            }
        })?;
    }
    Ok(whole)
}

/// `concat`: the first axis (features or channels) is the sum, the others are equal.
///
/// ```
/// use damper_spec::{Shape, shape};
///
/// let (user, item) = (Shape::known([32]), Shape::known([64]));
/// assert_eq!(shape::concat(&[("user", &user), ("item", &item)]), Ok(Shape::known([96])));
/// assert_eq!(shape::concat(&[("user", &user), ("item", &Shape(vec![None]))]), Ok(Shape(vec![None])));
/// ```
///
/// # Errors
/// The other axes, or their number, differ.
///
/// ```
/// # use damper_spec::{Shape, shape};
/// let (user, image) = (Shape::known([32]), Shape::known([3, 8, 8]));
/// let misfit = shape::concat(&[("user", &user), ("image", &image)]).unwrap_err();
/// assert_eq!(
///     misfit.to_string(),
///     "`concat` wants values that differ in their first axis only: `user` is [32], `image` is [3, 8, 8]"
/// );
/// ```
pub fn concat(values: &[(&str, &Shape)]) -> Result<Shape, Misfit> {
    let Some((&(first_name, first), rest)) = values.split_first() else {
        return Ok(Shape::default());
    };
    let behind = |shape: &Shape| Shape(shape.0.iter().skip(1).copied().collect());
    let mut channels = first.channels();
    let mut whole = behind(first);
    for &(name, shape) in rest {
        let unified = if shape.rank() == first.rank() {
            whole.unify(&behind(shape))
        } else {
            None
        };
        whole = unified.ok_or_else(|| {
            Misfit::new(format!(
                "`concat` wants values that differ in their first axis only: `{first_name}` is {first}, `{name}` is {shape}"
            ))
        })?;
        channels = channels
            .zip(shape.channels())
            .map(|(a, b)| a.saturating_add(b));
    }
    Ok(Shape(std::iter::once(channels).chain(whole.0).collect()))
}

/// `residual`: what the branch gives and what the shortcut gives are added.
///
/// ```
/// use damper_spec::{Shape, shape};
///
/// assert_eq!(shape::residual(&Shape::known([64]), &Shape::known([64]), false), Ok(Shape::known([64])));
/// ```
///
/// # Errors
/// They differ.
///
/// ```
/// # use damper_spec::{Shape, shape};
/// let misfit = shape::residual(&Shape::known([128]), &Shape::known([64]), false).unwrap_err();
/// assert_eq!(misfit.lint, "residual_shape_mismatch");
/// assert_eq!(misfit.to_string(), "`residual` adds its input to its branch: the branch gives [128], the input is [64]");
/// assert_eq!(misfit.help.as_deref(), Some("project the input: `shortcut { linear(128); }`"));
/// ```
pub fn residual(branch: &Shape, shortcut: &Shape, written: bool) -> Result<Shape, Misfit> {
    branch.unify(shortcut).ok_or_else(|| {
        let misfit = Misfit {
            lint: "residual_shape_mismatch",
            ..Misfit::new(if written {
                format!("`residual` adds its shortcut to its branch: the branch gives {branch}, the shortcut gives {shortcut}")
            } else {
                format!("`residual` adds its input to its branch: the branch gives {branch}, the input is {shortcut}")
            })
        };
        match branch.features() {
            Some(size) if branch.rank() == 1 && written => {
                misfit.help(format!("end the shortcut with `linear({size})`"))
            }
            Some(size) if branch.rank() == 1 => {
                misfit.help(format!("project the input: `shortcut {{ linear({size}); }}`"))
            }
            _ => misfit,
        }
    })
}

/// `repeat`: the copies stand in series, so the block keeps the shape.
///
/// ```
/// use damper_spec::{Shape, shape};
///
/// assert_eq!(shape::repeat(&Shape::known([64]), &Shape(vec![None])), Ok(Shape::known([64])));
/// ```
///
/// # Errors
/// The block changes the shape.
///
/// ```
/// # use damper_spec::{Shape, shape};
/// let misfit = shape::repeat(&Shape::known([64]), &Shape::known([32])).unwrap_err();
/// assert_eq!(misfit.to_string(), "`repeat` wants a block that keeps the shape: it takes [64] and gives [32]");
/// assert_eq!(misfit.help.as_deref(), Some("end the block with `linear(64)`, or write its copies out"));
/// ```
pub fn repeat(input: &Shape, output: &Shape) -> Result<Shape, Misfit> {
    input.unify(output).ok_or_else(|| {
        let misfit = Misfit::new(format!(
            "`repeat` wants a block that keeps the shape: it takes {input} and gives {output}"
        ));
        match input.features() {
            Some(size) if input.rank() == 1 => misfit.help(format!(
                "end the block with `linear({size})`, or write its copies out"
            )),
            _ => misfit.help("write its copies out"),
        }
    })
}
