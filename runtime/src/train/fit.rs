//! `fit`: from a fresh model and data to the result.

use super::batch_norm_stats::{self, has_batch_norm};
use super::context::TrainContext;
use super::error::{Kept, Partial, TrainError};
use super::evaluate::evaluate_prepared;
use super::fault::Fault;
use super::history::History;
use super::interrupt;
use super::large_stack::with_large_stack;
use super::learner_model::LearnerModel;
use super::null_renderer::NullRenderer;
use super::progress::Progress;
use super::result::{StopReason, TrainingResult};
use super::state::Shared;
use super::strategy;
use super::training::Training;
use crate::data::{Data, Loader, Prepared};
use crate::network::evaluation_step;
use crate::schedule::Schedule;
use crate::weights::with_seed;
use crate::{Network, NetworkConfig, Spec, optimizer, regularize};
use burn::data::dataloader::DataLoader;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use burn::train::renderer::MetricsRenderer;
use burn::train::{Interrupter, Learner, LearningResult, SupervisedTraining};
use damper_ir::Settings;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The result of burn's loop, or a panic.
type Launched<M> = Result<LearningResult<LearnerModel<M>>, Box<dyn Any + Send>>;

/// The outcome of a training without an error.
struct Ended<M> {
    model: M,
    history: History,
    stop_reason: StopReason,
}

impl<M: Network> Training<M> {
    /// Trains a model.
    ///
    /// Columns and classes of the validation samples are matched with those of the training samples by name: see
    /// [`Schema::apply`](crate::data::Schema::apply). Each epoch shuffles the training samples, trains on them, and then
    /// evaluates the validation samples with inference behavior.
    ///
    /// Several trainings may run at the same time on different threads. Initial weights, order, masks and augmentation
    /// depend on the seed only, so they do not affect each other. (On a GPU, masks come from the device's generator, and
    /// custom layers may use it on the CPU too: such trainings do affect each other's random numbers.)
    ///
    /// # Errors
    ///
    /// [`TrainError`] for invalid settings or data, a device that does not exist, and a loss that is not finite. Panics
    /// are caught.
    pub fn fit(&self, train: &Data, valid: &Data) -> Result<TrainingResult<M>, TrainError> {
        let (mut spec, settings) = self.resolve()?;
        let schema = train.schema();
        let train = train.check_for(&spec)?;
        let valid = schema.apply(valid)?.check_rows_for(&spec)?;
        spec.set_schema(schema);
        let device = self.plain_device(&settings)?;
        let notes = batch_notes(&spec, &settings, train.rows())?;
        if self.progress == Progress::Dashboard && !cfg!(feature = "tui") {
            return Err(TrainError::Setting {
                name: "progress",
                value: "`Dashboard`".to_owned(),
                reason: "this program is built without the dashboard".to_owned(),
                help: "enable it: `cargo add damper --features tui`".to_owned(),
            });
        }
        let all = || {
            let all = AssertUnwindSafe(|| self.run(spec, settings, &train, &valid, &device, notes));
            catch_unwind(all)
                .unwrap_or_else(|payload| Err(TrainError::panic(payload)))
                .map(Box::new)
        };
        with_large_stack::<M, _>(all)?.map(|run| *run)
    }

    /// The same for checked data. `spec` has their columns and classes.
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

        let loader = training_loader(train, &spec, &settings, &learning_device);
        let batches = loader.batches();
        let valid_loader = valid.loader(settings.batch, device);
        let metrics = spec.metrics();
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
        let launch = || self.launch(model, (loader, valid_loader), optimizer, device, &shared);
        let launched = catch_unwind(AssertUnwindSafe(launch));
        drop(signals);
        // Frees the buffers that steps reuse.
        #[cfg(feature = "flex")]
        damper_flex::release_unused_memory();

        let Ended {
            model,
            history,
            stop_reason,
        } = end(launched, &shared, device)?;
        let how = if stop_reason == StopReason::Finished {
            String::new()
        } else {
            format!(", {stop_reason}")
        };
        shared.context.show.end(&history, &how);
        let evaluate = |data| {
            let step = evaluation_step(&model);
            evaluate_prepared(step, &spec, data, &metrics, settings.batch, device)
        };
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
            schema: spec.schema().cloned().unwrap_or_default(),
            spec,
            settings,
            train,
            valid,
        })
    }

    /// Runs burn's loop over the epochs.
    fn launch(
        &self,
        model: M,
        (loader, valid_loader): (Loader, Loader),
        optimizer: ModuleOptimizer,
        device: &Device,
        shared: &Arc<Shared<M>>,
    ) -> LearningResult<LearnerModel<M>> {
        let (settings, interrupter) = (&shared.context.settings, &shared.context.interrupter);
        let steps_per_epoch = loader.batches().div_ceil(settings.accumulate);
        let schedule = Schedule::new(
            settings,
            steps_per_epoch.saturating_mul(settings.epochs),
            steps_per_epoch,
        );
        let loaders: (Arc<dyn DataLoader<_>>, Arc<dyn DataLoader<_>>) =
            (Arc::new(loader), Arc::new(valid_loader));
        // The folder is for checkpoints and logs; there are none.
        let mut training = SupervisedTraining::new("", loaders.0, loaders.1)
            .num_epochs(settings.epochs)
            .with_application_logger(None)
            .with_metric_logger(NullRenderer)
            .renderer(self.renderer(interrupter))
            .with_interrupter(interrupter.clone());
        let learning_device = device.clone().autodiff();
        let strategy = strategy::choose(device, &learning_device, self.progress, shared);
        training = strategy.install(training);
        if settings.accumulate > 1 {
            training = training.grads_accumulation(settings.accumulate);
        }
        let model = LearnerModel::new(model, Arc::clone(shared));
        training.launch(Learner::new(model, optimizer, schedule))
    }

    /// burn's dashboard if it was asked for. All other displays are [`super::progress::Show`].
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

/// The batches of the training samples.
fn training_loader(train: &Prepared, spec: &Spec, settings: &Settings, device: &Device) -> Loader {
    let loader = train
        .loader(settings.batch, device)
        .drop_last(settings.drop_last)
        .join_single(has_batch_norm(spec));
    if settings.shuffle {
        loader.shuffled(settings.seed)
    } else {
        loader
    }
}

/// The outcome of a training: the best model if one was chosen. An error keeps what there was so far.
fn end<M: Network>(
    launched: Launched<M>,
    shared: &Shared<M>,
    device: &Device,
) -> Result<Ended<M>, TrainError> {
    let settings = &shared.context.settings;
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
    let outcome = match (launched, fault) {
        (Err(payload), _) => Err(TrainError::panic(payload)),
        (Ok(_), Some(fault)) => Err(fault.explain(settings)),
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
    let model = on_device(best.map_or_else(|| result.model.into_network(), |best| best.model));
    Ok(Ended {
        model,
        history,
        stop_reason,
    })
}

/// Notes about a batch of one sample. Batch norm has no variance of one sample: burn would return zeros and pull the
/// running variance towards 0.
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
            value: format!("{batch}, with one training sample"),
            reason: "`batch_norm` has no variance of one sample".to_owned(),
            help: "add training samples".to_owned(),
        });
    }
    let single = samples > batch && samples % batch == 1 && !settings.drop_last;
    Ok(single
        .then(|| {
            format!(
                "{samples} samples in batches of {batch} leave one sample over: it joins the last batch, \
                 because `batch_norm` has no variance of one sample"
            )
        })
        .into_iter()
        .collect())
}
