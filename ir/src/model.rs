//! The types of a description. Nothing here computes.

use crate::{Activation, Id, Level, Value};
use serde::{Deserialize, Serialize};

fn no<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A declared model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The name of the generated struct.
    pub name: String,
    /// Where the name stands.
    #[serde(skip)]
    pub id: Id,
    /// The hyper-parameters of the header.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hyper: Vec<Hyper>,
    /// The inputs, at least one.
    pub inputs: Vec<Input>,
    /// The statements of `layers`, in the order of the source. The last one's value is the output.
    pub layers: Vec<Statement>,
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

/// `#[allow(lint, reason = "..")]` and its like, on the thing that holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LintLevel {
    /// Where the lint's name stands.
    #[serde(skip)]
    pub id: Id,
    /// For those of the whole crate: `Cargo.toml, line 12`.
    #[serde(skip)]
    pub line: Option<String>,
    /// The lint's name as written (it may be unknown), or a group: `damper::output`.
    pub lint: String,
    /// The level asked for.
    pub level: Level,
    /// `forbid`: denied, and nothing inside lowers it.
    #[serde(default, skip_serializing_if = "no")]
    pub forbid: bool,
    /// `#[expect(..)]`: allowed, and a warning if the lint does not fire here.
    #[serde(default, skip_serializing_if = "no")]
    pub expect: bool,
    /// `reason = ".."`.
    #[serde(default, skip_serializing_if = "no")]
    pub reason: Option<String>,
    /// Thresholds that are set with it: `max = 0.6`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Limit>,
}

/// `max = 0.6` beside a lint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Where it stands.
    #[serde(skip)]
    pub id: Id,
    /// The threshold's name as written (it may be unknown).
    pub name: String,
    /// The number.
    pub value: f64,
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
    /// The greatest value, if there is one.
    pub high: Option<Value>,
    /// Whether `high` itself is allowed.
    #[serde(default, skip_serializing_if = "no")]
    pub inclusive: bool,
}

/// One input: the shape of one sample, without the batch axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Where it stands.
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
        /// The class that stands for padding.
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
    /// Where the source stands, if it was written.
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
    /// `concat(a, b, ..)` along the first axis behind the batch (features or channels)
    Concat(Vec<String>),
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

