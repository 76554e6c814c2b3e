//! Diagnosis of overfitting and underfitting, with advice.

use super::evaluate::Evaluation;
use super::history::History;
use super::table::{Table, number, plural, rate};
use crate::Spec;
use damper_ir::{MetricKind, Op, OpKind, Parameter, Role, RuleKind, Settings, Stochastic};
use std::fmt;

/// The verdict of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The model is clearly better on the training samples than on the validation samples.
    Overfitting,
    /// The model is bad even on the training samples.
    Underfitting,
    /// Neither.
    Fine,
}

/// Whether a model overfits or underfits, and what to change in its declaration. `Display` prints all of it.
///
/// Both sets are measured with inference behavior, on the final model. The rules:
/// - a classifier overfits if its training accuracy exceeds its validation accuracy by more than
///   0.03 and more than two standard errors of the two accuracies; a regression if R2 falls by more than 0.1;
///   without either figure, if the validation loss is more than a fifth above the training loss;
/// - it underfits if its score on the training samples is below one half, on a scale from 0 for the best constant answer
///   (the accuracy of the most frequent class, R2 = 0) to 1 for a model that is always right; if it also has a gap, it
///   counts as overfitting, unless the score is below one quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The verdict.
    pub verdict: Verdict,
    /// The figure that was compared: `accuracy`, `r2` or `loss`.
    pub measure: String,
    /// Its value on the training samples.
    pub train: f64,
    /// Its value on the validation samples.
    pub valid: f64,
    /// How much worse it is on the validation samples.
    pub gap: f64,
    /// The threshold of the gap for overfitting.
    pub limit: f64,
    /// The training and validation loss.
    pub losses: (f64, f64),
    /// Changes to the declaration, most promising first.
    pub advice: Vec<String>,
    model: String,
    reason: String,
}

/// The smallest gap of accuracy that counts.
const ACCURACY_GAP: f64 = 0.03;
/// The gap of R2 that counts.
const R2_GAP: f64 = 0.1;
/// The relative gap of the loss that counts.
const LOSS_GAP: f64 = 0.2;
/// The score on the training samples below which a model underfits.
const LEAST_SKILL: f64 = 0.5;
/// The score below which a gap does not count as overfitting.
const NO_SKILL: f64 = 0.25;

impl Diagnosis {
    pub(super) fn of(run: &Evidence<'_>) -> Self {
        let (train, valid) = (run.train, run.valid);
        let losses = (train.measures.loss, valid.measures.loss);
        let (measure, values, limit, skill) = match (train.score, valid.score) {
            (Some(t), Some(v)) => {
                let limit = if t.kind == MetricKind::Accuracy {
                    ACCURACY_GAP.max(
                        2.0 * standard_error(train, t.value).hypot(standard_error(valid, v.value)),
                    )
                } else {
                    R2_GAP
                };
                (
                    t.kind.to_string(),
                    (t.value, v.value),
                    limit,
                    Some((t.skill(), t.chance)),
                )
            }
            _ => ("loss".to_owned(), losses, LOSS_GAP * losses.0.abs(), None),
        };
        let gap = if measure == "loss" {
            values.1 - values.0
        } else {
            values.0 - values.1
        };
        let too_little =
            skill.filter(|(skill, _)| *skill < if gap > limit { NO_SKILL } else { LEAST_SKILL });
        let (verdict, reason) = if let Some((skill, chance)) = too_little {
            let share = format!("{:.0} %", 100.0 * skill.max(0.0));
            let constant = if measure == "r2" {
                "always predicting the mean".to_owned()
            } else {
                format!(
                    "always predicting the most frequent class ({})",
                    number(chance)
                )
            };
            (
                Verdict::Underfitting,
                format!(
                    "on its training samples it is {share} of the way from {constant} to always being right"
                ),
            )
        } else if gap > limit {
            (
                Verdict::Overfitting,
                format!("the gap of {} is above {}", number(gap), number(limit)),
            )
        } else {
            (
                Verdict::Fine,
                format!("the gap of {} is within {}", number(gap), number(limit)),
            )
        };
        let advice = match verdict {
            Verdict::Overfitting => run.against_overfitting(),
            Verdict::Underfitting => run.against_underfitting(),
            Verdict::Fine => run.still_falling().into_iter().collect(),
        };
        Self {
            verdict,
            measure,
            train: values.0,
            valid: values.1,
            gap,
            limit,
            losses,
            advice,
            model: run.spec.model().name.clone(),
            reason,
        }
    }
}

