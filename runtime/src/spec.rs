//! `Spec`, the checked description of a model.

use crate::data::Schema;
use damper_ir::{
    Checked, Finding, Inferred, Level, MetricKind, Model, Parameter, Settings, Summary, TaskKind,
};
use std::fmt;
use std::sync::Arc;

/// A value that generated code passes for a hole of the description.
#[derive(Clone, Debug)]
pub enum Filling {
    /// A number.
    Number(f64),
    /// The description of a nested model.
    Model(Spec),
}

/// Typed constructors: a value of the wrong type is a compile error at the user's expression.
impl Filling {
    /// A size.
    pub fn size(value: usize) -> Self {
        Self::Number(value as f64)
    }

    /// A rate or a strength.
    pub fn float(value: f64) -> Self {
        Self::Number(value)
    }

    /// A switch.
    pub fn truth(value: bool) -> Self {
        Self::Number(f64::from(u8::from(value)))
    }
}

impl From<Spec> for Filling {
    fn from(spec: Spec) -> Self {
        Self::Model(spec)
    }
}

/// The checked description of a model: its layers with their shapes, its loss, its training.
///
/// The spec of a trained model also has the columns and classes of its training data: see [`Spec::schema`]. Two specs are
/// equal if their models are equal, whatever the training data.
///
/// Cheap to clone. `Display` prints the summary table.
#[derive(Clone)]
pub struct Spec {
    checked: Arc<Checked>,
    schema: Option<Arc<Schema>>,
}

/// Why a model cannot be built from a configuration. The rules are those that the compiler checks on the defaults.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The rules that the values break.
    #[error("{}", Broken(.model, .findings))]
    Broken {
        /// The model's name.
        model: String,
        /// The findings, errors first.
        findings: Vec<Finding>,
    },
    /// The description that the macro wrote cannot be read: the macro and `damper` have different versions.
    #[error(
        "the description of this model cannot be read: {0}; build `damper` and its macro from one version"
    )]
    Unreadable(String),
    /// The result of an arithmetic expression is not a valid size.
    #[error("`{expression}` is not a size")]
    Arithmetic {
        /// The expression with its values.
        expression: String,
    },
    /// There is not enough memory for the parameters.
    #[error("`{model}` cannot be built: its parameters take {} GiB, more memory than is available", .bytes / (1 << 30))]
    TooLarge {
        /// The model's name.
        model: String,
        /// The bytes of all parameters.
        bytes: u128,
    },
    /// Generated code asks for a layer that the description does not have.
    #[error("layer `{path}` is not {wanted} in the description of `{model}`")]
    Layer {
        /// The model's name.
        model: String,
        /// The layer's path.
        path: String,
        /// The kind of layer that was asked for.
        wanted: &'static str,
    },
}

/// The findings as text, one paragraph each.
struct Broken<'a>(&'a str, &'a [Finding]);

impl fmt::Display for Broken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be built with these values:", self.0)?;
        for finding in self.1 {
            write!(f, "\n{finding}")?;
        }
        Ok(())
    }
}

impl Spec {
    /// Reads the description that the macro wrote, fills its holes and checks it.
    ///
    /// # Errors
    ///
    /// [`SpecError::Broken`] if the filled values break a rule that is an error.
    #[doc(hidden)]
    pub fn fill(description: &str, fillings: &[Filling]) -> Result<Self, SpecError> {
        let unreadable = |error: serde_json::Error| SpecError::Unreadable(error.to_string());
        let mut json: serde_json::Value = serde_json::from_str(description).map_err(unreadable)?;
        let mut broken = Vec::new();
        fill(&mut json, fillings, &mut broken).map_err(SpecError::Unreadable)?;
        if !broken.is_empty() {
            return Err(not_finite(&json, broken));
        }
        Self::check(serde_json::from_value(json).map_err(unreadable)?)
    }

    /// Checks a description.
    ///
    /// # Errors
    ///
    /// [`SpecError::Broken`] if it breaks a rule that is an error.
    pub fn check(mut model: Model) -> Result<Self, SpecError> {
        model.resolve();
        let checked = Checked::new(model);
        let mut findings = checked.findings().to_vec();
        if findings.iter().any(|finding| finding.level == Level::Deny) {
            findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
            return Err(SpecError::Broken {
                model: checked.model().name.clone(),
                findings,
            });
        }
        Ok(Self {
            checked: Arc::new(checked),
            schema: None,
        })
    }

    /// The description itself.
    pub fn model(&self) -> &Model {
        self.checked.model()
    }

    /// The shape of every value.
    pub fn shapes(&self) -> &Inferred {
        self.checked.shapes()
    }

    /// The warnings of the lints.
    pub fn warnings(&self) -> &[Finding] {
        self.checked.findings()
    }

    /// All parameters with path, role, shape and the rules that act on them.
    pub fn parameters(&self) -> &[Parameter] {
        self.checked.parameters()
    }

    /// The task: the declared one, else what follows from the loss and the head.
    pub fn task(&self) -> Option<&TaskKind> {
        self.checked.task()
    }