/// What an operation does. A new layer is a new variant here; rustc then lists the places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// `linear(out, bias = true)`: `[.., in] -> [.., out]`.
    Linear {
        /// Units; for `linear(same)` unknown until [`Model::resolve`] has filled it in.
        out: Value,
        /// Whether there is a bias.
        bias: Value,
        /// `linear(same)`: as many units as the block around it takes in.
        #[serde(default, skip_serializing_if = "no")]
        same: bool,
        /// `tied = embed`: the weight is the table of the embedding of this name, in the same block.
        #[serde(default, skip_serializing_if = "no")]
        tied: Option<String>,
    },
    /// `swiglu(out, bias = false)`: `silu(x W) * (x V)` (Shazeer, arXiv 2002.05202).
    Swiglu {
        /// Units.
        out: Value,
        /// Whether the two products have a bias.
        bias: Value,
    },
    /// An activation function.
    Activation(Activation),
    /// `batch_norm(epsilon = 1e-5, momentum = 0.1)`.
    BatchNorm {
        /// Added to the variance.
        epsilon: Value,
        /// The weight of the new batch in the running statistics.
        momentum: Value,
    },
    /// `layer_norm(epsilon = 1e-5)` over the last axis.
    LayerNorm {
        /// Added to the variance.
        epsilon: Value,
    },
    /// `group_norm(groups, epsilon = 1e-5)`: `[channels, ..]`, each group of channels by itself (arXiv 1803.08494).
    GroupNorm {
        /// How many groups.
        groups: Value,
        /// Added to the variance.
        epsilon: Value,
    },
    /// `instance_norm(epsilon = 1e-5)`: `[channels, ..]`, each channel of each sample by itself, with a learned
    /// gain and shift (arXiv 1607.08022).
    InstanceNorm {
        /// Added to the variance.
        epsilon: Value,
    },
    /// `rms_norm(epsilon = 1e-5)` over the last axis, without mean and shift (arXiv 1910.07467).
    RmsNorm {
        /// Added to the mean square.
        epsilon: Value,
    },
    /// A convolution, also transposed or depthwise: `[channels, ..] -> [out, ..]`.
    Conv(Conv),
    /// A pooling over windows: `[channels, ..] -> [channels, ..]`.
    Pool(Pool),
    /// `global_avg_pool`, `global_max_pool`: `[channels, ..] -> [channels]`.
    GlobalPool(Reduction),
    /// `flatten`: `[..] -> [product]`.
    Flatten,
    /// `reshape([..])`: the same numbers in another shape.
    Reshape {
        /// The axes.
        shape: Vec<Value>,
    },
    /// `to_sequence`: `[channels, ..] -> [positions, channels]`: the positions of an image as a sequence.
    ToSequence,
    /// `transpose`: `[a, b] -> [b, a]`.
    Transpose,
    /// `embedding(vocab, dim)`: class indices `[time] -> [time, dim]`.
    Embedding {
        /// How many classes.
        vocab: Value,
        /// The length of a class's vector.
        dim: Value,
        /// `embedding_dropout(p)`: drops all occurrences of a class while training (arXiv 1512.05287).
        #[serde(default, skip_serializing_if = "no")]
        dropout: Option<Rate>,
    },
    /// `lstm`, `gru`, `rnn`: `[time, features] -> [time, hidden]` (twice as many if bidirectional).
    Recurrent(Recurrent),
    /// `first_step`, `last_step`: `[time, features] -> [features]`; the last one that is not padding.
    Step {
        /// The last instead of the first.
        last: bool,
    },
    /// `mean(axis = ..)`, `max(axis = ..)`: the axis is gone; over time without padding.
    Reduce {
        /// What is computed.
        reduction: Reduction,
        /// Along which axis.
        axis: Axis,
    },
    /// `attention(heads, causal = false, bias = true)`: multi-head self-attention over `[time, features]`
    /// (arXiv 1706.03762).
    Attention {
        /// How many heads; they share the features.
        heads: Value,
        /// Whether a step sees earlier steps only.
        causal: Value,
        /// Whether the projections have a bias.
        bias: Value,
        /// `positional(rope)` directly before it: queries and keys are rotated (arXiv 2104.09864).
        #[serde(default, skip_serializing_if = "no")]
        rope: bool,
        /// `attention_dropout(p)`: on the attention weights.
        #[serde(default, skip_serializing_if = "no")]
        dropout: Option<Rate>,
    },
    /// `positional(sinusoidal)`, `positional(learned)`: added to `[time, features]`.
    Positional {
        /// Learned instead of sines and cosines.
        learned: bool,
    },
    /// `class_token`: a learned vector before the first step: `[time, features] -> [time + 1, features]`.
    ClassToken,
    /// `custom(expr, output = [..])`: any burn module with a `forward`.
    Custom {
        /// The expression's text, for messages and the summary.
        text: String,
        /// The shape of one sample of its output.
        output: Vec<Value>,
    },
    /// Another declared model.
    Model {
        /// Its path as written.
        path: String,
        /// Its description: unknown to the macro, filled in at run time.
        #[serde(default, skip_serializing_if = "no")]
        model: Option<Box<Model>>,
    },
    /// Acts while training only.
    Stochastic(Stochastic),
    /// `activity(l1, l2)`: a penalty on the value that passes here.
    Activity {
        /// Strength of the sum of absolute values, per sample.
        l1: Value,
        /// Strength of the sum of squares, per sample.
        l2: Value,
    },
    /// `residual { .. } shortcut { .. }`: branch plus shortcut.
    Residual {
        /// The branch.
        body: Vec<Statement>,
        /// What the block's input goes through before the sum; empty for the identity.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shortcut: Vec<Statement>,
        /// Stochastic depth on the branch.
        #[serde(default, skip_serializing_if = "no")]
        drop_path: Option<DropPath>,
    },
    /// `repeat(n) { .. }`: n copies in series. `drop_path` on it has been moved to the residuals inside.
    Repeat {
        /// How many copies.
        times: Value,
        /// One copy.
        body: Vec<Statement>,
    },
    /// `parallel { a: ..; b: ..; } -> concat`: every statement takes the block's input, and their values are merged.
    Parallel {
        /// The branches: each statement's `Previous` is the block's input.
        body: Vec<Statement>,
        /// How they are merged.
        merge: Merge,
    },
}

