//! The operations that hold other operations, and the short forms of them.

use crate::words::pages;
use crate::{Id, LintLevel, Statement, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

pages! {
    /// What the branch gives plus what came in (He et al., arXiv 1512.03385): `residual { .. }`, optionally with
    /// `shortcut { .. }`.
    ///
    /// The branch keeps the shape, or the shortcut changes it in the same way. Annotation: `drop_path`.
    residual;

    /// Copies of a block in series, each with weights of its own (`stage.0.fc.weight`): `repeat(4) { .. }`.
    ///
    /// Each copy is built for what arrives at it; it keeps the number of axes. `repeat(i in 0..4) { .. }` numbers the copies:
    /// `linear(64 * (i + 1))`. `with drop_path(0.0..0.1)` raises the rate linearly over the copies.
    repeat(times) {
        /// How many copies.
        times = required(Kind::Size).called("the number of copies"),
    };

    /// Every statement takes the block's input, and their values are merged by `concat`, `add` or `mul`:
    /// `parallel { a: ..; b: ..; } -> concat`.
    parallel;

    /// Short for a `repeat` of two residuals, attention and a dense pair with `gelu`, with `layer_norm` before each
    /// (`norm_first = false`: after each).
    ///
    /// Keeps the shape `[batch, time, features]`. `with drop_path(0.0..0.2)` works as on `repeat`.
    transformer_encoder(layers) {
        /// How many layers are stacked.
        layers = required(Kind::Size),
        /// How many heads share the features.
        heads = named(Kind::Size),
        /// How many features the inner dense layer has.
        ff = named(Kind::Size),
        /// The rate of the dropout in attention and after each part.
        dropout = float(0.1).range(Range::Rate),
        /// Whether a layer norm comes before attention and dense pair (`true`), or after their sums.
        norm_first = flag(true),
    };

    /// Short for a `repeat` of three residuals: causal attention of the value to itself, attention to `memory`, and a dense pair
    /// with `gelu`, with `layer_norm` before each (`norm_first = false`: after each).
    ///
    /// Keeps the shape `[batch, time, features]`. `with drop_path(0.0..0.2)` works as on `repeat`.
    transformer_decoder(layers) {
        /// How many layers are stacked.
        layers = required(Kind::Size),
        /// How many heads share the features.
        heads = named(Kind::Size),
        /// How many features the inner dense layer has.
        ff = named(Kind::Size),
        /// The value that is attended to, with a time axis: what an encoder gives. It may have other features and another length.
        memory = named(Kind::Name),
        /// The rate of the dropout in attention and after each part.
        dropout = float(0.1).range(Range::Rate),
        /// Whether a layer norm comes before each part (`true`), or after its sum.
        norm_first = flag(true),
    };
}

/// The words that are written with a block.
pub const BLOCKS: &[&str] = &["residual", "repeat", "parallel"];

/// What a residual's `shortcut { .. }` is called in paths.
pub(crate) const SHORTCUT: &str = "shortcut";

/// One of the copies of a `repeat` that differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// Its number, as paths have it.
    pub name: String,
    /// Its statements.
    pub body: Vec<Statement>,
}

/// A declared block where it is used: `MbConv(24, stride = 2)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// The block's name.
    pub block: String,
    /// What was given for the block's parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<(String, Value)>,
    /// Its statements with these arguments, for the shape that arrives: [`Model::resolve`](crate::Model::resolve) fills them in.
    #[serde(skip)]
    pub body: Vec<Statement>,
    /// What the block calls the value that it takes; filled in as `body` is.
    #[serde(skip)]
    pub input: String,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments = self.arguments.iter().enumerate();
        let texts: Vec<String> = arguments
            .map(|(index, (name, value))| match index {
                0 => value.to_string(),
                _ => format!("{name} = {value}"),
            })
            .collect();
        f.write_str(&crate::words::call(&self.block, &texts))
    }
}

/// How the branches of `parallel` become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// Their sum.
    Add,
    /// Their product.
    Mul,
    /// Side by side along the axis of the features (channels first: of the channels).
    Concat,
}

impl Merge {
    /// The words, in the order of the documentation.
    pub const WORDS: &'static [&'static str] = &["concat", "add", "mul"];

    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Mul => "mul",
            Self::Concat => "concat",
        }
    }
}

/// Stochastic depth of a residual: the rate of the first and of the last copy (equal outside a `repeat`).
/// Copy `i` of `n` has `first + (last - first) * i / (n - 1)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DropPath {
    /// The annotation.
    #[serde(skip)]
    pub id: Id,
    /// The rate of the first copy.
    pub first: Value,
    /// The rate of the last copy.
    pub last: Value,
    /// Lint levels on the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

impl DropPath {
    /// The rate of copy `index` of `of`: the linear rule over depth.
    ///
    /// ```
    /// use damper_ir::{DropPath, Id, Value};
    ///
    /// let rule = DropPath { id: Id::NONE, first: Value::known(0.0), last: Value::known(0.2), levels: vec![] };
    /// assert_eq!(rule.rate(0, 3), Some(0.0));
    /// assert_eq!(rule.rate(1, 3), Some(0.1));
    /// assert_eq!(rule.rate(2, 3), Some(0.2));
    /// ```
    pub fn rate(&self, index: usize, of: usize) -> Option<f64> {
        let (first, last) = (self.first.float()?, self.last.float()?);
        let fraction = if of > 1 {
            index as f64 / (of - 1) as f64
        } else {
            0.0
        };
        Some(first + (last - first) * fraction)
    }
}

impl fmt::Display for DropPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "drop_path({})", self.first)
        } else {
            write!(f, "drop_path({}..{})", self.first, self.last)
        }
    }
}
