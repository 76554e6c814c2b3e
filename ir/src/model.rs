//! The types of a description. Nothing here computes.

use crate::op::OpKind;
use crate::{Formula, Id, LintLevel, Loss, Metric, RuleKind, Task, Train, Value, WeightRule, no};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A declared model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The name of the generated struct.
    pub name: String,
    /// Where the name is written.
    #[serde(skip)]
    pub id: Id,
    /// The hyper-parameters of the header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hyper: Vec<Hyper>,
    /// The inputs, at least one.
    pub inputs: Vec<Input>,
    /// The statements of `layers`, in the order of the source. The last one's value is the output.
    pub layers: Vec<Statement>,
    /// The declared blocks that it uses, and those that they use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
    /// The values of blocks that follow from what they are used with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formulas: Vec<Formula>,
    /// Of what [`Model::resolve`] made of blocks: what each thing is a copy of.
    #[doc(hidden)]
    #[serde(skip)]
    pub origins: HashMap<Id, Id>,
    /// The `loss` section.
    #[serde(default, skip_serializing_if = "no")]
    pub loss: Option<Loss>,
    /// The `task` section, if it was written.
    #[serde(default, skip_serializing_if = "no")]
    pub task: Option<Task>,
    /// The `metrics` section; empty if it was not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// The `train` section.
    #[serde(default, skip_serializing_if = "no")]
    pub train: Option<Train>,
    /// The limits of the `budget` section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<BudgetItem>,
    /// Lint levels on the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
    /// Lint levels on the `layers` section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layer_levels: Vec<LintLevel>,
    /// Lint levels of the whole crate, from its `Cargo.toml`: the outermost ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crate_levels: Vec<LintLevel>,
}

/// `block MbConv<out: usize, stride: usize = 1> { input x: [channels, height, width] layers { .. } }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Where the name is written.
    #[serde(skip)]
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What a use gives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<BlockParameter>,
    /// Where the input is written.
    #[serde(skip)]
    pub input_id: Id,
    /// The name of the value that it takes.
    pub input: String,
    /// The axes of one sample of that value.
    pub axes: Vec<BlockAxis>,
    /// Its statements. The last one's value is what it gives.
    pub layers: Vec<Statement>,
}

/// A parameter of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockParameter {
    /// Its name.
    pub name: String,
    /// `usize`, `f64` or `bool`.
    pub kind: HyperKind,
    /// Its default, if it has one.
    #[serde(default, skip_serializing_if = "no")]
    pub default: Option<Value>,
}

/// An axis of what a block takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockAxis {
    /// Any size, which the values of the block can name.
    Any(String),
    /// A size that must arrive.
    Size(Value),
}

/// A hyper-parameter of the header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hyper {
    /// Its name.
    pub name: String,
    /// `usize`, `f64` or `bool`.
    pub kind: HyperKind,
    /// The value: the default in the macro, the passed one at run time.
    pub value: Value,
    /// `in low..high` or `in low..=high`.
    #[serde(default, skip_serializing_if = "no")]
    pub domain: Option<Domain>,
}

/// The type of a hyper-parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HyperKind {
    /// A size.
    Usize,
    /// A rate or a strength.
    F64,
    /// A switch.
    Bool,
}

/// The values a hyper-parameter may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// The least value, if there is one.
    pub low: Option<Value>,
    /// The largest value, if there is one.
    pub high: Option<Value>,
    /// Whether `high` itself is allowed.
    #[serde(default, skip_serializing_if = "no")]
    pub inclusive: bool,
}

/// One input: the shape of one sample, without the batch axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Where it is written.
    #[serde(skip)]
    pub id: Id,
    /// Its name: the parameter of `forward`.
    pub name: String,
    /// The axes of one sample.
    pub shape: Vec<Value>,
    /// What the numbers are.
    #[serde(default, skip_serializing_if = "no")]
    pub kind: InputKind,
}

/// What the numbers of an input are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Real numbers.
    #[default]
    Float,
    /// Class indices for an `embedding`: `of int(vocab = .., pad = ..)`.
    Int {
        /// How many classes.
        vocab: Option<Value>,
        /// The class that means padding.
        pad: Option<Value>,
    },
}

/// `name: source -> op -> op with ..;`, with the annotations already moved to where they act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// The whole statement; the span is its name, or its first op where it has none.
    #[serde(skip)]
    pub id: Id,
    /// Its name, written or derived from its first op; unique in its block.
    pub name: String,
    /// Where the value comes from.
    #[serde(default, skip_serializing_if = "no")]
    pub source: Source,
    /// Where the source is written, if it is.
    #[serde(skip)]
    pub source_id: Id,
    /// The chain, stochastic annotations included at the place where they act.
    pub ops: Vec<Op>,
    /// Lint levels on the statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

