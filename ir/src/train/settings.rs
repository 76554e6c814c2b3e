//! How a model is trained, with the defaults filled in.

use super::optimizer::{Optimizer, OptimizerKind};
use super::schedule::ScheduleKind;
use super::{Backend, DEFAULT_EPOCHS, DEFAULT_PATIENCE, Train};
use crate::{MetricKind, Value};

/// How a model is trained: what `train` says, and the defaults for what it does not say.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Passes over the training data (10).
    pub epochs: usize,
    /// Samples in a batch (32).
    pub batch: usize,
    /// Whether the last, short batch is left out (false).
    pub drop_last: bool,
    /// Whether each epoch takes the samples in another order (true).
    pub shuffle: bool,
    /// The seed of everything random (42).
    pub seed: u64,
    /// The largest global L2 norm of the gradients (no limit).
    pub clip_norm: Option<f64>,
    /// The largest absolute value of a gradient (no limit).
    pub clip_value: Option<f64>,
    /// Batches whose gradients are averaged into one step (1).
    pub accumulate: usize,
    /// When to stop early (never).
    pub early_stop: Option<Stop>,
    /// `mixup(alpha)`: the parameter of the beta distribution (none).
    pub mixup: Option<f64>,
    /// `cutmix(alpha)`: the parameter of the beta distribution (none).
    pub cutmix: Option<f64>,
    /// `ema(decay)`: the largest weight of the old average (no average).
    pub ema: Option<f64>,
    /// `swa(from_epoch)`: the first epoch, from 1, whose weights are averaged (none).
    pub swa: Option<usize>,
    /// How images are varied while training (not at all). `layer_decay` is part of [`crate::Checked::parameters`].
    pub augment: Augmentation,
    /// The backend asked for (none: the caller's choice).
    pub backend: Option<Backend>,
    /// The optimizer with all its numbers (`adamw`).
    pub optimizer: OptimizerKind,
    /// The highest learning rate (1e-3).
    pub learning_rate: f64,
    /// `weight_decay` of the optimizer (0). What it does to each weight is part of [`crate::Checked::parameters`].
    pub weight_decay: f64,
    /// How the learning rate changes, with all its numbers (constant).
    pub schedule: ScheduleKind,
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

impl Train {
    /// What this section says, with the defaults filled in: 10 epochs, batches of 32, seed 42, `adamw(lr = 1e-3)` without
    /// decay, a constant schedule.
    pub fn settings(&self) -> Settings {
        let optimizer = self.optimizer.as_ref();
        let schedule = self.schedule.as_ref();
        Settings {
            epochs: count(self.epochs, DEFAULT_EPOCHS),
            batch: count(self.batch, 32),
            drop_last: self
                .drop_last
                .and_then(|value| value.is_true())
                .unwrap_or(false),
            shuffle: self
                .shuffle
                .and_then(|value| value.is_true())
                .unwrap_or(true),
            seed: self
                .seed
                .and_then(|value| value.size())
                .map_or(42, |seed| seed as u64),
            clip_norm: self.clip_norm.and_then(|value| value.known),
            clip_value: self.clip_value.and_then(|value| value.known),
            accumulate: count(self.accumulate, 1),
            early_stop: self.early_stop.as_ref().map(|stop| Stop {
                patience: count(Some(stop.patience), DEFAULT_PATIENCE),
                metric: stop.metric,
                min_delta: float(&stop.min_delta, 0.0),
            }),
            mixup: self.mixup.and_then(|alpha| alpha.known),
            cutmix: self.cutmix.and_then(|alpha| alpha.known),
            ema: self.ema.and_then(|decay| decay.known),
            swa: self.swa.and_then(|epoch| epoch.size()),
            augment: self
                .augment
                .as_ref()
                .map_or_else(Augmentation::default, |augment| Augmentation {
                    shift: augment.shift.and_then(|n| n.size()).unwrap_or(0),
                    flip: augment.flip.and_then(|x| x.is_true()).unwrap_or(false),
                    crop: augment.crop.and_then(|n| n.size()).unwrap_or(0),
                    erase: augment.erase.map_or(0.0, |p| float(&p, 0.0)),
                }),
            backend: self.backend,
            optimizer: optimizer
                .map(|optimizer| optimizer.kind.clone())
                .unwrap_or_default()
                .filled(),
            learning_rate: optimizer
                .and_then(|optimizer| optimizer.learning_rate.known)
                .unwrap_or_else(|| Optimizer::default().learning_rate.number()),
            weight_decay: optimizer
                .and_then(|optimizer| optimizer.weight_decay)
                .map_or(0.0, |value| float(&value, 0.0)),
            schedule: schedule
                .map(|schedule| schedule.kind.clone())
                .unwrap_or_default()
                .filled(),
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
