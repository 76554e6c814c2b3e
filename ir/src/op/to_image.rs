//! `to_image`.

use super::{Call, Field, Incoming, Operation, Type, operation};
use crate::shape::{divisor, steps};
use crate::{Finding, Id, Layout, Shape, ShapeError, Value};

operation! {
    /// The steps of a sequence as the positions of an image, row by row: what `to_sequence` undoes.
    ///
    /// Shapes: `[batch, height * width, channels]` to `[batch, channels, height, width]`.
    pub struct ToImage = to_image(shape) {
        /// The shape of one sample: `[channels, height, width]`.
        shape: Vec<Value> = required(Kind::Sizes).called("an axis"),
    }
}

impl Operation for ToImage {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout, &Shape::of(&self.shape))
    }

    fn refused(&self, id: Id) -> Option<Finding> {
        (self.shape.len() < 2).then(|| {
            Finding::error(id, "`to_image` wants channels and positions")
                .help("to_image([16, 8, 8])")
        })
    }

    fn given(&self) -> Option<Shape> {
        Some(Shape::of(&self.shape))
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("ToImage")))
    }

    fn call(&self) -> Call {
        Call::MethodOfRank
    }
}

/// `to_image([channels, ..])`: `[positions, channels] -> [channels, ..]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::to_image;
///
/// let image = Shape::known([768, 14, 14]);
/// assert_eq!(to_image::shape(&Shape::known([196, 768]), Layout::Sequence, &image), Ok(image));
/// ```
///
/// # Errors
/// Other channels than features; more or fewer positions than steps; no time axis.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::to_image;
/// let image = Shape::known([3, 14, 14]);
/// let error = to_image::shape(&Shape::known([196, 768]), Layout::Sequence, &image).unwrap_err();
/// assert_eq!(error.to_string(), "`to_image([3, 14, 14])` wants [196, 3], this value is [196, 768]");
/// assert_eq!(error.help.as_deref(), Some("to_image([768, 14, 14])"));
/// let error = to_image::shape(&Shape::known([64, 3]), Layout::Sequence, &image).unwrap_err();
/// assert_eq!(error.help.as_deref(), Some("to_image([3, 8, 8])"));
/// ```
pub fn shape(input: &Shape, layout: Layout, output: &Shape) -> Result<Shape, ShapeError> {
    let (time, features) = steps("to_image", input, layout)?;
    let wanted = Shape(vec![output.positions(), output.channels()]);
    if wanted.unify(input).is_some() {
        return Ok(output.clone());
    }
    let shape_error = ShapeError::new(format!(
        "`to_image({output})` wants {wanted}, this value is {input}"
    ));
    let fits = output.positions().is_none() || output.positions() == time;
    let positions = match time {
        Some(time) if !fits && time > 0 => {
            let height = divisor(time, (time as f64).sqrt() as usize);
            vec![Some(height), Some(time / height)]
        }
        _ => output.0.iter().skip(1).copied().collect(),
    };
    let image = Shape(std::iter::once(features).chain(positions).collect());
    Err(shape_error.help(format!("to_image({image})")))
}
