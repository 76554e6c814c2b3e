//! The mutable state of a training, and the hooks that update it.

use super::context::TrainContext;
use super::error::Phase;
use super::fault::Fault;
use super::history::{Epoch, History, Measures};
use super::non_finite::first_non_finite_parameter;
use crate::optimizer::Average;
use crate::{Network, regularize};
use burn::optim::GradientsParams;
use burn::tensor::TensorReadError;
use damper_ir::Stop;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Shared by all threads of a training.
///
/// The methods named after a moment are hooks. Every strategy calls them in this order:
/// [`before_batch`](Self::before_batch), [`before_step`](Self::before_step) and [`after_step`](Self::after_step) for
/// the training samples, [`before_validation`](Self::before_validation), and
/// [`end_of_epoch`](Self::end_of_epoch) once the figures of both are known. The model calls all but the last one; see
/// [`strategy`](super::strategy).
pub(super) struct Shared<M> {
    pub(super) context: TrainContext<M>,
    state: Mutex<TrainState<M>>,
}

/// The mutable state of a training.
pub(super) struct TrainState<M> {
    /// The current epoch, from 1.
    pub(super) epoch: usize,
    /// The number of training batches that were started in it.
    batches: usize,
    /// The averaged weights, which are validated and returned.
    average: Option<Average<M>>,
    since: Instant,
    train: EpochTotals,
    valid: EpochTotals,
    /// The model that is being validated.
    candidate: Option<M>,
    pub(super) best: Option<Best<M>>,
    /// The model at the end of the last epoch.
    pub(super) last: Option<M>,
    pub(super) fault: Option<Fault<M>>,
    pub(super) history: History,
    /// Whether early stopping ended the training.
    pub(super) stopped_early: bool,
}

/// The totals of one epoch, which the meters write at its end.
#[derive(Clone, Default)]
pub(super) struct EpochTotals {
    pub(super) loss: f64,
    pub(super) activity: f64,
    pub(super) learning_rate: f64,
    pub(super) metrics: Vec<f64>,
}

/// The best epoch under early stopping.
pub(super) struct Best<M> {
    pub(super) epoch: usize,
    pub(super) value: f64,
    pub(super) model: M,
}

/// The position of a training batch in the training.
pub(super) struct BatchPosition {
    /// From 1.
    pub(super) epoch: usize,
    /// The batches of all epochs before it.
    pub(super) number: usize,
    /// Their fraction of all batches.
    pub(super) progress: f64,
}

impl<M> TrainState<M> {
    pub(super) fn totals(&mut self, phase: Phase) -> &mut EpochTotals {
        match phase {
            Phase::Training => &mut self.train,
            Phase::Validation => &mut self.valid,
        }
    }
}

