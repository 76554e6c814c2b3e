//! Loss, metrics and timing of each epoch.

use super::table::{Table, number, rate};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Loss and metrics on one set of samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// The loss, averaged over the samples, without penalties.
    #[serde(with = "finite")]
    pub loss: f64,
    /// The metrics, in the order of [`History::metrics`] and of [`Spec::metrics`](crate::Spec::metrics). NaN if a metric
    /// has no value, as the area under the ROC curve for one class.
    #[serde(with = "finite_list")]
    pub metrics: Vec<f64>,
}

/// The figures of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// On the training samples, measured during training: with dropout, and each batch with the weights of its step.
    pub train: Measures,
    /// On the validation samples after the epoch, with inference behavior.
    pub valid: Measures,
    /// The sum of the penalties `penalty` and `orthogonal` after the epoch.
    pub penalty: f64,
    /// The activity penalty, averaged over the samples.
    pub activity: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The duration in seconds.
    pub seconds: f64,
}

/// All epochs of a training. `Display` prints a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The model's name.
    pub model: String,
    /// The names of the metrics.
    pub metrics: Vec<String>,
    /// The completed epochs.
    pub epochs: Vec<Epoch>,
    /// The number of the best epoch, if early stopping chose one.
    pub best: Option<usize>,
    /// Notes about what the training did on its own, and why.
    pub notes: Vec<String>,
}

impl History {
    /// The last epoch.
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let penalty = self.epochs.iter().any(|epoch| epoch.penalty != 0.0);
        let activity = self.epochs.iter().any(|epoch| epoch.activity != 0.0);
        let mut table = Table::new(["epoch", "loss", "valid loss"]);
        for name in &self.metrics {
            table.column(name);
            table.column(format!("valid {name}"));
        }
        for (name, is_used) in [("penalty", penalty), ("activity", activity)] {
            if is_used {
                table.column(name);
            }
        }
        table.column("learning rate");
        table.column("seconds");
        for epoch in &self.epochs {
            let best = if self.best == Some(epoch.epoch) {
                "*"
            } else {
                ""
            };
            let mut row = vec![
                format!("{}{best}", epoch.epoch),
                number(epoch.train.loss),
                number(epoch.valid.loss),
            ];
            for (train, valid) in epoch.train.metrics.iter().zip(&epoch.valid.metrics) {
                row.extend([number(*train), number(*valid)]);
            }
            for (value, is_used) in [(epoch.penalty, penalty), (epoch.activity, activity)] {
                if is_used {
                    row.push(number(value));
                }
            }
            row.extend([rate(epoch.learning_rate), format!("{:.2}", epoch.seconds)]);
            table.row(row);
        }
        table.fmt(f)?;
        if let Some(best) = self.best {
            write!(f, "\n* epoch {best} is the best; its weights were kept")?;
        }
        for note in &self.notes {
            write!(f, "\nnote: {note}")?;
        }
        Ok(())
    }
}

/// JSON has no NaN, so NaN is written as null.
mod finite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub(super) fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*x).filter(|x| x.is_finite()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

mod finite_list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(list: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let list: Vec<_> = list
            .iter()
            .map(|x| Some(*x).filter(|x| x.is_finite()))
            .collect();
        list.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<f64>, D::Error> {
        let list = Vec::<Option<f64>>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect())
    }
}
