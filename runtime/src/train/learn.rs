//! The model as burn's `Learner` sees it, and what is gathered while it learns.

use super::error::{Kept, Phase, TrainError};
use super::history::{Epoch, History, Measures};
use super::interrupt::Stopper;
use super::progress::Show;
use super::search::{broken_layer, broken_parameter};
use super::vary::vary;
use crate::metric::MetricAccumulator;
use crate::network::plain;
use crate::optimizer::{Average, FusedStep};
use crate::regularize::UpdateRules;
use crate::{Batch, Network, Pass, Spec, Target, regularize};
use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, ExecutionError, Tensor, TensorReadError};
use burn::train::metric::store::EventStoreClient;
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes,
    NumericEntry, SerializedEntry,
};
use burn::train::{
    EarlyStoppingStrategy, InferenceStep, Interrupter, ItemLazy, TrainOutput, TrainStep,
};
use damper_ir::{MetricKind, Settings};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What a training knows before it begins.
pub(super) struct Plan<M> {
    pub(super) spec: Spec,
    pub(super) settings: Settings,
    /// How the optimizer's steps are taken.
    pub(super) fused_step: FusedStep,
    /// What the penalties reach.
    pub(super) penalized: HashMap<String, UpdateRules>,
    pub(super) metrics: Vec<MetricKind>,
    /// Training batches in an epoch.
    pub(super) batches: usize,
    pub(super) interrupter: Interrupter,
    pub(super) stopper: Stopper,
    pub(super) show: Box<dyn Show>,
    /// Measures the running statistics of an averaged model anew.
    pub(super) settle: Option<Box<dyn Fn(M) -> M + Send + Sync>>,
}

/// What the training's threads share.
pub(super) struct Shared<M> {
    pub(super) plan: Plan<M>,
    state: Mutex<State<M>>,
}

