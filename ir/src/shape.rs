//! The shape of one sample's value, and the rules of what has no file in [`crate::op`]: sources and blocks.
//!
//! A rule takes the shapes that come in and gives the shape that goes out, or a [`ShapeError`]. An axis that is
//! not known passes through every rule. The batch axis is implied everywhere and never part of a [`Shape`].

use crate::Value;
use crate::catalogue::names;
use std::fmt;

/// The axes of one sample, without the batch axis; `None` is a size that only the compiler knows.
///
/// ```
/// use damper_ir::Shape;
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

    /// The shape of these sizes.
    pub fn of(sizes: &[Value]) -> Self {
        let known = |size: &Value| size.size().filter(|size| *size > 0);
        Self(sizes.iter().map(known).collect())
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

    /// The product of the axes after the first: 1 for a value of rank one.
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

impl Layout {
    /// The layout of a value that no layer has read yet: three axes and more are channels first.
    ///
    /// ```
    /// use damper_ir::{Layout, Shape};
    ///
    /// assert_eq!(Layout::of(&Shape::known([3, 32, 32])), Layout::Channels);
    /// assert_eq!(Layout::of(&Shape::known([50, 32])), Layout::Features);
    /// ```
    pub fn of(shape: &Shape) -> Self {
        if shape.rank() > 2 {
            Self::Channels
        } else {
            Self::Features
        }
    }

    /// The layout of two values that become one: what one of them says, if the other is open; `None` if they
    /// contradict each other.
    ///
    /// ```
    /// use damper_ir::Layout;
    ///
    /// assert_eq!(Layout::Features.unify(Layout::Sequence), Some(Layout::Sequence));
    /// assert_eq!(Layout::Channels.unify(Layout::Sequence), None);
    /// ```
    pub fn unify(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Features, layout) | (layout, Self::Features) => Some(layout),
            (a, b) => (a == b).then_some(a),
        }
    }

    /// The layout of a value whose last axis an operation has read: what was open is a sequence.
    pub(crate) fn read_as_steps(self) -> Self {
        match self {
            Self::Features => Self::Sequence,
            read => read,
        }
    }

    /// The axis of one sample that holds features, classes or channels: the last, but the first of
    /// `[channels, ..]`.
    ///
    /// ```
    /// use damper_ir::Layout;
    ///
    /// assert_eq!(Layout::Sequence.class_axis(2), 1);
    /// assert_eq!(Layout::Channels.class_axis(3), 0);
    /// ```
    pub fn class_axis(self, rank: usize) -> usize {
        match self {
            Self::Channels => 0,
            Self::Features | Self::Sequence => rank.saturating_sub(1),
        }
    }
}