impl<M: Network> Shared<M> {
    pub(super) fn new(context: TrainContext<M>, notes: Vec<String>) -> Arc<Self> {
        let totals = EpochTotals {
            metrics: vec![f64::NAN; context.metrics.len()],
            ..EpochTotals::default()
        };
        let history = History {
            model: context.spec.model().name.clone(),
            metrics: context.metrics.iter().map(ToString::to_string).collect(),
            notes,
            ..History::default()
        };
        let average = match (context.settings.ema, context.settings.swa) {
            (Some(decay), _) => Some(Average::exponential(decay)),
            (None, Some(_)) => Some(Average::mean()),
            (None, None) => None,
        };
        let state = TrainState {
            epoch: 1,
            batches: 0,
            average,
            since: Instant::now(),
            train: totals.clone(),
            valid: totals,
            candidate: None,
            best: None,
            last: None,
            fault: None,
            history,
            stopped_early: false,
        };
        Arc::new(Self {
            context,
            state: Mutex::new(state),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, TrainState<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a training batch. Ends the training after it if a stop was requested.
    pub(super) fn before_batch(&self, index: usize) -> BatchPosition {
        let context = &self.context;
        if context.stopper.is_stopped() {
            context.interrupter.stop(Some("stopped"));
        }
        let mut state = self.state();
        state.batches = index + 1;
        let epoch = state.epoch;
        let all = context.settings.epochs.saturating_mul(context.batches);
        let number = (epoch - 1).saturating_mul(context.batches) + index;
        BatchPosition {
            epoch,
            number,
            progress: number as f64 / all.max(1) as f64,
        }
    }

    /// Before an optimizer step. Lends it the moving average of the weights.
    pub(super) fn before_step(&self, model: &M, gradients: &GradientsParams) {
        if self.context.settings.ema.is_some()
            && let Some(average) = &mut self.state().average
        {
            average.before_step(model, gradients, &self.context.fused_step);
        }
    }

    /// After an optimizer step. Updates the moving average, and after the last step of an epoch the SWA average.
    pub(super) fn after_step(&self, model: &M) {
        let settings = &self.context.settings;
        let mut state = self.state();
        let is_last = state.batches >= self.context.batches;
        let epoch = state.epoch;
        let Some(average) = &mut state.average else {
            return;
        };
        if settings.ema.is_some() {
            average.after_step(model, &self.context.fused_step);
        } else if is_last
            && settings.swa.is_some_and(|first| epoch >= first)
            // An interrupted training ends within the epoch.
            && !self.context.interrupter.should_stop()
        {
            average.update(model);
            if let Some(recompute) = &self.context.recompute_batch_norm_stats {
                average.map_model(recompute);
            }
        }
    }

    /// Before the first validation batch. Keeps the model until the figures of the epoch are known. Later calls in the same
    /// epoch do nothing.
    pub(super) fn before_validation(&self, model: &M) {
        let mut state = self.state();
        if state.candidate.is_none() {
            state.candidate = Some(model.clone());
        }
    }

    /// At the end of an epoch, after the meters have written its totals. Adds the epoch to the history, keeps the best
    /// model, and returns whether the training should end.
    pub(super) fn end_of_epoch(&self) -> bool {
        let mut state = self.state();
        let state = &mut *state;
        let Some(candidate) = state.candidate.take() else {
            return true;
        };
        let epoch = state.epoch;
        if let Some(parameter) = first_non_finite_parameter(&candidate) {
            self.fail(
                state,
                Fault::Parameter {
                    epoch,
                    loss: state.train.loss,
                    parameter,
                },
            );
            return true;
        }
        let measures = |totals: &EpochTotals| Measures {
            loss: totals.loss,
            metrics: totals.metrics.clone(),
        };
        state.last = Some(candidate.clone());
        state.history.epochs.push(Epoch {
            epoch,
            train: measures(&state.train),
            valid: measures(&state.valid),
            penalty: regularize::report(&candidate, &self.context.spec),
            activity: state.train.activity,
            learning_rate: state.train.learning_rate,
            seconds: state.since.elapsed().as_secs_f64(),
        });
        state.since = Instant::now();
        state.epoch += 1;
        state.batches = 0;
        let end = match &self.context.settings.early_stop {
            None => false,
            Some(rule) => match self.is_out_of_patience(state, rule, epoch, candidate) {
                Ok(end) => end,
                Err(fault) => {
                    self.fail(state, fault);
                    return true;
                }
            },
        };
        self.context.show.epoch(&state.history);
        state.stopped_early = end && epoch < self.context.settings.epochs;
        end
    }

    /// Keeps the model of an epoch if it is the best one. Returns whether the patience is exhausted.
    fn is_out_of_patience(
        &self,
        state: &mut TrainState<M>,
        rule: &Stop,
        epoch: usize,
        candidate: M,
    ) -> Result<bool, Fault<M>> {
        let (value, sign) = match rule.metric {
            None => (state.valid.loss, 1.0),
            Some(kind) => {
                let metrics = &self.context.metrics;
                let place = metrics.iter().position(|metric| *metric == kind);
                let value = place
                    .and_then(|place| state.valid.metrics.get(place))
                    .copied()
                    .filter(|value| !value.is_nan())
                    .ok_or(Fault::Metric(kind))?;
                (value, if kind.higher_is_better() { -1.0 } else { 1.0 })
            }
        };
        let improves = state
            .best
            .as_ref()
            .is_none_or(|best| sign * value < sign * best.value - rule.min_delta);
        if improves {
            state.best = Some(Best {
                epoch,
                value,
                model: candidate,
            });
            state.history.best = Some(epoch);
        }
        Ok(state
            .best
            .as_ref()
            .is_some_and(|best| epoch - best.epoch >= rule.patience))
    }

    /// The averaged model in inference mode, if there is one yet.
    pub(super) fn averaged_model(&self) -> Option<M> {
        let state = self.state();
        let model = state.average.as_ref()?.model()?;
        // A copy: clones of a model share their running statistics.
        Some(model.clone().train().valid())
    }

    /// Ends the training with a fault. Only the first one counts.
    pub(super) fn fail(&self, state: &mut TrainState<M>, fault: Fault<M>) {
        if state.fault.is_none() {
            state.fault = Some(fault);
        }
        self.context
            .interrupter
            .stop(Some("the loss is not finite"));
    }

    /// Ends the training if a value could not be read.
    pub(super) fn fail_unread(&self, result: Result<(), TensorReadError>) {
        if let Err(error) = result {
            self.fail(&mut self.state(), Fault::Unread(error.to_string()));
        }
    }
}
