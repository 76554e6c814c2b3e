//! What a declaration leaves unsaid: its task, its metrics, its training.

use crate::{Inferred, MetricKind, Model, Settings, TargetKind, TaskKind, Train, Value};

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
        Some(match loss.kind.facts().target {
            TargetKind::Class => TaskKind::Multiclass(units()),
            TargetKind::YesNo => {
                let units = units();
                if units.known == Some(1.0) {
                    TaskKind::Binary
                } else {
                    TaskKind::Multilabel(units)
                }
            }
            TargetKind::Distribution
            | TargetKind::Count
            | TargetKind::Number
            | TargetKind::Custom => TaskKind::Regression,
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

    /// How the model is trained, with the defaults filled in: see [`Train::settings`].
    pub fn training(&self) -> Settings {
        self.train
            .as_ref()
            .map_or_else(|| Train::default().settings(), Train::settings)
    }
}
