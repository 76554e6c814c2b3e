//! What a declaration leaves unsaid: its task, its metrics, its training.

use crate::{MetricKind, Model, Settings, TargetKind, TaskKind, Train, Value};

impl Model {
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

    /// How the model is trained, with the defaults filled in: see [`Train::settings`].
    pub fn training(&self) -> Settings {
        self.train
            .as_ref()
            .map_or_else(|| Train::default().settings(), Train::settings)
    }
}

impl MetricKind {
    /// The metrics of a task, where none are declared.
    pub(crate) fn defaults(task: Option<&TaskKind>) -> Vec<Self> {
        match task {
            None => Vec::new(),
            Some(TaskKind::Regression) => vec![Self::Mae, Self::R2],
            Some(_) => vec![Self::Accuracy],
        }
    }
}
