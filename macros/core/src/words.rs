//! Every word of the language, once, with its arguments.

use damper_ir::ActivationKind;
use std::borrow::Cow;

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, not negative.
    Size,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A number or a range of numbers.
    FloatOrRange,
    /// `[64, 10]`
    Sizes,
    /// A whole number, or a list with one for each axis.
    SizeOrSizes,
    /// A whole number, or this word.
    SizeOr(&'static str),
    /// `valid`, `same`, a whole number, or a list with one for each axis.
    Padding,
    /// The name of a statement.
    Name,
    /// `[1.0, 2.0]`
    Floats,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of [`METRICS`], or `loss`.
    Metric,
    /// Any Rust expression.
    Rust,
}

impl Kind {
    /// What a message says is wanted.
    pub fn wanted(self) -> String {
        match self {
            Self::Size => "a whole number".to_owned(),
            Self::Float => "a number".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::FloatOrRange => "a number or a range `0.0..0.1`".to_owned(),
            Self::Sizes => "a list of whole numbers `[64]`".to_owned(),
            Self::SizeOrSizes => "a whole number or a list `[3, 3]`".to_owned(),
            Self::SizeOr(word) => format!("a whole number or `{word}`"),
            Self::Padding => "`same`, `valid`, a whole number or a list `[1, 1]`".to_owned(),
            Self::Name => "the name of a statement".to_owned(),
            Self::Floats => "a list of numbers `[1.0, 2.0]`".to_owned(),
            Self::Word(words) => format!("one of {}", list(words)),
            Self::Metric => "a metric or `loss`".to_owned(),
            Self::Rust => "a Rust expression".to_owned(),
        }
    }
}

/// What holds where an argument is not written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Missing {
    /// It must be written.
    Error,
    /// Nothing holds.
    Nothing,
    /// This number holds (for a truth value 0 or 1).
    Number(f64),
}

/// One argument of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it must be.
    pub kind: Kind,
    /// Whether it may be written without its name.
    pub positional: bool,
    /// What holds where it is not written.
    pub missing: Missing,
}

/// A word with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// Its arguments, those without a name first.
    pub arguments: Cow<'static, [Argument]>,
}

impl Word {
    /// The word as it is written with its arguments: `linear(out, bias = true)`.
    pub fn signature(&self) -> String {
        if self.arguments.is_empty() {
            return self.name.to_owned();
        }
        let arguments: Vec<String> = self
            .arguments
            .iter()
            // What is rarely written would hide the rest.
            .filter(|argument| argument.kind != Kind::Name)
            .map(|argument| {
                let name = argument.name;
                match argument.missing {
                    Missing::Error if argument.positional => match argument.kind {
                        Kind::Word(words) => words.join(" | "),
                        _ => name.to_owned(),
                    },
                    Missing::Number(number) if argument.kind == Kind::Bool => {
                        format!("{name} = {}", number != 0.0)
                    }
                    Missing::Number(number) => {
                        format!("{name} = {}", damper_ir::Value::known(number))
                    }
                    Missing::Error | Missing::Nothing => {
                        format!("{name} = {}", example(name, argument.kind))
                    }
                }
            })
            .collect();
        format!("{}({})", self.name, arguments.join(", "))
    }
}

/// What may stand behind the name of an argument that has no default.
fn example(name: &str, kind: Kind) -> &'static str {
    match (name, kind) {
        ("kernel", _) => "3",
        ("size", _) => "7",
        ("heads", _) => "4",
        ("ff", _) => "512",
        ("vocab", _) => "8000",
        ("pad", _) => "0",
        (_, Kind::Padding) => "valid",
        _ => "..",
    }
}

const fn word(name: &'static str, arguments: &'static [Argument]) -> Word {
    Word {
        name,
        arguments: Cow::Borrowed(arguments),
    }
}

/// An argument that may go without its name and must be written.
const fn first(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        positional: true,
        missing: Missing::Error,
    }
}

/// A named number with a default.
const fn float(name: &'static str, default: f64) -> Argument {
    Argument {
        name,
        kind: Kind::Float,
        positional: false,
        missing: Missing::Number(default),
    }
}

/// A named whole number with a default, or one for each axis.
const fn size(name: &'static str, kind: Kind, default: u8) -> Argument {
    Argument {
        name,
        kind,
        positional: false,
        missing: Missing::Number(default as f64),
    }
}

/// A named truth value with a default.
const fn truth(name: &'static str, default: bool) -> Argument {
    let default = if default { 1.0 } else { 0.0 };
    Argument {
        name,
        kind: Kind::Bool,
        positional: false,
        missing: Missing::Number(default),
    }
}

