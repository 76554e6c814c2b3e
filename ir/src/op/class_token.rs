//! `class_token`.

use super::{Call, Field, Incoming, Inside, Operation, Type, operation};
use crate::shape::steps;
use crate::{Layout, Role, Shape, ShapeError};

operation! {
    /// A learned vector before the first step; its output represents the whole sequence (arXiv 1810.04805, arXiv 2010.11929).
    ///
    /// Shapes: `[batch, time, features]` to `[batch, time + 1, features]`.
    pub struct ClassToken = class_token {}
}

impl Operation for ClassToken {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout)
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(2)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Sequence
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn steps_before(&self) -> usize {
        1
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let features = input.and_then(Shape::features);
        vec![Inside::new("weight", Role::Embedding, [Some(1), features])]
    }

    fn unit_axis(&self, _: usize) -> usize {
        0
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(Type::damper("ClassToken")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `class_token`: `[time, features] -> [time + 1, features]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::class_token;
///
/// assert_eq!(class_token::shape(&Shape::known([196, 768]), Layout::Sequence), Ok(Shape::known([197, 768])));
/// ```
///
/// # Errors
/// No time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::class_token;
/// let error = class_token::shape(&Shape::known([64]), Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`class_token` wants [time, features], this value is [64]");
/// ```
pub fn shape(input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    let (time, features) = steps("class_token", input, layout)?;
    Ok(Shape(vec![
        time.map(|time| time.saturating_add(1)),
        features,
    ]))
}
