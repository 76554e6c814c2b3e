//! `first_step` and `last_step`.

use super::{Call, Incoming, Operation, Written};
use crate::shape::steps;
use crate::words::{Argument, Read, pages};
use crate::{Layout, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

pages! {
    /// The first step of a sequence: where a class token is.
    ///
    /// Shapes: `[batch, time, features]` to `[batch, features]`.
    first_step;

    /// The last step of a sequence that is not padding; the first one if all are.
    ///
    /// Shapes: `[batch, time, features]` to `[batch, features]`.
    last_step;
}

/// `first_step`, `last_step`: `[time, features] -> [features]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The last instead of the first.
    pub last: bool,
}

impl Step {
    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        match from.word().name {
            "first_step" => Some(Self { last: false }),
            "last_step" => Some(Self { last: true }),
            _ => None,
        }
    }
}

impl Written for Step {
    fn word(&self) -> &'static str {
        if self.last { "last_step" } else { "first_step" }
    }

    fn each_value(&self, _: &mut dyn FnMut(&'static Argument, &Value)) {}

    fn each_value_mut(&mut self, _: &mut dyn FnMut(&mut Value)) {}

    fn written(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Operation for Step {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(self.word(), from.shape, from.layout)
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(2)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Features
    }

    fn reads_padding(&self) -> bool {
        true
    }

    fn call(&self) -> Call {
        if self.last {
            Call::FunctionWithPadding("last_step")
        } else {
            Call::Function("first_step")
        }
    }
}

/// `first_step`, `last_step`: `[time, features] -> [features]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::step;
///
/// assert_eq!(step::shape("last_step", &Shape::known([28, 128]), Layout::Sequence), Ok(Shape::known([128])));
/// ```
///
/// # Errors
/// No time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::step;
/// let error = step::shape("last_step", &Shape::known([64]), Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`last_step` wants [time, features], this value is [64]");
/// ```
pub fn shape(word: &str, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    let (_, features) = steps(word, input, layout).map_err(|shape_error| match input.rank() {
        1 => ShapeError {
            help: Some(format!("remove `{word}`: there is no time axis")),
            ..shape_error
        },
        _ => shape_error,
    })?;
    Ok(Shape(vec![features]))
}
