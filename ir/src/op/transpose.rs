//! `transpose`.

use super::{Call, Incoming, Operation, operation};
use crate::{Layout, Shape, ShapeError};

operation! {
    /// Swaps two axes: a sequence `[time, features]` becomes `[channels, length]`, and back.
    pub struct Transpose = transpose {}
}

impl Operation for Transpose {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape)
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(2)
    }

    fn gives(&self, input: Layout, _: &Shape) -> Layout {
        match input {
            Layout::Channels => Layout::Sequence,
            Layout::Sequence => Layout::Channels,
            Layout::Features => Layout::Features,
        }
    }

    fn call(&self) -> Call {
        Call::Transpose
    }
}

/// `transpose`: `[a, b] -> [b, a]`.
///
/// ```
/// use damper_ir::Shape;
/// use damper_ir::op::transpose;
///
/// assert_eq!(transpose::shape(&Shape::known([50, 32])), Ok(Shape::known([32, 50])));
/// ```
///
/// # Errors
/// Not two axes.
///
/// ```
/// # use damper_ir::Shape;
/// # use damper_ir::op::transpose;
/// let error = transpose::shape(&Shape::known([3, 8, 8])).unwrap_err();
/// assert_eq!(error.to_string(), "`transpose` wants a value of two axes, this value is [3, 8, 8]");
/// ```
pub fn shape(input: &Shape) -> Result<Shape, ShapeError> {
    if let [a, b] = input.0.as_slice() {
        return Ok(Shape(vec![*b, *a]));
    }
    let shape_error = ShapeError::new(format!(
        "`transpose` wants a value of two axes, this value is {input}"
    ));
    Err(if input.rank() > 2 {
        shape_error.help("`to_sequence` puts the channels last")
    } else {
        shape_error.help("remove `transpose`")
    })
}
