//! The description's parts as a person writes them.

use crate::{
    Activation, Conv, LossKind, MetricKind, OpKind, Optimizer, OptimizerKind, Padding, Pool, Rate,
    Reach, Reads, Recurrent, Reduction, RuleKind, Schedule, ScheduleKind, Stochastic, TaskKind,
    Value, WeightRule,
};
use std::fmt::{self, Display, Formatter};

/// Writes `word`, or `word(a, b = c)`.
fn call(f: &mut Formatter<'_>, word: &str, arguments: &[String]) -> fmt::Result {
    if arguments.is_empty() {
        f.write_str(word)
    } else {
        write!(f, "{word}({})", arguments.join(", "))
    }
}

/// `name = value`, unless it is the default.
fn named(name: &str, value: &Value, default: f64) -> Option<String> {
    (value.known != Some(default)).then(|| format!("{name} = {value}"))
}

fn flag(name: &str, value: &Value, default: bool) -> Option<String> {
    let text = value
        .is_true()
        .map_or_else(|| "_".to_owned(), |truth| truth.to_string());
    (value.is_true() != Some(default)).then(|| format!("{name} = {text}"))
}

fn optional(name: &str, value: Option<&Value>) -> Option<String> {
    value.map(|value| format!("{name} = {value}"))
}

fn list(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", texts.join(", "))
}

fn given<const N: usize>(arguments: [Option<String>; N]) -> Vec<String> {
    arguments.into_iter().flatten().collect()
}

impl Display for Activation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let expected = self.kind.arguments();
        let written: Vec<String> = expected
            .iter()
            .zip(&self.arguments)
            .filter_map(|((name, default), value)| named(name, value, *default))
            .collect();
        match (expected, self.arguments.as_slice()) {
            ([_], [value]) if !written.is_empty() => {
                call(f, self.kind.word(), &[value.to_string()])
            }
            _ => call(f, self.kind.word(), &written),
        }
    }
}

impl Display for Stochastic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (word, rate) = (self.word(), self.rate());
        match self {
            Self::DropBlock { first, size, .. } => {
                let first = first.map_or_else(String::new, |first| format!("{first}.."));
                write!(f, "{word}({first}{rate}, size = {size})")
            }
            _ => write!(f, "{word}({rate})"),
        }
    }
}

/// `name = 3` or `name = [3, 5]`, unless it is the default of every axis.
fn sizes(name: &str, values: &[Value], default: f64) -> Option<String> {
    let written = values.iter().any(|value| value.known != Some(default));
    written.then(|| format!("{name} = {}", one_or_list(values)))
}

fn one_or_list(values: &[Value]) -> String {
    match values {
        [one] => one.to_string(),
        _ => list(values),
    }
}

fn padding(padding: &Padding) -> Option<String> {
    match padding {
        Padding::Valid => None,
        Padding::Same => Some("padding = same".to_owned()),
        Padding::Zeros(values) => sizes("padding", values, 0.0),
    }
}

impl Display for Conv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kernel = format!("kernel = {}", one_or_list(&self.kernel));
        let (out, groups) = if self.depthwise {
            (None, named("multiplier", &self.out, 1.0))
        } else {
            (
                Some(self.out.to_string()),
                named("groups", &self.groups, 1.0),
            )
        };
        let arguments = given([
            out,
            Some(kernel),
            sizes("stride", &self.stride, 1.0),
            padding(&self.padding),
            sizes("output_padding", &self.output_padding, 0.0),
            sizes("dilation", &self.dilation, 1.0),
            groups,
            flag("bias", &self.bias, true),
        ]);
        call(f, self.word(), &arguments)
    }
}

impl Display for Pool {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let stride = (!self.stride.is_empty() && self.stride != self.kernel)
            .then(|| format!("stride = {}", one_or_list(&self.stride)));
        let arguments = given([
            Some(one_or_list(&self.kernel)),
            stride,
            padding(&self.padding),
        ]);
        call(f, self.word(), &arguments)
    }
}

impl Display for Recurrent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let arguments = given([
            Some(self.hidden.to_string()),
            named("layers", &self.layers, 1.0),
            flag("bidirectional", &self.bidirectional, false),
        ]);
        call(f, self.cell.word(), &arguments)
    }
}

impl Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.rate.fmt(f)
    }
}

