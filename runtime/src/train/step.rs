//! One step: training batch, validation batch and optimizer.

use super::augment_batch::augment_batch;
use super::fault::FailingBatch;
use super::learner_model::LearnerModel;
use crate::autodiff::plain;
use crate::{Batch, Network, Pass, Target, regularize};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};

/// The output of a step, for the meters.
pub(super) struct StepOutput<M> {
    pub(super) loss: Tensor<1>,
    pub(super) activity: Option<Tensor<1>>,
    pub(super) output: Tensor<2>,
    pub(super) target: Target,
    pub(super) failing: Box<FailingBatch<M>>,
}

impl<M: Network> ItemLazy for StepOutput<M> {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl<M: Network> TrainStep for LearnerModel<M> {
    type Input = Batch;
    type Output = StepOutput<M>;

    fn step(&self, batch: Batch) -> TrainOutput<StepOutput<M>> {
        let context = &self.shared.context;
        let settings = &context.settings;
        let position = self.shared.before_batch(batch.index);
        let batch = augment_batch(batch, &context.spec, settings, position.epoch);
        let mut pass =
            Pass::at(position.progress).with_random(settings.seed, position.number as u64);
        let output = self.network.run(&batch.inputs, &mut pass);
        let loss = self.network.loss(output.clone(), &batch.target);
        let activity = pass.take_activity();
        let objective = match &activity {
            Some(activity) => loss.clone() + activity.clone(),
            None => loss.clone(),
        };
        // burn sums the gradients of accumulated batches; their mean is wanted.
        let objective = match group_size(settings.accumulate, batch.index, context.batches) {
            1 => objective,
            size => objective.div_scalar(size as f64),
        };
        let gradients = objective.backward();
        let step = StepOutput {
            loss: plain(loss),
            activity: activity.map(plain),
            output: plain(output),
            target: batch.target.clone(),
            failing: Box::new(FailingBatch {
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
        let context = &self.shared.context;
        let max_norm = context.settings.clip_norm;
        let gradients = match max_norm {
            Some(_) => regularize::add_penalties(&*self.network, gradients, &context.penalized),
            None => gradients,
        };
        self.shared.before_step(&self.network, &gradients);
        let step = context.fused_step.clone();
        let next = self
            .change(|network| step.step(optimizer, learning_rate, network, gradients, max_norm));
        next.shared.after_step(&next.network);
        next
    }
}

/// The number of batches in the step of batch `index` (from 0) of `batches`: the last step of an epoch may have fewer.
fn group_size(accumulate: usize, index: usize, batches: usize) -> usize {
    let accumulate = accumulate.max(1);
    let start = index / accumulate * accumulate;
    accumulate.min(batches.saturating_sub(start)).max(1)
}

impl<M: Network> InferenceStep for LearnerModel<M> {
    type Input = Batch;
    type Output = StepOutput<M>;

    fn step(&self, batch: Batch) -> StepOutput<M> {
        self.shared.before_validation(&self.network);
        let output = self.network.run(&batch.inputs, &mut Pass::new());
        let loss = self.network.loss(output.clone(), &batch.target);
        StepOutput {
            loss,
            activity: None,
            output,
            target: batch.target.clone(),
            failing: Box::new(FailingBatch {
                model: M::clone(&self.network),
                batch,
            }),
        }
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
