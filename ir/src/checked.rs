//! A declaration with what follows from it, each worked out once.

use std::collections::HashSet;

use crate::{
    Counts, Finding, Id, Inferred, MetricKind, Model, Parameter, Summary, TaskKind, counts,
    parameters, summary,
};

/// A declaration with everything that follows from it: shapes, parameters, task, findings.
///
/// ```
/// use damper_ir::{Checked, Model};
///
/// let model: Model = serde_json::from_str(
///     r#"{"name": "Net", "inputs": [{"name": "image", "shape": [8, 8]}],
///         "layers": [{"name": "flat", "ops": [{"id": 1, "kind": {"flatten": null}}]}]}"#,
/// )
/// .unwrap_or_default();
/// let checked = Checked::new(model);
/// assert_eq!(checked.findings(), []);
/// assert_eq!(checked.shapes().output().map(ToString::to_string), Some("[64]".to_owned()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Checked {
    model: Model,
    shapes: Inferred,
    parameters: Vec<Parameter>,
    task: Option<TaskKind>,
    findings: Vec<Finding>,
}

/// The findings about what was made of a block at what was written. The first use speaks for all of them.
fn located(model: &Model, findings: Vec<Finding>) -> Vec<Finding> {
    if model.origins.is_empty() {
        return findings;
    }
    let root = |mut id: Id| {
        while let Some(of) = model.origins.get(&id) {
            id = *of;
        }
        id
    };
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for mut finding in findings {
        let made = model.origins.contains_key(&finding.at);
        finding.at = root(finding.at);
        if let Some((other, _)) = &mut finding.other {
            *other = root(*other);
        }
        if !made || seen.insert((finding.at, finding.lint)) {
            kept.push(finding);
        }
    }
    kept
}

impl Checked {
    /// Works out what follows from a declaration.
    pub fn new(model: Model) -> Self {
        Self::with_findings(model, Vec::new())
    }

    /// The same, with findings that a front end has of its own; their levels are those of the model.
    pub fn with_findings(model: Model, own: Vec<Finding>) -> Self {
        let shapes = model.infer();
        Self {
            parameters: parameters::of(&model, &shapes),
            task: model.task_of_units(shapes.output_units()),
            findings: located(&model, model.findings(&shapes, own)),
            shapes,
            model,
        }
    }

    /// The declaration.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The shape of every value.
    pub fn shapes(&self) -> &Inferred {
        &self.shapes
    }

    /// Every parameter, in the order of the module's fields, with what acts on it.
    ///
    /// All copies of a `repeat` and the parameters of nested models are listed. `decay` and penalties reach
    /// weight matrices only, unless `on all` says so. `weight_decay` of `adamw` and `lion` is a default
    /// `decay(l2 = x)`: a weight with a `decay` of its own has that one instead, not both. The parameters of a
    /// `custom` module are not known here. A `repeat` whose count is not known is listed once.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The task: the declared one, else what follows from the loss and the head.
    ///
    /// `cross_entropy` gives `multiclass(units)`; `binary_cross_entropy` and `dice` give `binary` for one unit,
    /// else `multilabel(units)`; every other loss gives `regression`. `None` without a loss and a task.
    pub fn task(&self) -> Option<&TaskKind> {
        self.task.as_ref()
    }

    /// The declared metrics; else accuracy for a classifier, mean absolute error and R2 for a regression, and
    /// none without a loss.
    pub fn metrics(&self) -> Vec<MetricKind> {
        if self.model.metrics.is_empty() {
            MetricKind::defaults(self.task())
        } else {
            let metrics = self.model.metrics.iter();
            metrics.map(|metric| metric.kind).collect()
        }
    }

    /// What does not fit and, if everything fits, what the lints say, at the levels that the attributes ask for; in the
    /// order of the source.
    ///
    /// The innermost attribute wins: annotation, statement, block, section, model, then the crate's `Cargo.toml`; on one
    /// thing a lint's own name wins over a group, then the later one. An unknown name is an error, an `#[expect(..)]`
    /// without its finding a warning.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The table of the model's layers.
    pub fn summary(&self) -> Summary {
        summary::of(&self.model, &self.shapes)
    }

    /// The sizes of the whole model, all copies of every `repeat` included.
    pub fn counts(&self) -> Counts {
        counts::of_block(&self.model.layers, &self.shapes, 0)
    }

    /// The sizes of one operation (a block with all that is inside); `None` if there is no such operation.
    pub fn counts_of(&self, op: Id) -> Option<Counts> {
        let mut found = None;
        crate::walk::each_op(&self.model.layers, &mut |_, other| {
            if other.id == op {
                found = Some(counts::of(other, &self.shapes, 0));
            }
        });
        found
    }
}