/// What has happened so far.
pub(super) struct State<M> {
    epoch: usize,
    /// Steps of the optimiser so far.
    steps: usize,
    /// The average of the weights, with the steps at its last update.
    average: Option<(Average<M>, usize)>,
    since: Instant,
    train: Gathered,
    valid: Gathered,
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

/// The figures of one epoch, as burn's metrics hand them over at its end.
#[derive(Clone, Default)]
struct Gathered {
    loss: f64,
    activity: f64,
    learning_rate: f64,
    metrics: Vec<f64>,
}

pub(super) struct Best<M> {
    pub(super) epoch: usize,
    pub(super) value: f64,
    pub(super) model: M,
}

/// Why training cannot go on.
pub(super) enum Fault<M> {
    /// The loss of a batch is not finite. The model is the one that gave it.
    Loss {
        epoch: usize,
        batch: usize,
        phase: Phase,
        loss: f64,
        suspect: Box<Suspect<M>>,
    },
    /// A parameter is not finite at the end of an epoch.
    Parameter {
        epoch: usize,
        loss: f64,
        parameter: String,
    },
    /// The metric that early stopping watches has no value.
    Metric(MetricKind),
    /// A figure cannot be read from the device.
    Unread(String),
}

/// A model and the batch it has just read. Cheap: tensors are shared.
#[derive(Clone, Debug)]
pub(super) struct Suspect<M> {
    model: M,
    batch: Batch,
}

impl<M: Network> Shared<M> {
    pub(super) fn new(plan: Plan<M>, notes: Vec<String>) -> Arc<Self> {
        let metrics = vec![f64::NAN; plan.metrics.len()];
        let gathered = Gathered {
            metrics,
            ..Gathered::default()
        };
        let history = History {
            model: plan.spec.model().name.clone(),
            metrics: plan.metrics.iter().map(ToString::to_string).collect(),
            notes,
            ..History::default()
        };
        let settings = &plan.settings;
        let average = match (settings.ema, settings.swa) {
            (Some(decay), _) => Some((Average::exponential(decay), 0)),
            (None, Some(_)) => Some((Average::mean(), 0)),
            (None, None) => None,
        };
        let state = State {
            epoch: 1,
            steps: 0,
            average,
            since: Instant::now(),
            train: gathered.clone(),
            valid: gathered,
            candidate: None,
            best: None,
            last: None,
            fault: None,
            history,
            stopped_early: false,
        };
        Arc::new(Self {
            plan,
            state: Mutex::new(state),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the model that is being validated, until the epoch's figures are known.
    fn offer(&self, model: &M) {
        let mut state = self.state();
        if state.candidate.is_none() {
            state.candidate = Some(model.clone());
        }
    }

    /// Before a step of the optimiser.
    fn before_step(&self, model: &M, gradients: &GradientsParams) {
        if self.plan.settings.ema.is_some()
            && let Some((average, _)) = &mut self.state().average
        {
            average.before_step(model, gradients, &self.plan.fused_step);
        }
    }

    /// After a step of the optimiser.
    fn after_step(&self, model: &M) {
        let mut state = self.state();
        state.steps += 1;
        let steps = state.steps;
        if self.plan.settings.ema.is_some()
            && let Some((average, at)) = &mut state.average
        {
            average.after_step(model, &self.plan.fused_step);
            *at = steps;
        }
    }

    /// The averaged model, for inference, if there is one yet; at the end of an epoch the weights join the mean.
    fn averaged(&self, model: &M) -> Option<M> {
        let mut state = self.state();
        let (epoch, steps) = (state.epoch, state.steps);
        let (average, at) = state.average.as_mut()?;
        // A training that was interrupted ends inside of an epoch.
        if let Some(first) = self.plan.settings.swa
            && epoch >= first
            && steps > *at
            && !self.plan.interrupter.should_stop()
        {
            average.update(model);
            *at = steps;
            if let Some(settle) = &self.plan.settle {
                average.map_model(settle);
            }
        }
        // A copy: clones of a model share their running statistics.
        average.model().map(|model| model.clone().train().valid())
    }

    /// Which share of the batches is over, how many they are, and the epoch.
    fn progress(&self, batch: usize) -> (f64, usize, usize) {
        let epoch = self.state().epoch;
        let all = self.plan.settings.epochs.saturating_mul(self.plan.batches);
        let over = (epoch - 1).saturating_mul(self.plan.batches) + batch;
        (over as f64 / all.max(1) as f64, over, epoch)
    }

    fn fail(&self, state: &mut State<M>, fault: Fault<M>) {
        if state.fault.is_none() {
            state.fault = Some(fault);
        }
        self.plan.interrupter.stop(Some("the loss is not finite"));
    }

    /// Ends the training if a figure could not be read.
    pub(super) fn end_unread(&self, result: Result<(), TensorReadError>) {
        if let Err(error) = result {
            self.fail(&mut self.state(), Fault::Unread(error.to_string()));
        }
    }

    /// Writes the epoch into the history; whether training should end.
    fn end_epoch(&self) -> bool {
        let mut state = self.state();
        let state = &mut *state;
        let Some(candidate) = state.candidate.take() else {
            return true;
        };
        let epoch = state.epoch;
        let measures = |gathered: &Gathered| Measures {
            loss: gathered.loss,
            metrics: gathered.metrics.clone(),
        };
        if let Some(parameter) = broken_parameter(&candidate) {
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
        state.last = Some(candidate.clone());
        state.history.epochs.push(Epoch {
            epoch,
            train: measures(&state.train),
            valid: measures(&state.valid),
            penalty: regularize::report(&candidate, &self.plan.spec),
            activity: state.train.activity,
            learning_rate: state.train.learning_rate,
            seconds: state.since.elapsed().as_secs_f64(),
        });
        state.since = Instant::now();
        state.epoch += 1;
        let end = match &self.plan.settings.early_stop {
            None => false,
            Some(rule) => {
                let (value, sign) = match rule.metric {
                    None => (state.valid.loss, 1.0),
                    Some(kind) => {
                        let place = self.plan.metrics.iter().position(|metric| *metric == kind);
                        let value = place
                            .and_then(|place| state.valid.metrics.get(place))
                            .copied();
                        (
                            value.unwrap_or(f64::NAN),
                            if is_better_high(kind) { -1.0 } else { 1.0 },
                        )
                    }
                };
                if let (true, Some(kind)) = (value.is_nan(), rule.metric) {
                    self.fail(state, Fault::Metric(kind));
                    return true;
                }
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
                state
                    .best
                    .as_ref()
                    .is_some_and(|best| epoch - best.epoch >= rule.patience)
            }
        };
        self.plan.show.epoch(&state.history);
        state.stopped_early = end && epoch < self.plan.settings.epochs;
        end
    }
}

impl<M: Network> Fault<M> {
    /// The weights that the training had, if they were finite.
    pub(super) fn last(&self) -> Option<M> {
        match self {
            Self::Loss { suspect, .. } => {
                let model = suspect.model.valid();
                broken_parameter(&model).is_none().then_some(model)
            }
            Self::Parameter { .. } | Self::Metric(_) | Self::Unread(_) => None,
        }
    }

    /// The error, after the search for the first number that is not finite.
    pub(super) fn explain(self, settings: &Settings) -> TrainError {
        let learning_rate = settings.learning_rate;
        let clipped = settings.clip_norm.is_some() || settings.clip_value.is_some();
        match self {
            Self::Loss {
                epoch,
                batch,
                phase,
                loss,
                suspect,
            } => TrainError::NonFinite {
                epoch,
                batch: Some(batch),
                phase,
                loss,
                layer: broken_layer(&suspect.model, &suspect.batch),
                parameter: broken_parameter(&suspect.model),
                learning_rate,
                clipped,
                kept: Kept::default(),
            },
            Self::Parameter {
                epoch,
                loss,
                parameter,
            } => TrainError::NonFinite {
                epoch,
                batch: None,
                phase: Phase::Training,
                loss,
                layer: None,
                parameter: Some(parameter),
                learning_rate,
                clipped,
                kept: Kept::default(),
            },
            Self::Unread(error) => TrainError::burn(error),
            Self::Metric(kind) => TrainError::NoMetric {
                metric: kind.to_string(),
                kept: Kept::default(),
            },
        }
    }
}

/// Whether a greater value of the metric is a better one.
pub(super) fn is_better_high(kind: MetricKind) -> bool {
    match kind {
        MetricKind::Accuracy
        | MetricKind::TopK(_)
        | MetricKind::Precision
        | MetricKind::Recall
        | MetricKind::F1
        | MetricKind::Auroc
        | MetricKind::R2 => true,
        MetricKind::Mse | MetricKind::Rmse | MetricKind::Mae | MetricKind::Mape => false,
    }
}

/// The model as burn's `Learner` sees it. A module whose parameters have the paths they have in the model.
pub(super) struct Learning<M> {
    /// Boxed, like the model in each [`Step`]: burn moves both through its own threads, whose stacks cannot hold a model
    /// of many layers.
    network: Box<M>,
    pub(super) shared: Arc<Shared<M>>,
}

impl<M: Network> Learning<M> {
    pub(super) fn new(network: M, shared: Arc<Shared<M>>) -> Self {
        Self {
            network: Box::new(network),
            shared,
        }
    }

    pub(super) fn into_network(self) -> M {
        *self.network
    }

    fn with(&self, network: M) -> Self {
        Self::new(network, Arc::clone(&self.shared))
    }

    fn change(mut self, change: impl FnOnce(M) -> M) -> Self {
        self.network = Box::new(change(*self.network));
        self
    }
}

impl<M: Network> Clone for Learning<M> {
    fn clone(&self) -> Self {
        self.with(M::clone(&self.network))
    }
}

impl<M: Network> fmt::Debug for Learning<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.network, f)
    }
}

impl<M: Network> fmt::Display for Learning<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.network, f)
    }
}