impl OpKind {
    /// What acts on it while training, as written: `attention_dropout(0.1)`.
    ///
    /// These annotations are part of the operation, not operations or rules of their own.
    pub fn annotations(&self) -> Vec<String> {
        let one =
            |word: &str, rate: &Option<Rate>| rate.as_ref().map(|rate| format!("{word}({rate})"));
        match self {
            Self::Embedding { dropout, .. } => given([one("embedding_dropout", dropout)]),
            Self::Attention { dropout, .. } => given([one("attention_dropout", dropout)]),
            Self::Recurrent(layer) => {
                let variational = match (&layer.variational, &layer.recurrent) {
                    (None, None) => None,
                    (Some(rate), None) => Some(format!("variational_dropout({rate})")),
                    (rate, Some(recurrent)) => {
                        let rate = rate
                            .as_ref()
                            .map_or_else(|| "0".to_owned(), Rate::to_string);
                        Some(format!(
                            "variational_dropout({rate}, recurrent = {recurrent})"
                        ))
                    }
                };
                given([
                    variational,
                    one("dropout", &layer.between),
                    one("zoneout", &layer.zoneout),
                ])
            }
            Self::Residual {
                drop_path: Some(path),
                ..
            } => vec![if path.first == path.last {
                format!("drop_path({})", path.first)
            } else {
                format!("drop_path({}..{})", path.first, path.last)
            }],
            _ => Vec::new(),
        }
    }
}

/// As written, with the arguments that are not the defaults: `linear(128)`, `dropout(0.5)`.
impl Display for OpKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let epsilon = |epsilon: &Value| named("epsilon", epsilon, 1e-5);
        let arguments = match self {
            Self::Linear {
                out,
                bias,
                same,
                tied,
            } => given([
                Some(if *same {
                    "same".to_owned()
                } else {
                    out.to_string()
                }),
                tied.as_ref().map(|name| format!("tied = {name}")),
                flag("bias", bias, true),
            ]),
            Self::Swiglu { out, bias } => given([Some(out.to_string()), flag("bias", bias, false)]),
            Self::Activation(activation) => return activation.fmt(f),
            Self::BatchNorm {
                epsilon: added,
                momentum,
            } => given([epsilon(added), named("momentum", momentum, 0.1)]),
            Self::LayerNorm { epsilon: added }
            | Self::InstanceNorm { epsilon: added }
            | Self::RmsNorm { epsilon: added } => given([epsilon(added)]),
            Self::GroupNorm {
                groups,
                epsilon: added,
            } => given([Some(groups.to_string()), epsilon(added)]),
            Self::Conv(conv) => return conv.fmt(f),
            Self::Pool(pool) => return pool.fmt(f),
            Self::Reshape { shape } => vec![list(shape)],
            Self::Embedding { vocab, dim, .. } => vec![vocab.to_string(), dim.to_string()],
            Self::Recurrent(recurrent) => return recurrent.fmt(f),
            Self::Reduce { axis, .. } => vec![format!("axis = {}", axis.word())],
            Self::Attention {
                heads,
                causal,
                bias,
                rope,
                ..
            } => {
                if *rope {
                    f.write_str("positional(rope) -> ")?;
                }
                given([
                    Some(format!("heads = {heads}")),
                    flag("causal", causal, false),
                    flag("bias", bias, true),
                ])
            }
            Self::Positional { learned } => {
                vec![if *learned { "learned" } else { "sinusoidal" }.to_owned()]
            }
            Self::Custom { text, output } => {
                vec![text.clone(), format!("output = {}", list(output))]
            }
            Self::Stochastic(stochastic) => return stochastic.fmt(f),
            Self::Activity { l1, l2 } => given([named("l1", l1, 0.0), named("l2", l2, 0.0)]),
            Self::Repeat { times, .. } => vec![times.to_string()],
            Self::Parallel { merge, .. } => return write!(f, "parallel -> {}", merge.word()),
            Self::Model { .. }
            | Self::Residual { .. }
            | Self::GlobalPool(_)
            | Self::Flatten
            | Self::ToSequence
            | Self::Transpose
            | Self::Step { .. }
            | Self::ClassToken => Vec::new(),
        };
        call(f, self.word(), &arguments)
    }
}

