//! `linear`: a dense layer, with weights of its own or tied to an embedding.

use super::{Call, Field, Incoming, Inside, Operation, Type, Written, operation};
use crate::catalogue::names;
use crate::shape::show;
use crate::{Layout, Role, Shape, ShapeError, Value, no};

operation! {
    /// A dense layer, `y = x W + b`.
    ///
    /// Shapes: `[batch, .., in]` to `[batch, .., out]`; of a sequence behind `transpose` the steps, `[batch, features, time]` to
    /// `[batch, features, out]`. Parameters: `weight` `[in, out]` and `bias` `[out]`, both
    /// drawn from `U(-k, k)` with `k = 1 / sqrt(in)`, as in `PyTorch`.
    pub struct Linear = linear(out) {
        /// The number of units; `same` for as many as the block around it takes in.
        out: Value = required(Kind::SizeOr("same")).called("the number of units"),
        /// Whether a bias is added.
        bias: Value = flag(true),
        /// The embedding in the same block whose table is this layer's weight.
        #[serde(default, skip_serializing_if = "no")]
        tied: Option<String> = optional(Kind::Name),
    } + {
        /// `linear(same)`: `out` is unknown until [`crate::Model::resolve`] has filled it in.
        #[serde(default, skip_serializing_if = "no")]
        same: bool = |from| from.choice("out").is_some(),
    }
}

impl Operation for Linear {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        let out = if self.same {
            from.units
        } else {
            self.out.size()
        };
        match &self.tied {
            Some(name) => tied(from.shape, from.layout, out, name, from.table),
            // Behind `transpose` it mixes the steps: MLP-Mixer (Tolstikhin et al., arXiv 2105.01601).
            None if from.transposed => shape("linear", from.shape, Layout::Features, out),
            None => shape("linear", from.shape, from.layout, out),
        }
    }

    fn shown(&self) -> Vec<String> {
        let mut shown = self.written();
        if self.same
            && let Some(out) = shown.first_mut()
        {
            "same".clone_into(out);
        }
        shown
    }

    fn gives(&self, input: Layout, _: &Shape) -> Layout {
        input.read_as_steps()
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn parameters(&self, input: Option<&Shape>, output: Option<&Shape>) -> Vec<Inside> {
        let out = if self.same {
            output.and_then(Shape::features)
        } else {
            self.out.size()
        };
        let mut all = Vec::new();
        if self.tied.is_none() {
            let features = input.and_then(Shape::features);
            all.push(Inside::new("weight", Role::Weight, [features, out]));
        }
        // A bias that is not known to be off is counted.
        if self.bias.is_true() != Some(false) {
            all.push(Inside::new("bias", Role::Bias, [out]));
        }
        all
    }

    fn products(&self, input: Option<&Shape>, output: Option<&Shape>) -> Option<usize> {
        Some(input?.features()?.saturating_mul(output?.elements()?))
    }

    fn is_weight(&self) -> bool {
        true
    }

    fn drops_weights(&self) -> bool {
        self.tied.is_none()
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(if self.tied.is_some() {
            Type::damper("TiedLinear")
        } else {
            Type::burn("nn::Linear").with_parameter("weight")
        }))
    }

    fn call(&self) -> Call {
        match &self.tied {
            Some(_) => Call::Tied,
            None => Call::Method,
        }
    }
}

/// `linear` and `swiglu`: `[.., in] -> [.., out]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::linear;
///
/// let (image, open) = (Shape::known([784]), Layout::Features);
/// assert_eq!(linear::shape("linear", &image, open, Some(10)), Ok(Shape::known([10])));
/// assert_eq!(linear::shape("linear", &image, open, None), Ok(Shape(vec![None])));
/// let steps = Shape::known([50, 32]);
/// assert_eq!(linear::shape("linear", &steps, Layout::Sequence, Some(8)), Ok(Shape::known([50, 8])));
/// ```
///
/// # Errors
/// A value with spatial axes: `linear` would act on its width alone.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::linear;
/// let error = linear::shape("linear", &Shape::known([8, 7, 7]), Layout::Channels, Some(10)).unwrap_err();
/// assert_eq!(error.lint, "missing_flatten");
/// assert_eq!(error.to_string(), "`linear` wants [features], this value is [8, 7, 7]");
/// assert_eq!(
///     error.help.as_deref(),
///     Some("`flatten` before it gives all 392 numbers, `global_avg_pool` the mean of each channel")
/// );
/// ```
pub fn shape(
    word: &str,
    input: &Shape,
    layout: Layout,
    out: Option<usize>,
) -> Result<Shape, ShapeError> {
    match input.rank() {
        1 | 2 if input.rank() == 1 || layout != Layout::Channels => {
            let mut axes = input.0.clone();
            if let Some(last) = axes.last_mut() {
                *last = out;
            }
            Ok(Shape(axes))
        }
        0 => Err(ShapeError::new(format!(
            "`{word}` wants [features], this value is {input}"
        ))),
        _ => Err(ShapeError {
            lint: names::missing_flatten,
            ..ShapeError::new(format!("`{word}` wants [features], this value is {input}")).help(
                format!(
                    "`flatten` before it gives all {} numbers, `global_avg_pool` the mean of each channel",
                    show(input.elements())
                ),
            )
        }),
    }
}

/// `linear(out, tied = embed)`: the weight is the table `[vocab, dim]` of an embedding.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::linear;
///
/// let state = Shape::known([128, 64]);
/// assert_eq!(
///     linear::tied(&state, Layout::Sequence, Some(8000), "embed", (Some(8000), Some(64))),
///     Ok(Shape::known([128, 8000]))
/// );
/// ```
///
/// # Errors
/// Other units than classes; other features than the length of a vector.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::linear;
/// let state = Shape::known([128, 64]);
/// let table = (Some(8000), Some(32));
/// let error = linear::tied(&state, Layout::Sequence, Some(100), "embed", table).unwrap_err();
/// assert_eq!(error.to_string(), "`linear(100, tied = embed)` gives 100 units, the table of `embed` has 8000 classes");
/// assert_eq!(error.help.as_deref(), Some("linear(8000, tied = embed)"));
/// let error = linear::tied(&state, Layout::Sequence, Some(8000), "embed", table).unwrap_err();
/// assert_eq!(error.to_string(), "`linear(8000, tied = embed)` wants the 32 features of `embed`, this value is [128, 64]");
/// assert_eq!(error.help.as_deref(), Some("linear(32) -> linear(8000, tied = embed)"));
/// ```
pub fn tied(
    input: &Shape,
    layout: Layout,
    out: Option<usize>,
    name: &str,
    (vocab, dim): (Option<usize>, Option<usize>),
) -> Result<Shape, ShapeError> {
    let given = shape("linear", input, layout, out)?;
    if let Some((out, vocab)) = out.zip(vocab).filter(|(out, vocab)| out != vocab) {
        return Err(ShapeError::new(format!(
            "`linear({out}, tied = {name})` gives {out} units, the table of `{name}` has {vocab} classes"
        ))
        .help(format!("linear({vocab}, tied = {name})")));
    }
    match input.features().zip(dim) {
        Some((features, dim)) if features != dim => {
            let out = show(out);
            Err(ShapeError::new(format!(
                "`linear({out}, tied = {name})` wants the {dim} features of `{name}`, this value is {input}"
            ))
            .help(format!("linear({dim}) -> linear({out}, tied = {name})")))
        }
        _ => Ok(given),
    }
}
