//! What the normalizations share.

use super::Inside;
use crate::shape::sequence;
use crate::{Layout, Role, Shape, ShapeError};

/// A normalization keeps the shape: `layer_norm` and `rms_norm` read the last axis, the others the channels.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::norm;
///
/// let steps = Shape::known([50, 64]);
/// assert_eq!(norm::norm("layer_norm", &steps, Layout::Sequence), Ok(steps));
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
    let over_features = matches!(word, "layer_norm" | "rms_norm");
    if input.rank() == 0 {
        return Err(ShapeError::new(format!(
            "`{word}` wants [features], this value is {input}"
        )));
    }
    if !over_features && layout == Layout::Sequence && input.rank() > 1 {
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
