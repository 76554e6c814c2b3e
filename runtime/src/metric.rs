//! Metrics over a whole epoch.

use crate::loss::{
    LEAST_TARGET, argmax, decision_threshold, halves, log_probabilities, middle_quantile,
    output_activation_along, values,
};
use crate::{Spec, Target};
use burn::tensor::{Int, Tensor};
use damper_ir::{MetricKind, OutputActivation, Reads, TargetKind, TaskKind};
use std::cmp::Ordering;

/// One metric over all samples of an epoch. It is exact, not the mean of the values of batches.
///
/// Precision, recall and F1 are macro averages over the classes that occur in targets or predictions (for binary outputs:
/// averages over the outputs, with 1 as the positive class). If an output has several positions, each one counts as a
/// sample. The area under the ROC curve is averaged over the outputs, each class against the rest. R2 is averaged over the
/// outputs. The accuracy of several binary outputs counts each output.
#[derive(Clone, Debug)]
pub struct MetricAccumulator {
    kind: MetricKind,
    spec: Spec,
    answers: Answers,
    /// Summaries of batches that are still on the device, so that an update does not wait for it.
    pending: Vec<Summary>,
    samples: f64,
    totals: Vec<f64>,
    scores: Vec<(Vec<f32>, Vec<f32>)>,
}

/// The kind of answer that a model gives.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answers {
    /// One class of several, and how its scores are read.
    Class(Reads),
    /// Yes or no for each output: yes above the threshold.
    Yes(f64),
    /// Numbers.
    Numbers,
}

/// The contribution of one batch: one row per statistic, one column per class or output.
#[derive(Clone, Debug)]
struct Summary {
    samples: usize,
    rows: usize,
    values: Tensor<1>,
}

impl MetricAccumulator {
    /// A metric without samples.
    pub fn new(kind: MetricKind, spec: &Spec) -> Self {
        let facts = spec.model().loss.as_ref().map(|loss| loss.kind.facts());
        let answers = match facts.map(|facts| (facts.target, facts.reads.unwrap_or_default())) {
            Some((TargetKind::Class, reads)) => Answers::Class(reads),
            Some((TargetKind::YesNo, _)) => Answers::Yes(decision_threshold(spec)),
            _ => match spec.task() {
                Some(TaskKind::Multiclass(_)) => Answers::Class(Reads::Logits),
                Some(TaskKind::Binary | TaskKind::Multilabel(_)) => {
                    Answers::Yes(decision_threshold(spec))
                }
                Some(TaskKind::Regression) | None => Answers::Numbers,
            },
        };
        Self {
            kind,
            spec: spec.clone(),
            answers,
            pending: Vec::new(),
            samples: 0.0,
            totals: Vec::new(),
            scores: Vec::new(),
        }
    }

    /// Adds a batch. If its target does not fit the output, or the metric does not fit the task, the value is NaN.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, units]`
    /// - target: `[rows]` classes, or `[rows, values]`; see [`Target`]
    pub fn update(&mut self, output: &Tensor<2>, target: &Target) {
        let output = output.clone().inner();
        let samples = output.dims()[0];
        if samples == 0 {
            return;
        }
        let summary = self
            .summary(output.clone(), target)
            .unwrap_or_else(|| Summary {
                samples,
                rows: 1,
                values: Tensor::full([1], f32::NAN, &output.device()),
            });
        self.pending.push(summary);
    }

    /// The metric over all batches so far. NaN if there are none.
    pub fn value(&mut self) -> f64 {
        self.read();
        if self.samples == 0.0 {
            return f64::NAN;
        }
        let mean = self
            .totals
            .first()
            .map_or(f64::NAN, |sum| sum / self.samples);
        match self.kind {
            MetricKind::Accuracy
            | MetricKind::TopK(_)
            | MetricKind::Mse
            | MetricKind::Mae
            | MetricKind::Mape => mean,
            MetricKind::Rmse => mean.sqrt(),
            MetricKind::Precision => {
                self.over_classes(|right, predicted, _| ratio(right, predicted))
            }
            MetricKind::Recall => self.over_classes(|right, _, actual| ratio(right, actual)),
            MetricKind::F1 => {
                self.over_classes(|right, predicted, actual| ratio(2.0 * right, predicted + actual))
            }
            MetricKind::Auroc => self.area(),
            MetricKind::R2 => self.determination(),
        }
    }

