//! The builder of a training.

use super::augment::Augment;
use super::changes::Changes;
use super::error::TrainError;
use super::interrupt::Stopper;
use super::progress::Progress;
use crate::{Network, NetworkConfig, Spec};
use burn::tensor::Device;
use damper_ir::{MetricKind, Optimizer, Schedule, Setting, Settings};

/// A training to run: the settings of the `train` section, and the changes to them.
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

    /// Other hyper-parameters.
    #[must_use]
    pub fn config(mut self, config: M::Config) -> Self {
        self.config = config;
        self
    }

    /// The number of epochs: passes over the training samples.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.changes
            .count(Setting::Epochs, epochs, "no epoch, no training");
        self
    }

    /// The batch size.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.changes
            .count(Setting::Batch, batch, "a batch has one sample at least");
        self
    }

    /// The seed of everything random: weights, order of the samples, dropout, augmentation. On `flex` and `ndarray`
    /// the same seed gives the same run on the same processor, bit for bit, for any number of threads and whatever
    /// else draws random numbers in the process. (What burn sums up over more than four million numbers at once, as the
    /// activity penalty of a very large layer, may differ in its last bit.)
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

    /// Stops early: after this many epochs without improvement of the validation loss (or of the metric that the
    /// declaration names). The model is that of the best epoch.
    #[must_use]
    pub fn early_stop(mut self, patience: usize) -> Self {
        self.changes.patience(patience);
        self
    }

    /// What early stopping watches, instead of the declared metric: a metric, or with `None` the validation loss. Without a
    /// declared patience, it is 5 epochs.
    #[must_use]
    pub fn early_stop_metric(mut self, metric: impl Into<Option<MetricKind>>) -> Self {
        self.changes.early_stop_metric(metric.into());
        self
    }

    /// By how much what early stopping watches must improve.
    #[must_use]
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.changes.min_delta(min_delta);
        self
    }

    /// The optimizer, with its learning rate, instead of the declared one.
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

    /// How the learning rate changes, instead of the declared schedule.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.changes.schedule(schedule);
        self
    }

    /// Whether the last batch of an epoch is left out if it is short.
    #[must_use]
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.changes.set(Setting::DropLast, drop_last);
        self
    }

    /// Whether each epoch takes the training samples in another order.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.changes.set(Setting::Shuffle, shuffle);
        self
    }

    /// Switches a declared setting off; one that always has a value gets its default back.
    #[must_use]
    pub fn without(mut self, setting: Setting) -> Self {
        self.changes.clear(setting);
        self
    }

    /// Clips each number of the gradients by its absolute value.
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

    /// Gradient accumulation: each step takes the mean gradient of this many batches, the last step of an epoch that of
    /// those that are left.
    #[must_use]
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.changes.count(
            Setting::Accumulate,
            batches,
            "a step has one batch at least",
        );
        self
    }

    /// Mixup: adds to every training batch a shuffled copy of itself, inputs and targets, with weights from
    /// Beta(`alpha`, `alpha`) (Zhang et al., arXiv 1710.09412). The training metrics in the history are those of the mixed
    /// batches; an accuracy counts the class with the larger weight as right.
    #[must_use]
    pub fn mixup(mut self, alpha: f64) -> Self {
        self.changes.set(Setting::Mixup, alpha);
        self
    }

    /// `CutMix`: pastes a rectangle of another image into every training image; targets are weighted by the area (Yun et al.,
    /// arXiv 1905.04899). With [`Self::mixup`] each batch takes one of the two.
    #[must_use]
    pub fn cutmix(mut self, alpha: f64) -> Self {
        self.changes.set(Setting::Cutmix, alpha);
        self
    }

    /// Keeps an exponential moving average (EMA) of the weights, which is what is validated and returned: see
    /// [`optimizer::Average`](crate::optimizer::Average). Early stopping chooses among the averages.
    #[must_use]
    pub fn ema(mut self, decay: f64) -> Self {
        self.changes.set(Setting::Ema, decay);
        self
    }

    /// Stochastic weight averaging (SWA): validates and returns the mean of the weights at the end of each epoch from this
    /// one (counted from 1) on (Izmailov et al., arXiv 1803.05407). Before, the weights themselves are validated. The running
    /// statistics of batch norm are recomputed on the training samples.
    #[must_use]
    pub fn swa(mut self, from_epoch: usize) -> Self {
        self.changes.swa(from_epoch);
        self
    }

    /// The learning rate of a layer is `factor` times that of the next one (Bao et al., arXiv 2106.08254).
    #[must_use]
    pub fn layer_decay(mut self, factor: f64) -> Self {
        self.changes.set(Setting::LayerDecay, factor);
        self
    }

    /// Augments the training images, differently in each epoch. It replaces the declared `augment`.
    #[must_use]
    pub fn augment(mut self, augment: Augment) -> Self {
        self.changes.augment(augment);
        self
    }

    /// The device. Without it: what the environment variable `DAMPER_DEVICE` names, else the declared `backend`,
    /// else `flex`.
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

    /// Whether Ctrl-C ends the training instead of the process (it does unless this says no). The handler is
    /// installed at the first `fit` that wants it, unless the program has its own; outside of a training
    /// Ctrl-C ends the process as usual.
    #[must_use]
    pub fn interruptible(mut self, interruptible: bool) -> Self {
        self.ignores_signals = !interruptible;
        self
    }

    /// The seed that a run has.
    pub(super) fn seed_or_default(&self) -> Result<u64, TrainError> {
        Ok(self.resolve()?.1.seed)
    }

    /// The settings that a run has: the declared ones, the changes, and the defaults of the rest.
    ///
    /// # Errors
    ///
    /// As [`Self::fit`], for what does not depend on data.
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