/// A convolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv {
    /// Spatial axes: 1, 2 or 3.
    pub axes: u8,
    /// `conv_transpose2d` and its like.
    #[serde(default, skip_serializing_if = "no")]
    pub transposed: bool,
    /// `depthwise_conv2d(multiplier = 1)` and its like: every channel by itself; then `out` is the multiplier, and
    /// `groups` is not read.
    #[serde(default, skip_serializing_if = "no")]
    pub depthwise: bool,
    /// Channels that come out (depthwise: for each channel that comes in).
    pub out: Value,
    /// The size of the kernel: one number for every axis, or one for each.
    pub kernel: Vec<Value>,
    /// The step of the window, as `kernel`.
    pub stride: Vec<Value>,
    /// What stands around the value.
    pub padding: Padding,
    /// The distance of the kernel's numbers, as `kernel`.
    pub dilation: Vec<Value>,
    /// Channels are split into so many groups that do not see one another.
    pub groups: Value,
    /// Positions added at the end of each axis; transposed only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_padding: Vec<Value>,
    /// Whether there is a bias.
    pub bias: Value,
}

/// What stands around a value before a window slides over it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Nothing: the default.
    #[default]
    Valid,
    /// As much as keeps the size at a stride of 1; the odd position at the end, as `PyTorch` does.
    Same,
    /// So many zeros on both sides: one number for every axis, or one for each.
    Zeros(Vec<Value>),
}

/// A pooling over windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Spatial axes: 1, 2 or 3.
    pub axes: u8,
    /// Maximum or mean.
    pub reduction: Reduction,
    /// `adaptive_avg_pool2d(size)`: `kernel` is the size that comes out; there is no stride and no padding.
    #[serde(default, skip_serializing_if = "no")]
    pub adaptive: bool,
    /// The size of the window: one number for every axis, or one for each.
    pub kernel: Vec<Value>,
    /// The step of the window; empty for the window's size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stride: Vec<Value>,
    /// What stands around the value (zeros that count for a mean, nothing for a maximum, as in `PyTorch`).
    #[serde(default, skip_serializing_if = "no")]
    pub padding: Padding,
}

/// What several numbers become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean.
    Mean,
    /// The maximum.
    Max,
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

/// How the branches of `parallel` become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// Their sum.
    Add,
    /// Their product.
    Mul,
    /// One after the other along the axis of the features (channels first: of the channels).
    Concat,
}

/// A recurrent layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recurrent {
    /// Which cell.
    pub cell: Cell,
    /// The size of the state of one direction.
    pub hidden: Value,
    /// Layers in series.
    pub layers: Value,
    /// Whether a second cell reads backwards; the outputs stand side by side.
    pub bidirectional: Value,
    /// `dropout(p)` on it: ordinary dropout between the layers (`nn.LSTM(dropout = p)`).
    #[serde(default, skip_serializing_if = "no")]
    pub between: Option<Rate>,
    /// `variational_dropout(p)`: one mask for all steps, on the input and between the layers (arXiv 1512.05287).
    #[serde(default, skip_serializing_if = "no")]
    pub variational: Option<Rate>,
    /// `variational_dropout(p, recurrent = q)`: one mask for all steps, on the state.
    #[serde(default, skip_serializing_if = "no")]
    pub recurrent: Option<Rate>,
    /// `zoneout(p)`: a number of the state keeps its old value with probability `p` (arXiv 1606.01305).
    #[serde(default, skip_serializing_if = "no")]
    pub zoneout: Option<Rate>,
}