    fn summary(&self, output: Tensor<2>, target: &Target) -> Option<Summary> {
        match self.kind {
            MetricKind::Accuracy => self.accuracy(output, target),
            MetricKind::TopK(k) => self.top(output, target, k.size()?),
            MetricKind::Precision | MetricKind::Recall | MetricKind::F1 => {
                self.counts(output, target)
            }
            MetricKind::Auroc => self.labeled(output, target),
            MetricKind::Mse | MetricKind::Rmse => {
                self.errors(output, target, |error, _| error.square())
            }
            MetricKind::Mae => self.errors(output, target, |error, _| error.abs()),
            MetricKind::Mape => self.errors(output, target, |error, target| {
                error.abs() / target.abs().clamp_min(LEAST_TARGET)
            }),
            MetricKind::R2 => self.deviations(output, target),
        }
    }

    fn accuracy(&self, output: Tensor<2>, target: &Target) -> Option<Summary> {
        let [rows, units] = output.dims();
        let (samples, right) = match self.answers {
            Answers::Class(_) => (
                rows,
                argmax(output.clone())
                    .equal(indices(&output, target)?)
                    .int()
                    .sum(),
            ),
            Answers::Yes(threshold) => {
                let target = yes(&output, target)?;
                (
                    rows * units,
                    output
                        .greater_scalar(threshold)
                        .int()
                        .equal(target)
                        .int()
                        .sum(),
                )
            }
            Answers::Numbers => return None,
        };
        Some(Summary {
            samples,
            rows: 1,
            values: right.float(),
        })
    }

    /// A target is among the `k` highest if fewer than `k` scores are above its own.
    fn top(&self, output: Tensor<2>, target: &Target, k: usize) -> Option<Summary> {
        let Answers::Class(_) = self.answers else {
            return None;
        };
        let [samples, classes] = output.dims();
        let own = output
            .clone()
            .gather(1, indices(&output, target)?.reshape([samples, 1]));
        let above = output
            .greater(own.expand([samples, classes]))
            .int()
            .sum_dim(1);
        let right = above.lower_scalar(i64::try_from(k).ok()?).int().sum();
        Some(Summary {
            samples,
            rows: 1,
            values: right.float(),
        })
    }

    /// True positives, predicted and actual positives for each class or output.
    fn counts(&self, output: Tensor<2>, target: &Target) -> Option<Summary> {
        let [samples, units] = output.dims();
        let (predicted, actual) = match self.answers {
            Answers::Class(_) => {
                let actual = indices(&output, target)?;
                (one_hot(argmax(output), units), one_hot(actual, units))
            }
            Answers::Yes(threshold) => {
                let actual = yes(&output, target)?;
                (output.greater_scalar(threshold).int(), actual)
            }
            Answers::Numbers => return None,
        };
        let right = predicted.clone() * actual.clone();
        let values = Tensor::cat(
            vec![right.sum_dim(0), predicted.sum_dim(0), actual.sum_dim(0)],
            0,
        );
        Some(Summary {
            samples,
            rows: 3,
            values: values.float().reshape([3 * units]),
        })
    }

    /// Scores and labels of each output.
    fn labeled(&self, output: Tensor<2>, target: &Target) -> Option<Summary> {
        let [samples, units] = output.dims();
        let (scores, labels) = match self.answers {
            Answers::Class(from) => {
                let labels = one_hot(indices(&output, target)?, units);
                (log_probabilities(output, from), labels)
            }
            Answers::Yes(_) => {
                let labels = yes(&output, target)?;
                (output, labels)
            }
            Answers::Numbers => return None,
        };
        let columns = Tensor::cat(vec![scores.transpose(), labels.float().transpose()], 0);
        Some(Summary {
            samples,
            rows: 2 * units,
            values: columns.reshape([2 * units * samples]),
        })
    }

