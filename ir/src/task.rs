//! What a model is for, and the metrics that suit it.

use crate::{Inferred, LossKind, MetricKind, Model, TaskKind, Value};

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
}

impl Model {
    /// The task: the declared one, else what follows from the loss and the head.
    ///
    /// `cross_entropy` gives `multiclass(units)`; `binary_cross_entropy` and `dice` give `binary` for one unit,
    /// else `multilabel(units)`; every other loss gives `regression`. `None` without a loss and a task.
    pub fn task_kind(&self) -> Option<TaskKind> {
        self.task_of(&self.shapes(0))
    }

    /// The same for shapes that are known already: those of this very model.
    pub fn task_of(&self, shapes: &Inferred) -> Option<TaskKind> {
        self.task_of_units(shapes.output_units())
    }

    /// The task of a model of which one target has so many classes or values.
    pub(crate) fn task_of_units(&self, units: Option<usize>) -> Option<TaskKind> {
        let units = || units.map_or(Value::unknown(), |units| Value::known(units as f64));
        if let Some(task) = &self.task {
            return Some(task.kind.clone());
        }
        let loss = self.loss.as_ref()?;
        Some(match &loss.kind {
            LossKind::CrossEntropy { .. } => TaskKind::Multiclass(units()),
            LossKind::BinaryCrossEntropy { .. } | LossKind::Dice { .. } => {
                let units = units();
                if units.known == Some(1.0) {
                    TaskKind::Binary
                } else {
                    TaskKind::Multilabel(units)
                }
            }
            LossKind::Mse
            | LossKind::Mae
            | LossKind::Mape
            | LossKind::Huber { .. }
            | LossKind::SmoothL1 { .. }
            | LossKind::LogCosh
            | LossKind::KlDiv { .. }
            | LossKind::Poisson
            | LossKind::GaussianNll
            | LossKind::Custom { .. } => TaskKind::Regression,
        })
    }

    /// The declared metrics; else accuracy for a classifier, mean absolute error and R2 for a regression, and
    /// none without a loss.
    pub fn metrics_or_default(&self) -> Vec<MetricKind> {
        if self.metrics.is_empty() {
            Self::default_metrics(self.task_kind().as_ref())
        } else {
            self.metrics.iter().map(|metric| metric.kind).collect()
        }
    }

    pub(crate) fn default_metrics(task: Option<&TaskKind>) -> Vec<MetricKind> {
        match task {
            None => Vec::new(),
            Some(TaskKind::Regression) => vec![MetricKind::Mae, MetricKind::R2],
            Some(_) => vec![MetricKind::Accuracy],
        }
    }
}
