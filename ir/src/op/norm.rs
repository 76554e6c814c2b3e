//! What the normalizations share.

use super::{Call, Inside};
use crate::shape::sequence;
use crate::words::choice;
use crate::{Layout, Role, Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// The axis that `layer_norm` and `rms_norm` normalize.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormAxis {
    /// The last, of `[features]` and `[time, features]`.
    #[default]
    Features,
    /// The first, of `[channels, ..]`.
    Channels,
}

choice!(NormAxis: "features" = Features, "channels" = Channels);

impl NormAxis {
    /// `layer_norm` and `rms_norm` keep the shape.
    ///
    /// ```
    /// use damper_ir::{Layout, Shape};
    /// use damper_ir::op::norm::NormAxis;
    ///
    /// let steps = Shape::known([50, 64]);
    /// assert_eq!(NormAxis::Features.norm("layer_norm", &steps, Layout::Sequence), Ok(steps));
    /// let maps = Shape::known([96, 56, 56]);
    /// assert_eq!(NormAxis::Channels.norm("layer_norm", &maps, Layout::Channels), Ok(maps));
    /// ```
    ///
    /// # Errors
    /// A value without axes; maps without `axis = channels`: it would be the width; a sequence with it: it would be the steps.
    ///
    /// ```
    /// # use damper_ir::{Layout, Shape};
    /// # use damper_ir::op::norm::NormAxis;
    /// let maps = Shape::known([96, 56, 56]);
    /// let error = NormAxis::Features.norm("layer_norm", &maps, Layout::Channels).unwrap_err();
    /// assert_eq!(error.to_string(), "`layer_norm` wants [features] or [time, features], this value has its channels first: [96, 56, 56]");
    /// assert_eq!(error.help.as_deref(), Some("layer_norm(axis = channels)"));
    /// let error = NormAxis::Channels.norm("rms_norm", &Shape::known([50, 64]), Layout::Sequence).unwrap_err();
    /// assert_eq!(error.to_string(), "`rms_norm(axis = channels)` wants [channels, ..], this value is a sequence: [50, 64] is [time, features]");
    /// assert_eq!(error.help.as_deref(), Some("rms_norm"));
    /// ```
    pub fn norm(self, word: &str, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
        match (self, layout) {
            _ if input.rank() == 0 => Err(ShapeError::new(format!(
                "`{word}` wants [features], this value is {input}"
            ))),
            (Self::Features, Layout::Channels) if input.rank() > 1 => Err(ShapeError::new(format!(
                "`{word}` wants [features] or [time, features], this value has its channels first: {input}"
            ))
            .help(format!("{word}(axis = channels)"))),
            (Self::Channels, Layout::Sequence) if input.rank() > 1 => Err(sequence(
                &format!("{word}(axis = channels)"),
                "[channels, ..]",
                input,
            )
            .help(word)),
            _ => Ok(input.clone()),
        }
    }

    /// What the axes mean of the value that it gives.
    pub(super) fn gives(self, input: Layout) -> Layout {
        match self {
            Self::Features => input.read_as_steps(),
            Self::Channels => Layout::Channels,
        }
    }

    /// How many numbers the axis has.
    pub fn size(self, input: &Shape) -> Option<usize> {
        match self {
            Self::Features => input.features(),
            Self::Channels => input.channels(),
        }
    }

    pub(super) const fn call(self) -> Call {
        match self {
            Self::Features => Call::Method,
            Self::Channels => Call::MethodOverChannels,
        }
    }
}

/// A normalization of channels keeps the shape.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::norm;
///
/// let maps = Shape::known([64, 8, 8]);
/// assert_eq!(norm::norm("batch_norm", &maps, Layout::Channels), Ok(maps));
/// ```
///
/// # Errors
/// A value without axes; a sequence where channels are wanted: they would be the time steps.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::norm;
/// let error = norm::norm("batch_norm", &Shape::default(), Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`batch_norm` wants [features], this value is []");
/// let error = norm::norm("batch_norm", &Shape::known([50, 64]), Layout::Sequence).unwrap_err();
/// assert_eq!(error.to_string(), "`batch_norm` wants [channels, ..], this value is a sequence: [50, 64] is [time, features]");
/// assert_eq!(error.help.as_deref(), Some("`layer_norm`, which normalizes each step; or `transpose -> batch_norm -> transpose`"));
/// let error = norm::norm("instance_norm", &Shape::known([64]), Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`instance_norm` wants [channels, ..], this value is [64]");
/// ```
pub fn norm(word: &str, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    if input.rank() == 0 {
        return Err(ShapeError::new(format!(
            "`{word}` wants [features], this value is {input}"
        )));
    }
    if layout == Layout::Sequence && input.rank() > 1 {
        return Err(sequence(word, "[channels, ..]", input).help(format!(
            "`layer_norm`, which normalizes each step; or `transpose -> {word} -> transpose`"
        )));
    }
    if word == "instance_norm" && input.rank() < 2 {
        return Err(ShapeError::new(format!(
            "`{word}` wants [channels, ..], this value is {input}"
        ))
        .help("`layer_norm`: a single number for each channel has no mean and variance"));
    }
    Ok(input.clone())
}

/// `gamma` and `beta`.
pub(super) fn gain_and_shift(size: Option<usize>) -> Vec<Inside> {
    vec![
        Inside::new("gamma", Role::Gain, [size]),
        Inside::new("beta", Role::Shift, [size]),
    ]
}