/// The standard error of an accuracy.
fn standard_error(measured: &Evaluation, accuracy: f64) -> f64 {
    (accuracy * (1.0 - accuracy) / measured.samples.max(1) as f64)
        .max(0.0)
        .sqrt()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overfitting => "overfitting",
            Self::Underfitting => "underfitting",
            Self::Fine => "fine",
        })
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}, {}", self.model, self.verdict, self.reason)?;
        let mut table = Table::new(["", "training", "validation", "gap"]);
        let (train, valid) = self.losses;
        table.row(vec![
            "loss".to_owned(),
            number(train),
            number(valid),
            number(valid - train),
        ]);
        if self.measure != "loss" {
            table.row(vec![
                self.measure.clone(),
                number(self.train),
                number(self.valid),
                number(self.gap),
            ]);
        }
        table.fmt(f)?;
        if !self.advice.is_empty() {
            f.write_str("\ntry")?;
        }
        for advice in &self.advice {
            write!(f, "\n- {advice}")?;
        }
        Ok(())
    }
}

/// The most pieces of advice of one kind.
const MOST: usize = 3;

/// The evidence for a diagnosis: the declaration and the result of the training.
pub(super) struct Evidence<'a> {
    pub(super) spec: &'a Spec,
    pub(super) settings: &'a Settings,
    pub(super) history: &'a History,
    pub(super) train: &'a Evaluation,
    pub(super) valid: &'a Evaluation,
}

/// A weight matrix. The copies of a `repeat` count as one.
struct Weight {
    path: String,
    count: usize,
    decay: f64,
    is_penalized: bool,
}

/// A stochastic operation as it is written, and its statement.
struct Drop {
    statement: String,
    text: String,
    rate: f64,
}