impl<M: Network> Module for Learning<M> {
    fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
        self.network.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.change(|network| network.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.change(|network| network.to_device(device))
    }

    fn train(self) -> Self {
        self.change(M::train)
    }

    fn valid(&self) -> Self {
        let averaged = self.shared.averaged(&self.network);
        self.with(averaged.unwrap_or_else(|| self.network.valid()))
    }

    fn materialize(self) -> Self {
        self.change(M::materialize)
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.network.visit(visitor);
    }

    fn map<Map: ModuleMapper>(self, mapper: &mut Map) -> Self {
        self.change(|network| network.map(mapper))
    }
}

/// What a step gives to the metrics.
pub(super) struct Step<M> {
    loss: Tensor<1>,
    activity: Option<Tensor<1>>,
    output: Tensor<2>,
    target: Target,
    suspect: Box<Suspect<M>>,
}

impl<M: Network> ItemLazy for Step<M> {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl<M: Network> TrainStep for Learning<M> {
    type Input = Batch;
    type Output = Step<M>;

    fn step(&self, batch: Batch) -> TrainOutput<Step<M>> {
        let plan = &self.shared.plan;
        if plan.stopper.is_stopped() {
            plan.interrupter.stop(Some("stopped"));
        }
        let (progress, over, epoch) = self.shared.progress(batch.index);
        let batch = vary(batch, &plan.spec, &plan.settings, epoch);
        let mut pass = Pass::at(progress).with_random(plan.settings.seed, over as u64);
        let output = self.network.run(&batch.inputs, &mut pass);
        let loss = self.network.loss(output.clone(), &batch.target);
        let activity = pass.take_activity();
        let objective = match &activity {
            Some(activity) => loss.clone() + activity.clone(),
            None => loss.clone(),
        };
        // Burn sums the gradients of a group of batches; a step wants their mean.
        let objective = match group_size(plan.settings.accumulate, batch.index, plan.batches) {
            1 => objective,
            size => objective.div_scalar(size as f64),
        };
        let gradients = objective.backward();
        let step = Step {
            loss: plain(loss),
            activity: activity.map(plain),
            output: plain(output),
            target: batch.target.clone(),
            suspect: Box::new(Suspect {
                model: M::clone(&self.network),
                batch,
            }),
        };
        TrainOutput::new(&*self.network, gradients, step)
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let plan = &self.shared.plan;
        let max_norm = plan.settings.clip_norm;
        let gradients = match max_norm {
            Some(_) => regularize::add_penalties(&*self.network, gradients, &plan.penalized),
            None => gradients,
        };
        self.shared.before_step(&self.network, &gradients);
        let step = plan.fused_step.clone();
        let next = self
            .change(|network| step.step(optimizer, learning_rate, network, gradients, max_norm));
        next.shared.after_step(&next.network);
        next
    }
}

/// How many batches the step has that batch `index` (from 0) of `batches` belongs to: the last step of an epoch may
/// have fewer.
fn group_size(accumulate: usize, index: usize, batches: usize) -> usize {
    let accumulate = accumulate.max(1);
    let start = index / accumulate * accumulate;
    accumulate.min(batches.saturating_sub(start)).max(1)
}

impl<M: Network> InferenceStep for Learning<M> {
    type Input = Batch;
    type Output = Step<M>;

