//! `upsample` and `resize`: more or fewer positions.

use super::{Call, Field, Incoming, Operation, Type, operation};
use crate::shape::maps;
use crate::words::choice;
use crate::{Layout, Shape, ShapeError, Value, no};
use serde::{Deserialize, Serialize};

/// Where the numbers of new positions come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest old position.
    #[default]
    Nearest,
    /// The mean of the old positions around, weighted by their nearness.
    Bilinear,
}

choice!(Interpolation: "nearest" = Nearest, "bilinear" = Bilinear);

/// `upsample(factor)`.
pub mod upsample {
    use super::{Interpolation, Value, no, operation};

    operation! {
        /// So many times as many positions along each axis, as with `scale_factor` of `F.interpolate` in `PyTorch` (corners are not
        /// aligned).
        ///
        /// Shapes: `[batch, channels, length]` or `[batch, channels, height, width]`.
        pub struct Upsample = upsample(factor) {
            /// How many times as many.
            factor: Value = required(Kind::Size).called("the factor")
                .usual(1.0, 32.0, 2.0, "32 in fully convolutional networks (arXiv 1411.4038)"),
            /// `nearest` or `bilinear`; along a line the latter is linear.
            #[serde(default, skip_serializing_if = "no")]
            mode: Interpolation = optional(Kind::Word(Interpolation::WORDS)),
        }
    }
}

/// `resize([..])`.
pub mod resize {
    use super::{Interpolation, Value, no, operation};

    operation! {
        /// So many positions, whatever there were, as with `size` of `F.interpolate` in `PyTorch` (corners are not aligned).
        ///
        /// Shapes: `[batch, channels, length]` or `[batch, channels, height, width]`.
        pub struct Resize = resize(size) {
            /// The number of positions along each axis: `[height, width]`.
            size: Vec<Value> = required(Kind::Sizes).called("a size"),
            /// `nearest` or `bilinear`; along a line the latter is linear.
            #[serde(default, skip_serializing_if = "no")]
            mode: Interpolation = optional(Kind::Word(Interpolation::WORDS)),
        }
    }
}

use resize::Resize;
use upsample::Upsample;

impl Operation for Upsample {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        maps("upsample", 2, from.shape, from.layout)?;
        let mut shape = from.shape.clone();
        let factor = self.factor.size();
        for axis in shape.0.iter_mut().skip(1) {
            *axis = axis
                .zip(factor)
                .map(|(size, factor)| size.saturating_mul(factor));
        }
        Ok(shape)
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("Resample")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

impl Operation for Resize {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        resized(from.shape, from.layout, &self.size)
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("Resample")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `resize([..])`: one size for each axis of positions.
///
/// ```
/// use damper_ir::{Layout, Shape, Value};
/// use damper_ir::op::resample;
///
/// let size = [Value::known(10.0), Value::known(4.0)];
/// assert_eq!(resample::resized(&Shape::known([3, 8, 8]), Layout::Channels, &size), Ok(Shape::known([3, 10, 4])));
/// ```
///
/// # Errors
/// Another number of axes; no positions; a sequence.
///
/// ```
/// # use damper_ir::{Layout, Shape, Value};
/// # use damper_ir::op::resample;
/// let error = resample::resized(&Shape::known([3, 8, 8]), Layout::Channels, &[Value::known(10.0)]).unwrap_err();
/// assert_eq!(error.to_string(), "`resize([10])` wants a size for each of the 2 axes of positions of [3, 8, 8]");
/// assert_eq!(error.help.as_deref(), Some("resize([10, 10])"));
/// let error = resample::resized(&Shape::known([49, 3]), Layout::Sequence, &[Value::known(10.0)]).unwrap_err();
/// assert_eq!(error.to_string(), "`resize` wants [channels, length] or [channels, height, width], this value is a sequence: [49, 3] is [time, features]");
/// assert_eq!(error.help.as_deref(), Some("`to_image([3, 7, 7])` before it"));
/// ```
pub fn resized(input: &Shape, layout: Layout, size: &[Value]) -> Result<Shape, ShapeError> {
    maps("resize", 2, input, layout)?;
    let axes = input.rank() - 1;
    if size.len() != axes {
        let written = crate::words::list_of(size);
        let first = size.first().copied().unwrap_or(Value::known(7.0));
        let whole = crate::words::list_of(&vec![first; axes]);
        return Err(ShapeError::new(format!(
            "`resize({written})` wants a size for each of the {axes} axes of positions of {input}"
        ))
        .help(format!("resize({whole})")));
    }
    let channels = input.0.first().copied();
    Ok(Shape(
        channels.into_iter().chain(Shape::of(size).0).collect(),
    ))
}
