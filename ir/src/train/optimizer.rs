//! The optimizers, and what rules and training need to know of each.

use crate::words::words;
use crate::{Id, Value, no};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// `weight_decay = x`: under an optimizer that decouples it ([`OptimizerKind::decouples_decay`]) a default
    /// `decay(l2 = x)` of every weight, under the others `x * w` added to the gradient (coupled).
    #[serde(default, skip_serializing_if = "no")]
    pub weight_decay: Option<Value>,
}

words! {
    /// The optimizers; the defaults are `PyTorch`'s.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OptimizerKind;

    /// Stochastic gradient descent, with momentum (Sutskever et al. 2013).
    sgd(lr) [
        /// The learning rate.
        lr = float(1e-3).positional().range(Range::Elsewhere),
    ] = Sgd {
        /// The share of the last step that is kept.
        momentum: Value = float(0.0).range(Range::BelowOne)
            .usual(0.0, 0.999, 0.9, "0.9 to 0.99 (Sutskever et al. 2013)"),
        /// The share of the gradient that does not enter the momentum.
        dampening: Value = float(0.0).range(Range::Share),
        /// Whether the gradient is taken one step ahead (Nesterov 1983).
        nesterov: Value = flag(false),
    } [
        /// `weight_decay * w` is added to the gradient (coupled).
        weight_decay = optional(Kind::Float).range(Range::NotNegative),
    ];

    /// Adam (Kingma and Ba, arXiv 1412.6980).
    ///
    /// With `weight_decay`, Adam rescales the decay: the lint `adam_coupled_weight_decay` says why; use `adamw`.
    adam(lr) [
        /// The learning rate.
        lr = float(1e-3).positional().range(Range::Elsewhere),
    ] = Adam {
        /// The share of the mean of gradients that is kept.
        beta1: Value = float(0.9).range(Range::BelowOne)
            .usual(0.0, 0.99, 0.9, "0.9 in Adam's paper (arXiv 1412.6980), 0 to 0.5 for adversarial networks"),
        /// The share of the mean of squared gradients that is kept.
        beta2: Value = float(0.999).range(Range::BelowOne)
            .usual(0.8, 0.99999, 0.999, "0.999 in Adam's paper (arXiv 1412.6980), 0.9 to 0.98 for transformers and adversarial networks"),
        /// Added to the root of the second moment.
        epsilon: Value = float(1e-8).range(Range::Elsewhere),
        /// Whether the largest second moment so far is used (Reddi et al., arXiv 1904.09237).
        amsgrad: Value = flag(false),
    } [
        /// `weight_decay * w` is added to the gradient (coupled).
        weight_decay = optional(Kind::Float).range(Range::NotNegative),
    ];

    /// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101).
    adamw(lr) [
        /// The learning rate.
        lr = float(1e-3).positional().range(Range::Elsewhere),
    ] = Adamw {
        /// The share of the mean of gradients that is kept.
        beta1: Value = float(0.9).range(Range::BelowOne)
            .usual(0.0, 0.99, 0.9, "0.9 in Adam's paper (arXiv 1412.6980), 0 to 0.5 for adversarial networks"),
        /// The share of the mean of squared gradients that is kept.
        beta2: Value = float(0.999).range(Range::BelowOne)
            .usual(0.8, 0.99999, 0.999, "0.999 in Adam's paper (arXiv 1412.6980), 0.9 to 0.98 for transformers and adversarial networks"),
        /// Added to the root of the second moment.
        epsilon: Value = float(1e-8).range(Range::Elsewhere),
        /// Whether the largest second moment so far is used (Reddi et al., arXiv 1904.09237).
        amsgrad: Value = flag(false),
    } [
        /// A default `decay(l2 = weight_decay)` of every weight matrix; a layer's own `decay` overrides it. Without it, 0.
        weight_decay = optional(Kind::Float).range(Range::NotNegative),
    ];

    /// Orthogonalized momentum for weight matrices (Jordan et al. 2024), scaled to the size of Adam's steps (Liu et al.,
    /// arXiv 2502.16982); `adamw` with the same learning rate for kernels, embeddings, biases and gains.
    muon(lr) [
        /// The learning rate.
        lr = float(1e-3).positional().range(Range::Elsewhere),
    ] = Muon {
        /// Of the matrices: the share of the last step that is kept.
        momentum: Value = float(0.95).range(Range::BelowOne)
            .usual(0.5, 0.999, 0.95, "0.95 (Jordan et al. 2024)"),
        /// Of the matrices: whether the gradient is taken one step ahead.
        nesterov: Value = flag(true),
        /// Of the others: the share of the mean of gradients that is kept.
        beta1: Value = float(0.9).range(Range::BelowOne)
            .usual(0.0, 0.99, 0.9, "0.9 in Adam's paper (arXiv 1412.6980), 0 to 0.5 for adversarial networks"),
        /// Of the others: the share of the mean of squared gradients that is kept.
        beta2: Value = float(0.999).range(Range::BelowOne)
            .usual(0.8, 0.99999, 0.999, "0.999 in Adam's paper (arXiv 1412.6980), 0.9 to 0.98 for transformers and adversarial networks"),
        /// Of the others: added to the root of the second moment.
        epsilon: Value = float(1e-8).range(Range::Elsewhere),
    } [
        /// A default `decay(l2 = weight_decay)` of every weight matrix, as under `adamw`. Without it, 0.
        weight_decay = optional(Kind::Float).range(Range::NotNegative),
    ];

    /// The gradient divided by the root of its mean square (Hinton 2012).
    rmsprop(lr) [
        /// The learning rate.
        lr = float(1e-2).positional().range(Range::Elsewhere),
    ] = RmsProp {
        /// The share of the mean square that is kept.
        alpha: Value = float(0.99).range(Range::BelowOne)
            .usual(0.8, 0.9999, 0.99, "0.9 in Keras, 0.95 in DQN, 0.99 in PyTorch"),
        /// The share of the last step that is kept.
        momentum: Value = float(0.0).range(Range::BelowOne)
            .usual(0.0, 0.999, 0.9, "0.9 to 0.99 (Sutskever et al. 2013)"),
        /// Added to the root.
        epsilon: Value = float(1e-8).range(Range::Elsewhere),
        /// Whether the mean gradient is subtracted.
        centered: Value = flag(false),
    } [
        /// `weight_decay * w` is added to the gradient (coupled).
        weight_decay = optional(Kind::Float).range(Range::NotNegative),
    ];

    /// The gradient divided by the root of the sum of its squares (Duchi et al. 2011).
    adagrad(lr) [
        /// The learning rate.
        lr = float(1e-2).positional().range(Range::Elsewhere),
    ] = Adagrad {
        /// How fast the learning rate falls with the steps.
        lr_decay: Value = float(0.0).range(Range::NotNegative)
            .usual(0.0, 0.01, 1e-4, "the rate is divided by 1 + steps * lr_decay; 0 in PyTorch"),
        /// Added to the root.
        epsilon: Value = float(1e-10).range(Range::Elsewhere),
    } [
        /// `weight_decay * w` is added to the gradient (coupled).
        weight_decay = optional(Kind::Float).range(Range::NotNegative),
    ];

    /// The sign of the momentum (Chen et al., arXiv 2302.06675): a smaller learning rate and a larger decay than Adam's.
    lion(lr) [
        /// The learning rate.
        lr = float(1e-4).positional().range(Range::Elsewhere),
    ] = Lion {
        /// The share of the old momentum in the step.
        beta1: Value = float(0.9).range(Range::BelowOne)
            .usual(0.0, 0.99, 0.9, "0.9 in Adam's paper (arXiv 1412.6980), 0 to 0.5 for adversarial networks"),
        /// The share of the momentum that is kept.
        beta2: Value = float(0.99).range(Range::BelowOne)
            .usual(0.8, 0.9999, 0.99, "0.99 in the paper (arXiv 2302.06675)"),
    } [
        /// A default `decay(l2 = weight_decay)` of every weight matrix, as under `adamw`. Without it, 0.
        weight_decay = optional(Kind::Float).range(Range::NotNegative),
    ];
}