    fn step(&self, batch: Batch) -> Step<M> {
        self.shared.offer(&self.network);
        let output = self.network.run(&batch.inputs, &mut Pass::new());
        let loss = self.network.loss(output.clone(), &batch.target);
        Step {
            loss,
            activity: None,
            output,
            target: batch.target.clone(),
            suspect: Box::new(Suspect {
                model: M::clone(&self.network),
                batch,
            }),
        }
    }
}

/// What the loss's meter reads of a step.
pub(super) struct Losses<M> {
    loss: Tensor<1>,
    activity: Option<Tensor<1>>,
    suspect: Box<Suspect<M>>,
}

impl<M: Network> Adaptor<Losses<M>> for Step<M> {
    fn adapt(&self) -> Losses<M> {
        Losses {
            loss: self.loss.clone(),
            activity: self.activity.clone(),
            suspect: self.suspect.clone(),
        }
    }
}

impl<M: Network> Adaptor<(Tensor<2>, Target)> for Step<M> {
    fn adapt(&self) -> (Tensor<2>, Target) {
        (self.output.clone(), self.target.clone())
    }
}

/// Gathers the loss of an epoch, and watches that it is finite.
pub(super) struct LossMeter<M> {
    shared: Arc<Shared<M>>,
    phase: Phase,
    name: MetricName,
    last: f64,
    sum: f64,
    activity: f64,
    samples: usize,
    learning_rate: f64,
}

impl<M: Network> LossMeter<M> {
    pub(super) fn new(shared: &Arc<Shared<M>>, phase: Phase) -> Self {
        Self {
            shared: Arc::clone(shared),
            phase,
            name: Arc::new("loss".to_owned()),
            last: 0.0,
            sum: 0.0,
            activity: 0.0,
            samples: 0,
            learning_rate: 0.0,
        }
    }

    fn mean(&self) -> f64 {
        self.sum / self.samples.max(1) as f64
    }
}

impl<M> Clone for LossMeter<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Arc::clone(&self.name),
            ..*self
        }
    }
}

