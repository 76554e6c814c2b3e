//! `mean`, `max`, `min` and `sum` along one axis.

use super::{Call, Incoming, Operation, Written};
use crate::shape::{not_steps, sequence};
use crate::words::{Argument, Field, Read, choice, pages};
use crate::{Layout, Reduction, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

pages! {
    /// The mean along `time`, `channels` or `features`; that axis is gone.
    ///
    /// Over time without padded steps; a sequence of nothing but padding gives 0.
    mean(axis) {
        /// `time`, `channels` or `features`.
        axis = named(Kind::Word(Axis::WORDS)).positional(),
    };

    /// The largest value along `time`, `channels` or `features`; that axis is gone.
    ///
    /// Over time without padded steps; a sequence of nothing but padding gives 0.
    max(axis) {
        /// `time`, `channels` or `features`.
        axis = named(Kind::Word(Axis::WORDS)).positional(),
    };

    /// The smallest value along `time`, `channels` or `features`; that axis is gone.
    ///
    /// Over time without padded steps; a sequence of nothing but padding gives 0.
    min(axis) {
        /// `time`, `channels` or `features`.
        axis = named(Kind::Word(Axis::WORDS)).positional(),
    };

    /// The sum along `time`, `channels` or `features`; that axis is gone.
    ///
    /// Over time without padded steps.
    sum(axis) {
        /// `time`, `channels` or `features`.
        axis = named(Kind::Word(Axis::WORDS)).positional(),
    };
}

/// What several numbers along an axis become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Total {
    /// The mean.
    Mean,
    /// The maximum.
    Max,
    /// The minimum.
    Min,
    /// The sum.
    Sum,
}

impl Total {
    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Min => "min",
            Self::Sum => "sum",
        }
    }

    /// The pooling that does the same over positions.
    pub(crate) const fn pooling(self) -> Option<Reduction> {
        match self {
            Self::Mean => Some(Reduction::Mean),
            Self::Max => Some(Reduction::Max),
            Self::Min | Self::Sum => None,
        }
    }
}

/// `mean(axis = ..)` and its like: the axis is gone; over time without padding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reduce {
    /// What is computed.
    pub reduction: Total,
    /// Along which axis.
    pub axis: Axis,
}

/// An axis of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// The first of `[time, features]`.
    Time,
    /// The first of `[channels, ..]`.
    Channels,
    /// The last.
    Features,
}

choice!(Axis: "time" = Time, "channels" = Channels, "features" = Features);

impl Reduce {
    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        let reduction = match from.word().name {
            "mean" => Total::Mean,
            "max" => Total::Max,
            "min" => Total::Min,
            "sum" => Total::Sum,
            _ => return None,
        };
        Some(Self {
            reduction,
            axis: Axis::read(from, "axis"),
        })
    }
}

impl Written for Reduce {
    fn word(&self) -> &'static str {
        self.reduction.word()
    }

    fn each_value(&self, _: &mut dyn FnMut(&'static Argument, &Value)) {}

    fn each_value_mut(&mut self, _: &mut dyn FnMut(&mut Value)) {}

    fn written(&self) -> Vec<String> {
        vec![format!("axis = {}", self.axis.word())]
    }
}

impl Operation for Reduce {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(self.reduction, self.axis, from.shape, from.layout)
    }

    fn gives(&self, _: Layout, output: &Shape) -> Layout {
        Layout::of(output)
    }

    fn reads_padding(&self) -> bool {
        self.axis == Axis::Time
    }

    fn call(&self) -> Call {
        match (self.axis, self.reduction) {
            (Axis::Time, Total::Mean) => Call::FunctionWithPadding("mean_over_time"),
            (Axis::Time, Total::Max) => Call::FunctionWithPadding("max_over_time"),
            (Axis::Time, Total::Min) => Call::FunctionWithPadding("min_over_time"),
            (Axis::Time, Total::Sum) => Call::FunctionWithPadding("sum_over_time"),
            (Axis::Channels | Axis::Features, _) => Call::Reduce,
        }
    }
}

