//! `pad`.

use super::{Call, Field, Incoming, Operation, Type, operation};
use crate::{Layout, Shape, ShapeError, Value};

operation! {
    /// Numbers around a value: `pad([1, 2])` adds one before and two behind.
    ///
    /// Acts on the positions of `[batch, channels, ..]`, on the steps of `[batch, time, features]`, on the features of
    /// `[batch, features]`. What is padded this way counts as a value everywhere, not as the padding of tokens.
    pub struct Pad = pad(sizes) {
        /// How many are added before and behind each axis of positions: `[top, bottom, left, right]` of an image.
        sizes: Vec<Value> = required(Kind::Wholes).called("a number of positions"),
        /// The number that is added.
        value: Value = float(0.0),
    }
}

/// The axes of one sample that `pad` acts on: from the first one to the last.
fn axes(rank: usize, layout: Layout) -> (usize, usize) {
    match (rank, layout) {
        (0 | 1, _) => (0, rank),
        (2, Layout::Features | Layout::Sequence) => (0, 1),
        _ => (1, rank),
    }
}

impl Operation for Pad {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout, &self.sizes)
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn gives(&self, input: Layout, output: &Shape) -> Layout {
        if output.rank() == 2 {
            input.read_as_steps()
        } else {
            input
        }
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("Pad")))
    }

    fn first_axis(&self, layout: Layout, rank: usize) -> usize {
        axes(rank, layout).0
    }

    fn call(&self) -> Call {
        Call::MethodAlong
    }
}

/// `pad([..])`: two numbers for each axis of positions.
///
/// ```
/// use damper_ir::{Layout, Shape, Value};
/// use damper_ir::op::pad;
///
/// let around = [1.0, 2.0, 0.0, 3.0].map(Value::known);
/// assert_eq!(pad::shape(&Shape::known([3, 8, 8]), Layout::Channels, &around), Ok(Shape::known([3, 11, 11])));
/// let steps = [0.0, 2.0].map(Value::known);
/// assert_eq!(pad::shape(&Shape::known([5, 8]), Layout::Sequence, &steps), Ok(Shape::known([7, 8])));
/// ```
///
/// # Errors
/// Another count of numbers.
///
/// ```
/// # use damper_ir::{Layout, Shape, Value};
/// # use damper_ir::op::pad;
/// let one = [Value::known(2.0)];
/// let error = pad::shape(&Shape::known([3, 8, 8]), Layout::Channels, &one).unwrap_err();
/// assert_eq!(error.to_string(), "`pad` wants 4 numbers for [3, 8, 8], before and behind each axis of positions, found 1");
/// assert_eq!(error.help.as_deref(), Some("pad([2, 2, 2, 2])"));
/// ```
pub fn shape(input: &Shape, layout: Layout, sizes: &[Value]) -> Result<Shape, ShapeError> {
    let (from, to) = axes(input.rank(), layout);
    let wanted = 2 * (to - from);
    if sizes.len() != wanted {
        let first = sizes.first().copied().unwrap_or(Value::known(1.0));
        let list = crate::words::list_of(&vec![first; wanted]);
        return Err(ShapeError::new(format!(
            "`pad` wants {wanted} numbers for {input}, before and behind each axis of positions, found {}",
            sizes.len()
        ))
        .help(format!("pad({list})")));
    }
    let mut shape = input.clone();
    for (axis, pair) in shape.0.iter_mut().skip(from).zip(sizes.chunks(2)) {
        let added = pair
            .iter()
            .try_fold(0_usize, |sum, one| Some(sum.saturating_add(one.size()?)));
        *axis = axis
            .zip(added)
            .map(|(size, added)| size.saturating_add(added));
    }
    Ok(shape)
}