impl OpKind {
    /// The word of the language; a nested model's path.
    pub fn word(&self) -> &str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Swiglu { .. } => "swiglu",
            Self::Activation(activation) => activation.kind.word(),
            Self::BatchNorm { .. } => "batch_norm",
            Self::LayerNorm { .. } => "layer_norm",
            Self::Custom { .. } => "custom",
            Self::Model { path, .. } => path,
            Self::Stochastic(stochastic) => stochastic.word(),
            Self::Activity { .. } => "activity",
            Self::Residual { .. } => "residual",
            Self::Repeat { .. } => "repeat",
            Self::Parallel { .. } => "parallel",
            Self::GroupNorm { .. } => "group_norm",
            Self::InstanceNorm { .. } => "instance_norm",
            Self::RmsNorm { .. } => "rms_norm",
            Self::Conv(conv) => conv.word(),
            Self::Pool(pool) => pool.word(),
            Self::GlobalPool(Reduction::Mean) => "global_avg_pool",
            Self::GlobalPool(Reduction::Max) => "global_max_pool",
            Self::Flatten => "flatten",
            Self::Reshape { .. } => "reshape",
            Self::ToSequence => "to_sequence",
            Self::Transpose => "transpose",
            Self::Embedding { .. } => "embedding",
            Self::Recurrent(recurrent) => recurrent.cell.word(),
            Self::Step { last: true } => "last_step",
            Self::Step { last: false } => "first_step",
            Self::Reduce {
                reduction: Reduction::Mean,
                ..
            } => "mean",
            Self::Reduce {
                reduction: Reduction::Max,
                ..
            } => "max",
            Self::Attention { .. } => "attention",
            Self::Positional { .. } => "positional",
            Self::ClassToken => "class_token",
        }
    }
}

impl Conv {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match (self.transposed, self.depthwise, self.axes) {
            (true, _, 1) => "conv_transpose1d",
            (true, _, 2) => "conv_transpose2d",
            (true, _, _) => "conv_transpose3d",
            (_, true, 1) => "depthwise_conv1d",
            (_, true, 2) => "depthwise_conv2d",
            (_, true, _) => "depthwise_conv3d",
            (_, _, 1) => "conv1d",
            (_, _, 2) => "conv2d",
            (_, _, _) => "conv3d",
        }
    }
}

impl Pool {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match (self.adaptive, self.reduction, self.axes) {
            (true, _, 1) => "adaptive_avg_pool1d",
            (true, _, 2) => "adaptive_avg_pool2d",
            (true, _, _) => "adaptive_avg_pool3d",
            (_, Reduction::Mean, 1) => "avg_pool1d",
            (_, Reduction::Mean, 2) => "avg_pool2d",
            (_, Reduction::Mean, _) => "avg_pool3d",
            (_, Reduction::Max, 1) => "max_pool1d",
            (_, Reduction::Max, 2) => "max_pool2d",
            (_, Reduction::Max, _) => "max_pool3d",
        }
    }
}

impl Display for RuleKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decay { l1, l2 } | Self::Penalty { l1, l2 } => call(
                f,
                self.word(),
                &given([optional("l1", l1.as_ref()), optional("l2", l2.as_ref())]),
            ),
            Self::MaxNorm { limit: x }
            | Self::Orthogonal { strength: x }
            | Self::DropConnect { rate: x } => {
                write!(f, "{}({x})", self.word())
            }
            Self::UnitNorm
            | Self::NonNegative
            | Self::WeightNorm
            | Self::SpectralNorm
            | Self::Freeze => f.write_str(self.word()),
        }
    }
}

impl Display for WeightRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match self.on {
            Reach::Weights => Ok(()),
            Reach::Embedding => f.write_str(" on embedding"),
            Reach::All => f.write_str(" on all"),
        }
    }
}

impl Reads {
    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Probabilities => "probabilities",
            Self::LogProbabilities => "log_probabilities",
        }
    }
}

impl Display for LossKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let source =
            |from: Reads| (from != Reads::Logits).then(|| format!("from = {}", from.word()));
        let arguments = match self {
            Self::CrossEntropy {
                label_smoothing,
                weights,
                from,
            }
            | Self::BinaryCrossEntropy {
                label_smoothing,
                weights,
                from,
            } => given([
                optional("label_smoothing", label_smoothing.as_ref()),
                (!weights.is_empty()).then(|| format!("weights = {}", list(weights))),
                source(*from),
            ]),
            Self::Mse
            | Self::Mae
            | Self::Mape
            | Self::LogCosh
            | Self::Poisson
            | Self::GaussianNll => Vec::new(),
            Self::Huber { delta: x } | Self::SmoothL1 { beta: x } => vec![x.to_string()],
            Self::Dice { smooth, from } => given([named("smooth", smooth, 1.0), source(*from)]),
            Self::KlDiv { from } => given([source(*from)]),
            Self::Custom { path } => vec![path.clone()],
        };
        call(f, self.word(), &arguments)
    }
}