/// What `weight_decay` of an optimizer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightDecay {
    /// A default `decay(l2 = ..)` of every weight, apart from the step (arXiv 1711.05101).
    Decoupled,
    /// It is added to the gradient, which the step takes as it is.
    Coupled,
    /// It is added to the gradient, which the step then divides by the size of past gradients, so that it does not act as weight
    /// decay. The optimizer that is the same with decoupled decay, if there is one.
    Rescaled(Option<&'static str>),
}

/// What rules and training need to know of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerFacts {
    /// What its `weight_decay` does.
    pub weight_decay: WeightDecay,
    /// The usual learning rate.
    pub usual_rate: f64,
    /// Where that rate is from.
    pub rate_source: &'static str,
    /// A usual decay at that rate: `weight_decay` where it is decoupled, else that of `decay(l2 = ..)`.
    pub usual_decay: f64,
    /// Where that decay is from.
    pub decay_source: &'static str,
}

impl OptimizerKind {
    /// What rules and training need to know of it.
    pub const fn facts(&self) -> OptimizerFacts {
        use WeightDecay::{Coupled, Decoupled, Rescaled};
        const ADAM: &str = "the usual rate is that of Adam's paper (arXiv 1412.6980)";
        const ADAMW: &str = "with `lr = 1e-3`, 0.01 to 0.3 is usual: a step removes 1e-5 to 3e-4 of a weight (arXiv 1711.05101)";
        const SGD: &str = "with `lr = 0.1`, 1e-4 to 5e-4 is usual (ResNet, arXiv 1512.03385; Wide-ResNet, arXiv 1605.07146)";
        let (weight_decay, usual_rate, rate_source, usual_decay, decay_source) = match self {
            Self::Sgd { .. } => (
                Coupled,
                0.1,
                "the usual rate is that of ResNet (arXiv 1512.03385), for batches of 256",
                5e-4,
                SGD,
            ),
            Self::Adam { .. } => (Rescaled(Some("adamw")), 1e-3, ADAM, 0.01, ADAMW),
            Self::Adamw { .. } | Self::Muon { .. } => (Decoupled, 1e-3, ADAM, 0.01, ADAMW),
            Self::RmsProp { .. } => (
                Rescaled(None),
                0.01,
                "the usual rate is the default of PyTorch; torchvision trains MobileNetV3 with 0.064",
                1e-3,
                ADAMW,
            ),
            Self::Adagrad { .. } => (
                Rescaled(None),
                0.01,
                "the usual rate is the default of PyTorch",
                1e-3,
                ADAMW,
            ),
            Self::Lion { .. } => (
                Decoupled,
                1e-4,
                "the usual rate is that of the paper (arXiv 2302.06675)",
                0.1,
                "3 to 10 times the decay of `adamw`, at a rate that is as many times smaller (arXiv 2302.06675)",
            ),
        };
        OptimizerFacts {
            weight_decay,
            usual_rate,
            rate_source,
            usual_decay,
            decay_source,
        }
    }