impl<M: Network> Metric for LossMeter<M> {
    type Input = Losses<M>;

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: None,
            higher_is_better: false,
        }
        .into()
    }

    fn update(
        &mut self,
        step: &Losses<M>,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let samples = step.suspect.batch.inputs.batch();
        self.last = step.loss.clone().try_into_scalar::<f64>()?;
        self.sum += self.last * samples as f64;
        if let Some(activity) = &step.activity {
            self.activity += activity.clone().try_into_scalar::<f64>()? * samples as f64;
        }
        self.samples += samples;
        if let Some(rate) = &metadata.lr {
            self.learning_rate = rate.base();
        }
        if !(self.last.is_finite() && self.activity.is_finite()) {
            let mut state = self.shared.state();
            let loss = if self.last.is_finite() {
                self.activity
            } else {
                self.last
            };
            let (epoch, batch) = (state.epoch, step.suspect.batch.index + 1);
            let suspect = step.suspect.clone();
            self.shared.fail(
                &mut state,
                Fault::Loss {
                    epoch,
                    batch,
                    phase: self.phase,
                    loss,
                    suspect,
                },
            );
        }
        self.shared.plan.show.batch(self.phase, self.mean());
        Ok(entry(self.mean()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        let (loss, samples) = (self.mean(), self.samples.max(1) as f64);
        let mut state = self.shared.state();
        let gathered = state.gathered(self.phase);
        gathered.loss = loss;
        gathered.activity = self.activity / samples;
        gathered.learning_rate = self.learning_rate;
        Ok(entry(loss))
    }

    fn clear(&mut self) {
        (self.sum, self.activity, self.samples) = (0.0, 0.0, 0);
    }
}

impl<M: Network> Numeric for LossMeter<M> {
    fn value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Value(self.last))
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Aggregated {
            aggregated_value: self.mean(),
            count: self.samples,
        })
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.mean())
    }
}

impl<M> State<M> {
    fn gathered(&mut self, phase: Phase) -> &mut Gathered {
        match phase {
            Phase::Training => &mut self.train,
            Phase::Validation => &mut self.valid,
        }
    }
}

/// Gathers one metric over an epoch.
pub(super) struct Meter<M> {
    shared: Arc<Shared<M>>,
    phase: Phase,
    place: usize,
    kind: MetricKind,
    name: MetricName,
    accumulator: Arc<Mutex<MetricAccumulator>>,
    value: Option<f64>,
}

impl<M: Network> Meter<M> {
    pub(super) fn new(
        shared: &Arc<Shared<M>>,
        phase: Phase,
        place: usize,
        kind: MetricKind,
    ) -> Self {
        let accumulator = MetricAccumulator::new(kind, &shared.plan.spec);
        Self {
            shared: Arc::clone(shared),
            phase,
            place,
            kind,
            name: Arc::new(kind.to_string()),
            accumulator: Arc::new(Mutex::new(accumulator)),
            value: None,
        }
    }

    fn accumulator(&self) -> MutexGuard<'_, MetricAccumulator> {
        self.accumulator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Clone for Meter<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            name: Arc::clone(&self.name),
            accumulator: Arc::clone(&self.accumulator),
            ..*self
        }
    }
}

impl<M: Network> Metric for Meter<M> {
    type Input = (Tensor<2>, Target);

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: None,
            higher_is_better: is_better_high(self.kind),
        }
        .into()
    }

    fn update(
        &mut self,
        step: &Self::Input,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.accumulator().update(&step.0, &step.1);
        Ok(SerializedEntry::not_available(None))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        let value = self.accumulator().value();
        self.value = Some(value);
        if let Some(slot) = self
            .shared
            .state()
            .gathered(self.phase)
            .metrics
            .get_mut(self.place)
        {
            *slot = value;
        }
        Ok(entry(value))
    }

    fn clear(&mut self) {
        *self.accumulator() = MetricAccumulator::new(self.kind, &self.shared.plan.spec);
    }
}

impl<M: Network> Numeric for Meter<M> {
    fn value(&self) -> Option<NumericEntry> {
        None
    }

    fn running_value(&self) -> Option<NumericEntry> {
        None
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.value.unwrap_or(f64::NAN))
    }
}

fn entry(value: f64) -> SerializedEntry {
    SerializedEntry::new(super::table::number(value), value.to_string())
}

/// Ends an epoch: burn calls it after every event of the epoch has been processed.
pub(super) struct EpochEnd<M>(pub(super) Arc<Shared<M>>);

impl<M> Clone for EpochEnd<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Network> EarlyStoppingStrategy for EpochEnd<M> {
    fn should_stop(&mut self, _: usize, _: &EventStoreClient) -> bool {
        self.0.end_epoch()
    }
}

#[cfg(test)]
mod tests {
    use super::group_size;

    #[test]
    fn the_last_group_of_an_epoch_may_be_smaller() {
        let sizes: Vec<usize> = (0..7).map(|index| group_size(3, index, 7)).collect();
        assert_eq!(sizes, [3, 3, 3, 3, 3, 3, 1]);
        assert_eq!(group_size(1, 4, 7), 1);
    }
}
