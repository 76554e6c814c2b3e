//! `reshape`.

use super::{Call, Field, Incoming, Operation, Type, operation};
use crate::{Finding, Id, Layout, Shape, ShapeError, Value};

operation! {
    /// The same numbers in another shape; the last axis varies fastest.
    pub struct Reshape = reshape(shape) {
        /// The shape of one sample: `[8, 28]`.
        shape: Vec<Value> = required(Kind::Sizes).called("an axis"),
    }
}

impl Operation for Reshape {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, &Shape::of(&self.shape))
    }

    fn refused(&self, id: Id) -> Option<Finding> {
        self.shape.is_empty().then(|| {
            Finding::error(id, "`reshape` wants at least one axis").help("reshape([1, 28, 28])")
        })
    }

    fn given(&self) -> Option<Shape> {
        Some(Shape::of(&self.shape))
    }

    fn gives(&self, _: Layout, output: &Shape) -> Layout {
        Layout::of(output)
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("Reshape")))
    }

    fn call(&self) -> Call {
        Call::MethodOfRank
    }
}

/// `reshape([..])`: the same numbers in another shape.
///
/// ```
/// use damper_ir::Shape;
/// use damper_ir::op::reshape;
///
/// let image = Shape::known([1, 28, 28]);
/// assert_eq!(reshape::shape(&Shape::known([784]), &image), Ok(image));
/// ```
///
/// # Errors
/// The numbers are not as many.
///
/// ```
/// # use damper_ir::Shape;
/// # use damper_ir::op::reshape;
/// let error = reshape::shape(&Shape::known([784]), &Shape::known([3, 16, 16])).unwrap_err();
/// assert_eq!(error.to_string(), "`reshape` keeps the numbers of a value: [784] holds 784, [3, 16, 16] holds 768");
/// let error = reshape::shape(&Shape::known([784]), &Shape::known([28, 27])).unwrap_err();
/// assert_eq!(error.help.as_deref(), Some("reshape([28, 28])"));
/// ```
pub fn shape(input: &Shape, output: &Shape) -> Result<Shape, ShapeError> {
    match input.elements().zip(output.elements()) {
        Some((held, wanted)) if held != wanted => {
            let shape_error = ShapeError::new(format!(
                "`reshape` keeps the numbers of a value: {input} holds {held}, {output} holds {wanted}"
            ));
            let mut axes = output.0.clone();
            axes.pop();
            match Shape(axes.clone()).elements() {
                Some(front) if front > 0 && held % front == 0 => {
                    axes.push(Some(held / front));
                    Err(shape_error.help(format!("reshape({})", Shape(axes))))
                }
                _ => Err(shape_error),
            }
        }
        _ => Ok(output.clone()),
    }
}