/// A named argument that may be left out.
const fn maybe(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        positional: false,
        missing: Missing::Nothing,
    }
}

/// A named argument that must be written.
const fn named(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        positional: false,
        missing: Missing::Error,
    }
}

/// The same argument, also without its name.
const fn or_first(mut argument: Argument) -> Argument {
    argument.positional = true;
    argument
}

/// The sections.
pub const SECTIONS: &[&str] = &[
    "input", "layers", "loss", "task", "metrics", "train", "budget",
];

/// What `budget` may limit, each with an example.
pub const MEASURES: &[(damper_ir::Measure, &str)] = &[
    (damper_ir::Measure::Params, "params <= 1_000_000"),
    (damper_ir::Measure::Flops, "flops <= 50_000_000"),
    (damper_ir::Measure::Memory, "memory <= 4 MiB"),
];

/// What a statement may begin with.
pub const SOURCES: &[&str] = &["from", "add", "mul", "concat"];

/// How an input of class indices is written: `of int(vocab = 8000, pad = 0)`.
pub static INT: Word = word(
    "int",
    &[maybe("vocab", Kind::Size), maybe("pad", Kind::Size)],
);

/// What may stand behind `parallel { .. } ->`.
pub const MERGES: &[&str] = &["concat", "add", "mul"];

const KERNEL: Argument = named("kernel", Kind::SizeOrSizes);
const STRIDE: Argument = size("stride", Kind::SizeOrSizes, 1);
const PADDING: Argument = maybe("padding", Kind::Padding);
const ZEROS: Argument = size("padding", Kind::SizeOrSizes, 0);
const DILATION: Argument = size("dilation", Kind::SizeOrSizes, 1);
const GROUPS: Argument = size("groups", Kind::Size, 1);
const BIAS: Argument = truth("bias", true);
const EPSILON: Argument = float("epsilon", 1e-5);

const CONV: &[Argument] = &[
    first("out", Kind::Size),
    KERNEL,
    STRIDE,
    PADDING,
    DILATION,
    GROUPS,
    BIAS,
];

const CONV_TRANSPOSE: &[Argument] = &[
    first("out", Kind::Size),
    KERNEL,
    STRIDE,
    ZEROS,
    size("output_padding", Kind::SizeOrSizes, 0),
    DILATION,
    GROUPS,
    BIAS,
];

const DEPTHWISE: &[Argument] = &[
    or_first(KERNEL),
    STRIDE,
    PADDING,
    DILATION,
    size("multiplier", Kind::Size, 1),
    BIAS,
];

const POOL: &[Argument] = &[or_first(KERNEL), maybe("stride", Kind::SizeOrSizes), ZEROS];

const ADAPTIVE: &[Argument] = &[first("size", Kind::SizeOrSizes)];

const RECURRENT: &[Argument] = &[
    first("hidden", Kind::Size),
    size("layers", Kind::Size, 1),
    truth("bidirectional", false),
];

const REDUCE: &[Argument] = &[or_first(named(
    "axis",
    Kind::Word(&["time", "channels", "features"]),
))];

