//! `squeeze_excitation`: channels scaled by a small network that sees the mean of each.

use super::{Call, Field, Incoming, Inside, Operation, Type, operation};
use crate::shape::sequence;
use crate::{Layout, Shape, ShapeError, Value};

operation! {
    /// Scales each channel by a number in (0, 1) that two dense layers compute of the means of all channels: `sigmoid(W2 relu(W1 z))`
    /// (Hu et al., arXiv 1709.01507).
    ///
    /// Keeps the shape `[batch, channels, ..]`. Parameters: `squeeze` and `excite`, each a `linear` with `weight` and `bias`, drawn as
    /// those of [`linear`](crate::vocabulary::layer::linear). As a rule at the end of a residual branch.
    pub struct SqueezeExcitation = squeeze_excitation(reduction) {
        /// How many times fewer units the first dense layer has than there are channels; the paper's is 16.
        reduction: Value = size(Kind::Size, 16).positional().called("the reduction")
            .usual(1.0, 64.0, 16.0, "the paper tries 2 to 32 (arXiv 1709.01507)"),
    }
}

impl SqueezeExcitation {
    /// The units between the two dense layers.
    pub fn units(&self, channels: usize) -> Option<usize> {
        let reduction = self.reduction.size().filter(|reduction| *reduction > 0)?;
        Some(channels / reduction).filter(|units| *units > 0)
    }
}

impl Operation for SqueezeExcitation {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout, self.reduction.size())
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

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let channels = input.and_then(Shape::channels);
        let units = channels.and_then(|channels| self.units(channels));
        let mut all = Inside::projection("squeeze", channels, units, true);
        all.extend(Inside::projection("excite", units, channels, true));
        all
    }

    fn products(&self, input: Option<&Shape>, _: Option<&Shape>) -> Option<usize> {
        let channels = input?.channels()?;
        let one = channels.saturating_mul(self.units(channels)?);
        Some(one.saturating_mul(2))
    }

    /// It scales values, as an activation does, and is no layer that another one follows.
    fn is_weight(&self) -> bool {
        false
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Weights(
            Type::damper("SqueezeExcitation").with_parameter("squeeze.weight"),
        ))
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `squeeze_excitation(reduction)`: keeps `[channels, ..]`.
///
/// ```
/// use damper_ir::op::squeeze_excitation;
/// use damper_ir::{Layout, Shape};
///
/// let maps = Shape::known([64, 8, 8]);
/// assert_eq!(squeeze_excitation::shape(&maps, Layout::Channels, Some(16)), Ok(maps));
/// ```
///
/// # Errors
/// No positions; a sequence; a reduction that leaves no unit.
///
/// ```
/// # use damper_ir::op::squeeze_excitation;
/// # use damper_ir::{Layout, Shape};
/// let error = squeeze_excitation::shape(&Shape::known([64]), Layout::Features, Some(16)).unwrap_err();
/// assert_eq!(error.to_string(), "`squeeze_excitation` wants [channels, ..], this value is [64]");
/// let error = squeeze_excitation::shape(&Shape::known([50, 64]), Layout::Sequence, Some(16)).unwrap_err();
/// assert_eq!(error.help.as_deref(), Some("transpose -> squeeze_excitation -> transpose"));
/// let error = squeeze_excitation::shape(&Shape::known([8, 4, 4]), Layout::Channels, Some(16)).unwrap_err();
/// assert_eq!(error.to_string(), "`squeeze_excitation(16)` leaves no unit of the 8 channels of [8, 4, 4]");
/// assert_eq!(error.help.as_deref(), Some("squeeze_excitation(2)"));
/// ```
pub fn shape(input: &Shape, layout: Layout, reduction: Option<usize>) -> Result<Shape, ShapeError> {
    let word = "squeeze_excitation";
    if layout == Layout::Sequence {
        let help = format!("transpose -> {word} -> transpose");
        return Err(sequence(word, "[channels, ..]", input).help(help));
    }
    if input.rank() < 2 {
        let shape_error = ShapeError::new(format!(
            "`{word}` wants [channels, ..], this value is {input}"
        ));
        return Err(shape_error.help(format!("remove `{word}`: there are no positions")));
    }
    match input.channels().zip(reduction) {
        Some((channels, reduction)) if reduction > channels => Err(ShapeError::new(format!(
            "`{word}({reduction})` leaves no unit of the {channels} channels of {input}"
        ))
        .help(format!("{word}({})", (channels / 4).max(1)))),
        _ => Ok(input.clone()),
    }
}
