//! `group_norm`.

use super::{Call, Field, Incoming, Inside, Operation, Type, norm, operation};
use crate::shape::divisor;
use crate::{Layout, Shape, ShapeError, Value};

operation! {
    /// Normalizes each group of channels of each sample, then scales by `gamma` and shifts by `beta` (Wu and He, arXiv 1803.08494).
    /// It does not depend on the batch: small batches are no worse.
    ///
    /// Keeps the shape `[batch, channels, ..]`.
    pub struct GroupNorm = group_norm(groups) {
        /// How many groups; it divides the channels.
        groups: Value = required(Kind::Size).called("the number of groups"),
        /// Added to the variance.
        epsilon: Value = float(1e-5).range(Range::Positive)
            .usual(1e-12, 0.01, 1e-5, "1e-12 in BERT (arXiv 1810.04805), 1e-3 in Keras"),
    }
}

impl Operation for GroupNorm {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout, self.groups.size())
    }

    fn reads_channels(&self) -> bool {
        true
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn normalizes(&self) -> bool {
        true
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        norm::gain_and_shift(input.and_then(Shape::channels))
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(Type::burn("nn::GroupNorm")))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `group_norm(groups)`: each group of channels of each sample by itself; keeps the shape.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::group_norm;
///
/// let maps = Shape::known([32, 8, 8]);
/// assert_eq!(group_norm::shape(&maps, Layout::Channels, Some(8)), Ok(maps));
/// ```
///
/// # Errors
/// The groups do not divide the channels; a sequence.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::group_norm;
/// let error = group_norm::shape(&Shape::known([30, 8, 8]), Layout::Channels, Some(8)).unwrap_err();
/// assert_eq!(error.to_string(), "`group_norm(8)` splits channels into equal groups, 8 does not divide the 30 channels of [30, 8, 8]");
/// assert_eq!(error.help.as_deref(), Some("group_norm(6)"));
/// ```
pub fn shape(input: &Shape, layout: Layout, groups: Option<usize>) -> Result<Shape, ShapeError> {
    let kept = norm::norm("group_norm", input, layout)?;
    if let (Some(channels), Some(groups)) = (input.channels(), groups)
        && groups > 0
        && channels % groups != 0
    {
        let near = divisor(channels, groups);
        return Err(ShapeError::new(format!(
            "`group_norm({groups})` splits channels into equal groups, {groups} does not divide the {channels} channels of {input}"
        ))
        .help(format!("group_norm({near})")));
    }
    Ok(kept)
}