/// Layers without an activation among them; blocks are at the end.
pub const LAYERS: &[Word] = &[
    word(
        "linear",
        &[
            first("out", Kind::SizeOr("same")),
            BIAS,
            maybe("tied", Kind::Name),
        ],
    ),
    word("swiglu", &[first("out", Kind::Size), truth("bias", false)]),
    word("conv1d", CONV),
    word("conv2d", CONV),
    word("conv3d", CONV),
    word("conv_transpose1d", CONV_TRANSPOSE),
    word("conv_transpose2d", CONV_TRANSPOSE),
    word("conv_transpose3d", CONV_TRANSPOSE),
    word("depthwise_conv1d", DEPTHWISE),
    word("depthwise_conv2d", DEPTHWISE),
    word("depthwise_conv3d", DEPTHWISE),
    word("max_pool1d", POOL),
    word("max_pool2d", POOL),
    word("max_pool3d", POOL),
    word("avg_pool1d", POOL),
    word("avg_pool2d", POOL),
    word("avg_pool3d", POOL),
    word("adaptive_avg_pool1d", ADAPTIVE),
    word("adaptive_avg_pool2d", ADAPTIVE),
    word("adaptive_avg_pool3d", ADAPTIVE),
    word("global_avg_pool", &[]),
    word("global_max_pool", &[]),
    word("batch_norm", &[EPSILON, float("momentum", 0.1)]),
    word("layer_norm", &[EPSILON]),
    word("group_norm", &[first("groups", Kind::Size), EPSILON]),
    word("instance_norm", &[EPSILON]),
    word("rms_norm", &[EPSILON]),
    word("flatten", &[]),
    word("reshape", &[first("shape", Kind::Sizes)]),
    word("to_sequence", &[]),
    word("transpose", &[]),
    word(
        "embedding",
        &[first("vocab", Kind::Size), first("dim", Kind::Size)],
    ),
    word("lstm", RECURRENT),
    word("gru", RECURRENT),
    word("rnn", RECURRENT),
    word("first_step", &[]),
    word("last_step", &[]),
    word("mean", REDUCE),
    word("max", REDUCE),
    word(
        "attention",
        &[
            or_first(named("heads", Kind::Size)),
            truth("causal", false),
            BIAS,
        ],
    ),
    word(
        "positional",
        &[first(
            "encoding",
            Kind::Word(&["sinusoidal", "learned", "rope"]),
        )],
    ),
    word("class_token", &[]),
    word(
        "custom",
        &[
            first("expr", Kind::Rust),
            named("output", Kind::Sizes),
            maybe("type", Kind::Rust),
        ],
    ),
    word(
        "transformer_encoder",
        &[
            first("layers", Kind::Size),
            named("heads", Kind::Size),
            named("ff", Kind::Size),
            float("dropout", 0.1),
            truth("norm_first", true),
        ],
    ),
    word("residual", &[]),
    word("repeat", &[first("times", Kind::Size)]),
    word("parallel", &[]),
];

/// The layers that are written with a block.
pub const BLOCKS: &[&str] = &["residual", "repeat", "parallel"];

/// What acts on values while training; in chains and in annotations.
pub const STOCHASTIC: &[Word] = &[
    word("dropout", &[first("rate", Kind::Float)]),
    word("alpha_dropout", &[first("rate", Kind::Float)]),
    word("gaussian_dropout", &[first("rate", Kind::Float)]),
    word("noise", &[first("std", Kind::Float)]),
    word("drop_path", &[first("rate", Kind::FloatOrRange)]),
    word("spatial_dropout", &[first("rate", Kind::Float)]),
    word(
        "drop_block",
        &[first("rate", Kind::FloatOrRange), named("size", Kind::Size)],
    ),
    word(
        "variational_dropout",
        &[first("rate", Kind::Float), maybe("recurrent", Kind::Float)],
    ),
];

/// What acts inside a layer while training; in annotations only.
pub const INSIDE: &[Word] = &[
    word("attention_dropout", &[first("rate", Kind::Float)]),
    word("embedding_dropout", &[first("rate", Kind::Float)]),
    word("zoneout", &[first("rate", Kind::Float)]),
];

/// What acts on weights; in annotations only, but for `drop_connect`.
pub const RULES: &[Word] = &[
    word(
        "decay",
        &[maybe("l1", Kind::Float), maybe("l2", Kind::Float)],
    ),
    word(
        "penalty",
        &[maybe("l1", Kind::Float), maybe("l2", Kind::Float)],
    ),
    word("max_norm", &[first("limit", Kind::Float)]),
    word("unit_norm", &[]),
    word("non_negative", &[]),
    word("orthogonal", &[first("strength", Kind::Float)]),
    word("drop_connect", &[first("rate", Kind::Float)]),
    word("weight_norm", &[]),
    word("spectral_norm", &[]),
    word("freeze", &[]),
];

/// The penalty on the value that passes; in annotations only.
pub static ACTIVITY: Word = word(
    "activity",
    &[maybe("l1", Kind::Float), maybe("l2", Kind::Float)],
);

const READS: Kind = Kind::Word(&["logits", "probabilities", "log_probabilities"]);

/// The losses.
pub const LOSSES: &[Word] = &[
    word(
        "cross_entropy",
        &[
            maybe("label_smoothing", Kind::Float),
            maybe("weights", Kind::Floats),
            maybe("from", READS),
        ],
    ),
    word(
        "binary_cross_entropy",
        &[
            maybe("label_smoothing", Kind::Float),
            maybe("weights", Kind::Floats),
            maybe("from", READS),
        ],
    ),
    word("mse", &[]),
    word("mae", &[]),
    word("mape", &[]),
    word("huber", &[or_first(float("delta", 1.0))]),
    word("smooth_l1", &[or_first(float("beta", 1.0))]),
    word("log_cosh", &[]),
    word("dice", &[float("smooth", 1.0), maybe("from", READS)]),
    word("kl_div", &[maybe("from", READS)]),
    word("poisson", &[]),
    word("gaussian_nll", &[]),
    word("custom", &[first("path", Kind::Rust)]),
];

