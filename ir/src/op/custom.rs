//! `custom`: any burn module of the user's.

use super::{Call, Field, Incoming, Operation, Written};
use crate::words::{Argument, Read, list_of, of, pages, visit};
use crate::{Layout, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

pages! {
    /// Any burn module with a `forward` of matching rank.
    custom(expr) {
        /// The Rust expression that makes the layer. The hyper-parameters and `device: &Device` are in scope.
        expr = required(Kind::Rust),
        /// The shape of one sample of its output: `[64]`.
        output = named(Kind::Sizes).called("an axis of `output`"),
        /// The layer's type, where it cannot be read from the expression.
        r#type = optional(Kind::RustType),
    };
}

/// `custom(expr, output = [..])`: any burn module with a `forward`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Custom {
    /// The expression's text, for messages and the summary.
    pub text: String,
    /// The shape of one sample of its output.
    pub output: Vec<Value>,
}

impl Custom {
    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        (from.word().name == "custom").then(|| Self {
            text: from.text("expr"),
            output: from.values("output"),
        })
    }
}

impl Written for Custom {
    fn word(&self) -> &'static str {
        "custom"
    }

    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        visit(of(WORDS, "custom"), "output", &self.output, act);
    }

    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        self.output.iter_mut().for_each(act);
    }

    fn written(&self) -> Vec<String> {
        vec![
            self.text.clone(),
            format!("output = {}", list_of(&self.output)),
        ]
    }
}

impl Operation for Custom {
    fn shape(&self, _: &Incoming<'_>) -> Result<Shape, ShapeError> {
        Ok(Shape::of(&self.output))
    }

    fn given(&self) -> Option<Shape> {
        Some(Shape::of(&self.output))
    }

    fn gives(&self, _: Layout, output: &Shape) -> Layout {
        Layout::of(output)
    }

    fn field(&self) -> Option<Field> {
        Some(Field::Custom)
    }

    fn call(&self) -> Call {
        Call::Method
    }
}
