//! `positional`: the positions of steps, added or as rotations.

use super::{Call, Field, Incoming, Inside, Operation, Type, Written};
use crate::shape::steps;
use crate::words::{Argument, Read, pages};
use crate::{Layout, Role, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

pages! {
    /// Adds the position of each step: `positional(sinusoidal)`, `positional(learned)`.
    ///
    /// `positional(rope)` directly before `attention` rotates its queries and keys instead (Su et al., arXiv 2104.09864), in the
    /// pairs of GPT-NeoX: feature `i` and `i + half`. Keeps the shape `[batch, time, features]`.
    positional(encoding) {
        /// `sinusoidal`, `learned` or `rope`.
        encoding = required(Kind::Word(&["sinusoidal", "learned", "rope"])),
    };
}

/// `positional(sinusoidal)`, `positional(learned)`: added to `[time, features]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Positional {
    /// Learned instead of sines and cosines.
    pub learned: bool,
}

impl Positional {
    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        (from.word().name == "positional").then(|| Self {
            learned: from.choice("encoding") == Some("learned"),
        })
    }
}

impl Written for Positional {
    fn word(&self) -> &'static str {
        "positional"
    }

    fn each_value(&self, _: &mut dyn FnMut(&'static Argument, &Value)) {}

    fn each_value_mut(&mut self, _: &mut dyn FnMut(&mut Value)) {}

    fn written(&self) -> Vec<String> {
        vec![
            if self.learned {
                "learned"
            } else {
                "sinusoidal"
            }
            .to_owned(),
        ]
    }
}

impl Operation for Positional {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(from.shape, from.layout, self.learned)
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(2)
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Sequence
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let axes = [
            input.and_then(Shape::channels),
            input.and_then(Shape::features),
        ];
        let table = Inside::new("weight", Role::Embedding, axes);
        self.learned.then_some(table).into_iter().collect()
    }

    fn unit_axis(&self, _: usize) -> usize {
        0
    }

    fn field(&self) -> Option<Field> {
        Some(if self.learned {
            Field::Weights(Type::damper("LearnedPosition"))
        } else {
            Field::State(Type::damper("SinusoidalPosition"))
        })
    }

    fn call(&self) -> Call {
        Call::Method
    }
}

/// `positional(sinusoidal)`, `positional(learned)`: keeps `[time, features]`.
///
/// ```
/// use damper_ir::{Layout, Shape};
/// use damper_ir::op::positional;
///
/// let steps = Shape::known([64, 128]);
/// assert_eq!(positional::shape(&steps, Layout::Sequence, true), Ok(steps));
/// ```
///
/// # Errors
/// Sines and cosines over an odd number of features; no time axis; channels first.
///
/// ```
/// # use damper_ir::{Layout, Shape};
/// # use damper_ir::op::positional;
/// let error = positional::shape(&Shape::known([64, 33]), Layout::Sequence, false).unwrap_err();
/// assert_eq!(error.to_string(), "`positional(sinusoidal)` wants an even number of features, this value is [64, 33]");
/// assert_eq!(error.help.as_deref(), Some("positional(learned)"));
/// ```
pub fn shape(input: &Shape, layout: Layout, learned: bool) -> Result<Shape, ShapeError> {
    let (_, features) = steps("positional", input, layout)?;
    if !learned && features.is_some_and(|features| features % 2 == 1) {
        return Err(ShapeError::new(format!(
            "`positional(sinusoidal)` wants an even number of features, this value is {input}"
        ))
        .help("positional(learned)"));
    }
    Ok(input.clone())
}