    /// The summary table of layers.
    pub fn summary(&self) -> Summary {
        self.checked.summary()
    }

    /// The settings of the `train` section, defaults included.
    pub fn training(&self) -> Settings {
        self.checked.model().training()
    }

    /// The metrics that training and [`Network::evaluate`](crate::Network::evaluate) compute, in the order of
    /// [`Measures::metrics`](crate::Measures): the declared ones, and the one that early stopping watches.
    pub fn metrics(&self) -> Vec<MetricKind> {
        let mut metrics = self.checked.metrics();
        let watched = self.training().early_stop.and_then(|rule| rule.metric);
        if let Some(watched) = watched.filter(|watched| !metrics.contains(watched)) {
            metrics.push(watched);
        }
        metrics
    }

    /// The columns and classes of the training data. `None` before training, and if the weights come from elsewhere, as
    /// from PyTorch: data are then matched with the model by position only.
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_deref()
    }

    /// Sets or removes the columns and classes that data are matched with.
    ///
    /// Training and loading call it. Call it yourself if you know the columns of weights from elsewhere:
    /// `model.spec_mut().set_schema(data.schema())`.
    pub fn set_schema(&mut self, schema: impl Into<Option<Schema>>) {
        self.schema = schema.into().map(Arc::new);
    }

    /// The description as JSON, as it is saved with the weights.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self.checked.model())
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.checked, &other.checked) || self.checked.model() == other.checked.model()
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spec")
            .field(&self.checked.model().name)
            .finish()
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

/// A number that is not finite, and the keys of the description on the way to it, innermost first.
struct NotFinite {
    number: f64,
    keys: Vec<String>,
}

/// Replaces each hole `{"$": place}` by its value. Numbers that are not finite go to `broken`, because JSON cannot hold
/// them. (An infinite bound of a domain is allowed: there is no bound then.)
fn fill(
    json: &mut serde_json::Value,
    fillings: &[Filling],
    broken: &mut Vec<NotFinite>,
) -> Result<(), String> {
    use serde_json::Value as Json;
    let mut inside = |key: &dyn Fn() -> String, value: &mut Json| {
        let first = broken.len();
        fill(value, fillings, broken)?;
        if broken.len() > first {
            let key = key();
            if key == "domain" {
                broken.truncate(first);
            }
            for found in &mut broken[first..] {
                found.keys.push(key.clone());
            }
        }
        Ok(())
    };
    match json {
        Json::Object(map) if map.len() == 1 && map.contains_key("$") => {
            let place = map.get("$").and_then(Json::as_u64).unwrap_or(u64::MAX);
            let filling = usize::try_from(place)
                .ok()
                .and_then(|place| fillings.get(place));
            *json = match filling {
                Some(Filling::Number(number)) => {
                    let held = damper_ir::is_held(*number);
                    let finite = serde_json::Number::from_f64(*number).filter(|_| held);
                    if finite.is_none() {
                        broken.push(NotFinite {
                            number: *number,
                            keys: Vec::new(),
                        });
                    }
                    finite.map_or(Json::Null, Json::Number)
                }
                Some(Filling::Model(spec)) => {
                    serde_json::to_value(spec.model()).map_err(|e| e.to_string())?
                }
                None => return Err(format!("it has no value number {place}")),
            };
            Ok(())
        }
        Json::Object(map) => map
            .iter_mut()
            .try_for_each(|(key, value)| inside(&|| key.clone(), value)),
        Json::Array(list) => list
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, value)| inside(&|| index.to_string(), value)),
        _ => Ok(()),
    }
}

/// The error for these numbers. If a hyper-parameter is among them, numbers that follow from it are not reported.
fn not_finite(json: &serde_json::Value, broken: Vec<NotFinite>) -> SpecError {
    let name = |value: &serde_json::Value| {
        let name = value.get("name").and_then(serde_json::Value::as_str);
        name.unwrap_or_default().to_owned()
    };
    let find = |keys: &[String]| {
        let [.., index, section] = keys else {
            return None;
        };
        json.get(section)?
            .get(index.parse::<usize>().ok()?)
            .map(name)
    };
    let of_hyper = |found: &NotFinite| found.keys.last().is_some_and(|key| key == "hyper");
    let any_hyper = broken.iter().any(of_hyper);
    let findings = broken
        .into_iter()
        .filter(|found| of_hyper(found) || !any_hyper)
        .map(|found| {
            let name = find(&found.keys).unwrap_or_default();
            let what = if any_hyper {
                format!("`{name}`")
            } else {
                let words = found
                    .keys
                    .iter()
                    .filter(|key| key.parse::<usize>().is_err());
                format!(
                    "`{}`",
                    words.take(2).cloned().collect::<Vec<_>>().join("` of `")
                )
            };
            let number = found.number;
            let mut finding =
                Finding::error(damper_ir::Id::NONE, damper_ir::not_held(&what, number));
            if !any_hyper && found.keys.last().is_some_and(|key| key == "layers") {
                finding.place = format!("layer `{name}`");
            }
            finding
        })
        .collect();
    SpecError::Broken {
        model: name(json),
        findings,
    }
}
