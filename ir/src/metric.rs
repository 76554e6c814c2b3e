//! The metrics, and what rules and training need to know of each.

use crate::words::words;
use crate::{Id, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A metric of the `metrics` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Where it is written.
    #[serde(skip)]
    pub id: Id,
    /// Which metric.
    pub kind: MetricKind,
}

words! {
    /// The metrics, each over the whole epoch.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum MetricKind;

    /// The share of right answers.
    accuracy = Accuracy;

    /// The share of samples whose class is among the `k` highest scores.
    top_k(k) = TopK(
        /// How many of the highest scores count.
        k: Value = required(Kind::Size)
            .usual(1.0, 100.0, 5.0, "5 for ImageNet")
    );

    /// The share of right ones among those that were predicted; the mean over the classes.
    precision = Precision;

    /// The share of those found among those that there are; the mean over the classes.
    recall = Recall;

    /// The harmonic mean of precision and recall; the mean over the classes.
    f1 = F1;

    /// The area under the ROC curve, for two classes.
    auroc = Auroc;

    /// Mean squared error.
    mse = Mse;

    /// The root of the mean squared error.
    rmse = Rmse;

    /// Mean absolute error.
    mae = Mae;

    /// Mean absolute percentage error.
    mape = Mape;

    /// The coefficient of determination: 1 is perfect, 0 as good as the mean.
    r2 = R2;
}

impl MetricKind {
    /// Whether the metric counts classes; else it measures numbers.
    pub const fn is_classification(self) -> bool {
        match self {
            Self::Accuracy
            | Self::TopK(_)
            | Self::Precision
            | Self::Recall
            | Self::F1
            | Self::Auroc => true,
            Self::Mse | Self::Rmse | Self::Mae | Self::Mape | Self::R2 => false,
        }
    }

    /// Whether a higher value is a better one.
    pub const fn higher_is_better(self) -> bool {
        match self {
            Self::Accuracy
            | Self::TopK(_)
            | Self::Precision
            | Self::Recall
            | Self::F1
            | Self::Auroc
            | Self::R2 => true,
            Self::Mse | Self::Rmse | Self::Mae | Self::Mape => false,
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::words::call(self.word(), &self.written()))
    }
}