/// The cells of recurrent layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Long short-term memory, `PyTorch`'s gates and their order.
    Lstm,
    /// Gated recurrent unit, `PyTorch`'s form (the reset gate behind the product).
    Gru,
    /// `tanh(x W + h U + b)`.
    Rnn,
}

impl Cell {
    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lstm => "lstm",
            Self::Gru => "gru",
            Self::Rnn => "rnn",
        }
    }

    /// Gates: the width of a weight is so many times the state's.
    pub const fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Rnn => 1,
        }
    }
}

/// A rate that an annotation gives to the operation it stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// The annotation.
    #[serde(skip)]
    pub id: Id,
    /// The probability of dropping, in [0, 1).
    pub rate: Value,
    /// Lint levels on the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
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

/// An operation on values that acts while training and is the identity at inference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stochastic {
    /// Inverted dropout of single values.
    Dropout {
        /// The probability of zeroing (not of keeping).
        rate: Value,
    },
    /// Keeps mean and variance behind `selu`.
    AlphaDropout {
        /// The probability of dropping.
        rate: Value,
    },
    /// Multiplies by Gaussian noise of mean 1 and variance `rate / (1 - rate)`.
    GaussianDropout {
        /// The rate of the dropout it stands for.
        rate: Value,
    },
    /// Adds Gaussian noise of mean 0.
    Noise {
        /// The standard deviation.
        std: Value,
    },
    /// Drops whole samples; written in the chain of a residual's branch.
    DropPath {
        /// The probability of dropping a sample's branch.
        rate: Value,
    },
    /// Drops whole feature maps of `[channels, ..]` (arXiv 1411.4280).
    SpatialDropout {
        /// The probability of dropping a channel.
        rate: Value,
    },
    /// Drops contiguous regions of feature maps (arXiv 1810.12890).
    DropBlock {
        /// The share of the map that is dropped (at the end of training).
        rate: Value,
        /// `drop_block(0.0..0.1, ..)`: the share at the beginning of training; it rises on a line.
        #[serde(default, skip_serializing_if = "no")]
        first: Option<Value>,
        /// The side of a region.
        size: Value,
    },
    /// Dropout of `[time, features]` with one mask for all steps (arXiv 1512.05287).
    VariationalDropout {
        /// The probability of zeroing a feature.
        rate: Value,
    },
}

impl Stochastic {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Dropout { .. } => "dropout",
            Self::AlphaDropout { .. } => "alpha_dropout",
            Self::GaussianDropout { .. } => "gaussian_dropout",
            Self::Noise { .. } => "noise",
            Self::DropPath { .. } => "drop_path",
            Self::SpatialDropout { .. } => "spatial_dropout",
            Self::DropBlock { .. } => "drop_block",
            Self::VariationalDropout { .. } => "variational_dropout",
        }
    }

    /// The rate (for `noise` the standard deviation).
    pub const fn rate(&self) -> &Value {
        match self {
            Self::Dropout { rate }
            | Self::AlphaDropout { rate }
            | Self::GaussianDropout { rate }
            | Self::DropPath { rate }
            | Self::SpatialDropout { rate }
            | Self::DropBlock { rate, .. }
            | Self::VariationalDropout { rate } => rate,
            Self::Noise { std } => std,
        }
    }
}

