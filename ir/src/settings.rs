//! The `train` section with its defaults filled in, as plain numbers.

use crate::{Backend, LossKind, MetricKind, Model, OptimizerKind, ScheduleKind, Train, Value};

/// Passes over the training data where `epochs` is not written.
pub(crate) const DEFAULT_EPOCHS: usize = 10;

/// How a model is trained: what `train` says, and the defaults for what it does not say.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Passes over the training data (10).
    pub epochs: usize,
    /// Samples in a batch (32).
    pub batch: usize,
    /// Whether the last, short batch is left out (false).
    pub drop_last: bool,
    /// The seed of everything random (42).
    pub seed: u64,
    /// The greatest Euclidean length of all gradients together (none).
    pub clip_norm: Option<f64>,
    /// The greatest absolute value of a gradient (none).
    pub clip_value: Option<f64>,
    /// Batches whose gradients are averaged into one step (1).
    pub accumulate: usize,
    /// When to stop early (never).
    pub early_stop: Option<Stop>,
    /// `mixup(alpha)`: the parameter of the beta distribution (none).
    pub mixup: Option<f64>,
    /// `cutmix(alpha)`: the parameter of the beta distribution (none).
    pub cutmix: Option<f64>,
    /// `ema(decay)`: the greatest share of the old average (none).
    pub ema: Option<f64>,
    /// `swa(from_epoch)`: the first epoch, from 1, whose weights are averaged (none).
    pub swa: Option<usize>,
    /// How images are varied while training (not at all). `layer_decay` stands in [`Model::parameters`].
    pub augment: Augmentation,
    /// The backend asked for (none: the caller's choice).
    pub backend: Option<Backend>,
    /// The optimiser (`AdamW`).
    pub algorithm: Algorithm,
    /// The greatest learning rate (1e-3).
    pub learning_rate: f64,
    /// `weight_decay` of the optimiser (0). What it does to each weight stands in [`Model::parameters`].
    pub weight_decay: f64,
    /// How the learning rate changes (constant).
    pub curve: Curve,
    /// The share of all steps in which the rate rises from near 0 (0).
    pub warmup: f64,
}

/// `augment(..)`; what is 0 or false does nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augmentation {
    /// Moved by up to so many pixels along each axis.
    pub shift: usize,
    /// Mirrored left to right with probability one half.
    pub flip: bool,
    /// Padded by so many pixels, then cut out at a random place.
    pub crop: usize,
    /// The probability that a rectangle becomes 0.
    pub erase: f64,
}

/// `early_stop(..)`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Epochs without improvement before training ends.
    pub patience: usize,
    /// What must improve; `None` for the validation loss.
    pub metric: Option<MetricKind>,
    /// What counts as an improvement.
    pub min_delta: f64,
}

/// An optimiser with its own numbers. See [`OptimizerKind`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "the fields are those of `OptimizerKind`, documented there"
)]
pub enum Algorithm {
    /// Stochastic gradient descent.
    Sgd {
        momentum: f64,
        dampening: f64,
        nesterov: bool,
    },
    /// Adam (arXiv 1412.6980).
    Adam {
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        amsgrad: bool,
    },
    /// Adam with decoupled weight decay (arXiv 1711.05101).
    Adamw {
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        amsgrad: bool,
    },
    /// `RMSprop`.
    RmsProp {
        alpha: f64,
        momentum: f64,
        epsilon: f64,
        centered: bool,
    },
    /// Adagrad.
    Adagrad { lr_decay: f64, epsilon: f64 },
    /// Lion (arXiv 2302.06675).
    Lion { beta1: f64, beta2: f64 },
}

/// A schedule with its numbers. See [`ScheduleKind`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "the fields are those of `ScheduleKind`, documented there"
)]
pub enum Curve {
    /// The same rate.
    Constant,
    /// Half a cosine (arXiv 1608.03983).
    Cosine { end: f64 },
    /// A line.
    Linear { end: f64 },
    /// A fall every few epochs.
    Step { every: usize, factor: f64 },
    /// A fall every epoch.
    Exponential { factor: f64 },
    /// Up and down once (arXiv 1708.07120).
    OneCycle {
        rise: f64,
        divide: f64,
        final_divide: f64,
    },
}

impl OptimizerKind {
    /// The plain numbers; what is unknown becomes the default.
    pub fn algorithm(&self) -> Algorithm {
        let truth = |value: &Value| value.is_true().unwrap_or(false);
        match self {
            Self::Sgd {
                momentum,
                dampening,
                nesterov,
            } => Algorithm::Sgd {
                momentum: float(momentum, 0.0),
                dampening: float(dampening, 0.0),
                nesterov: truth(nesterov),
            },
            Self::Adam {
                beta1,
                beta2,
                epsilon,
                amsgrad,
            } => Algorithm::Adam {
                beta1: float(beta1, 0.9),
                beta2: float(beta2, 0.999),
                epsilon: float(epsilon, 1e-8),
                amsgrad: truth(amsgrad),
            },
            Self::Adamw {
                beta1,
                beta2,
                epsilon,
                amsgrad,
            } => Algorithm::Adamw {
                beta1: float(beta1, 0.9),
                beta2: float(beta2, 0.999),
                epsilon: float(epsilon, 1e-8),
                amsgrad: truth(amsgrad),
            },
            Self::RmsProp {
                alpha,
                momentum,
                epsilon,
                centered,
            } => Algorithm::RmsProp {
                alpha: float(alpha, 0.99),
                momentum: float(momentum, 0.0),
                epsilon: float(epsilon, 1e-8),
                centered: truth(centered),
            },
            Self::Adagrad { lr_decay, epsilon } => Algorithm::Adagrad {
                lr_decay: float(lr_decay, 0.0),
                epsilon: float(epsilon, 1e-10),
            },
            Self::Lion { beta1, beta2 } => Algorithm::Lion {
                beta1: float(beta1, 0.9),
                beta2: float(beta2, 0.99),
            },
        }
    }