/// Why shapes do not fit an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The name the mistake has in the catalogue of lints.
    pub lint: &'static str,
    /// What the operation wants and what the value is.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl ShapeError {
    pub(crate) fn new(message: String) -> Self {
        Self {
            lint: names::shape_mismatch,
            message,
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A size, or `_` where it is not known.
pub(crate) fn show(size: Option<usize>) -> String {
    size.map_or_else(|| "_".to_owned(), |size| size.to_string())
}

/// The largest divisor of `number` that is not above `most`.
pub(crate) fn divisor(number: usize, most: usize) -> usize {
    (1..=most.min(number))
        .rev()
        .find(|divisor| number.is_multiple_of(*divisor))
        .unwrap_or(1)
}

/// The error for a sequence where something else is wanted.
pub(crate) fn sequence(word: &str, wanted: &str, input: &Shape) -> ShapeError {
    ShapeError::new(format!(
        "`{word}` wants {wanted}, this value is a sequence: {input} is [time, features]"
    ))
}

/// `[channels, ..]` with so many axes of positions at most, for `word`, or why it is not.
pub(crate) fn maps(
    word: &str,
    most: usize,
    input: &Shape,
    layout: Layout,
) -> Result<(), ShapeError> {
    let wanted = match most {
        2 => "[channels, length] or [channels, height, width]",
        _ => "[channels, ..]",
    };
    match input.0.as_slice() {
        [time, features] if layout == Layout::Sequence => {
            let time = time.unwrap_or(1);
            let height = divisor(time, (time as f64).sqrt() as usize);
            let image = Shape(vec![*features, Some(height), time.checked_div(height)]);
            Err(sequence(word, wanted, input).help(format!("`to_image({image})` before it")))
        }
        [_, positions @ ..] if (1..=most).contains(&positions.len()) => Ok(()),
        _ => {
            let shape_error =
                ShapeError::new(format!("`{word}` wants {wanted}, this value is {input}"));
            Err(match input.0.as_slice() {
                [features] => {
                    shape_error.help(format!("`reshape([{}, 1, 1])` before it", show(*features)))
                }
                _ => shape_error,
            })
        }
    }
}

/// `[time, features]` for `word`, or why it is not.
pub(crate) fn steps(
    word: &str,
    input: &Shape,
    layout: Layout,
) -> Result<(Option<usize>, Option<usize>), ShapeError> {
    match (input.0.as_slice(), layout) {
        ([time, features], Layout::Features | Layout::Sequence) => Ok((*time, *features)),
        _ => Err(not_steps(word, input, layout)),
    }
}

/// Why a value is not `[time, features]`.
pub(crate) fn not_steps(word: &str, input: &Shape, layout: Layout) -> ShapeError {
    let wanted = "[time, features]";
    if layout == Layout::Channels && input.rank() == 2 {
        return ShapeError::new(format!(
            "`{word}` wants {wanted}, this value is channels first: {input} is [channels, time]"
        ))
        .help(format!("transpose -> {word}"));
    }
    let shape_error = ShapeError::new(format!("`{word}` wants {wanted}, this value is {input}"));
    match input.0.as_slice() {
        [features] => shape_error.help(format!(
            "`reshape([{}, 1])`: a series of that many steps, one number each",
            show(*features)
        )),
        [] => shape_error,
        _ => shape_error.help(format!(
            "`to_sequence -> {word}`: the {} positions of the image are the steps",
            show(input.positions())
        )),
    }
}

/// Another model takes one input of its declared shape.
///
/// ```
/// use damper_ir::{Shape, shape};
///
/// assert_eq!(shape::fits("Encoder", &Shape::known([64]), &Shape::known([64])), Ok(()));
/// ```
///
/// # Errors
/// The value has another shape.
///
/// ```
/// # use damper_ir::{Shape, shape};
/// let error = shape::fits("Encoder", &Shape::known([64]), &Shape::known([32])).unwrap_err();
/// assert_eq!(error.to_string(), "`Encoder` wants [64], this value is [32]");
/// ```
pub fn fits(word: &str, wanted: &Shape, input: &Shape) -> Result<(), ShapeError> {
    match wanted.unify(input) {
        Some(_) => Ok(()),
        None => Err(ShapeError::new(format!(
            "`{word}` wants {wanted}, this value is {input}"
        ))),
    }
}

/// What brings a value of shape `from` to the shape `to`: `linear(32)`, `conv2d(128, kernel = 1, stride = 2)`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let (from, to) = (Shape::known([64, 32, 32]), Shape::known([128, 16, 16]));
/// assert_eq!(
///     shape::projection(&from, &to, Layout::Channels).as_deref(),
///     Some("conv2d(128, kernel = 1, stride = 2)")
/// );
/// assert_eq!(
///     shape::projection(&Shape::known([9, 64]), &Shape::known([9, 32]), Layout::Sequence).as_deref(),
///     Some("linear(32)")
/// );
/// assert_eq!(shape::projection(&Shape::known([64]), &Shape::known([9, 32]), Layout::Sequence), None);
/// ```
pub fn projection(from: &Shape, to: &Shape, layout: Layout) -> Option<String> {
    if from.rank() != to.rank() || to.rank() == 0 {
        return None;
    }
    if to.rank() == 1 || (to.rank() == 2 && layout != Layout::Channels) {
        let front = |shape: &Shape| Shape(shape.0.iter().rev().skip(1).copied().collect());
        front(from).unify(&front(to))?;
        return Some(format!("linear({})", to.features()?));
    }
    if to.rank() > 4 {
        return None;
    }
    let strides = from
        .0
        .iter()
        .zip(&to.0)
        .skip(1)
        .map(|(from, to)| {
            let (from, to) = ((*from)?, (*to)?);
            let stride = from.div_ceil(to.max(1));
            (from > 0 && stride > 0 && (from - 1) / stride + 1 == to).then_some(stride)
        })
        .collect::<Option<Vec<usize>>>()?;
    let first = strides.first().copied()?;
    let stride = if strides.iter().any(|stride| *stride != first) {
        format!(", stride = {strides:?}")
    } else if first > 1 {
        format!(", stride = {first}")
    } else {
        String::new()
    };
    let axes = to.rank() - 1;
    Some(format!(
        "conv{axes}d({}, kernel = 1{stride})",
        to.channels()?
    ))
}

/// `add`, `sub`, `mul` and `div`: values of one shape. An axis of size 1 spreads over the axis of the others, and
/// `[channels]` over `[channels, ..]`.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let (deep, wide) = (Shape::known([32]), Shape(vec![None]));
/// let values = [("deep", &deep), ("wide", &wide)];
/// assert_eq!(shape::spread("add", &values, Layout::Features), Ok(Shape::known([32])));
///
/// let maps = Shape::known([64, 14, 14]);
/// for gate in [Shape::known([64]), Shape::known([64, 1, 1]), Shape::known([1, 14, 14])] {
///     assert_eq!(shape::spread("mul", &[("x", &maps), ("gate", &gate)], Layout::Channels), Ok(maps.clone()));
/// }
/// ```
///
/// # Errors
/// Two of them differ otherwise.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let (deep, wide) = (Shape::known([32]), Shape::known([16]));
/// let values = [("deep", &deep), ("wide", &wide)];
/// let error = shape::spread("add", &values, Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`add` wants values of one shape: `deep` is [32], `wide` is [16]");
/// assert_eq!(error.help.as_deref(), Some("bring both to one size, such as `linear(32)` at the end of `wide`"));
///
/// let (maps, gate) = (Shape::known([64, 14, 14]), Shape::known([32, 1, 1]));
/// let error = shape::spread("mul", &[("x", &maps), ("gate", &gate)], Layout::Channels).unwrap_err();
/// assert_eq!(
///     error.help.as_deref(),
///     Some("bring both to one size, such as `conv2d(64, kernel = 1)` at the end of `gate`")
/// );
///
/// let (words, scale) = (Shape::known([50, 64]), Shape::known([64]));
/// let error = shape::spread("mul", &[("words", &words), ("scale", &scale)], Layout::Sequence).unwrap_err();
/// assert_eq!(error.to_string(), "`mul` wants values of one shape: `words` is [50, 64], `scale` is [64]");
/// assert_eq!(
///     error.help.as_deref(),
///     Some("`reshape([1, 64])` at the end of `scale`: an axis of size 1 spreads")
/// );
/// ```
pub fn spread(word: &str, values: &[(&str, &Shape)], layout: Layout) -> Result<Shape, ShapeError> {
    let Some((&(first_name, first), rest)) = values.split_first() else {
        return Ok(Shape::default());
    };
    let mut whole = first.clone();
    // The value that has the shape so far.
    let mut whole_name = Some(first_name);
    for &(name, shape) in rest {
        let both = over(&whole, shape, layout);
        let both = both.ok_or_else(|| differ(word, (whole_name, &whole), (name, shape), layout))?;
        if both != whole {
            whole_name = (both == *shape).then_some(name);
        }
        whole = both;
    }
    Ok(whole)
}

/// The shape of two values that spread over each other.
fn over(a: &Shape, b: &Shape, layout: Layout) -> Option<Shape> {
    let (large, small) = if a.rank() < b.rank() { (b, a) } else { (a, b) };
    let mut small = small.0.clone();
    if small.len() < large.rank() {
        if layout != Layout::Channels || small.len() != 1 {
            return None;
        }
        small.resize(large.rank(), Some(1));
    }
    let axes = large.0.iter().zip(&small).map(|pair| match pair {
        (Some(1), other) | (other, Some(1)) => Some(*other),
        (Some(a), Some(b)) => (a == b).then_some(Some(*a)),
        (Some(size), None) | (None, Some(size)) => Some(Some(*size)),
        (None, None) => Some(None),
    });
    axes.collect::<Option<Vec<_>>>().map(Shape)
}

/// Why two values do not spread over each other, and what was probably meant.
fn differ(
    word: &str,
    (first_name, first): (Option<&str>, &Shape),
    (name, shape): (&str, &Shape),
    layout: Layout,
) -> ShapeError {
    let what = first_name.map_or_else(
        || "the values before it give".to_owned(),
        |name| format!("`{name}` is"),
    );
    let shape_error = ShapeError::new(format!(
        "`{word}` wants values of one shape: {what} {first}, `{name}` is {shape}"
    ));
    let other = first_name.map(|first_name| (first_name, first, shape));
    let pairs: Vec<_> = [Some((name, shape, first)), other]
        .into_iter()
        .flatten()
        .collect();
    let reshaped = pairs.iter().find_map(|(name, from, to)| {
        let to = with_ones(from, to, layout)?;
        Some(format!(
            "`reshape({to})` at the end of `{name}`: an axis of size 1 spreads"
        ))
    });
    let changed = || {
        pairs.iter().find_map(|(name, from, to)| {
            let op = projection(from, &kept_ones(from, to), layout).or_else(|| {
                let channels = to.channels()?;
                (layout == Layout::Channels && from.rank() == 1 && to.rank() > 1)
                    .then(|| format!("linear({channels})"))
            })?;
            Some(format!(
                "bring both to one size, such as `{op}` at the end of `{name}`"
            ))
        })
    };
    match reshaped.or_else(changed) {
        Some(help) => shape_error.help(help),
        None => shape_error,
    }
}

/// The shape `to`, but 1 where `from` spreads.
fn kept_ones(from: &Shape, to: &Shape) -> Shape {
    let axes = from.0.iter().zip(&to.0);
    Shape(
        axes.map(|(from, to)| if *from == Some(1) { *from } else { *to })
            .chain(to.0.iter().skip(from.rank()).copied())
            .collect(),
    )
}

/// The axes of `from` with axes of size 1 between, so that it spreads over `to`: those of a sequence at the end, those of
/// channels in front.
fn with_ones(from: &Shape, to: &Shape, layout: Layout) -> Option<Shape> {
    // A single axis next to maps was probably meant to be the channels.
    let is_channels = layout == Layout::Channels && from.rank() == 1;
    if is_channels || from.rank() >= to.rank() || from.elements().is_none() {
        return None;
    }
    let backward = layout != Layout::Channels;
    let ordered = |shape: &Shape| -> Vec<Option<usize>> {
        let mut axes = shape.0.clone();
        if backward {
            axes.reverse();
        }
        axes
    };
    let (mut left, mut axes) = (ordered(from).into_iter().peekable(), Vec::new());
    for axis in ordered(to) {
        let fits = left.next_if(|size| *size == axis || *size == Some(1));
        axes.push(fits.unwrap_or(Some(1)));
    }
    if backward {
        axes.reverse();
    }
    left.next().is_none().then_some(Shape(axes))
}

/// `concat`: the axis of the features (of the channels, if they come first) is the sum, the others are equal.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let (user, item) = (Shape::known([32]), Shape::known([64]));
/// let open = Layout::Features;
/// assert_eq!(shape::concat(&[("user", &user), ("item", &item)], open), Ok(Shape::known([96])));
/// assert_eq!(shape::concat(&[("user", &user), ("item", &Shape(vec![None]))], open), Ok(Shape(vec![None])));
/// let (words, tags) = (Shape::known([50, 32]), Shape::known([50, 8]));
/// assert_eq!(
///     shape::concat(&[("words", &words), ("tags", &tags)], Layout::Sequence),
///     Ok(Shape::known([50, 40]))
/// );
/// ```
///
/// # Errors
/// The other axes, or their number, differ.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let (up, skip) = (Shape::known([64, 16, 16]), Shape::known([64, 17, 17]));
/// let error = shape::concat(&[("up", &up), ("skip", &skip)], Layout::Channels).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`concat` wants values that differ in their channels only: `up` is [64, 16, 16], `skip` is [64, 17, 17]"
/// );
/// ```
pub fn concat(values: &[(&str, &Shape)], layout: Layout) -> Result<Shape, ShapeError> {
    let Some((&(first_name, first), rest)) = values.split_first() else {
        return Ok(Shape::default());
    };
    let axis = layout.class_axis(first.rank());
    let without = |shape: &Shape| {
        let mut kept = shape.0.clone();
        (axis < kept.len()).then(|| kept.remove(axis));
        Shape(kept)
    };
    let size = |shape: &Shape| shape.0.get(axis).copied().flatten();
    let mut joined = size(first);
    let mut whole = without(first);
    for &(name, shape) in rest {
        let unified = if shape.rank() == first.rank() {
            whole.unify(&without(shape))
        } else {
            None
        };
        whole = unified.ok_or_else(|| {
            let what = match layout {
                Layout::Channels => "channels",
                Layout::Features | Layout::Sequence => "features",
            };
            ShapeError::new(format!(
                "`concat` wants values that differ in their {what} only: `{first_name}` is {first}, `{name}` is {shape}"
            ))
        })?;
        joined = joined.zip(size(shape)).map(|(a, b)| a.saturating_add(b));
    }
    let mut joint = whole.0;
    joint.insert(axis.min(joint.len()), joined);
    Ok(Shape(joint))
}

/// `concat(.., axis = time)`: the steps are the sum, the features are equal.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let (past, now) = (Shape::known([20, 8]), Shape::known([5, 8]));
/// let joined = shape::concat_time(&[("past", &past), ("now", &now)], Layout::Sequence);
/// assert_eq!(joined, Ok(Shape::known([25, 8])));
/// ```
///
/// # Errors
/// Other features; no time axis.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let (past, now) = (Shape::known([20, 8]), Shape::known([5, 4]));
/// let error = shape::concat_time(&[("past", &past), ("now", &now)], Layout::Sequence).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`concat` along the steps wants values that differ in their steps only: `past` is [20, 8], `now` is [5, 4]"
/// );
/// assert_eq!(error.help.as_deref(), Some("bring both to one size, such as `linear(8)` at the end of `now`"));
/// ```
pub fn concat_time(values: &[(&str, &Shape)], layout: Layout) -> Result<Shape, ShapeError> {
    let (mut time, mut features) = (Some(0_usize), None);
    for &(name, shape) in values {
        let (steps, size) = steps("concat", shape, layout).map_err(|shape_error| ShapeError {
            message: format!(
                "`concat` along the steps wants [time, features], `{name}` is {shape}"
            ),
            ..shape_error
        })?;
        if let (Some(known), Some(size)) = (features, size)
            && known != size
        {
            let (first_name, first) = values.first().copied().unwrap_or((name, shape));
            return Err(ShapeError::new(format!(
                "`concat` along the steps wants values that differ in their steps only: `{first_name}` is {first}, `{name}` is {shape}"
            ))
            .help(format!(
                "bring both to one size, such as `linear({known})` at the end of `{name}`"
            )));
        }
        features = features.or(size);
        time = time
            .zip(steps)
            .map(|(sum, steps)| sum.saturating_add(steps));
    }
    Ok(Shape(vec![time, features]))
}

/// `sample_normal`: both values have one shape.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let both = Shape::known([16]);
/// let values = [("mean", &both), ("spread", &both)];
/// assert_eq!(shape::equal("sample_normal", &values, Layout::Features), Ok(both.clone()));
/// ```
///
/// # Errors
/// They differ.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let (mean, spread) = (Shape::known([16]), Shape::known([1]));
/// let values = [("mean", &mean), ("spread", &spread)];
/// let error = shape::equal("sample_normal", &values, Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`sample_normal` wants values of one shape: `mean` is [16], `spread` is [1]");
/// assert_eq!(error.help.as_deref(), Some("bring both to one size, such as `linear(16)` at the end of `spread`"));
/// ```
pub fn equal(word: &str, values: &[(&str, &Shape)], layout: Layout) -> Result<Shape, ShapeError> {
    let Some((&(first_name, first), rest)) = values.split_first() else {
        return Ok(Shape::default());
    };
    let mut whole = first.clone();
    for &(name, shape) in rest {
        whole = whole.unify(shape).ok_or_else(|| {
            let shape_error = ShapeError::new(format!(
                "`{word}` wants values of one shape: `{first_name}` is {first}, `{name}` is {shape}"
            ));
            match projection(shape, first, layout) {
                Some(op) => shape_error.help(format!(
                    "bring both to one size, such as `{op}` at the end of `{name}`"
                )),
                None => shape_error,
            }
        })?;
    }
    Ok(whole)
}

/// `matmul(a, b)`: `[m, k]` and `[k, n]` to `[m, n]`.
///
/// ```
/// use damper_ir::{Shape, shape};
///
/// let (turn, points) = (Shape::known([3, 3]), Shape::known([3, 1024]));
/// assert_eq!(shape::matmul(&[("turn", &turn), ("points", &points)]), Ok(Shape::known([3, 1024])));
/// ```
///
/// # Errors
/// The columns of the first are not the rows of the second; not two axes.
///
/// ```
/// # use damper_ir::{Shape, shape};
/// let (a, b) = (Shape::known([5, 8]), Shape::known([4, 8]));
/// let error = shape::matmul(&[("a", &a), ("b", &b)]).unwrap_err();
/// assert_eq!(error.to_string(), "`matmul` wants [m, k] and [k, n]: `a` is [5, 8], `b` is [4, 8]");
/// assert_eq!(error.help.as_deref(), Some("`transpose` at the end of `b`"));
/// ```
pub fn matmul(values: &[(&str, &Shape)]) -> Result<Shape, ShapeError> {
    let [(first_name, first), (name, shape)] = values else {
        return Ok(Shape::default());
    };
    let fits = |a: Option<usize>, b: Option<usize>| a.zip(b).is_none_or(|(a, b)| a == b);
    let shape_error = ShapeError::new(format!(
        "`matmul` wants [m, k] and [k, n]: `{first_name}` is {first}, `{name}` is {shape}"
    ));
    match (first.0.as_slice(), shape.0.as_slice()) {
        ([m, k], [l, n]) if fits(*k, *l) => Ok(Shape(vec![*m, *n])),
        _ if first_name == name => Err(shape_error
            .help("a statement of its own for one of the two, which ends with `transpose`")),
        ([_, k], [_, n]) if fits(*k, *n) => {
            Err(shape_error.help(format!("`transpose` at the end of `{name}`")))
        }
        ([m, _], [l, _]) if fits(*m, *l) => {
            Err(shape_error.help(format!("`transpose` at the end of `{first_name}`")))
        }
        ([_, k], [l]) if fits(*k, *l) => Err(shape_error.help(format!(
            "`reshape([{}, 1])` at the end of `{name}`",
            show(*l)
        ))),
        _ => Err(shape_error),
    }
}

/// `residual`: what the branch gives and what the shortcut gives are added.
///
/// ```
/// use damper_ir::{Layout, Shape, shape};
///
/// let both = Shape::known([64]);
/// assert_eq!(shape::residual(&both, &both, Layout::Features, false), Ok(Shape::known([64])));
/// ```
///
/// # Errors
/// They differ.
///
/// ```
/// # use damper_ir::{Layout, Shape, shape};
/// let (branch, input) = (Shape::known([128]), Shape::known([64]));
/// let error = shape::residual(&branch, &input, Layout::Features, false).unwrap_err();
/// assert_eq!(error.lint, "residual_shape_mismatch");
/// assert_eq!(error.to_string(), "`residual` adds its input to its branch: the branch gives [128], the input is [64]");
/// assert_eq!(error.help.as_deref(), Some("project the input: `shortcut { linear(128); }`"));
///
/// let (branch, input) = (Shape::known([128, 16, 16]), Shape::known([64, 32, 32]));
/// let error = shape::residual(&branch, &input, Layout::Channels, false).unwrap_err();
/// assert_eq!(
///     error.help.as_deref(),
///     Some("project the input: `shortcut { conv2d(128, kernel = 1, stride = 2); }`")
/// );
/// let error = shape::residual(&Shape::known([64, 30, 30]), &input, Layout::Channels, false).unwrap_err();
/// assert_eq!(
///     error.help.as_deref(),
///     Some("keep the size inside the branch: `padding = same`, or `padding = 1` for a kernel of 3")
/// );
/// ```
pub fn residual(
    branch: &Shape,
    shortcut: &Shape,
    layout: Layout,
    written: bool,
) -> Result<Shape, ShapeError> {
    branch.unify(shortcut).ok_or_else(|| {
        let shape_error = ShapeError {
            lint: names::residual_shape_mismatch,
            ..ShapeError::new(if written {
                format!("`residual` adds its shortcut to its branch: the branch gives {branch}, the shortcut gives {shortcut}")
            } else {
                format!("`residual` adds its input to its branch: the branch gives {branch}, the input is {shortcut}")
            })
        };
        match projection(shortcut, branch, layout) {
            Some(op) if written => shape_error.help(format!("end the shortcut with `{op}`")),
            Some(op) => shape_error.help(format!("project the input: `shortcut {{ {op}; }}`")),
            None if layout == Layout::Channels && branch.rank() == shortcut.rank() => shape_error.help(
                "keep the size inside the branch: `padding = same`, or `padding = 1` for a kernel of 3",
            ),
            None => shape_error,
        }
    })
}

/// `repeat`: the copies are in series. The shape that all of them keep; `None` if the block changes sizes, so that each copy is
/// built for what arrives at it.
///
/// ```
/// use damper_ir::{Shape, shape};
///
/// assert_eq!(shape::repeat(&Shape::known([64]), &Shape(vec![None])), Ok(Some(Shape::known([64]))));
/// assert_eq!(shape::repeat(&Shape::known([64]), &Shape::known([32])), Ok(None));
/// ```
///
/// # Errors
/// The block changes the number of axes.
///
/// ```
/// # use damper_ir::{Shape, shape};
/// let error = shape::repeat(&Shape::known([8, 8]), &Shape::known([64])).unwrap_err();
/// assert_eq!(error.to_string(), "`repeat` needs a block that keeps the number of axes: it takes [8, 8] and gives [64]");
/// assert_eq!(error.help.as_deref(), Some("move what changes the number of axes out of the block"));
/// ```
pub fn repeat(input: &Shape, output: &Shape) -> Result<Option<Shape>, ShapeError> {
    if input.rank() != output.rank() {
        let error = ShapeError::new(format!(
            "`repeat` needs a block that keeps the number of axes: it takes {input} and gives {output}"
        ));
        return Err(error.help("move what changes the number of axes out of the block"));
    }
    Ok(input.unify(output))
}
