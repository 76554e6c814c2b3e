//! Loss and metrics of a trained model, with inference behavior.

use super::error::TrainError;
use super::history::Measures;
use crate::data::Prepared;
use crate::metric::MetricAccumulator;
use crate::{Batch, Spec, Target};
use burn::data::dataloader::DataLoader;
use burn::tensor::{Device, Tensor};
use damper_ir::{MetricKind, TaskKind};
use std::collections::HashMap;

/// Loss and metrics on one set of samples, and what a diagnosis needs.
#[derive(Clone, Debug)]
pub(crate) struct Evaluation {
    pub(crate) measures: Measures,
    pub(super) score: Option<Score>,
    pub(super) samples: usize,
}

/// A figure that a diagnosis can judge: accuracy for classification, R2 for regression.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    pub(super) kind: MetricKind,
    pub(super) value: f64,
    /// Its value for the best constant answer.
    pub(super) chance: f64,
}

impl Score {
    /// The value on a scale from 0, the best constant answer, to 1, always right.
    pub(super) fn skill(&self) -> f64 {
        if self.chance < 1.0 {
            (self.value - self.chance) / (1.0 - self.chance)
        } else {
            0.0
        }
    }
}

/// The smallest batch for inference. The size does not change the results, but small batches are slow.
pub(crate) const LEAST_BATCH: usize = 256;

/// Evaluates a model in inference mode; `step` computes the output and the loss of a batch.
pub(crate) fn evaluate_prepared(
    step: impl Fn(&Batch) -> (Tensor<2>, Tensor<1>),
    spec: &Spec,
    data: &Prepared,
    metrics: &[MetricKind],
    batch: usize,
    device: &Device,
) -> Result<Evaluation, TrainError> {
    let judge = match spec.task() {
        Some(TaskKind::Regression) => Some(MetricKind::R2),
        Some(TaskKind::Binary | TaskKind::Multiclass(_) | TaskKind::Multilabel(_)) => {
            Some(MetricKind::Accuracy)
        }
        None => None,
    };
    let mut accumulators: Vec<_> = metrics
        .iter()
        .chain(&judge)
        .map(|kind| MetricAccumulator::new(*kind, spec))
        .collect();
    let mut constant = Constant::default();
    let (mut sum, mut samples) = (0.0, 0_usize);
    let loader = data.loader(batch.max(LEAST_BATCH), device);
    for batch in loader.iter() {
        let batch = batch.map_err(TrainError::burn)?;
        let (output, loss) = step(&batch);
        let loss: f64 = loss.try_into_scalar().map_err(TrainError::burn)?;
        let rows = batch.inputs.batch();
        sum += loss * rows as f64;
        samples += rows;
        for accumulator in &mut accumulators {
            accumulator.update(&output, &batch.target);
        }
        if judge == Some(MetricKind::Accuracy) {
            constant.update(&batch.target);
        }
    }
    let mut values: Vec<f64> = accumulators
        .iter_mut()
        .map(MetricAccumulator::value)
        .collect();
    let score = judge.and_then(|kind| {
        let value = values.pop().filter(|value| value.is_finite())?;
        let chance = if kind == MetricKind::Accuracy {
            constant.share()
        } else {
            0.0
        };
        Some(Score {
            kind,
            value,
            chance,
        })
    });
    let measures = Measures {
        loss: sum / samples.max(1) as f64,
        metrics: values,
    };
    Ok(Evaluation {
        measures,
        score,
        samples,
    })
}

/// The accuracy of the best constant answer.
#[derive(Default)]
struct Constant {
    /// The count of each class in each column of the target.
    counts: HashMap<(usize, i64), usize>,
    answers: usize,
}

impl Constant {
    fn update(&mut self, target: &Target) {
        let (answers, columns): (Vec<i64>, usize) = match target {
            Target::Classes(classes) => (classes.clone().into_data().iter().collect(), 1),
            Target::Values(values) => {
                let columns = values.dims()[1];
                let values = values.clone().into_data();
                (
                    values.iter::<f32>().map(|x| i64::from(x > 0.5)).collect(),
                    columns,
                )
            }
        };
        self.answers += answers.len();
        for (index, answer) in answers.into_iter().enumerate() {
            *self
                .counts
                .entry((index % columns.max(1), answer))
                .or_default() += 1;
        }
    }

    fn share(&self) -> f64 {
        let mut most: HashMap<usize, usize> = HashMap::new();
        for ((column, _), count) in &self.counts {
            let most = most.entry(*column).or_default();
            *most = (*most).max(*count);
        }
        most.values().sum::<usize>() as f64 / self.answers.max(1) as f64
    }
}