/// Something that acts on the weights of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightRule {
    /// The annotation's tokens (for a default, the ones on `layers`).
    #[serde(skip)]
    pub id: Id,
    /// What it does.
    pub kind: RuleKind,
    /// Which parameters it reaches.
    #[serde(default, skip_serializing_if = "no")]
    pub on: Reach,
    /// Lint levels on the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

/// What an annotation does to weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// `decay(l1, l2)`: after the step, `w *= 1 - lr * l2`, then soft threshold by `lr * l1`.
    Decay {
        /// Strength of the soft threshold.
        l1: Option<Value>,
        /// Strength of the shrinking.
        l2: Option<Value>,
    },
    /// `penalty(l1, l2)`: adds `l1 * sum |w| + l2 * sum w^2` to the objective.
    Penalty {
        /// Strength of the sum of absolute values.
        l1: Option<Value>,
        /// Strength of the sum of squares.
        l2: Option<Value>,
    },
    /// `max_norm(c)`: no unit's incoming weights are longer than `c`.
    MaxNorm {
        /// The greatest Euclidean length.
        limit: Value,
    },
    /// `unit_norm`: every unit's incoming weights have length 1.
    UnitNorm,
    /// `non_negative`: negative weights become 0.
    NonNegative,
    /// `orthogonal(x)`: adds `x * ||W^T W - I||^2` to the objective.
    Orthogonal {
        /// The strength.
        strength: Value,
    },
    /// `drop_connect(p)`: drops weights, not activations, while training.
    DropConnect {
        /// The probability of zeroing a weight.
        rate: Value,
    },
    /// `weight_norm`: the weight is a length for each unit and a direction (arXiv 1602.07868).
    WeightNorm,
    /// `spectral_norm`: the weight is divided by its largest singular value (arXiv 1802.05957).
    SpectralNorm,
    /// `freeze`: no update.
    Freeze,
}

impl RuleKind {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Decay { .. } => "decay",
            Self::Penalty { .. } => "penalty",
            Self::MaxNorm { .. } => "max_norm",
            Self::UnitNorm => "unit_norm",
            Self::NonNegative => "non_negative",
            Self::Orthogonal { .. } => "orthogonal",
            Self::DropConnect { .. } => "drop_connect",
            Self::WeightNorm => "weight_norm",
            Self::SpectralNorm => "spectral_norm",
            Self::Freeze => "freeze",
        }
    }
}

/// Which parameters of an operation an annotation reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Weight matrices and kernels.
    #[default]
    Weights,
    /// `on embedding`: embeddings too.
    Embedding,
    /// `on all`: every parameter that is trained.
    All,
}

/// What a parameter is for; decides what reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A weight matrix or kernel.
    Weight,
    /// An added vector.
    Bias,
    /// The scale of a normalisation (`gamma`).
    Gain,
    /// The shift of a normalisation (`beta`).
    Shift,
    /// A table of vectors.
    Embedding,
    /// A learned number of an activation (`prelu`).
    Slope,
    /// A running mean or variance: not trained.
    Running,
}

/// The `loss` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Which loss.
    pub kind: LossKind,
    /// `target in [low, high]`.
    #[serde(default, skip_serializing_if = "no")]
    pub target: Option<TargetRange>,
    /// Lint levels on the section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

/// `target in [low, high]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetRange {
    /// Where it stands.
    #[serde(skip)]
    pub id: Id,
    /// The least target.
    pub low: Value,
    /// The greatest target.
    pub high: Value,
}