    /// Whether the step is divided by the size of past gradients (or only their sign is used), so that an
    /// L2 term in the gradient does not act as weight decay (arXiv 1711.05101).
    pub const fn is_adaptive(&self) -> bool {
        !matches!(self, Self::Sgd { .. })
    }

    /// Whether `weight_decay` is decoupled: a default `decay(l2 = ..)` of every weight.
    pub const fn decouples_decay(&self) -> bool {
        matches!(self, Self::Adamw { .. } | Self::Lion { .. })
    }
}

impl ScheduleKind {
    /// The plain numbers; what is unknown becomes the default.
    pub fn curve(&self) -> Curve {
        match self {
            Self::Constant => Curve::Constant,
            Self::Cosine { end } => Curve::Cosine {
                end: float(end, 0.0),
            },
            Self::Linear { end } => Curve::Linear {
                end: float(end, 0.0),
            },
            Self::Step { every, factor } => Curve::Step {
                every: every.size().unwrap_or(1).max(1),
                factor: float(factor, 0.1),
            },
            Self::Exponential { factor } => Curve::Exponential {
                factor: float(factor, 0.9),
            },
            Self::OneCycle {
                rise,
                divide,
                final_divide,
            } => Curve::OneCycle {
                rise: float(rise, 0.3),
                divide: float(divide, 25.0),
                final_divide: float(final_divide, 1e4),
            },
        }
    }
}

impl LossKind {
    /// Whether the loss of a mixed target is the mix of the losses (up to what the model does not change), so that
    /// `mixup` and `cutmix` mean something.
    pub const fn takes_mixed_targets(&self) -> bool {
        matches!(
            self,
            Self::CrossEntropy { .. }
                | Self::BinaryCrossEntropy { .. }
                | Self::KlDiv { .. }
                | Self::Mse
                | Self::Poisson
        )
    }
}

impl Model {
    /// How the model is trained, with the defaults filled in: 10 epochs, batches of 32, seed 42,
    /// `adamw(lr = 1e-3)` without decay, a constant schedule.
    pub fn training(&self) -> Settings {
        let empty = Train::default();
        let train = self.train.as_ref().unwrap_or(&empty);
        let optimizer = train.optimizer.as_ref();
        let schedule = train.schedule.as_ref();
        Settings {
            epochs: count(train.epochs, DEFAULT_EPOCHS),
            batch: count(train.batch, 32),
            drop_last: train
                .drop_last
                .and_then(|value| value.is_true())
                .unwrap_or(false),
            seed: train
                .seed
                .and_then(|value| value.size())
                .map_or(42, |seed| seed as u64),
            clip_norm: train.clip_norm.and_then(|value| value.known),
            clip_value: train.clip_value.and_then(|value| value.known),
            accumulate: count(train.accumulate, 1),
            early_stop: train.early_stop.as_ref().map(|stop| Stop {
                patience: count(Some(stop.patience), 5),
                metric: stop.metric,
                min_delta: float(&stop.min_delta, 0.0),
            }),
            mixup: train.mixup.and_then(|alpha| alpha.known),
            cutmix: train.cutmix.and_then(|alpha| alpha.known),
            ema: train.ema.and_then(|decay| decay.known),
            swa: train.swa.and_then(|epoch| epoch.size()),
            augment: train
                .augment
                .as_ref()
                .map_or_else(Augmentation::default, |augment| Augmentation {
                    shift: augment.shift.and_then(|n| n.size()).unwrap_or(0),
                    flip: augment.flip.and_then(|x| x.is_true()).unwrap_or(false),
                    crop: augment.crop.and_then(|n| n.size()).unwrap_or(0),
                    erase: augment.erase.map_or(0.0, |p| float(&p, 0.0)),
                }),
            backend: train.backend,
            algorithm: optimizer.map_or(
                Algorithm::Adamw {
                    beta1: 0.9,
                    beta2: 0.999,
                    epsilon: 1e-8,
                    amsgrad: false,
                },
                |optimizer| optimizer.kind.algorithm(),
            ),
            learning_rate: optimizer
                .map_or(1e-3, |optimizer| float(&optimizer.learning_rate, 1e-3)),
            weight_decay: optimizer
                .and_then(|optimizer| optimizer.weight_decay)
                .map_or(0.0, |value| float(&value, 0.0)),
            curve: schedule.map_or(Curve::Constant, |schedule| schedule.kind.curve()),
            warmup: schedule
                .and_then(|schedule| schedule.warmup)
                .map_or(0.0, |value| float(&value, 0.0)),
        }
    }
}

fn float(value: &Value, default: f64) -> f64 {
    value.known.unwrap_or(default)
}

fn count(value: Option<Value>, default: usize) -> usize {
    value
        .and_then(|value| value.size())
        .unwrap_or(default)
        .max(1)
}
