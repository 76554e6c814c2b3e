//! A loop that reads the metrics of each batch immediately, for a CPU.

use super::Strategy;
use crate::train::error::Phase;
use crate::train::learner_model::LearnerModel;
use crate::train::meters::{LossMeter, MetricMeter};
use crate::train::state::Shared;
use crate::train::step::StepOutput;
use crate::{Batch, Network};
use burn::data::dataloader::{DataLoader, Progress};
use burn::module::Module;
use burn::optim::GradientsAccumulator;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::tensor::{Device, TensorReadError};
use burn::train::metric::{Adaptor, Metric, MetricMetadata};
use burn::train::{
    InferenceStep, Interrupter, Learner, SupervisedLearningStrategy, SupervisedTraining,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingStrategy,
    ValidLoader,
};
use std::sync::Arc;

/// burn's loop for one device, but the outputs of a batch are read on the training thread. burn sends them to a second
/// thread, so that a GPU does not wait. On a CPU the values are there already, and a second thread would only take time
/// from the tensor operations.
pub(super) struct InlineMetrics<M> {
    pub(super) device: Device,
    pub(super) shared: Arc<Shared<M>>,
}

/// The meters of one phase.
struct Meters<M> {
    loss: LossMeter<M>,
    metrics: Vec<MetricMeter<M>>,
}

impl<M: Network> Meters<M> {
    fn new(shared: &Arc<Shared<M>>, phase: Phase) -> Self {
        let metrics = shared.context.metrics.iter().enumerate();
        Self {
            loss: LossMeter::new(shared, phase),
            metrics: metrics
                .map(|(place, kind)| MetricMeter::new(shared, phase, place, *kind))
                .collect(),
        }
    }

    fn read(
        &mut self,
        step: &StepOutput<M>,
        progress: Progress,
        learning_rate: Option<ModuleLearningRate>,
    ) -> Result<(), TensorReadError> {
        let metadata = MetricMetadata {
            progress,
            iteration: None,
            lr: learning_rate,
        };
        self.loss.update(&step.adapt(), &metadata)?;
        let output = step.adapt();
        for metric in &mut self.metrics {
            metric.update(&output, &metadata)?;
        }
        Ok(())
    }

    /// Ends the phase: the meters write their totals.
    fn end(&mut self) -> Result<(), TensorReadError> {
        self.loss.compute()?;
        self.loss.clear();
        for metric in &mut self.metrics {
            metric.compute()?;
            metric.clear();
        }
        Ok(())
    }
}

impl<M: Network> Strategy<M> for InlineMetrics<M> {
    fn install(
        self: Box<Self>,
        training: SupervisedTraining<LearnerModel<M>>,
    ) -> SupervisedTraining<LearnerModel<M>> {
        let strategy: Arc<Self> = self.into();
        training.with_training_strategy(TrainingStrategy::Custom(strategy))
    }
}

impl<M: Network> InlineMetrics<M> {
    fn train(
        &self,
        learner: &mut Learner<LearnerModel<M>>,
        loader: &dyn DataLoader<Batch>,
        accumulate: usize,
        meters: &mut Meters<M>,
        interrupter: &Interrupter,
    ) {
        let mut accumulator = GradientsAccumulator::new();
        let mut gathered = 0;
        let mut batches = loader.iter();
        while let Some(batch) = batches.next() {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return interrupter.fail(error),
            };
            let progress = batches.progress();
            let output = learner.train_step(batch);
            if accumulate <= 1 {
                learner.lr_step();
                learner.optimizer_step(output.grads);
            } else {
                accumulator.accumulate(&learner.model(), output.grads);
                gathered += 1;
                if gathered >= accumulate || progress.is_completed() {
                    learner.lr_step();
                    learner.optimizer_step(accumulator.grads());
                    gathered = 0;
                }
            }
            let learning_rate = Some(learner.lr_current());
            self.shared
                .fail_unread(meters.read(&output.item, progress, learning_rate));
            if interrupter.should_stop() {
                break;
            }
        }
        self.shared.fail_unread(meters.end());
    }

    fn validate(
        &self,
        learner: &Learner<LearnerModel<M>>,
        loader: &dyn DataLoader<Batch>,
        meters: &mut Meters<M>,
        interrupter: &Interrupter,
    ) {
        let model = learner.model().valid();
        let mut batches = loader.iter();
        while let Some(batch) = batches.next() {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return interrupter.fail(error),
            };
            let step = InferenceStep::step(&model, batch);
            self.shared
                .fail_unread(meters.read(&step, batches.progress(), None));
            if interrupter.should_stop() {
                break;
            }
        }
        self.shared.fail_unread(meters.end());
    }
}

impl<M: Network> SupervisedLearningStrategy<LearnerModel<M>> for InlineMetrics<M> {
    fn fit(
        &self,
        components: TrainingComponents<LearnerModel<M>>,
        mut learner: Learner<LearnerModel<M>>,
        train: TrainLoader<LearnerModel<M>>,
        valid: ValidLoader<LearnerModel<M>>,
        starting_epoch: usize,
    ) -> (
        LearnerModel<M>,
        SupervisedTrainingEventProcessor<LearnerModel<M>>,
    ) {
        let train = train.to_device(&self.device);
        let valid = valid.to_device(&self.device.clone().inner());
        learner.fork(&self.device);
        let accumulate = components.grad_accumulation.unwrap_or(1);
        let interrupter = components.interrupter;
        let mut training = Meters::new(&self.shared, Phase::Training);
        let mut validation = Meters::new(&self.shared, Phase::Validation);
        for _ in starting_epoch..=components.num_epochs {
            self.train(
                &mut learner,
                &*train,
                accumulate,
                &mut training,
                &interrupter,
            );
            if interrupter.should_stop() {
                break;
            }
            self.validate(&learner, &*valid, &mut validation, &interrupter);
            if interrupter.should_stop() {
                break;
            }
            if self.shared.end_of_epoch() {
                break;
            }
        }
        (learner.model(), components.event_processor)
    }
}
