//! `permute`.

use super::{Call, Field, Incoming, Operation, Type, operation};
use crate::{Layout, Shape, ShapeError, Value};

operation! {
    /// The axes of one sample in another order: `permute([2, 3, 1])` puts the channels of an image last.
    ///
    /// Axes are counted from 1, since 0 is the batch, as in `x.permute(0, 2, 3, 1)` of `PyTorch`. A result with three axes or more
    /// is treated as channels first.
    pub struct Permute = permute(axes) {
        /// The axis that each place gets, from 1.
        axes: Vec<Value> = required(Kind::Sizes).called("an axis"),
    }
}

impl Operation for Permute {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, &self.axes)
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn gives(&self, input: Layout, output: &Shape) -> Layout {
        let first = self.axes.first().and_then(Value::size) == Some(1);
        match (input, output.rank()) {
            (layout, _) if first && (output.rank() == 2 || layout == Layout::Channels) => layout,
            (Layout::Channels, 2) => Layout::Sequence,
            (Layout::Sequence, 2) => Layout::Channels,
            _ => Layout::of(output),
        }
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("Permute")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `permute([..])`: the axes in another order.
///
/// ```
/// use damper_ir::{Shape, Value};
/// use damper_ir::op::permute;
///
/// let last = [2.0, 3.0, 1.0].map(Value::known);
/// assert_eq!(permute::shape(&Shape::known([3, 8, 9]), &last), Ok(Shape::known([8, 9, 3])));
/// ```
///
/// # Errors
/// Not every axis once.
///
/// ```
/// # use damper_ir::{Shape, Value};
/// # use damper_ir::op::permute;
/// let axes = [1.0, 2.0].map(Value::known);
/// let error = permute::shape(&Shape::known([3, 8, 9]), &axes).unwrap_err();
/// assert_eq!(error.to_string(), "`permute([1, 2])` wants each of the 3 axes of [3, 8, 9] once, counted from 1");
/// assert_eq!(error.help.as_deref(), Some("permute([2, 3, 1])"));
/// ```
pub fn shape(input: &Shape, axes: &[Value]) -> Result<Shape, ShapeError> {
    let rank = input.rank();
    let known: Vec<Option<usize>> = axes.iter().map(Value::size).collect();
    if known.len() == rank && known.iter().any(Option::is_none) {
        return Ok(Shape(vec![None; rank]));
    }
    let known: Vec<usize> = known.into_iter().flatten().collect();
    let every = (1..=rank).all(|axis| known.contains(&axis));
    if known.len() != rank || !every {
        let written = crate::words::list_of(axes);
        let shape_error = ShapeError::new(format!(
            "`permute({written})` wants each of the {rank} axes of {input} once, counted from 1"
        ));
        let last = Shape::known((2..=rank).chain(std::iter::once(1)));
        return Err(if rank > 1 {
            shape_error.help(format!("permute({last})"))
        } else {
            shape_error.help("remove `permute`")
        });
    }
    let size = |place: &usize| input.0.get(place - 1).copied().flatten();
    Ok(Shape(known.iter().map(size).collect()))
}
