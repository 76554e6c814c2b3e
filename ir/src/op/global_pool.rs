//! `global_avg_pool` and `global_max_pool`.

use super::{Call, Incoming, Operation, Written};
use crate::shape::sequence;
use crate::words::{Argument, Read, pages};
use crate::{Layout, Reduction, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

pages! {
    /// The mean of each channel over all positions (Lin et al., arXiv 1312.4400).
    ///
    /// Shapes: `[batch, channels, ..]` to `[batch, channels]`.
    global_avg_pool;

    /// The largest value of each channel over all positions.
    ///
    /// Shapes: `[batch, channels, ..]` to `[batch, channels]`.
    global_max_pool;
}

/// `global_avg_pool`, `global_max_pool`: `[channels, ..] -> [channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GlobalPool(pub Reduction);

impl GlobalPool {
    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        match from.word().name {
            "global_avg_pool" => Some(Self(Reduction::Mean)),
            "global_max_pool" => Some(Self(Reduction::Max)),
            _ => None,
        }
    }
}

impl Written for GlobalPool {
    fn word(&self) -> &'static str {
        match self.0 {
            Reduction::Mean => "global_avg_pool",
            Reduction::Max => "global_max_pool",
        }
    }

    fn each_value(&self, _: &mut dyn FnMut(&'static Argument, &Value)) {}

    fn each_value_mut(&mut self, _: &mut dyn FnMut(&mut Value)) {}

    fn written(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Operation for GlobalPool {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(self.0, from.shape, from.layout)
    }

    fn gives_axes(&self) -> Option<usize> {
        Some(1)
    }

    fn reads_channels(&self) -> bool {
        true
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Features
    }

    fn call(&self) -> Call {
        Call::Function(self.word())
    }
}

/// `global_avg_pool`, `global_max_pool`: `[channels, ..] -> [channels]`.
///
/// ```
/// use damper_ir::{Layout, Reduction, Shape};
/// use damper_ir::op::global_pool;
///
/// let maps = Shape::known([512, 7, 7]);
/// assert_eq!(global_pool::shape(Reduction::Mean, &maps, Layout::Channels), Ok(Shape::known([512])));
/// ```
///
/// # Errors
/// No positions, or a sequence.
///
/// ```
/// # use damper_ir::{Layout, Reduction, Shape};
/// # use damper_ir::op::global_pool;
/// let error = global_pool::shape(Reduction::Mean, &Shape::known([50, 32]), Layout::Sequence).unwrap_err();
/// assert_eq!(error.to_string(), "`global_avg_pool` wants [channels, ..], this value is a sequence: [50, 32] is [time, features]");
/// assert_eq!(error.help.as_deref(), Some("mean(axis = time)"));
/// ```
pub fn shape(reduction: Reduction, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    let (word, over_time) = match reduction {
        Reduction::Mean => ("global_avg_pool", "mean(axis = time)"),
        Reduction::Max => ("global_max_pool", "max(axis = time)"),
    };
    if layout == Layout::Sequence {
        return Err(sequence(word, "[channels, ..]", input).help(over_time));
    }
    if input.rank() < 2 {
        return Err(ShapeError::new(format!(
            "`{word}` wants [channels, ..], this value is {input}"
        ))
        .help(format!("remove `{word}`: there are no positions")));
    }
    Ok(Shape(vec![input.channels()]))
}