impl LossKind {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::CrossEntropy { .. } => "cross_entropy",
            Self::BinaryCrossEntropy { .. } => "binary_cross_entropy",
            Self::Mse => "mse",
            Self::Mae => "mae",
            Self::Mape => "mape",
            Self::Huber { .. } => "huber",
            Self::SmoothL1 { .. } => "smooth_l1",
            Self::LogCosh => "log_cosh",
            Self::Dice { .. } => "dice",
            Self::KlDiv { .. } => "kl_div",
            Self::Poisson => "poisson",
            Self::GaussianNll => "gaussian_nll",
            Self::Custom { .. } => "custom",
        }
    }
}

impl Display for TaskKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary => f.write_str("binary"),
            Self::Multiclass(classes) => write!(f, "multiclass({classes})"),
            Self::Multilabel(labels) => write!(f, "multilabel({labels})"),
            Self::Regression => f.write_str("regression"),
        }
    }
}

impl MetricKind {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::TopK(_) => "top_k",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1 => "f1",
            Self::Auroc => "auroc",
            Self::Mse => "mse",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::Mape => "mape",
            Self::R2 => "r2",
        }
    }
}

impl Display for MetricKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TopK(k) => write!(f, "top_k({k})"),
            other => f.write_str(other.word()),
        }
    }
}

fn optimizer_arguments(kind: &OptimizerKind) -> Vec<String> {
    match kind {
        OptimizerKind::Sgd {
            momentum,
            dampening,
            nesterov,
        } => given([
            named("momentum", momentum, 0.0),
            named("dampening", dampening, 0.0),
            flag("nesterov", nesterov, false),
        ]),
        OptimizerKind::Adam {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        }
        | OptimizerKind::Adamw {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        } => given([
            named("beta1", beta1, 0.9),
            named("beta2", beta2, 0.999),
            named("epsilon", epsilon, 1e-8),
            flag("amsgrad", amsgrad, false),
        ]),
        OptimizerKind::RmsProp {
            alpha,
            momentum,
            epsilon,
            centered,
        } => given([
            named("alpha", alpha, 0.99),
            named("momentum", momentum, 0.0),
            named("epsilon", epsilon, 1e-8),
            flag("centered", centered, false),
        ]),
        OptimizerKind::Adagrad { lr_decay, epsilon } => given([
            named("lr_decay", lr_decay, 0.0),
            named("epsilon", epsilon, 1e-10),
        ]),
        OptimizerKind::Lion { beta1, beta2 } => {
            given([named("beta1", beta1, 0.9), named("beta2", beta2, 0.99)])
        }
    }
}

impl Display for OptimizerKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        call(f, self.word(), &optimizer_arguments(self))
    }
}

impl Display for Optimizer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut arguments = vec![format!("lr = {}", self.learning_rate)];
        arguments.extend(optional("weight_decay", self.weight_decay.as_ref()));
        arguments.extend(optimizer_arguments(&self.kind));
        call(f, self.kind.word(), &arguments)
    }
}

impl ScheduleKind {
    /// The word of the language.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Cosine { .. } => "cosine",
            Self::Linear { .. } => "linear",
            Self::Step { .. } => "step",
            Self::Exponential { .. } => "exponential",
            Self::OneCycle { .. } => "one_cycle",
        }
    }
}

fn schedule_arguments(kind: &ScheduleKind) -> Vec<String> {
    match kind {
        ScheduleKind::Constant => Vec::new(),
        ScheduleKind::Cosine { end } | ScheduleKind::Linear { end } => {
            given([named("end", end, 0.0)])
        }
        ScheduleKind::Step { every, factor } => {
            vec![format!("every = {every}"), format!("factor = {factor}")]
        }
        ScheduleKind::Exponential { factor } => vec![format!("factor = {factor}")],
        ScheduleKind::OneCycle {
            rise,
            divide,
            final_divide,
        } => given([
            named("rise", rise, 0.3),
            named("divide", divide, 25.0),
            named("final_divide", final_divide, 1e4),
        ]),
    }
}

impl Display for ScheduleKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        call(f, self.word(), &schedule_arguments(self))
    }
}

impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut arguments = schedule_arguments(&self.kind);
        arguments.extend(optional("warmup", self.warmup.as_ref()));
        call(f, self.kind.word(), &arguments)
    }
}