/// The tasks.
pub const TASKS: &[Word] = &[
    word("binary", &[]),
    word("multiclass", &[first("classes", Kind::Size)]),
    word("multilabel", &[first("labels", Kind::Size)]),
    word("regression", &[]),
];

/// The metrics.
pub const METRICS: &[Word] = &[
    word("accuracy", &[]),
    word("top_k", &[first("k", Kind::Size)]),
    word("precision", &[]),
    word("recall", &[]),
    word("f1", &[]),
    word("auroc", &[]),
    word("mse", &[]),
    word("rmse", &[]),
    word("mae", &[]),
    word("mape", &[]),
    word("r2", &[]),
];

const DECAY: Argument = maybe("weight_decay", Kind::Float);

/// Of `adam` and `adamw`.
const ADAM: &[Argument] = &[
    or_first(float("lr", 1e-3)),
    float("beta1", 0.9),
    float("beta2", 0.999),
    float("epsilon", 1e-8),
    truth("amsgrad", false),
    DECAY,
];

/// The optimisers; the defaults are those of `PyTorch`.
pub const OPTIMIZERS: &[Word] = &[
    word(
        "sgd",
        &[
            or_first(float("lr", 1e-3)),
            float("momentum", 0.0),
            float("dampening", 0.0),
            truth("nesterov", false),
            DECAY,
        ],
    ),
    word("adam", ADAM),
    word("adamw", ADAM),
    word(
        "rmsprop",
        &[
            or_first(float("lr", 1e-2)),
            float("alpha", 0.99),
            float("momentum", 0.0),
            float("epsilon", 1e-8),
            truth("centered", false),
            DECAY,
        ],
    ),
    word(
        "adagrad",
        &[
            or_first(float("lr", 1e-2)),
            float("lr_decay", 0.0),
            float("epsilon", 1e-10),
            DECAY,
        ],
    ),
    word(
        "lion",
        &[
            or_first(float("lr", 1e-4)),
            float("beta1", 0.9),
            float("beta2", 0.99),
            DECAY,
        ],
    ),
];

const WARMUP: Argument = maybe("warmup", Kind::Float);

/// The schedules of the learning rate.
pub const SCHEDULES: &[Word] = &[
    word("constant", &[WARMUP]),
    word("cosine", &[float("end", 0.0), WARMUP]),
    word("linear", &[float("end", 0.0), WARMUP]),
    word(
        "step",
        &[
            or_first(named("every", Kind::Size)),
            float("factor", 0.1),
            WARMUP,
        ],
    ),
    word(
        "exponential",
        &[or_first(named("factor", Kind::Float)), WARMUP],
    ),
    word(
        "one_cycle",
        &[
            float("rise", 0.3),
            float("divide", 25.0),
            float("final_divide", 1e4),
        ],
    ),
];

/// The backends.
pub const BACKENDS: &[&str] = &["flex", "ndarray", "wgpu"];

/// How a setting of `train` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `name: value`
    Value(Kind),
    /// `name: one of OPTIMIZERS`
    Optimizer,
    /// `name: one of SCHEDULES`
    Schedule,
    /// `name(args)`
    Call,
}

/// A setting of `train`.
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// An example for messages.
    pub example: &'static str,
}

const fn setting(name: &'static str, form: Form, example: &'static str) -> Setting {
    Setting {
        name,
        form,
        example,
    }
}

/// The settings of `train`.
pub const SETTINGS: &[Setting] = &[
    setting("optimizer", Form::Optimizer, "optimizer: adamw(lr = 1e-3)"),
    setting(
        "schedule",
        Form::Schedule,
        "schedule: cosine(warmup = 0.05)",
    ),
    setting("epochs", Form::Value(Kind::Size), "epochs: 30"),
    setting("batch", Form::Value(Kind::Size), "batch: 64"),
    setting("drop_last", Form::Value(Kind::Bool), "drop_last: true"),
    setting("seed", Form::Value(Kind::Size), "seed: 42"),
    setting("clip", Form::Call, "clip(norm = 1.0)"),
    setting("early_stop", Form::Call, "early_stop(patience = 5)"),
    setting("accumulate", Form::Value(Kind::Size), "accumulate: 4"),
    setting("mixup", Form::Call, "mixup(0.2)"),
    setting("cutmix", Form::Call, "cutmix(1.0)"),
    setting("ema", Form::Call, "ema(0.999)"),
    setting("swa", Form::Call, "swa(20)"),
    setting("layer_decay", Form::Call, "layer_decay(0.75)"),
    setting("augment", Form::Call, "augment(shift = 2, flip = true)"),
    setting(
        "backend",
        Form::Value(Kind::Word(BACKENDS)),
        "backend: flex",
    ),
];