/// The losses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Exclusive classes; the target is a class index.
    CrossEntropy {
        /// The share of the target spread over all classes.
        label_smoothing: Option<Value>,
        /// A weight for each class.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weights: Vec<Value>,
        /// What the model's output is.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads,
    },
    /// One or more independent yes/no answers.
    BinaryCrossEntropy {
        /// The share by which targets move towards one half.
        label_smoothing: Option<Value>,
        /// A weight for each output.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weights: Vec<Value>,
        /// What the model's output is.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads,
    },
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
    /// Mean absolute percentage error.
    Mape,
    /// Squared near 0, linear beyond `delta`.
    Huber {
        /// Where it becomes linear.
        delta: Value,
    },
    /// Huber divided by `beta`.
    SmoothL1 {
        /// Where it becomes linear.
        beta: Value,
    },
    /// The logarithm of the hyperbolic cosine of the error.
    LogCosh,
    /// One minus the Dice coefficient, on logits unless `from` says otherwise.
    Dice {
        /// Added to numerator and denominator.
        smooth: Value,
        /// What the model's output is.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads,
    },
    /// The Kullback-Leibler divergence from target probabilities to the model's.
    KlDiv {
        /// What the model's output is.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads,
    },
    /// Counts; the output is the logarithm of the rate.
    Poisson,
    /// The output is mean and log variance, half of the units each.
    GaussianNll,
    /// A function of the user's: `fn(Tensor<2>, Tensor<2>) -> Tensor<1>`.
    Custom {
        /// Its path as written.
        path: String,
    },
}

/// What the loss reads: what the model's last layer gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// Unbounded scores.
    #[default]
    Logits,
    /// Numbers in [0, 1].
    Probabilities,
    /// Logarithms of probabilities.
    LogProbabilities,
}

/// The `task` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Where it stands.
    #[serde(skip)]
    pub id: Id,
    /// Which task.
    pub kind: TaskKind,
    /// Lint levels on the section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

/// What the model is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// One yes/no answer.
    Binary,
    /// One of n classes.
    Multiclass(Value),
    /// n independent yes/no answers.
    Multilabel(Value),
    /// Numbers.
    Regression,
}

/// A metric of the `metrics` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Where it stands.
    #[serde(skip)]
    pub id: Id,
    /// Which metric.
    pub kind: MetricKind,
}

/// The metrics.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// The share of right answers.
    Accuracy,
    /// The share of samples whose class is among the `k` highest scores.
    TopK(Value),
    /// Macro mean over the classes.
    Precision,
    /// Macro mean over the classes.
    Recall,
    /// Macro mean over the classes.
    F1,
    /// The area under the ROC curve (binary).
    Auroc,
    /// Mean squared error.
    Mse,
    /// Root of the mean squared error.
    Rmse,
    /// Mean absolute error.
    Mae,
    /// Mean absolute percentage error.
    Mape,
    /// The coefficient of determination.
    R2,
}

/// The `train` section; what was not written is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Train {
    /// The word `train`.
    #[serde(skip)]
    pub id: Id,
    /// `optimizer: adamw(lr = 1e-3)`
    #[serde(skip_serializing_if = "no")]
    pub optimizer: Option<Optimizer>,
    /// `schedule: cosine(warmup = 0.05)`
    #[serde(skip_serializing_if = "no")]
    pub schedule: Option<Schedule>,
    /// Passes over the training data.
    #[serde(skip_serializing_if = "no")]
    pub epochs: Option<Value>,
    /// Samples in a batch.
    #[serde(skip_serializing_if = "no")]
    pub batch: Option<Value>,
    /// Whether the last, short batch is left out.
    #[serde(skip_serializing_if = "no")]
    pub drop_last: Option<Value>,
    /// The seed of everything random.
    #[serde(skip_serializing_if = "no")]
    pub seed: Option<Value>,
    /// `clip(norm = x)`: the greatest Euclidean length of all gradients together.
    #[serde(skip_serializing_if = "no")]
    pub clip_norm: Option<Value>,
    /// `clip(value = x)`: the greatest absolute value of a gradient.
    #[serde(skip_serializing_if = "no")]
    pub clip_value: Option<Value>,
    /// `early_stop(patience = 5)`
    #[serde(skip_serializing_if = "no")]
    pub early_stop: Option<EarlyStop>,
    /// `accumulate: n`: batches whose gradients are averaged into one step.
    #[serde(skip_serializing_if = "no")]
    pub accumulate: Option<Value>,
    /// `mixup(alpha)`: samples and targets are mixed in pairs (arXiv 1710.09412).
    #[serde(skip_serializing_if = "no")]
    pub mixup: Option<Value>,
    /// `cutmix(alpha)`: a rectangle of another image, and its share of the target (arXiv 1905.04899).
    #[serde(skip_serializing_if = "no")]
    pub cutmix: Option<Value>,
    /// `ema(decay)`: the model is the exponential moving average of the weights.
    #[serde(skip_serializing_if = "no")]
    pub ema: Option<Value>,
    /// `swa(from_epoch)`: the model is the mean of the weights from this epoch on (arXiv 1803.05407).
    #[serde(skip_serializing_if = "no")]
    pub swa: Option<Value>,
    /// `layer_decay(factor)`: the learning rate of a layer is `factor` times that of the next one.
    #[serde(skip_serializing_if = "no")]
    pub layer_decay: Option<Value>,
    /// `augment(shift = 2, flip = true, crop = 4, erase = 0.25)`: images are varied while training.
    #[serde(skip_serializing_if = "no")]
    pub augment: Option<Augment>,
    /// `backend: wgpu`
    #[serde(skip_serializing_if = "no")]
    pub backend: Option<Backend>,
    /// Lint levels on the section.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

