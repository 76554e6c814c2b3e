//! `attention`: multi-head self-attention.

use super::{Call, Field, Incoming, Inside, Operation, Type, operation};
use crate::shape::{divisor, steps};
use crate::{Layout, Rate, Shape, ShapeError, Value, no};

operation! {
    /// Multi-head self-attention (Vaswani et al., arXiv 1706.03762).
    ///
    /// Keeps the shape `[batch, time, features]`. No step attends to padding. Annotation: `attention_dropout`.
    pub struct Attention = attention(heads) {
        /// How many heads share the features; it divides them.
        heads: Value = named(Kind::Size).positional().called("the number of heads"),
        /// Whether a step attends only to itself and earlier ones.
        causal: Value = flag(false),
        /// Whether the projections have a bias.
        bias: Value = flag(true),
    } + {
        /// `positional(rope)` directly before it: queries and keys are rotated (arXiv 2104.09864).
        #[serde(default, skip_serializing_if = "no")]
        rope: bool,
        /// `attention_dropout(p)`: on the attention weights.
        #[serde(default, skip_serializing_if = "no")]
        dropout: Option<Rate>,
    }
}

impl Operation for Attention {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout, self.heads.size(), self.rope)
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(2)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Sequence
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn reads_padding(&self) -> bool {
        true
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let features = input.and_then(Shape::features);
        let wide = features.map(|features| features.saturating_mul(3));
        let bias = self.bias.is_true() != Some(false);
        let mut all = Inside::projection("in_proj", features, wide, bias);
        all.extend(Inside::projection("out_proj", features, features, bias));
        all
    }

    fn products(&self, input: Option<&Shape>, _: Option<&Shape>) -> Option<usize> {
        let (time, features) = (input?.channels()?, input?.features()?);
        let times = |factors: &[usize]| factors.iter().fold(1_usize, |a, b| a.saturating_mul(*b));
        let projections = times(&[4, time, features, features]);
        Some(projections.saturating_add(times(&[2, time, time, features])))
    }

    fn rates(&self) -> Vec<(&'static str, &Rate)> {
        let dropout = self.dropout.iter();
        dropout.map(|rate| ("attention_dropout", rate)).collect()
    }

    fn rates_mut(&mut self) -> Vec<&mut Rate> {
        self.dropout.iter_mut().collect()
    }

    fn prefix(&self) -> &'static str {
        if self.rope {
            "positional(rope) -> "
        } else {
            ""
        }
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(Type::damper("Attention")))
    }

    fn call(&self) -> Call {
        Call::MethodWithPadding
    }
}

/// `attention(heads)`: keeps `[time, features]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::attention;
///
/// let steps = Shape::known([64, 128]);
/// assert_eq!(attention::shape(&steps, Layout::Sequence, Some(4), false), Ok(steps));
/// ```
///
/// # Errors
/// The heads do not divide the features; rotation over heads of an odd size; no time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::attention;
/// let error = attention::shape(&Shape::known([64, 128]), Layout::Sequence, Some(6), false).unwrap_err();
/// assert_eq!(error.to_string(), "6 heads do not divide the 128 features of [64, 128]");
/// assert_eq!(error.help.as_deref(), Some("attention(heads = 4)"));
/// let error = attention::shape(&Shape::known([3, 8, 8]), Layout::Channels, Some(1), false).unwrap_err();
/// assert_eq!(error.help.as_deref(), Some("`to_sequence -> attention`: the 64 positions of the image are the steps"));
/// ```
pub fn shape(
    input: &Shape,
    layout: Layout,
    heads: Option<usize>,
    rope: bool,
) -> Result<Shape, ShapeError> {
    let (time, features) = steps("attention", input, layout)?;
    if let Some((features, heads)) = features.zip(heads).filter(|(_, heads)| *heads > 0) {
        if features % heads != 0 {
            let near = divisor(features, heads);
            return Err(ShapeError::new(format!(
                "{heads} heads do not divide the {features} features of {input}"
            ))
            .help(format!("attention(heads = {near})")));
        }
        let each = features / heads;
        if rope && each % 2 == 1 {
            return Err(ShapeError::new(format!(
                "`positional(rope)` rotates pairs of features, a head of {input} has {each}"
            ))
            .help("heads of an even size, or `positional(learned)`"));
        }
    }
    Ok(Shape(vec![time, features]))
}