    /// The predicted values and the targets, both `[batch, values]`.
    fn numbers(&self, output: Tensor<2>, target: &Target) -> Option<(Tensor<2>, Tensor<2>)> {
        let loss = self.spec.model().loss.as_ref();
        let says = match loss.map(|loss| loss.kind.facts().activation) {
            Some(OutputActivation::MeanAndVariance) => halves(output).0,
            Some(OutputActivation::Quantiles(count)) => middle_quantile(output, count),
            _ => output_activation_along(&self.spec, output, 1),
        };
        let target = values(&says, target, says.dims()[1])?;
        Some((says, target))
    }

    fn errors(
        &self,
        output: Tensor<2>,
        target: &Target,
        error: impl FnOnce(Tensor<2>, Tensor<2>) -> Tensor<2>,
    ) -> Option<Summary> {
        let (says, target) = self.numbers(output, target)?;
        let [rows, width] = says.dims();
        let values = error(says - target.clone(), target).sum();
        Some(Summary {
            samples: rows * width,
            rows: 1,
            values,
        })
    }

    /// For each output: the sum of squared errors, the mean target, and the sum of squared deviations from it.
    fn deviations(&self, output: Tensor<2>, target: &Target) -> Option<Summary> {
        let (says, target) = self.numbers(output, target)?;
        let [samples, width] = says.dims();
        let errors = (says - target.clone()).square().sum_dim(0);
        let mean = target.clone().mean_dim(0);
        let deviations = (target - mean.clone()).square().sum_dim(0);
        let values = Tensor::cat(vec![errors, mean, deviations], 0).reshape([3 * width]);
        Some(Summary {
            samples,
            rows: 3,
            values,
        })
    }

    /// Reads the pending summaries from the device.
    fn read(&mut self) {
        for Summary {
            samples,
            rows,
            values,
        } in std::mem::take(&mut self.pending)
        {
            let samples = samples as f64;
            // If the device fails, there is no metric.
            let values: Vec<f32> = match values.try_into_data() {
                Ok(data) => data.iter::<f32>().collect(),
                Err(_) => vec![f32::NAN],
            };
            if self.kind == MetricKind::Auroc && rows > 1 {
                self.read_scores(&values, rows / 2);
            } else if self.kind == MetricKind::R2 && rows == 3 {
                self.read_deviations(&values, samples);
            } else if self.totals.is_empty() {
                self.totals = values.into_iter().map(f64::from).collect();
            } else if self.totals.len() == values.len() {
                for (total, value) in self.totals.iter_mut().zip(values) {
                    *total += f64::from(value);
                }
            } else {
                // A batch whose target did not fit.
                self.totals = vec![f64::NAN; self.totals.len().max(values.len())];
            }
            self.samples += samples;
        }
    }

    fn read_scores(&mut self, values: &[f32], units: usize) {
        let samples = values.len() / (2 * units).max(1);
        self.scores.resize(units, (Vec::new(), Vec::new()));
        let mut columns = values.chunks_exact(samples.max(1));
        for (scores, _) in &mut self.scores {
            scores.extend(columns.next().unwrap_or_default());
        }
        for (_, labels) in &mut self.scores {
            labels.extend(columns.next().unwrap_or_default());
        }
    }

    /// Merges means and squared deviations of two sets without cancellation (Chan et al., 1979).
    fn read_deviations(&mut self, values: &[f32], samples: f64) {
        let width = values.len() / 3;
        self.totals.resize(values.len(), 0.0);
        let all = self.samples + samples;
        for column in 0..width {
            let value = |row: usize| {
                values
                    .get(row * width + column)
                    .map_or(f64::NAN, |x| f64::from(*x))
            };
            let mean = self.totals.get(width + column).copied().unwrap_or(f64::NAN);
            let shift = value(1) - mean;
            for (row, change) in [
                (0, value(0)),
                (1, shift * samples / all),
                (2, value(2) + shift * shift * self.samples * samples / all),
            ] {
                if let Some(total) = self.totals.get_mut(row * width + column) {
                    *total += change;
                }
            }
        }
    }

