//! `rms_norm`.

use super::{Call, Field, Incoming, Inside, Operation, Type, norm::NormAxis, operation};
use crate::{Layout, Role, Shape, ShapeError, Value, no};

operation! {
    /// Divides by the root of the mean square over the features, then scales by `gamma` (Zhang and Sennrich, arXiv 1910.07467).
    ///
    /// Keeps the shape.
    pub struct RmsNorm = rms_norm {
        /// Added to the mean square.
        epsilon: Value = float(1e-5).range(Range::Positive)
            .usual(1e-12, 0.01, 1e-5, "1e-12 in BERT (arXiv 1810.04805), 1e-3 in Keras"),
        /// `channels` for `[channels, ..]`, whose every position is then normalized over its channels; else the last axis is.
        #[serde(default, skip_serializing_if = "no")]
        axis: NormAxis = optional(Kind::Word(NormAxis::WORDS)),
    }
}

impl Operation for RmsNorm {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        self.axis.norm("rms_norm", from.shape, from.layout)
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
        vec![Inside::new(
            "gamma",
            Role::Gain,
            [input.and_then(|input| self.axis.size(input))],
        )]
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(
            Type::burn("nn::RmsNorm").with_parameter("gamma"),
        ))
    }

    fn call(&self) -> Call {
        self.axis.call()
    }
}
