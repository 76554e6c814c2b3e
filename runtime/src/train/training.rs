//! The builder of a training, and `fit`.

use super::augment::Augment;
use super::batch_norm_stats::{self, has_batch_norm};
use super::changes::Changes;
use super::context::TrainContext;
use super::error::{Kept, Partial, TrainError};
use super::evaluate::evaluate_prepared;
use super::fault::Fault;
use super::interrupt::{self, Stopper};
use super::large_stack::with_large_stack;
use super::learner_model::LearnerModel;
use super::null_renderer::NullRenderer;
use super::progress::Progress;
use super::result::{StopReason, TrainingResult};
use super::state::Shared;
use super::strategy;
use crate::data::{Data, Prepared, Schema};
use crate::schedule;
use crate::weights::with_seed;
use crate::{Network, NetworkConfig, Spec, optimizer, regularize};
use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::renderer::MetricsRenderer;
use burn::train::{Interrupter, Learner, SupervisedTraining};
use damper_ir::{MetricKind, Optimizer, Schedule, Setting, Settings};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

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
    config: M::Config,
    changes: Changes,
    device: Option<Device>,
    progress: Progress,
    stopper: Stopper,
    ignores_signals: bool,
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
    /// [`optimizer::Average`]. Early stopping chooses among the averages.
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

    /// Trains a model.
    ///
    /// Columns and classes of the validation samples are matched with those of the training samples by name:
    /// [`Schema::apply`]. Each epoch shuffles the training samples, and then measures the validation samples with
    /// inference behavior. Trainings may run side by side, from any threads: initial weights, order, masks and
    /// augmentation are functions of the seed, so none changes another. (On a GPU masks come from the device's
    /// generator, and custom layers may draw from it on the CPU too: there trainings side by side change each
    /// other's random numbers.)
    ///
    /// # Errors
    ///
    /// [`TrainError`]: settings or data that cannot be used, no such device, a loss that is not finite. Nothing panics.
    pub fn fit(&self, train: &Data, valid: &Data) -> Result<TrainingResult<M>, TrainError> {
        let (mut spec, settings) = self.resolve()?;
        let schema = train.schema();
        spec.set_schema(schema.clone());
        let train = train.check_for(&spec)?;
        let valid = schema.apply(valid)?.check_rows_for(&spec)?;
        let device = self.plain_device(&settings)?;
        let notes = batch_notes(&spec, &settings, train.rows())?;
        if self.progress == Progress::Dashboard && !cfg!(feature = "tui") {
            return Err(TrainError::Setting {
                name: "progress",
                value: "`Dashboard`".to_owned(),
                reason: "the dashboard is not compiled in".to_owned(),
                help: "enable it: `cargo add damper --features tui`".to_owned(),
            });
        }
        let all = || {
            let all = AssertUnwindSafe(|| self.run(spec, settings, &train, &valid, &device, notes));
            let run =
                catch_unwind(all).unwrap_or_else(|payload| Err(TrainError::panic(payload)))?;
            Ok(Box::new(TrainingResult { schema, ..run }))
        };
        with_large_stack::<M, _>(all)?.map(|run| *run)
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

    fn plain_device(&self, settings: &Settings) -> Result<Device, TrainError> {
        let device = match (&self.device, settings.backend) {
            (Some(device), _) => device.clone(),
            (None, Some(backend)) if std::env::var_os("DAMPER_DEVICE").is_none() => {
                crate::device::named(backend.word())?
            }
            (None, _) => crate::device()?,
        };
        Ok(device.inner())
    }

    pub(super) fn run(
        &self,
        spec: Spec,
        settings: Settings,
        train: &Prepared,
        valid: &Prepared,
        device: &Device,
        notes: Vec<String>,
    ) -> Result<TrainingResult<M>, TrainError> {
        let learning_device = device.clone().autodiff();
        // Custom layers draw their weights from the device's generator, which is one for the process.
        if spec.model().has_custom() {
            device.seed(settings.seed);
        }
        let mut model = with_seed(settings.seed, || self.config.init(&learning_device))?;
        model.spec_mut().set_schema(spec.schema().cloned());

        let loader = train
            .loader(settings.batch, &learning_device)
            .drop_last(settings.drop_last)
            .join_single(has_batch_norm(&spec));
        let loader = if settings.shuffle {
            loader.shuffled(settings.seed)
        } else {
            loader
        };
        let batches = loader.batches();
        let valid_loader = valid.loader(settings.batch, device);
        let metrics = spec.metrics();
        let steps_per_epoch = batches.div_ceil(settings.accumulate);
        let schedule = schedule::Schedule::new(
            &settings,
            steps_per_epoch.saturating_mul(settings.epochs),
            steps_per_epoch,
        );
        let (optimizer, fused_step) = optimizer::build_with(&spec, "");

        let interrupter = Interrupter::new();
        let signals = (!self.ignores_signals).then(|| interrupt::listen(&interrupter));
        let shared = Shared::new(
            TrainContext {
                spec: spec.clone(),
                settings: settings.clone(),
                fused_step,
                penalized: regularize::penalized(&spec),
                metrics: metrics.clone(),
                recompute_batch_norm_stats: batch_norm_stats::recompute(
                    &spec,
                    &settings,
                    train,
                    &learning_device,
                ),
                batches,
                interrupter: interrupter.clone(),
                stopper: self.stopper.clone(),
                show: self
                    .progress
                    .show(settings.epochs, batches + valid_loader.batches()),
            },
            notes,
        );
        let loaders: (Arc<dyn DataLoader<_>>, Arc<dyn DataLoader<_>>) =
            (Arc::new(loader), Arc::new(valid_loader));
        // The folder is for checkpoints and logs, of which there are none.
        let mut training = SupervisedTraining::new("", loaders.0, loaders.1)
            .num_epochs(settings.epochs)
            .with_application_logger(None)
            .with_metric_logger(NullRenderer)
            .renderer(self.renderer(&interrupter))
            .with_interrupter(interrupter.clone());
        let strategy = strategy::choose(device, &learning_device, self.progress, &shared);
        training = strategy.install(training);
        if settings.accumulate > 1 {
            training = training.grads_accumulation(settings.accumulate);
        }
        let model = LearnerModel::new(model, Arc::clone(&shared));
        let launch = || training.launch(Learner::new(model, optimizer, schedule));
        let result = catch_unwind(AssertUnwindSafe(launch));
        drop(signals);
        // The buffers that the steps kept for each other.
        #[cfg(feature = "flex")]
        damper_flex::release_unused_memory();

        let (fault, best, last, history, stopped_early) = {
            let mut state = shared.state();
            (
                state.fault.take(),
                state.best.take(),
                state.last.take(),
                std::mem::take(&mut state.history),
                state.stopped_early,
            )
        };
        let latest = fault.as_ref().and_then(Fault::last);
        let outcome = match (result, fault) {
            (Err(payload), _) => Err(TrainError::panic(payload)),
            (Ok(_), Some(fault)) => Err(fault.explain(&settings)),
            (Ok(result), None) => match &result.error {
                Some(error) => Err(TrainError::burn(error)),
                None => Ok(result),
            },
        };
        let on_device = |model: M| model.to_device(device);
        let result = match outcome {
            Ok(result) => result,
            Err(error) => {
                return Err(error.with_kept(Kept::new(Partial {
                    best: best.map(|best| on_device(best.model)),
                    last: latest.or(last).map(on_device),
                    history,
                })));
            }
        };
        let epochs = history.epochs.len();
        let stop_reason = match &best {
            Some(best) if stopped_early => StopReason::Early {
                epoch: epochs,
                best: best.epoch,
            },
            _ if result.interrupted.is_some() && epochs < settings.epochs => {
                StopReason::Interrupted { epochs }
            }
            _ => StopReason::Finished,
        };
        let how = if stop_reason == StopReason::Finished {
            String::new()
        } else {
            format!(", {stop_reason}")
        };
        shared.context.show.end(&history, &how);
        let model = on_device(best.map_or_else(|| result.model.into_network(), |best| best.model));
        let evaluate =
            |data| evaluate_prepared(&model, &spec, data, &metrics, settings.batch, device);
        let both = AssertUnwindSafe(|| Ok((evaluate(train)?, evaluate(valid)?)));
        let (train, valid) =
            match catch_unwind(both).unwrap_or_else(|payload| Err(TrainError::panic(payload))) {
                Ok(both) => both,
                Err(error) => {
                    return Err(error.with_kept(Kept::new(Partial {
                        best: None,
                        last: Some(model),
                        history,
                    })));
                }
            };
        Ok(TrainingResult {
            model,
            history,
            stop_reason,
            spec,
            settings,
            schema: Schema::default(),
            train,
            valid,
        })
    }

    /// Burn's dashboard where it was asked for, else nothing: [`super::progress::Show`] shows the rest.
    #[cfg(feature = "tui")]
    fn renderer(&self, interrupter: &Interrupter) -> Box<dyn MetricsRenderer> {
        use burn::train::renderer::tui::TuiMetricsRendererWrapper;
        if self.progress == Progress::Dashboard {
            return Box::new(TuiMetricsRendererWrapper::new(interrupter.clone(), None));
        }
        Box::new(NullRenderer)
    }

    #[cfg(not(feature = "tui"))]
    #[allow(clippy::unused_self, reason = "the dashboard alone differs")]
    fn renderer(&self, _: &Interrupter) -> Box<dyn MetricsRenderer> {
        Box::new(NullRenderer)
    }
}

/// What happens to a batch of one sample, of which batch norm has no variance: burn would give zeros, and
/// pull the running variance towards 0.
fn batch_notes(
    spec: &Spec,
    settings: &Settings,
    samples: usize,
) -> Result<Vec<String>, TrainError> {
    if !has_batch_norm(spec) {
        return Ok(Vec::new());
    }
    let batch = settings.batch;
    if samples == 1 {
        return Err(TrainError::Setting {
            name: "batch",
            value: format!("{batch}, of one training sample"),
            reason: "`batch_norm` has no variance of one sample".to_owned(),
            help: "more samples".to_owned(),
        });
    }
    let single = samples > batch && samples % batch == 1 && !settings.drop_last;
    Ok(single
        .then(|| {
            format!(
                "{samples} samples in batches of {batch} leave one over: it joins the last batch, \
                 since `batch_norm` has no variance of one sample"
            )
        })
        .into_iter()
        .collect())
}
