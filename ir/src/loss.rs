//! The losses, and what rules and training need to know of each.

use crate::words::{choice, words};
use crate::{Id, LintLevel, Value, no};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// Where it is written.
    #[serde(skip)]
    pub id: Id,
    /// The smallest target.
    pub low: Value,
    /// The largest target.
    pub high: Value,
}

words! {
    /// The losses.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LossKind;

    /// Exclusive classes; the target is a class index: `-log softmax(x)[class]`.
    ///
    /// `predict` gives probabilities, `classify` class indices.
    cross_entropy = CrossEntropy {
        /// The share of the target that is spread over all classes, in `0..1` (Szegedy et al., arXiv 1512.00567).
        label_smoothing: Option<Value> = optional(Kind::Float).range(Range::Elsewhere),
        /// One weight for each class: `[1.0, 2.0]`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weights: Vec<Value> = optional(Kind::Floats).range(Range::Elsewhere)
            .usual(0.0, 100.0, 1.0, "a rare class of one sample in a hundred weighs 100 (King and Zeng 2001)"),
        /// What the last layer gives: `logits` (the default), `probabilities` or `log_probabilities`.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads = optional(Kind::Word(Reads::WORDS)),
        /// The strength of `z * log(sum(exp(x)))^2`, which keeps logits near 0 (Chowdhery et al., arXiv 2204.02311: 1e-4).
        #[serde(default, skip_serializing_if = "no")]
        z: Option<Value> = optional(Kind::Float).range(Range::Positive)
            .usual(1e-6, 0.01, 1e-4, "1e-4 in PaLM (arXiv 2204.02311)"),
    };

    /// Exclusive classes, of which the easy ones weigh less: `-(1 - p)^gamma log p` with `p` the probability of the target's class
    /// (Lin et al., arXiv 1708.02002). For classes of which some are rare.
    focal(gamma) = Focal {
        /// How much less the easy samples weigh; with 0 it is `cross_entropy`.
        gamma: Value = float(2.0).positional().range(Range::NotNegative)
            .usual(0.0, 10.0, 2.0, "the paper tries 0 to 5 (arXiv 1708.02002)"),
        /// What the last layer gives: `logits` (the default), `probabilities` or `log_probabilities`.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads = optional(Kind::Word(Reads::WORDS)),
    };

    /// One or more independent yes/no answers.
    ///
    /// `predict` gives the probability of each yes.
    binary_cross_entropy = BinaryCrossEntropy {
        /// By how much targets move toward one half, in `0..1`.
        label_smoothing: Option<Value> = optional(Kind::Float).range(Range::Elsewhere),
        /// One weight for each output: `[1.0, 2.0]`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        weights: Vec<Value> = optional(Kind::Floats).range(Range::Elsewhere)
            .usual(0.0, 100.0, 1.0, "a rare class of one sample in a hundred weighs 100 (King and Zeng 2001)"),
        /// What the last layer gives: `logits` (the default), `probabilities` or `log_probabilities`.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads = optional(Kind::Word(Reads::WORDS)),
        /// How many times as much a yes weighs as a no: for answers that are rarely yes.
        #[serde(default, skip_serializing_if = "no")]
        positive_weight: Option<Value> = optional(Kind::Float).range(Range::Positive)
            .usual(0.01, 200.0, 5.0, "so many no for each yes (King and Zeng 2001)"),
    };

    /// Mean squared error: `mean (x - t)^2`. The prediction is the conditional mean.
    mse = Mse;

    /// Mean absolute error: `mean |x - t|`. The prediction is the conditional median.
    mae = Mae;

    /// Mean absolute percentage error: `mean |x - t| / |t|`. For targets away from 0.
    mape = Mape;

    /// Squared near 0, linear beyond `delta`: outliers weigh less (Huber 1964).
    huber(delta) = Huber {
        /// Where the square becomes a line.
        delta: Value = float(1.0).positional().range(Range::Positive)
            .usual(1e-4, 100.0, 1.0, "1.35 standard deviations of the error (Huber 1964)"),
    };

    /// `huber(beta) / beta`.
    smooth_l1(beta) = SmoothL1 {
        /// Where the square becomes a line.
        beta: Value = float(1.0).positional().range(Range::Positive)
            .usual(1e-4, 100.0, 1.0, "1 in Fast R-CNN (arXiv 1504.08083), 1/9 in Detectron"),
    };

    /// `mean log(cosh(x - t))`: a smooth absolute error.
    log_cosh = LogCosh;

    /// One minus the Dice coefficient of prediction and target.
    dice = Dice {
        /// Added to numerator and denominator, so that the loss of an empty mask is defined.
        smooth: Value = float(1.0).range(Range::NotNegative)
            .usual(1e-9, 100.0, 1.0, "1e-5 in nnU-Net (arXiv 1809.10486), 1 is common"),
        /// What the last layer gives: `logits` (the default), `probabilities` or `log_probabilities`.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads = optional(Kind::Word(Reads::WORDS)),
    };

    /// The Kullback-Leibler divergence from the target's probabilities to the model's.
    kl_div = KlDiv {
        /// What the last layer gives: `logits` (the default), `probabilities` or `log_probabilities`.
        #[serde(default, skip_serializing_if = "no")]
        from: Reads = optional(Kind::Word(Reads::WORDS)),
    };

    /// Counts: the output is the logarithm of the rate; `predict` gives the rate.
    poisson = Poisson;

    /// The likelihood of a normal distribution: the first half of the units is the mean, the second half the logarithm
    /// of the variance.
    gaussian_nll = GaussianNll;

    /// Quantiles of the target, by the pinball loss `max(q e, (q - 1) e)` of the error `e = t - x` (Koenker and Bassett 1978): the
    /// prediction for 0.9 is above nine of ten targets.
    ///
    /// The first units are the first quantile of all values, the next ones the second, and so on. Metrics read the middle one.
    quantile(levels) = Quantile {
        /// The quantiles, each above 0 and below 1: `[0.1, 0.5, 0.9]`.
        levels: Vec<Value> = required(Kind::Floats).range(Range::Between).called("a quantile"),
    };

    /// Your own function, `fn(Tensor<2>, Tensor<2>) -> Tensor<1>`, of output and target, both `[rows, values]`.
    custom(path) = Custom {
        /// The function's path.
        path: String = required(Kind::Rust),
    };
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

choice!(Reads: "logits" = Logits, "probabilities" = Probabilities, "log_probabilities" = LogProbabilities);

/// What a loss compares the output with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// One of several classes.
    Class,
    /// Yes or no for each output.
    YesNo,
    /// A probability for each output.
    Distribution,
    /// Counts: numbers from 0.
    Count,
    /// Any numbers.
    Number,
    /// What a function of the user's takes.
    Custom,
}