/// The arguments of `clip`.
pub static CLIP: Word = word(
    "clip",
    &[maybe("norm", Kind::Float), maybe("value", Kind::Float)],
);

/// The arguments of `early_stop`.
pub static EARLY_STOP: Word = word(
    "early_stop",
    &[
        first("patience", Kind::Size),
        maybe("metric", Kind::Metric),
        float("min_delta", 0.0),
    ],
);

/// The settings of one number, with its name.
pub static REGULARISERS: &[Word] = &[
    word("mixup", &[first("alpha", Kind::Float)]),
    word("cutmix", &[first("alpha", Kind::Float)]),
    word("ema", &[first("decay", Kind::Float)]),
    word("swa", &[first("from_epoch", Kind::Size)]),
    word("layer_decay", &[first("factor", Kind::Float)]),
];

/// The arguments of `augment`.
pub static AUGMENT: Word = word(
    "augment",
    &[
        maybe("shift", Kind::Size),
        maybe("flip", Kind::Bool),
        maybe("crop", Kind::Size),
        maybe("erase", Kind::Float),
    ],
);

/// The activation that a word names, with its arguments.
pub fn activation(name: &str) -> Option<(ActivationKind, Word)> {
    let kind = ActivationKind::from_word(name)?;
    let arguments = kind
        .arguments()
        .iter()
        .map(|(name, default)| or_first(float(name, *default)))
        .collect();
    Some((
        kind,
        Word {
            name: kind.word(),
            arguments: Cow::Owned(arguments),
        },
    ))
}

/// The word of a table.
pub fn find(table: &'static [Word], name: &str) -> Option<&'static Word> {
    table.iter().find(|word| word.name == name)
}

/// Everything that may stand in a chain, for suggestions.
pub fn chain() -> Vec<&'static str> {
    let activations = ActivationKind::ALL.iter().map(|kind| kind.word());
    names(LAYERS)
        .chain(activations)
        .chain(names(STOCHASTIC))
        .chain(["drop_connect"])
        .collect()
}

/// Everything that may stand behind `with`, for suggestions.
pub fn annotations() -> Vec<&'static str> {
    names(STOCHASTIC)
        .chain(names(INSIDE))
        .chain(names(RULES))
        .chain([ACTIVITY.name])
        .collect()
}

/// A word with its arguments, by its family in the runtime's vocabulary.
pub fn word_of(family: &str, name: &str) -> Option<Word> {
    let tables: &[&[Word]] = match family {
        "layer" => &[LAYERS, STOCHASTIC, RULES],
        "annotation" => &[STOCHASTIC, INSIDE, RULES],
        "loss" => &[LOSSES],
        "task" => &[TASKS],
        "metric" => &[METRICS],
        "optimizer" => &[OPTIMIZERS],
        "schedule" => &[SCHEDULES],
        "setting" => &[REGULARISERS],
        _ => &[],
    };
    let single = match family {
        "annotation" => &[&ACTIVITY][..],
        "setting" => &[&CLIP, &EARLY_STOP, &AUGMENT],
        "input" => &[&INT],
        _ => &[],
    };
    let found = tables
        .iter()
        .copied()
        .flatten()
        .chain(single.iter().copied())
        .find(|word| word.name == name)
        .cloned();
    found.or_else(|| {
        activation(name)
            .filter(|_| family == "layer")
            .map(|(_, word)| word)
    })
}

/// What may stand behind `on` after a rule on weights.
pub const ON: &[&str] = &["all", "embedding"];

/// The names of a table.
pub fn names(table: &'static [Word]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|word| word.name)
}

/// As [`list`], with the words that differ in their axes as one: `conv1d/2d/3d`.
pub fn available(words: &[&'static str]) -> String {
    let axes = ["1d", "2d", "3d"];
    let folded: Vec<String> = words
        .iter()
        .filter_map(|word| {
            let stem = axes.iter().find_map(|axis| word.strip_suffix(axis));
            match stem {
                Some(stem) if word.ends_with("1d") => Some(format!("{stem}1d/2d/3d")),
                Some(_) => None,
                None => Some((*word).to_owned()),
            }
        })
        .collect();
    list(&folded)
}

/// `a`, `b` and `c`, each in backticks.
pub fn list<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
