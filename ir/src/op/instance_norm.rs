//! `instance_norm`.

use super::{Call, Field, Incoming, Inside, Operation, Type, norm, operation};
use crate::{Layout, Shape, ShapeError, Value};

operation! {
    /// Normalizes each channel of each sample, then scales by `gamma` and shifts by `beta` (Ulyanov et al., arXiv 1607.08022). No
    /// running statistics.
    ///
    /// Keeps the shape `[batch, channels, ..]`.
    pub struct InstanceNorm = instance_norm {
        /// Added to the variance.
        epsilon: Value = float(1e-5).range(Range::Positive)
            .usual(1e-12, 0.01, 1e-5, "1e-12 in BERT (arXiv 1810.04805), 1e-3 in Keras"),
    }
}

impl Operation for InstanceNorm {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        norm::norm("instance_norm", from.shape, from.layout)
    }

    fn reads_channels(&self) -> bool {
        true
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        norm::gain_and_shift(input.and_then(Shape::channels))
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(Type::burn("nn::InstanceNorm")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}