    /// Whether the step is divided by the size of past gradients (or only their sign is used), so that an
    /// L2 term in the gradient does not act as weight decay (arXiv 1711.05101).
    pub const fn is_adaptive(&self) -> bool {
        !matches!(self.facts().weight_decay, WeightDecay::Coupled)
    }

    /// Whether `weight_decay` is decoupled: a default `decay(l2 = ..)` of every weight.
    pub const fn decouples_decay(&self) -> bool {
        matches!(self.facts().weight_decay, WeightDecay::Decoupled)
    }
}

/// `adamw(lr = 1e-3)`: the optimizer where none is written.
impl Default for OptimizerKind {
    fn default() -> Self {
        Self::adamw()
    }
}

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arguments = vec![format!("lr = {}", self.learning_rate)];
        let decay = self.weight_decay.as_ref();
        arguments.extend(decay.map(|value| format!("weight_decay = {value}")));
        arguments.extend(self.kind.written());
        f.write_str(&crate::words::call(self.kind.word(), &arguments))
    }
}

impl fmt::Display for OptimizerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::words::call(self.word(), &self.written()))
    }
}

impl Optimizer {
    /// An optimizer with this learning rate.
    ///
    /// ```
    /// use damper_ir::{Optimizer, OptimizerKind};
    ///
    /// let sgd = Optimizer::new(OptimizerKind::sgd().with("momentum", 0.9)?, 0.1);
    /// assert_eq!(sgd.to_string(), "sgd(lr = 0.1, momentum = 0.9)");
    /// let error = OptimizerKind::sgd().with("beta1", 0.9).unwrap_err();
    /// assert_eq!(error.to_string(), "`sgd` has no argument `beta1` that is one value");
    /// # Ok::<(), damper_ir::words::NoArgument>(())
    /// ```
    pub fn new(kind: OptimizerKind, learning_rate: f64) -> Self {
        Self {
            id: Id::NONE,
            kind,
            learning_rate: learning_rate.into(),
            weight_decay: None,
        }
    }

    /// With this weight decay: decoupled or not, as the optimizer has it.
    #[must_use]
    pub fn with_weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = Some(weight_decay.into());
        self
    }
}

/// `adamw(lr = 1e-3)`: the optimizer where none is written.
impl Default for Optimizer {
    fn default() -> Self {
        let lr = crate::words::of(WORDS, "adamw")
            .argument("lr")
            .and_then(crate::words::Argument::number);
        Self::new(OptimizerKind::default(), lr.unwrap_or(1e-3))
    }
}
