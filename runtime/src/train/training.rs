//! The builder of a training.

use super::augment::Augment;
use super::changes::Changes;
use super::error::TrainError;
use super::interrupt::Stopper;
use super::progress::Progress;
use crate::{Network, NetworkConfig, Spec};
use burn::tensor::Device;
use damper_ir::{MetricKind, Optimizer, Schedule, Setting, Settings};

/// The builder of a training. It starts with the settings of the `train` section; each method changes one of them.
///
/// ```
/// use damper::data::Data;
/// use damper::{Progress, model};
///
/// model! {
///     /// Whether two numbers have the same sign.
///     pub Sign
///     input x: [2]
///     layers { fc: linear(8) -> tanh; head: linear(2); }
///     loss cross_entropy
///     train { optimizer: adamw(lr = 1e-2), epochs: 5, batch: 4 }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let data = Data::new([[0.5, 1.0], [-1.0, 0.25], [1.0, -0.5], [-0.5, -1.0]].repeat(5), [1, 0, 0, 1].repeat(5))?;
/// let (train, valid) = data.split(0.8, 42)?;
/// let run = Sign::training().epochs(2).progress(Progress::Silent).fit(&train, &valid)?;
/// assert_eq!(run.history().epochs.len(), 2);
/// println!("{}\n{}", run.diagnosis(), run.sparsity());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Training<M: Network> {
    pub(super) config: M::Config,
    changes: Changes,
    device: Option<Device>,
    pub(super) progress: Progress,
    pub(super) stopper: Stopper,
    pub(super) ignores_signals: bool,
}

impl<M: Network> Training<M> {
    /// A training of a model with these hyper-parameters.
    pub fn new(config: M::Config) -> Self {
        Self {
            config,
            changes: Changes::default(),
            device: None,
            progress: Progress::default(),
            stopper: Stopper::default(),
            ignores_signals: false,
        }
    }

    /// Replaces the hyper-parameters.
    #[must_use]
    pub fn config(mut self, config: M::Config) -> Self {
        self.config = config;
        self
    }

