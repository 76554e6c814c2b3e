//! `batch_norm`.

use super::{Call, Field, Incoming, Inside, Operation, Type, norm, operation};
use crate::{Layout, Role, Shape, ShapeError, Value};

operation! {
    /// Normalizes every feature over the batch, then scales by `gamma` and shifts by `beta` (Ioffe and Szegedy, arXiv 1502.03167).
    /// Uses the running mean and variance at inference.
    ///
    /// Keeps the shape. Dropout before it shifts the variance that it has learned (Li et al., arXiv 1801.05134): see the lints
    /// `dropout_before_batch_norm` and `dropout_with_batch_norm`.
    pub struct BatchNorm = batch_norm {
        /// Added to the variance.
        epsilon: Value = float(1e-5).range(Range::Positive)
            .usual(1e-12, 0.01, 1e-5, "1e-12 in BERT (arXiv 1810.04805), 1e-3 in Keras"),
        /// The weight of the new batch in the running statistics.
        momentum: Value = float(0.1).range(Range::Share).usual(
            0.0005,
            0.5,
            0.1,
            "the weight of the new batch, as in PyTorch (0.1); Keras counts the old share (0.99)",
        ),
    }
}

impl Operation for BatchNorm {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        norm::norm("batch_norm", from.shape, from.layout)
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
        let channels = input.and_then(Shape::channels);
        let mut all = norm::gain_and_shift(channels);
        for name in ["running_mean", "running_var"] {
            all.push(Inside::new(name, Role::Running, [channels]));
        }
        all
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(
            Type::damper("BatchNorm").with_parameter("gamma"),
        ))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}