/// What turns the output that a loss reads into predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputActivation {
    /// Nothing.
    Identity,
    /// A softmax over the classes.
    Softmax,
    /// A sigmoid of each output.
    Sigmoid,
    /// The exponential of each output.
    Exp,
    /// The first half as it is, the exponential of the second: mean and variance.
    MeanAndVariance,
    /// Nothing: so many quantiles of each value.
    Quantiles(usize),
}

/// What rules and training need to know of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossFacts {
    /// What the targets are.
    pub target: TargetKind,
    /// What turns logits into predictions.
    pub activation: OutputActivation,
    /// What it reads, of those that may read probabilities.
    pub reads: Option<Reads>,
    /// Whether the loss of a mixed target is the mix of the losses (up to what the model does not change), so that
    /// `mixup` and `cutmix` mean something (arXiv 1710.09412).
    pub mixes: bool,
}

impl LossFacts {
    /// How many values a target has, for an output of so many units.
    pub fn values(&self, units: usize) -> usize {
        match self.activation {
            OutputActivation::MeanAndVariance => units / 2,
            OutputActivation::Quantiles(count) => units.checked_div(count).unwrap_or(units),
            _ => units,
        }
    }
}

impl LossKind {
    /// What rules and training need to know of it.
    pub const fn facts(&self) -> LossFacts {
        use OutputActivation as A;
        use TargetKind as T;
        let (target, activation, reads, mixes) = match self {
            Self::CrossEntropy { from, .. } => (T::Class, A::Softmax, Some(*from), true),
            Self::BinaryCrossEntropy { from, .. } => (T::YesNo, A::Sigmoid, Some(*from), true),
            Self::Focal { from, .. } => (T::Class, A::Softmax, Some(*from), false),
            Self::Dice { from, .. } => (T::YesNo, A::Sigmoid, Some(*from), false),
            Self::KlDiv { from } => (T::Distribution, A::Softmax, Some(*from), true),
            Self::Poisson => (T::Count, A::Exp, None, true),
            Self::GaussianNll => (T::Number, A::MeanAndVariance, None, false),
            Self::Mse => (T::Number, A::Identity, None, true),
            Self::Mae | Self::Mape | Self::Huber { .. } | Self::SmoothL1 { .. } | Self::LogCosh => {
                (T::Number, A::Identity, None, false)
            }
            Self::Quantile { levels } => (T::Number, A::Quantiles(levels.len()), None, false),
            Self::Custom { .. } => (T::Custom, A::Identity, None, false),
        };
        LossFacts {
            target,
            activation,
            reads,
            mixes,
        }
    }

    /// What turns its output into predictions, for what it reads now: nothing where it reads probabilities.
    pub fn own_activation(&self) -> OutputActivation {
        let facts = self.facts();
        match facts.reads {
            None | Some(Reads::Logits) => facts.activation,
            Some(Reads::Probabilities | Reads::LogProbabilities) => OutputActivation::Identity,
        }
    }
}

impl fmt::Display for LossKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::words::call(self.word(), &self.written()))
    }
}