    /// The number of epochs: passes over the training samples.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.changes.count(
            Setting::Epochs,
            epochs,
            "a training needs at least one epoch",
        );
        self
    }

    /// The batch size.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.changes
            .count(Setting::Batch, batch, "a batch needs at least one sample");
        self
    }

    /// The seed of all random numbers: initial weights, order of the samples, dropout and augmentation. On `flex` and
    /// `ndarray` a training with the same seed is reproducible bit for bit on the same processor, whatever the number of
    /// threads and whatever else draws random numbers in the process. (burn's sums over more than four million numbers, as
    /// in the activity penalty of a very large layer, may differ in the last bit.)
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.changes.seed = Some(seed);
        self
    }

    /// The peak learning rate.
    #[must_use]
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.changes.learning_rate(learning_rate);
        self
    }

    /// Early stopping after this many epochs without improvement of the validation loss, or of the metric of the
    /// declaration. The result is the model of the best epoch.
    #[must_use]
    pub fn early_stop(mut self, patience: usize) -> Self {
        self.changes.patience(patience);
        self
    }

    /// The metric that early stopping watches, or with `None` the validation loss. If no patience is declared, it is 5
    /// epochs.
    #[must_use]
    pub fn early_stop_metric(mut self, metric: impl Into<Option<MetricKind>>) -> Self {
        self.changes.early_stop_metric(metric.into());
        self
    }

    /// The smallest change that early stopping counts as an improvement.
    #[must_use]
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.changes.min_delta(min_delta);
        self
    }

    /// Replaces the optimizer and its learning rate.
    ///
    /// ```
    /// # use damper::model;
    /// use damper::{Optimizer, OptimizerKind, Schedule, ScheduleKind, Setting};
    /// # model! { pub Price input x: [2] layers { head: linear(1); } loss mse train { clip(norm = 1.0), early_stop(patience = 3) } }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let training = Price::training()
    ///     .optimizer(Optimizer::new(OptimizerKind::sgd().with("momentum", 0.9)?, 0.1))
    ///     .schedule(Schedule::new(ScheduleKind::cosine()).with_warmup(0.05))
    ///     .without(Setting::Clip)
    ///     .without(Setting::EarlyStop);
    /// # let _ = training; Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.changes.optimizer(optimizer);
        self
    }

    /// Replaces the schedule of the learning rate.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.changes.schedule(schedule);
        self
    }

    /// Whether an incomplete last batch of an epoch is skipped.
    #[must_use]
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.changes.set(Setting::DropLast, drop_last);
        self
    }

    /// Whether the training samples are shuffled in each epoch.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.changes.set(Setting::Shuffle, shuffle);
        self
    }

    /// Removes a declared setting. A setting that always has a value is reset to its default.
    #[must_use]
    pub fn without(mut self, setting: Setting) -> Self {
        self.changes.clear(setting);
        self
    }

    /// Clips each element of the gradients to this absolute value.
    #[must_use]
    pub fn clip_value(mut self, limit: f64) -> Self {
        self.changes.clip_value(limit);
        self
    }

    /// Clips gradients by their global L2 norm.
    #[must_use]
    pub fn clip_norm(mut self, limit: f64) -> Self {
        self.changes.clip_norm(limit);
        self
    }

    /// Gradient accumulation: each step uses the mean gradient of this many batches. The last step of an epoch uses the
    /// remaining ones.
    #[must_use]
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.changes.count(
            Setting::Accumulate,
            batches,
            "a step needs at least one batch",
        );
        self
    }

    /// Mixup: mixes each training batch, inputs and targets, with a shuffled copy of itself. The weights are drawn from
    /// Beta(`alpha`, `alpha`) (Zhang et al., arXiv 1710.09412). Training metrics in the history are those of the mixed
    /// batches; for an accuracy, the class with the larger weight is the right one.
    #[must_use]
    pub fn mixup(mut self, alpha: f64) -> Self {
        self.changes.set(Setting::Mixup, alpha);
        self
    }

    /// `CutMix`: pastes a rectangle of another image into each training image and weights the targets by area (Yun et al.,
    /// arXiv 1905.04899). Together with [`Self::mixup`], each batch uses one of the two.
    #[must_use]
    pub fn cutmix(mut self, alpha: f64) -> Self {
        self.changes.set(Setting::Cutmix, alpha);
        self
    }

    /// Exponential moving average (EMA) of the weights, which is validated and returned: see
    /// [`optimizer::Average`](crate::optimizer::Average). Early stopping selects among the averages.
    #[must_use]
    pub fn ema(mut self, decay: f64) -> Self {
        self.changes.set(Setting::Ema, decay);
        self
    }

    /// Stochastic weight averaging (SWA; Izmailov et al., arXiv 1803.05407): from this epoch on, counted from 1, the mean of
    /// the weights at the ends of the epochs is validated and returned. Before it, the weights themselves are validated. The
    /// running statistics of batch norm are recomputed on the training samples.
    #[must_use]
    pub fn swa(mut self, from_epoch: usize) -> Self {
        self.changes.swa(from_epoch);
        self
    }

    /// Layer-wise learning rate decay: each layer has `factor` times the learning rate of the next one (Bao et al., arXiv
    /// 2106.08254).
    #[must_use]
    pub fn layer_decay(mut self, factor: f64) -> Self {
        self.changes.set(Setting::LayerDecay, factor);
        self
    }

    /// Augments the training images, differently in each epoch. Replaces the declared `augment`.
    #[must_use]
    pub fn augment(mut self, augment: Augment) -> Self {
        self.changes.augment(augment);
        self
    }

    /// The device. Otherwise it is the one that the environment variable `DAMPER_DEVICE` names, else that of the declared
    /// `backend`, else `flex`.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// The progress display.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// A handle that ends the training from another thread.
    #[must_use]
    pub fn stopper(mut self, stopper: &Stopper) -> Self {
        self.stopper = stopper.clone();
        self
    }

    /// Whether Ctrl-C ends the training instead of the process (default `true`). The handler is installed by the first
    /// `fit` that needs it, unless the program has its own. Outside of a training Ctrl-C ends the process as usual.
    #[must_use]
    pub fn interruptible(mut self, interruptible: bool) -> Self {
        self.ignores_signals = !interruptible;
        self
    }

    /// The seed of the training.
    pub(super) fn seed_or_default(&self) -> Result<u64, TrainError> {
        Ok(self.resolve()?.1.seed)
    }

    /// The settings of the training: the declared ones with all changes, and defaults for the rest.
    ///
    /// # Errors
    ///
    /// Like [`Self::fit`], for everything that does not depend on data.
    pub fn settings(&self) -> Result<Settings, TrainError> {
        self.resolve().map(|(_, settings)| settings)
    }

    /// The description and the settings, after the changes.
    pub(super) fn resolve(&self) -> Result<(Spec, Settings), TrainError> {
        let spec = self.config.spec()?;
        if spec.model().loss.is_none() {
            return Err(TrainError::Setting {
                name: "loss",
                value: "missing".to_owned(),
                reason: format!("`{}` cannot be trained without one", spec.model().name),
                help: "add a section to the model: `loss cross_entropy` or `loss mse`".to_owned(),
            });
        }
        let spec = self.changes.apply(spec)?;
        let mut settings = spec.training();
        if let Some(seed) = self.changes.seed {
            settings.seed = seed;
        }
        Ok((spec, settings))
    }

    pub(super) fn plain_device(&self, settings: &Settings) -> Result<Device, TrainError> {
        let device = match (&self.device, settings.backend) {
            (Some(device), _) => device.clone(),
            (None, Some(backend)) if std::env::var_os("DAMPER_DEVICE").is_none() => {
                crate::device::named(backend.word())?
            }
            (None, _) => crate::device()?,
        };
        Ok(device.inner())
    }
}
