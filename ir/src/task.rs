//! What a model is for, and the metrics that suit it.

use crate::words::{call, words};
use crate::{Id, LintLevel, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The `task` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Where it is written.
    #[serde(skip)]
    pub id: Id,
    /// Which task.
    pub kind: TaskKind,
    /// Lint levels on the section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

words! {
    /// What the model is for.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum TaskKind;

    /// One yes/no answer: one unit, `loss binary_cross_entropy`.
    binary = Binary;

    /// One of several classes: a unit for each, `loss cross_entropy`.
    multiclass(classes) = Multiclass(
        /// How many classes there are; each sample has one.
        classes: Value = required(Kind::Size)
    );

    /// Independent yes/no answers: a unit for each, `loss binary_cross_entropy`.
    multilabel(labels) = Multilabel(
        /// How many labels there are, each of them yes or no.
        labels: Value = required(Kind::Size)
    );

    /// Numbers.
    regression = Regression;
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&call(self.word(), &self.written()))
    }
}
