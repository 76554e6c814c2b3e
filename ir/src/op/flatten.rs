//! `flatten`.

use super::{Call, Incoming, Operation, operation};
use crate::{Layout, Shape, ShapeError};

operation! {
    /// All numbers of a sample in one row: what goes between feature maps and `linear`.
    ///
    /// Shapes: `[batch, ..]` to `[batch, product]`.
    pub struct Flatten = flatten {}
}

impl Operation for Flatten {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        Ok(shape(from.shape))
    }

    fn gives_axes(&self) -> Option<usize> {
        Some(1)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Features
    }

    fn call(&self) -> Call {
        Call::Flatten
    }
}

/// `flatten`: `[..] -> [product]`.
///
/// ```
/// use damper_ir::Shape;
/// use damper_ir::op::flatten;
///
/// assert_eq!(flatten::shape(&Shape::known([8, 7, 7])), Shape::known([392]));
/// assert_eq!(flatten::shape(&Shape(vec![None, Some(7)])), Shape(vec![None]));
/// ```
pub fn shape(input: &Shape) -> Shape {
    Shape(vec![input.elements()])
}
