//! `to_sequence`.

use super::{Call, Incoming, Operation, operation};
use crate::shape::{sequence, show};
use crate::{Layout, Shape, ShapeError};

operation! {
    /// The positions of an image as the steps of a sequence, row by row.
    ///
    /// Shapes: `[batch, channels, ..]` to `[batch, positions, channels]`.
    pub struct ToSequence = to_sequence {}
}

impl Operation for ToSequence {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout)
    }

    fn gives_axes(&self) -> Option<usize> {
        Some(2)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Sequence
    }

    fn call(&self) -> Call {
        Call::Function("to_sequence")
    }
}

/// `to_sequence`: `[channels, ..] -> [positions, channels]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::to_sequence;
///
/// let patches = Shape::known([768, 14, 14]);
/// assert_eq!(to_sequence::shape(&patches, Layout::Channels), Ok(Shape::known([196, 768])));
/// ```
///
/// # Errors
/// No positions; a sequence already.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::to_sequence;
/// let error = to_sequence::shape(&Shape::known([64]), Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`to_sequence` wants [channels, ..], this value is [64]");
/// ```
pub fn shape(input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    if layout == Layout::Sequence {
        return Err(sequence("to_sequence", "[channels, ..]", input).help("remove `to_sequence`"));
    }
    if input.rank() < 2 {
        return Err(ShapeError::new(format!(
            "`to_sequence` wants [channels, ..], this value is {input}"
        ))
        .help(format!(
            "`reshape([1, {}])` is one step",
            show(input.features())
        )));
    }
    Ok(Shape(vec![input.positions(), input.channels()]))
}