/// How images are varied while training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Augment {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Moved by up to so many pixels along each axis; zeros come in.
    #[serde(skip_serializing_if = "no")]
    pub shift: Option<Value>,
    /// Mirrored left to right with probability one half.
    #[serde(skip_serializing_if = "no")]
    pub flip: Option<Value>,
    /// Padded by so many pixels that repeat the border, then cut out at a random place.
    #[serde(skip_serializing_if = "no")]
    pub crop: Option<Value>,
    /// With this probability a random rectangle becomes 0 (arXiv 1708.04896).
    #[serde(skip_serializing_if = "no")]
    pub erase: Option<Value>,
}

/// The backends, each a cargo feature of `damper`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Pure Rust on the CPU.
    Flex,
    /// `ndarray` on the CPU.
    Ndarray,
    /// The GPU through wgpu.
    Wgpu,
}

/// `optimizer: NAME(lr = .., ..)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Which one.
    pub kind: OptimizerKind,
    /// The learning rate.
    pub learning_rate: Value,
    /// `weight_decay = x`: under `adamw` and `lion` a default `decay(l2 = x)` of every weight,
    /// under the others `x * w` added to the gradient (coupled).
    #[serde(default, skip_serializing_if = "no")]
    pub weight_decay: Option<Value>,
}

/// The optimisers with their own arguments; defaults are `PyTorch`'s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Stochastic gradient descent.
    Sgd {
        /// 0 for none.
        momentum: Value,
        /// 0 in `PyTorch` (burn's default is 0.1).
        dampening: Value,
        /// Nesterov's momentum.
        nesterov: Value,
    },
    /// Adam (arXiv 1412.6980).
    Adam {
        /// Decay of the first moment.
        beta1: Value,
        /// Decay of the second moment.
        beta2: Value,
        /// Added to the root of the second moment.
        epsilon: Value,
        /// Keep the greatest second moment.
        amsgrad: Value,
    },
    /// Adam with decoupled weight decay (arXiv 1711.05101).
    Adamw {
        /// Decay of the first moment.
        beta1: Value,
        /// Decay of the second moment.
        beta2: Value,
        /// Added to the root of the second moment.
        epsilon: Value,
        /// Keep the greatest second moment.
        amsgrad: Value,
    },
    /// `RMSprop`.
    RmsProp {
        /// Decay of the mean square.
        alpha: Value,
        /// 0 for none.
        momentum: Value,
        /// Added to the root.
        epsilon: Value,
        /// Subtract the mean gradient.
        centered: Value,
    },
    /// Adagrad.
    Adagrad {
        /// Decay of the learning rate over the steps.
        lr_decay: Value,
        /// Added to the root.
        epsilon: Value,
    },
    /// Lion (arXiv 2302.06675).
    Lion {
        /// Weight of the old momentum in the step.
        beta1: Value,
        /// Decay of the momentum.
        beta2: Value,
    },
}

