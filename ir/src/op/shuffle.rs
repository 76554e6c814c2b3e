//! `pixel_shuffle` and `channel_shuffle`.

use super::{Call, Field, Incoming, Operation, Type, operation};
use crate::shape::{divisor, maps};
use crate::{Layout, Shape, ShapeError, Value};

/// `pixel_shuffle(factor)`.
pub mod pixel {
    use super::{Value, operation};

    operation! {
        /// Channels as positions: an image of `factor` times the height and width (Shi et al., arXiv 1609.05158), in the order of
        /// `PyTorch`.
        ///
        /// Shapes: `[batch, factor * factor * channels, height, width]` to `[batch, channels, factor * height, factor * width]`.
        pub struct PixelShuffle = pixel_shuffle(factor) {
            /// How many times the height and the width come out; its square divides the channels.
            factor: Value = required(Kind::Size).called("the factor"),
        }
    }
}

/// `channel_shuffle(groups)`.
pub mod channel {
    use super::{Value, operation};

    operation! {
        /// Mixes the channels of groups: the first one of each group, then the second one of each, and so on (Zhang et al., arXiv
        /// 1707.01083).
        ///
        /// Keeps the shape `[batch, channels, ..]`.
        pub struct ChannelShuffle = channel_shuffle(groups) {
            /// How many groups; it divides the channels.
            groups: Value = required(Kind::Size).called("the number of groups"),
        }
    }
}

use channel::ChannelShuffle;
use pixel::PixelShuffle;

impl Operation for PixelShuffle {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        pixels(from.shape, from.layout, self.factor.size())
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(3)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("PixelShuffle")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

impl Operation for ChannelShuffle {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        channels(from.shape, from.layout, self.groups.size())
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("ChannelShuffle")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `pixel_shuffle(factor)`: `[factor * factor * channels, h, w] -> [channels, factor * h, factor * w]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::shuffle;
///
/// let maps = Shape::known([12, 8, 8]);
/// assert_eq!(shuffle::pixels(&maps, Layout::Channels, Some(2)), Ok(Shape::known([3, 16, 16])));
/// ```
///
/// # Errors
/// Channels that the square of the factor does not divide; no image.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::shuffle;
/// let error = shuffle::pixels(&Shape::known([10, 8, 8]), Layout::Channels, Some(2)).unwrap_err();
/// assert_eq!(error.to_string(), "`pixel_shuffle(2)` makes one channel of 4, which do not divide the 10 channels of [10, 8, 8]");
/// assert_eq!(error.help.as_deref(), Some("conv2d(12, kernel = 1) -> pixel_shuffle(2)"));
/// ```
pub fn pixels(input: &Shape, layout: Layout, factor: Option<usize>) -> Result<Shape, ShapeError> {
    if input.rank() != 3 {
        return Err(ShapeError::new(format!(
            "`pixel_shuffle` wants [channels, height, width], this value is {input}"
        )));
    }
    maps("pixel_shuffle", 2, input, layout)?;
    let Some(factor) = factor.filter(|factor| *factor > 0) else {
        return Ok(Shape(vec![None; 3]));
    };
    let square = factor.saturating_mul(factor);
    if let Some(channels) = input.channels().filter(|channels| channels % square != 0) {
        let near = channels.div_ceil(square).saturating_mul(square);
        return Err(ShapeError::new(format!(
            "`pixel_shuffle({factor})` makes one channel of {square}, which do not divide the {channels} channels of {input}"
        ))
        .help(format!("conv2d({near}, kernel = 1) -> pixel_shuffle({factor})")));
    }
    let mut shape = input.clone();
    for (place, axis) in shape.0.iter_mut().enumerate() {
        *axis = axis.map(|size| match place {
            0 => size / square,
            _ => size.saturating_mul(factor),
        });
    }
    Ok(shape)
}

/// `channel_shuffle(groups)`: keeps `[channels, ..]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::shuffle;
///
/// let maps = Shape::known([12, 8, 8]);
/// assert_eq!(shuffle::channels(&maps, Layout::Channels, Some(3)), Ok(maps));
/// ```
///
/// # Errors
/// Groups that do not divide the channels; a sequence.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::shuffle;
/// let error = shuffle::channels(&Shape::known([12, 8, 8]), Layout::Channels, Some(5)).unwrap_err();
/// assert_eq!(error.to_string(), "`channel_shuffle(5)` mixes equal groups, 5 does not divide the 12 channels of [12, 8, 8]");
/// assert_eq!(error.help.as_deref(), Some("channel_shuffle(4)"));
/// ```
pub fn channels(input: &Shape, layout: Layout, groups: Option<usize>) -> Result<Shape, ShapeError> {
    maps("channel_shuffle", 3, input, layout)?;
    if let (Some(channels), Some(groups)) = (input.channels(), groups.filter(|groups| *groups > 0))
        && channels % groups != 0
    {
        let near = divisor(channels, groups);
        return Err(ShapeError::new(format!(
            "`channel_shuffle({groups})` mixes equal groups, {groups} does not divide the {channels} channels of {input}"
        ))
        .help(format!("channel_shuffle({near})")));
    }
    Ok(input.clone())
}