/// What a statement begins with. Names are inputs or earlier statements of the same block or of an
/// enclosing one; a block's own input is its statements' first `Previous`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The previous statement's value; for the first one the (first) input, in a block the block's input.
    #[default]
    Previous,
    /// `from(name)`
    From(String),
    /// `add(a, b, ..)`
    Add(Vec<String>),
    /// `mul(a, b, ..)`
    Mul(Vec<String>),
    /// `sub(a, b)`
    Sub(Vec<String>),
    /// `div(a, b)`
    Div(Vec<String>),
    /// `concat(a, b, ..)` along the features or channels
    Concat(Vec<String>),
    /// `concat(a, b, .., axis = time)` along the steps
    ConcatTime(Vec<String>),
    /// `matmul(a, b)`
    Matmul(Vec<String>),
    /// `sample_normal(mean, log_variance)`
    SampleNormal(Vec<String>),
}

impl Source {
    /// The word and the names, as written; `None` for the previous value.
    ///
    /// ```
    /// use damper_ir::Source;
    ///
    /// let gate = Source::Mul(vec!["x".to_owned(), "gate".to_owned()]);
    /// assert_eq!(gate.word(), Some("mul"));
    /// assert_eq!(gate.names(), ["x", "gate"]);
    /// assert_eq!(Source::Previous.word(), None);
    /// ```
    pub const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Previous => None,
            Self::From(_) => Some("from"),
            Self::Add(_) => Some("add"),
            Self::Sub(_) => Some("sub"),
            Self::Mul(_) => Some("mul"),
            Self::Div(_) => Some("div"),
            Self::Concat(_) | Self::ConcatTime(_) => Some("concat"),
            Self::Matmul(_) => Some("matmul"),
            Self::SampleNormal(_) => Some("sample_normal"),
        }
    }

    /// The values that it names.
    pub const fn names(&self) -> &[String] {
        match self {
            Self::Previous => &[],
            Self::From(name) => std::slice::from_ref(name),
            Self::Add(names)
            | Self::Sub(names)
            | Self::Mul(names)
            | Self::Div(names)
            | Self::Concat(names)
            | Self::ConcatTime(names)
            | Self::Matmul(names)
            | Self::SampleNormal(names) => names.as_slice(),
        }
    }
}

/// One operation of a chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// The operation's tokens. Unique in the model, also in the saved form.
    pub id: Id,
    /// The field of the generated struct, and the path segment of its weights; `None` for an op
    /// without state (`relu`).
    #[serde(default, skip_serializing_if = "no")]
    pub field: Option<String>,
    /// What it does.
    pub kind: OpKind,
    /// What acts on its weights: its own annotations, and the defaults it does not override.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<WeightRule>,
    /// Lint levels on the annotation this op was written as.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

/// `params <= 1_000_000`, `memory <= 4 MiB`: what the model may cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetItem {
    /// The whole of it.
    #[serde(skip)]
    pub id: Id,
    /// What is limited.
    pub measure: Measure,
    /// The limit, in `unit`s.
    pub at_most: Value,
    /// The unit of memory.
    #[serde(default, skip_serializing_if = "no")]
    pub unit: Option<Unit>,
}

/// What a `budget` limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Numbers in weights, biases, gains and shifts ([`crate::Counts::parameters`]).
    Params,
    /// Floating-point operations of matrix products for one sample ([`crate::Counts::flops`]).
    Flops,
    /// Bytes of the weights and of one sample's activations ([`crate::Counts::memory`]).
    Memory,
}

/// A unit of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A byte.
    B,
    /// 1000 bytes.
    Kb,
    /// 1000 kB.
    Mb,
    /// 1000 MB.
    Gb,
    /// 1024 bytes.
    Kib,
    /// 1024 KiB.
    Mib,
    /// 1024 MiB.
    Gib,
}

impl Op {
    /// The field that drops this operation's weights while training, if `drop_connect` acts on it.
    ///
    /// A recurrent layer drops its recurrent weights itself (arXiv 1708.02182).
    pub fn drop_connect_field(&self) -> Option<String> {
        let itself = self
            .kind
            .operation()
            .is_some_and(crate::op::Operation::drops_weights_itself);
        let drops = !itself
            && self
                .rules
                .iter()
                .any(|rule| matches!(rule.kind, RuleKind::DropConnect { .. }));
        self.field
            .as_ref()
            .filter(|_| drops)
            .map(|field| format!("{field}_drop_connect"))
    }

    /// The field that drops this embedding's classes while training, if `embedding_dropout` acts on it.
    pub fn embedding_dropout_field(&self) -> Option<String> {
        match (&self.kind, &self.field) {
            (OpKind::Embedding(embedding), Some(field)) if embedding.dropout.is_some() => {
                Some(format!("{field}_embedding_dropout"))
            }
            _ => None,
        }
    }

    /// How many copies a `repeat` makes.
    pub fn times(&self) -> Option<usize> {
        match &self.kind {
            OpKind::Repeat { times, .. } => times.size(),
            _ => None,
        }
    }
}
