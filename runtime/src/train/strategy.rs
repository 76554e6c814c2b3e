//! The epochs of a training on the CPU.

use super::error::Phase;
use super::learn::{Learning, LossMeter, Meter, Shared, Step};
use crate::{Batch, Network};
use burn::data::dataloader::{DataLoader, Progress};
use burn::optim::GradientsAccumulator;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::tensor::{Device, TensorReadError};
use burn::train::metric::{Adaptor, Metric, MetricMetadata};
use burn::train::{
    InferenceStep, Interrupter, Learner, SupervisedLearningStrategy,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, ValidLoader,
};
use std::sync::Arc;

/// Burn's strategy for one device, but what a batch gives is read where it arises. Burn hands it to a second
/// thread, which keeps a GPU from waiting; on a CPU the figures are there already, and the second thread takes its
/// time from the tensor operations of the first.
pub(super) struct OnCpu<M> {
    pub(super) device: Device,
    pub(super) shared: Arc<Shared<M>>,
}

/// The meters of one phase.
struct Meters<M> {
    loss: LossMeter<M>,
    metrics: Vec<Meter<M>>,
}

impl<M: Network> Meters<M> {
    fn new(shared: &Arc<Shared<M>>, phase: Phase) -> Self {
        let metrics = shared.plan.metrics.iter().enumerate();
        Self {
            loss: LossMeter::new(shared, phase),
            metrics: metrics
                .map(|(place, kind)| Meter::new(shared, phase, place, *kind))
                .collect(),
        }
    }

    fn read(
        &mut self,
        step: &Step<M>,
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

    /// Ends the phase: its figures are known.
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

impl<M: Network> OnCpu<M> {
    fn train(
        &self,
        learner: &mut Learner<Learning<M>>,
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
                .end_unread(meters.read(&output.item, progress, learning_rate));
            if interrupter.should_stop() {
                break;
            }
        }
        self.shared.end_unread(meters.end());
    }

    fn validate(
        &self,
        learner: &Learner<Learning<M>>,
        loader: &dyn DataLoader<Batch>,
        meters: &mut Meters<M>,
        interrupter: &Interrupter,
    ) {
        let model = burn::module::Module::valid(&learner.model());
        let mut batches = loader.iter();
        while let Some(batch) = batches.next() {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) => return interrupter.fail(error),
            };
            let step = InferenceStep::step(&model, batch);
            self.shared
                .end_unread(meters.read(&step, batches.progress(), None));
            if interrupter.should_stop() {
                break;
            }
        }
        self.shared.end_unread(meters.end());
    }
}

impl<M: Network> SupervisedLearningStrategy<Learning<M>> for OnCpu<M> {
    fn fit(
        &self,
        components: TrainingComponents<Learning<M>>,
        mut learner: Learner<Learning<M>>,
        train: TrainLoader<Learning<M>>,
        valid: ValidLoader<Learning<M>>,
        starting_epoch: usize,
    ) -> (Learning<M>, SupervisedTrainingEventProcessor<Learning<M>>) {
        let train = train.to_device(&self.device);
        let valid = valid.to_device(&self.device.clone().inner());
        learner.fork(&self.device);
        let accumulate = components.grad_accumulation.unwrap_or(1);
        let interrupter = components.interrupter;
        let mut early_stopping = components.early_stopping;
        let mut training = Meters::new(&self.shared, Phase::Training);
        let mut validation = Meters::new(&self.shared, Phase::Validation);
        for epoch in starting_epoch..=components.num_epochs {
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
            if let Some(rule) = &mut early_stopping
                && rule.should_stop(epoch, &components.event_store)
            {
                break;
            }
        }
        (learner.model(), components.event_processor)
    }
}