impl OptimizerKind {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::Adam { .. } => "adam",
            Self::Adamw { .. } => "adamw",
            Self::RmsProp { .. } => "rmsprop",
            Self::Adagrad { .. } => "adagrad",
            Self::Lion { .. } => "lion",
        }
    }
}

/// `schedule: NAME(..)`: the learning rate as a factor of the optimiser's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Which one.
    pub kind: ScheduleKind,
    /// The share of all steps in which the rate rises linearly from near 0: in [0, 1).
    #[serde(default, skip_serializing_if = "no")]
    pub warmup: Option<Value>,
}

/// The schedules. Shares are of all steps; factors of the optimiser's learning rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// The same rate.
    Constant,
    /// Falls to `end` along half a cosine (arXiv 1608.03983).
    Cosine {
        /// The last factor.
        end: Value,
    },
    /// Falls to `end` on a line.
    Linear {
        /// The last factor.
        end: Value,
    },
    /// Multiplies by `factor` every `every` epochs.
    Step {
        /// Epochs between two falls.
        every: Value,
        /// The factor.
        factor: Value,
    },
    /// Multiplies by `factor` every epoch.
    Exponential {
        /// The factor.
        factor: Value,
    },
    /// Rises from `1 / divide` to 1 in the share `rise`, then falls to `1 / (divide * final_divide)`,
    /// both along half a cosine (arXiv 1708.07120; `PyTorch`'s `OneCycleLR`).
    OneCycle {
        /// The share of the rise.
        rise: Value,
        /// The first factor's inverse.
        divide: Value,
        /// The last factor's inverse, relative to the first.
        final_divide: Value,
    },
}

/// `early_stop(patience, metric, min_delta)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Epochs without improvement before training ends.
    pub patience: Value,
    /// What must improve; `None` for the validation loss.
    #[serde(default, skip_serializing_if = "no")]
    pub metric: Option<MetricKind>,
    /// What counts as an improvement.
    pub min_delta: Value,
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
        let drops = !matches!(self.kind, OpKind::Recurrent(_))
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
            (
                OpKind::Embedding {
                    dropout: Some(_), ..
                },
                Some(field),
            ) => Some(format!("{field}_embedding_dropout")),
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
        let share = if of > 1 {
            index as f64 / (of - 1) as f64
        } else {
            0.0
        };
        Some(first + (last - first) * share)
    }
}

impl Conv {
    /// A convolution over so many spatial axes with one size of kernel for all; the rest are the defaults.
    pub fn new(axes: u8, out: usize, kernel: usize) -> Self {
        let one = || vec![Value::known(1.0)];
        Self {
            axes,
            transposed: false,
            depthwise: false,
            out: Value::known(out as f64),
            kernel: vec![Value::known(kernel as f64)],
            stride: one(),
            padding: Padding::Valid,
            dilation: one(),
            groups: Value::known(1.0),
            output_padding: Vec::new(),
            bias: Value::truth(true),
        }
    }
}

impl Pool {
    /// A pooling over so many spatial axes with one size of window for all; the stride is the window's size.
    pub fn new(axes: u8, reduction: Reduction, kernel: usize) -> Self {
        Self {
            axes,
            reduction,
            adaptive: false,
            kernel: vec![Value::known(kernel as f64)],
            stride: Vec::new(),
            padding: Padding::Valid,
        }
    }
}

impl Axis {
    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Channels => "channels",
            Self::Features => "features",
        }
    }
}

impl Merge {
    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Mul => "mul",
            Self::Concat => "concat",
        }
    }
}