    /// The mean of a value over the classes that occur. NaN if a batch did not fit.
    fn over_classes(&self, value: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let width = self.totals.len() / 3;
        if width == 0 || self.totals.iter().any(|total| total.is_nan()) {
            return f64::NAN;
        }
        let (right, rest) = self.totals.split_at(width);
        let (predicted, actual) = rest.split_at(width);
        let single = matches!(self.answers, Answers::Yes(_));
        let of_classes: Vec<f64> = right
            .iter()
            .zip(predicted)
            .zip(actual)
            .filter(|((_, predicted), actual)| single || **predicted + **actual > 0.0)
            .map(|((right, predicted), actual)| value(*right, *predicted, *actual))
            .collect();
        mean(&of_classes)
    }

    fn area(&self) -> f64 {
        if self.totals.iter().any(|total| total.is_nan()) {
            return f64::NAN;
        }
        let areas: Vec<f64> = self
            .scores
            .iter()
            .filter_map(|(scores, labels)| area(scores, labels))
            .collect();
        mean(&areas)
    }

    fn determination(&self) -> f64 {
        let width = self.totals.len() / 3;
        let columns: Vec<f64> = self
            .totals
            .iter()
            .zip(self.totals.iter().skip(2 * width))
            .take(width)
            .map(|(errors, deviations)| match (*errors, *deviations) {
                // As in scikit-learn: for a constant target R2 is 1 or 0.
                (0.0, 0.0) => 1.0,
                (_, 0.0) => 0.0,
                (errors, deviations) => 1.0 - errors / deviations,
            })
            .collect();
        mean(&columns)
    }
}

/// The class indices of a target: `[batch]`.
fn indices(output: &Tensor<2>, target: &Target) -> Option<Tensor<1, Int>> {
    let [rows, units] = output.dims();
    let indices = match target {
        Target::Classes(indices) => indices.clone().inner(),
        Target::Values(values) if values.dims() == [rows, 1] && units > 1 => {
            values.clone().inner().int().reshape([rows])
        }
        Target::Values(values) if values.dims() == [rows, units] => argmax(values.clone().inner()),
        Target::Values(_) => return None,
    };
    (indices.dims() == [rows]).then_some(indices)
}

/// A binary target, 1 for yes: `[batch, outputs]`.
fn yes(output: &Tensor<2>, target: &Target) -> Option<Tensor<2, Int>> {
    Some(
        values(output, target, output.dims()[1])?
            .greater_scalar(0.5)
            .int(),
    )
}

fn one_hot(indices: Tensor<1, Int>, classes: usize) -> Tensor<2, Int> {
    let rows = indices.dims()[0];
    let all = Tensor::<1, Int>::arange(
        0..i64::try_from(classes).unwrap_or(i64::MAX),
        &indices.device(),
    );
    let all = all.reshape([1, classes]).expand([rows, classes]);
    all.equal(indices.reshape([rows, 1]).expand([rows, classes]))
        .int()
}

/// The fraction of pairs of a positive and a negative sample in which the positive one has the higher score; ties count
/// one half (Mann and Whitney, 1947). `None` if there are no positive or no negative samples.
fn area(scores: &[f32], labels: &[f32]) -> Option<f64> {
    let mut pairs: Vec<(f32, bool)> = scores
        .iter()
        .zip(labels)
        .map(|(score, label)| (*score, *label > 0.5))
        .collect();
    if pairs.iter().any(|(score, _)| score.is_nan()) {
        return Some(f64::NAN);
    }
    pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (mut lower, mut wins, mut positives) = (0.0, 0.0, 0.0);
    for group in pairs.chunk_by(|(a, _), (b, _)| a.partial_cmp(b) == Some(Ordering::Equal)) {
        let yes = group.iter().filter(|(_, label)| *label).count() as f64;
        let no = group.len() as f64 - yes;
        wins += yes * (lower + no / 2.0);
        lower += no;
        positives += yes;
    }
    (positives > 0.0 && lower > 0.0).then(|| wins / (positives * lower))
}

/// A ratio that is 0 if the denominator is 0, as with scikit-learn's `zero_division`.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        f64::NAN
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}
