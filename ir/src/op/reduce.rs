//! `mean` and `max` along one axis.

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
}

/// `mean(axis = ..)`, `max(axis = ..)`: the axis is gone; over time without padding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reduce {
    /// What is computed.
    pub reduction: Reduction,
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
            "mean" => Reduction::Mean,
            "max" => Reduction::Max,
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
        match self.reduction {
            Reduction::Mean => "mean",
            Reduction::Max => "max",
        }
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
            (Axis::Time, Reduction::Mean) => Call::FunctionWithPadding("mean_over_time"),
            (Axis::Time, Reduction::Max) => Call::FunctionWithPadding("max_over_time"),
            (Axis::Channels | Axis::Features, _) => Call::Reduce,
        }
    }
}

/// `mean(axis = ..)`, `max(axis = ..)`: the axis is gone.
///
/// ```
/// use damper_ir::{Axis, Layout, Reduction, Shape};
/// use damper_ir::op::reduce;
///
/// let steps = Shape::known([64, 128]);
/// let mean = |axis| reduce::shape(Reduction::Mean, axis, &steps, Layout::Sequence);
/// assert_eq!(mean(Axis::Time), Ok(Shape::known([128])));
/// assert_eq!(mean(Axis::Features), Ok(Shape::known([64])));
/// ```
///
/// # Errors
/// The value has no such axis.
///
/// ```
/// # use damper_ir::{Axis, Layout, Reduction, Shape};
/// # use damper_ir::op::reduce;
/// # let steps = Shape::known([64, 128]);
/// # let mean = |axis| reduce::shape(Reduction::Mean, axis, &steps, Layout::Sequence);
/// let error = mean(Axis::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`mean(axis = channels)` wants [channels, ..], this value is a sequence: [64, 128] is [time, features]");
/// assert_eq!(error.help.as_deref(), Some("mean(axis = features)"));
/// let image = Shape::known([8, 7, 7]);
/// let error = reduce::shape(Reduction::Max, Axis::Time, &image, Layout::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`max(axis = time)` wants [time, features], this value is [8, 7, 7]");
/// assert_eq!(error.help.as_deref(), Some("`global_max_pool` over the positions, or `to_sequence -> max(axis = time)`"));
/// ```
pub fn shape(
    reduction: Reduction,
    axis: Axis,
    input: &Shape,
    layout: Layout,
) -> Result<Shape, ShapeError> {
    let (word, pool) = match reduction {
        Reduction::Mean => ("mean", "global_avg_pool"),
        Reduction::Max => ("max", "global_max_pool"),
    };
    let call = format!("{word}(axis = {})", axis.word());
    if input.rank() < 2 {
        let shape_error = ShapeError::new(format!(
            "`{call}` wants at least two axes, this value is {input}"
        ));
        return Err(shape_error.help(format!("remove `{call}`")));
    }
    match axis {
        Axis::Time if layout == Layout::Channels || input.rank() > 2 => {
            Err(not_steps(&call, input, layout).help(format!(
                "`{pool}` over the positions, or `{} -> {call}`",
                if input.rank() == 2 {
                    "transpose"
                } else {
                    "to_sequence"
                }
            )))
        }
        Axis::Channels if layout == Layout::Sequence => {
            Err(sequence(&call, "[channels, ..]", input).help(format!("{word}(axis = features)")))
        }
        Axis::Features if layout == Layout::Channels => Err(ShapeError::new(format!(
            "`{call}` wants [time, features], this value is channels first: {input}"
        ))
        .help(format!(
            "`{word}(axis = channels)` over the channels, `{pool}` over the positions"
        ))),
        Axis::Time | Axis::Channels => Ok(Shape(input.0.iter().skip(1).copied().collect())),
        Axis::Features => {
            let mut kept = input.0.clone();
            kept.pop();
            Ok(Shape(kept))
        }
    }
}
