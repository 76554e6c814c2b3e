//! `activity`: a penalty on the value that passes.

use super::{Call, Field, Incoming, Operation, operation};
use crate::{Shape, ShapeError, Value};

operation! {
    /// Adds `l1 * sum |v| + l2 * sum v^2` of the values that pass, averaged over the batch, to the objective.
    ///
    /// An annotation; it acts after the last activation of the statement.
    pub struct Activity = activity {
        /// The strength of the sum of absolute values.
        l1: Value = float(0.0).range(Range::NotNegative)
            .usual(1e-9, 0.1, 1e-4, "Keras's examples have 1e-5 to 0.01"),
        /// The strength of the sum of squares.
        l2: Value = float(0.0).range(Range::NotNegative)
            .usual(1e-9, 0.1, 1e-4, "Keras's examples have 1e-5 to 0.01"),
    }
}

impl Operation for Activity {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        Ok(from.shape.clone())
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Noise(None))
    }

    fn call(&self) -> Call {
        Call::Activity
    }
}
