//! `layer_norm`.

use super::{Call, Field, Incoming, Inside, Operation, Type, norm, norm::NormAxis, operation};
use crate::{Layout, Shape, ShapeError, Value, no};

operation! {
    /// Normalizes every sample over its features, then scales by `gamma` and shifts by `beta` (Ba et al., arXiv 1607.06450).
    ///
    /// Keeps the shape.
    pub struct LayerNorm = layer_norm {
        /// Added to the variance.
        epsilon: Value = float(1e-5).range(Range::Positive)
            .usual(1e-12, 0.01, 1e-5, "1e-12 in BERT (arXiv 1810.04805), 1e-3 in Keras"),
        /// `channels` for `[channels, ..]`, whose every position is then normalized over its channels; else the last axis is.
        #[serde(default, skip_serializing_if = "no")]
        axis: NormAxis = optional(Kind::Word(NormAxis::WORDS)),
    }
}

impl Operation for LayerNorm {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        self.axis.norm("layer_norm", from.shape, from.layout)
    }

    fn gives(&self, input: Layout, _: &Shape) -> Layout {
        self.axis.gives(input)
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        norm::gain_and_shift(input.and_then(|input| self.axis.size(input)))
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(
            Type::damper("LayerNorm").with_parameter("gamma"),
        ))
    }

    fn call(&self) -> Call {
        self.axis.call()
    }
}