impl Evidence<'_> {
    fn against_overfitting(&self) -> Vec<String> {
        let mut advice = Vec::new();
        let mut weights = self.weights();
        weights.sort_by_key(|weight| std::cmp::Reverse(weight.count));
        let bare = weights
            .iter()
            .filter(|weight| weight.decay == 0.0 && !weight.is_penalized);
        advice.extend(bare.take(MOST).map(|weight| {
            let Weight { path, count: n, .. } = weight;
            format!(
                "`{path}` ({}) has no decay: add `decay(l2 = 1e-3)`",
                plural(*n, "weight")
            )
        }));
        if advice.is_empty() {
            let weak = weights
                .iter()
                .filter(|weight| weight.decay > 0.0 && weight.decay < 0.1);
            advice.extend(weak.take(1).map(|weight| {
                let Weight { path, decay, .. } = weight;
                format!(
                    "raise `decay(l2 = {})` of `{path}` to `{}`",
                    rate(*decay),
                    rate(decay * 10.0)
                )
            }));
        }
        let drops = self.drops();
        let low = drops
            .iter()
            .filter(|drop| drop.rate > 0.0 && drop.rate < 0.5);
        advice.extend(low.take(MOST).map(|drop| {
            let raised = (drop.rate + 0.1).min(0.5);
            format!(
                "raise `{}` of `{}` to `{}`",
                drop.text,
                drop.statement,
                rate(raised)
            )
        }));
        // Dropout before batch norm shifts its variance (arXiv 1801.05134), so it is not advised.
        if !self.has_batch_norm() {
            advice.extend(self.without_dropout().into_iter().take(MOST).map(
                |(statement, activation)| {
                    format!("`{statement}` has no dropout: add `dropout(0.3) after {activation}`")
                },
            ));
        }
        let lowest = self
            .history
            .epochs
            .iter()
            .min_by(|a, b| a.valid.loss.total_cmp(&b.valid.loss))
            .map_or(0, |epoch| epoch.epoch);
        let epochs = self.history.epochs.len();
        if self.settings.early_stop.is_none() && lowest + 2 < epochs {
            advice.push(format!(
                "the validation loss was lowest after epoch {lowest} of {epochs}: add `early_stop(patience = 5)`"
            ));
        }
        let parameters: usize = self
            .spec
            .parameters()
            .iter()
            .filter(|parameter| parameter.trained())
            .filter_map(Parameter::count)
            .sum();
        if parameters > 10 * self.train.samples
            && let Some(widest) = weights.first()
        {
            advice.push(format!(
                "{} learn from {}: make `{}` smaller, or use more samples",
                plural(parameters, "parameter"),
                plural(self.train.samples, "sample"),
                widest.path
            ));
        }
        advice
    }

    fn against_underfitting(&self) -> Vec<String> {
        let mut advice: Vec<String> = self.still_falling().into_iter().collect();
        let mut drops = self.drops();
        drops.sort_by(|a, b| b.rate.total_cmp(&a.rate));
        advice.extend(
            drops
                .iter()
                .filter(|drop| drop.rate > 0.1)
                .take(MOST)
                .map(|drop| {
                    format!(
                        "lower `{}` of `{}` to `{}`",
                        drop.text,
                        drop.statement,
                        rate(drop.rate / 2.0)
                    )
                }),
        );
        let mut weights = self.weights();
        weights.sort_by(|a, b| b.decay.total_cmp(&a.decay));
        advice.extend(
            weights
                .iter()
                .filter(|weight| weight.decay >= 1e-2)
                .take(MOST)
                .map(|weight| {
                    let Weight { path, decay, .. } = weight;
                    format!(
                        "lower `decay(l2 = {})` of `{path}` to `{}`",
                        rate(*decay),
                        rate(decay / 10.0)
                    )
                }),
        );
        weights.retain(|weight| weight.is_penalized);
        advice.extend(
            weights
                .iter()
                .take(MOST)
                .map(|weight| format!("lower the penalty of `{}`, or use `decay`", weight.path)),
        );
        let learning_rate = self.settings.learning_rate;
        if learning_rate < 1e-3 {
            advice.push(format!(
                "raise the learning rate: `lr = {}`",
                rate(learning_rate * 10.0)
            ));
        }
        if advice.is_empty() {
            advice.push(
                "give the model more units or another layer, or the data more informative features"
                    .to_owned(),
            );
        }
        advice
    }

    /// Advises more epochs if the validation loss fell until the end.
    fn still_falling(&self) -> Option<String> {
        let losses: Vec<f64> = self
            .history
            .epochs
            .iter()
            .map(|epoch| epoch.valid.loss)
            .collect();
        let [.., a, b, c, d] = losses[..] else {
            return None;
        };
        let falls = a > b && b > c && c > d && a - d > 0.01 * a.abs();
        falls.then(|| {
            format!(
                "the validation loss was still falling: train longer (`epochs: {}`)",
                2 * self.settings.epochs
            )
        })
    }

    fn weights(&self) -> Vec<Weight> {
        let mut weights: Vec<Weight> = Vec::new();
        let all = self.spec.parameters();
        for parameter in all
            .iter()
            .filter(|parameter| parameter.role == Role::Weight && parameter.trained())
        {
            let path = without_copies(
                parameter
                    .path
                    .strip_suffix(".weight")
                    .unwrap_or(&parameter.path),
            );
            let n = parameter.count().unwrap_or(0);
            match weights.iter_mut().find(|weight| weight.path == path) {
                Some(weight) => weight.count += n,
                None => weights.push(Weight {
                    path,
                    count: n,
                    decay: parameter.decay_l2.max(parameter.coupled_decay),
                    is_penalized: parameter.penalty_l1 + parameter.penalty_l2 + parameter.decay_l1
                        > 0.0,
                }),
            }
        }
        weights
    }

    fn drops(&self) -> Vec<Drop> {
        let mut drops = Vec::new();
        self.spec.model().each_statement(&mut |path, statement| {
            let mut add = |text: String, rate: Option<f64>| {
                drops.extend(rate.map(|rate| Drop {
                    statement: path.to_owned(),
                    text,
                    rate,
                }));
            };
            for op in &statement.ops {
                match &op.kind {
                    OpKind::Stochastic(Stochastic::Noise { .. }) => {}
                    OpKind::Stochastic(op) => add(op.to_string(), op.rate().float()),
                    OpKind::Residual {
                        drop_path: Some(rates),
                        ..
                    } => add(rates.to_string(), rates.last.float()),
                    kind => {
                        for (word, rate) in kind.rates() {
                            add(format!("{word}({rate})"), rate.rate.float());
                        }
                    }
                }
            }
        });
        drops
    }

    /// The statements with weights, an activation after them, and no dropout.
    fn without_dropout(&self) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        self.spec.model().each_statement(&mut |path, statement| {
            let drops = |op: &Op| {
                matches!(op.kind, OpKind::Stochastic(_))
                    || !op.kind.rates().is_empty()
                    || op
                        .rules
                        .iter()
                        .any(|rule| matches!(rule.kind, RuleKind::DropConnect { .. }))
            };
            let weights = statement
                .ops
                .iter()
                .position(|op| matches!(op.kind, OpKind::Linear(_)));
            let activation = weights.and_then(|first| {
                statement.ops[first..].iter().find_map(|op| match &op.kind {
                    OpKind::Activation(activation) => Some(activation.kind.word()),
                    _ => None,
                })
            });
            if let Some(activation) = activation
                && !statement.ops.iter().any(drops)
            {
                found.push((path.to_owned(), activation));
            }
        });
        found
    }

    fn has_batch_norm(&self) -> bool {
        self.spec
            .parameters()
            .iter()
            .any(|parameter| parameter.role == Role::Running)
    }
}

/// The path without the copies of a `repeat`: `stage1.0.block.linear_1` is `stage1.block.linear_1`.
fn without_copies(path: &str) -> String {
    let names: Vec<&str> = path
        .split('.')
        .filter(|name| name.parse::<usize>().is_err())
        .collect();
    names.join(".")
}

#[cfg(test)]
mod tests {
    use super::without_copies;

    #[test]
    fn copies_of_a_repeat_are_one_declaration() {
        assert_eq!(
            without_copies("stage1.0.block.linear_1"),
            "stage1.block.linear_1"
        );
        assert_eq!(without_copies("fc1"), "fc1");
    }
}