/// `mean(axis = ..)` and its like: the axis is gone.
///
/// ```
/// use damper_ir::{Axis, Layout, Shape};
/// use damper_ir::op::reduce::{self, Total};
///
/// let steps = Shape::known([64, 128]);
/// let mean = |axis| reduce::shape(Total::Mean, axis, &steps, Layout::Sequence);
/// assert_eq!(mean(Axis::Time), Ok(Shape::known([128])));
/// assert_eq!(mean(Axis::Features), Ok(Shape::known([64])));
/// ```
///
/// # Errors
/// The value has no such axis.
///
/// ```
/// # use damper_ir::{Axis, Layout, Shape};
/// # use damper_ir::op::reduce::{self, Total};
/// # let steps = Shape::known([64, 128]);
/// # let mean = |axis| reduce::shape(Total::Mean, axis, &steps, Layout::Sequence);
/// let error = mean(Axis::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`mean(axis = channels)` wants [channels, ..], this value is a sequence: [64, 128] is [time, features]");
/// assert_eq!(error.help.as_deref(), Some("mean(axis = features)"));
/// let image = Shape::known([8, 7, 7]);
/// let error = reduce::shape(Total::Max, Axis::Time, &image, Layout::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`max(axis = time)` wants [time, features], this value is [8, 7, 7]");
/// assert_eq!(error.help.as_deref(), Some("`global_max_pool` over the positions, or `to_sequence -> max(axis = time)`"));
/// ```
pub fn shape(
    reduction: Total,
    axis: Axis,
    input: &Shape,
    layout: Layout,
) -> Result<Shape, ShapeError> {
    let word = reduction.word();
    let pool = match reduction.pooling() {
        Some(Reduction::Mean) => Some("global_avg_pool"),
        Some(Reduction::Max) => Some("global_max_pool"),
        None => None,
    };
    let call = format!("{word}(axis = {})", axis.word());
    if input.rank() < 2 {
        let shape_error = ShapeError::new(format!(
            "`{call}` wants at least two axes, this value is {input}"
        ));
        return Err(shape_error.help(format!("remove `{call}`")));
    }
    let at = along(&call, axis, input, layout).map_err(|(shape_error, other)| {
        let other = other.map(|other| format!("{word}(axis = {})", other.word()));
        match (axis, pool, other) {
            (Axis::Time, Some(pool), _) => shape_error.help(format!(
                "`{pool}` over the positions, or `{} -> {call}`",
                if input.rank() == 2 {
                    "transpose"
                } else {
                    "to_sequence"
                }
            )),
            (Axis::Features, Some(pool), Some(other)) => shape_error.help(format!(
                "`{other}` over the channels, `{pool}` over the positions"
            )),
            (_, _, Some(other)) => shape_error.help(other),
            (_, _, None) => shape_error,
        }
    })?;
    let mut kept = input.0.clone();
    kept.remove(at);
    Ok(Shape(kept))
}

/// The place of an axis in one sample; else why the value has none, and the one that was perhaps meant.
pub(super) fn along(
    call: &str,
    axis: Axis,
    input: &Shape,
    layout: Layout,
) -> Result<usize, (ShapeError, Option<Axis>)> {
    match axis {
        _ if input.rank() == 0 => {
            let message = format!("`{call}` wants an axis, this value is {input}");
            Err((ShapeError::new(message), None))
        }
        Axis::Time if layout == Layout::Channels || input.rank() != 2 => {
            Err((not_steps(call, input, layout), None))
        }
        Axis::Channels if layout == Layout::Sequence && input.rank() > 1 => {
            let shape_error = sequence(call, "[channels, ..]", input);
            Err((shape_error, Some(Axis::Features)))
        }
        Axis::Features if layout == Layout::Channels && input.rank() > 1 => {
            let message =
                format!("`{call}` wants [time, features], this value is channels first: {input}");
            Err((ShapeError::new(message), Some(Axis::Channels)))
        }
        Axis::Time | Axis::Channels => Ok(0),
        Axis::Features => Ok(input.rank() - 1),
    }
}
