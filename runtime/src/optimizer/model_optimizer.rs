//! The optimizer of a custom training loop.

use super::{FusedStep, below, build_with};
use crate::Spec;
use crate::paths::{WeightVisitor, visit_weights};
use crate::regularize::{UpdateRules, add_penalties, penalized};
use burn::module::{Module, Param};
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::record::OptimizerRecord;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use std::collections::{HashMap, HashSet};

/// Takes the steps of a description in a custom training loop: decay, penalties, projections, `freeze`, and the clip.
///
/// The module may be the model, or hold it somewhere: a struct with an encoder and two heads. The rules reach the
/// model's parameters wherever they are; the others take plain steps. Each model with rules needs its own optimizer. What
/// belongs to the loss is not here: `activity` comes from
/// [`Pass::take_activity`](crate::Pass::take_activity).
///
/// ```
/// use damper::burn::optim::GradientsParams;
/// use damper::burn::tensor::Tensor;
/// use damper::{NetworkConfig, model, optimizer};
///
/// model! {
///     /// A line whose weights become zero where they are not needed.
///     pub Line
///     input x: [4]
///     layers { y: linear(1) with decay(l1 = 0.1); }
///     loss mse
///     train { optimizer: adamw(lr = 1e-2), clip(norm = 1.0) }
/// }
///
/// let device = damper::device()?.autodiff();
/// let mut model = LineConfig::new().init(&device)?;
/// let mut optimizer = optimizer::build(model.spec());
/// for _ in 0..10 {
///     let loss = model.forward(Tensor::ones([8, 4], &device)).square().mean();
///     let gradients = GradientsParams::from_grads(loss.backward(), &model);
///     model = optimizer.step(1e-2, model, gradients);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ModelOptimizer {
    spec: Spec,
    inner: ModuleOptimizer,
    /// How the steps of `inner` are taken.
    step: FusedStep,
    /// Where the model is in the module, once a step has found it; and what penalties reach there.
    found: Option<HashMap<String, UpdateRules>>,
}

/// Why an optimizer cannot take a step.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The module does not hold the model: none of its rules would act.
    #[error(
        "the optimizer of `{model}` does not find `{missing}` in this module, whose parameters are {}\nhelp: give it `{model}`, or a module that has it as a field",
        shown(.found)
    )]
    Missing {
        /// The model's name.
        model: String,
        /// The first parameter that is not there.
        missing: String,
        /// The parameters that are.
        found: Vec<String>,
    },
    /// The module holds the model more than once: which one the rules act on is not known.
    #[error("the optimizer of `{model}` finds it more than once in this module: {}\nhelp: an optimizer for each, and a step for each", shown(.places))]
    Several {
        /// The model's name.
        model: String,
        /// Where it is.
        places: Vec<String>,
    },
}

fn shown(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut text: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > SHOWN {
        text.push(format!("and {} more", names.len() - SHOWN));
    }
    text.join(", ")
}

impl ModelOptimizer {
    pub(super) fn new(spec: &Spec) -> Self {
        let (inner, step) = build_with(spec, "");
        Self {
            spec: spec.clone(),
            inner,
            step,
            found: None,
        }
    }

    /// Takes a step with this learning rate.
    ///
    /// # Panics
    ///
    /// If the module does not hold the model that the optimizer was built for, which [`Self::try_step`] says as an error.
    #[must_use]
    pub fn step<M: Module>(
        &mut self,
        learning_rate: impl Into<ModuleLearningRate>,
        module: M,
        gradients: GradientsParams,
    ) -> M {
        match self.try_step(learning_rate, module, gradients) {
            Ok(module) => module,
            Err(error) => panic!("{error}"),
        }
    }

    /// Takes a step with this learning rate.
    ///
    /// # Errors
    ///
    /// [`StepError`] if the module does not hold the model that the optimizer was built for, at the first step.
    pub fn try_step<M: Module>(
        &mut self,
        learning_rate: impl Into<ModuleLearningRate>,
        module: M,
        gradients: GradientsParams,
    ) -> Result<M, StepError> {
        let penalized = match self.found.take() {
            Some(penalized) => penalized,
            None => self.find(&module)?,
        };
        let max_norm = self.spec.training().clip_norm;
        let gradients = match max_norm {
            Some(_) => add_penalties(&module, gradients, &penalized),
            None => gradients,
        };
        self.found = Some(penalized);
        let learning_rate = learning_rate.into();
        Ok(self
            .step
            .step(&mut self.inner, learning_rate, module, gradients, max_norm))
    }

    /// Finds the model in the module, and puts the groups there.
    fn find<M: Module>(&mut self, module: &M) -> Result<HashMap<String, UpdateRules>, StepError> {
        let paths = paths(module);
        let wanted: Vec<String> = self
            .spec
            .parameters()
            .iter()
            .filter(|parameter| parameter.trained())
            .map(|parameter| parameter.path.clone())
            .collect();
        let place = self.place(&paths, &wanted)?;
        if !place.is_empty() {
            let record = self.inner.to_record();
            let (inner, step) = build_with(&self.spec, &place);
            self.inner = inner.load_record(record);
            self.step = step;
        }
        let penalized = penalized(&self.spec).into_iter();
        Ok(penalized
            .map(|(path, rules)| (below(&place, path), rules))
            .collect())
    }

    /// What the paths of the description begin with in the module.
    fn place(&self, paths: &[String], wanted: &[String]) -> Result<String, StepError> {
        let all: HashSet<&str> = paths.iter().map(String::as_str).collect();
        let Some(first) = wanted.first() else {
            return Ok(String::new());
        };
        let missing = |place: &str| {
            wanted
                .iter()
                .find(|path| !all.contains(below(place, (*path).clone()).as_str()))
        };
        if missing("").is_none() {
            return Ok(String::new());
        }
        let ends = |path: &String| {
            Some(
                path.strip_suffix(first.as_str())?
                    .strip_suffix('.')?
                    .to_owned(),
            )
        };
        let mut places: Vec<String> = paths.iter().filter_map(ends).collect();
        places.retain(|place| missing(place).is_none());
        let model = self.spec.model().name.clone();
        match places.len() {
            1 => Ok(places.remove(0)),
            0 => Err(StepError::Missing {
                model,
                missing: missing("").unwrap_or(first).clone(),
                found: paths.to_vec(),
            }),
            _ => Err(StepError::Several { model, places }),
        }
    }

    /// What the steps have gathered, to go on later.
    pub fn to_record(&self) -> OptimizerRecord {
        self.inner.to_record()
    }

    /// Goes on from what other steps gathered.
    #[must_use]
    pub fn load_record(mut self, record: OptimizerRecord) -> Self {
        self.inner = self.inner.load_record(record);
        self
    }
}

impl std::fmt::Debug for ModelOptimizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ModelOptimizer").field(&self.spec).finish()
    }
}

/// The path of every parameter of numbers.
fn paths<M: Module>(module: &M) -> Vec<String> {
    struct Paths(Vec<String>);
    impl WeightVisitor for Paths {
        fn visit<const D: usize>(&mut self, path: &str, _: &Param<Tensor<D>>) {
            self.0.push(path.to_owned());
        }
    }
    let mut paths = Paths(Vec::new());
    visit_weights(module, &mut paths);
    paths.0
}
