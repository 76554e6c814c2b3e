//! For training loops of your own: the optimizer of a description with its rules on weights ([`build`]), and averages of
//! weights ([`Average`]).

mod adam;
mod average;
mod clip;
#[cfg(feature = "flex")]
mod fused;
mod fused_step;
mod model_optimizer;
mod muon;
mod sgd;
mod step;
#[cfg(not(feature = "flex"))]
mod unfused;

#[cfg(not(feature = "flex"))]
use unfused as fused;

#[doc(hidden)]
pub use adam::Adam;
pub use average::Average;
#[doc(hidden)]
pub use clip::clip_norm;
pub(crate) use fused_step::FusedStep;
pub use model_optimizer::{ModelOptimizer, StepError};
#[doc(hidden)]
pub use sgd::{Sgd, Velocity};

use crate::Spec;
use crate::regularize::{Regularized, UpdateRules};
use burn::module::ParamGroup;
use burn::optim::{AdaGradConfig, LionConfig, ModuleOptimizer, Optimizer, RmsPropConfig};
use damper_ir::{OptimizerKind, Parameter, Value};

/// The optimizer of the description, for a custom training loop: its algorithm, its rules on weights, its clip.
///
/// A training has it already; see [`ModelOptimizer`].
pub fn build(spec: &Spec) -> ModelOptimizer {
    ModelOptimizer::new(spec)
}

/// burn's optimizer with one parameter group, by exact paths below `prefix`, for each set of rules that act on weights;
/// and how its steps are taken.
///
/// What no rule reaches, and what the description does not know (the parameters of `custom` layers), is in the
/// first group: it takes plain steps. Decay is done by [`Regularized`], never by the algorithm, so `adam` and `adamw`
/// are one here. With a clip by the global norm the caller adds the penalties' gradients first.
pub(crate) fn build_with(spec: &Spec, prefix: &str) -> (ModuleOptimizer, FusedStep) {
    let place = (spec, prefix);
    let truth = |value: &Value| value.is_true().unwrap_or(false);
    match &spec.training().optimizer {
        OptimizerKind::Sgd {
            momentum,
            dampening,
            nesterov,
        } => with_fused_steps(
            place,
            &Sgd {
                momentum: momentum.number(),
                dampening: dampening.number(),
                nesterov: truth(nesterov),
            },
        ),
        OptimizerKind::Adam {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        }
        | OptimizerKind::Adamw {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        } => with_fused_steps(
            place,
            &Adam {
                beta1: beta1.number(),
                beta2: beta2.number(),
                epsilon: epsilon.number(),
                amsgrad: truth(amsgrad),
            },
        ),
        OptimizerKind::Muon {
            momentum,
            nesterov,
            beta1,
            beta2,
            epsilon,
        } => muon::build(
            place,
            momentum.number(),
            truth(nesterov),
            &Adam {
                beta1: beta1.number(),
                beta2: beta2.number(),
                epsilon: epsilon.number(),
                amsgrad: false,
            },
        ),
        OptimizerKind::RmsProp {
            alpha,
            momentum,
            epsilon,
            centered,
        } => with_burn_steps(
            place,
            &RmsPropConfig::new()
                .with_alpha(alpha.number() as f32)
                .with_momentum(momentum.number() as f32)
                .with_epsilon(epsilon.number() as f32)
                .with_centered(truth(centered))
                .build(),
        ),
        OptimizerKind::Adagrad { lr_decay, epsilon } => with_burn_steps(
            place,
            &AdaGradConfig::new()
                .with_lr_decay(lr_decay.number())
                .with_epsilon(epsilon.number() as f32)
                .build(),
        ),
        OptimizerKind::Lion { beta1, beta2 } => with_burn_steps(
            place,
            &LionConfig::new()
                .with_beta_1(beta1.number() as f32)
                .with_beta_2(beta2.number() as f32)
                .build(),
        ),
    }
}

/// A description, and the path of its model in the module whose parameters are stepped.
type Place<'a> = (&'a Spec, &'a str);

/// Fused steps, where the backend allows them. All of them share the state that is returned.
fn with_fused_steps<O: fused::Fusable>(
    place: Place<'_>,
    optimizer: &O,
) -> (ModuleOptimizer, FusedStep) {
    let step = fused::new_step();
    let optimizer = grouped(place, optimizer, |rules| fused::wrap(rules, &step));
    (optimizer, step)
}

/// Steps as tensor operations.
fn with_burn_steps<O: Optimizer>(place: Place<'_>, optimizer: &O) -> (ModuleOptimizer, FusedStep) {
    (
        grouped(place, optimizer, |rules| rules),
        FusedStep::unfused(),
    )
}

/// One group for each distinct set of rules; `wrap` may choose another way to take the same step.
fn grouped<O: Optimizer, W: Optimizer>(
    place: Place<'_>,
    optimizer: &O,
    wrap: impl Fn(Regularized<O>) -> W,
) -> ModuleOptimizer {
    fold_groups(place, optimizer, optimizer, |_| false, &wrap, &wrap)
}

/// One group for each distinct set of rules, with another optimizer for some parameters.
fn fold_groups<O: Optimizer, P: Optimizer, W: Optimizer, V: Optimizer>(
    (spec, prefix): Place<'_>,
    optimizer: &O,
    other: &P,
    takes_other: impl Fn(&Parameter) -> bool,
    wrap: impl Fn(Regularized<O>) -> W,
    wrap_other: impl Fn(Regularized<P>) -> V,
) -> ModuleOptimizer {
    let settings = spec.training();
    let clip_value = settings.clip_value;
    let plain = UpdateRules {
        clip_value,
        ..UpdateRules::default()
    };
    let mut groups: Vec<((UpdateRules, bool), Vec<String>)> = Vec::new();
    let trained = spec
        .parameters()
        .iter()
        .filter(|parameter| parameter.trained());
    for parameter in trained {
        let rules = UpdateRules {
            clip_value,
            ..UpdateRules::of(parameter)
        };
        // The clip by the global norm has added them before: `regularize::add_penalties`.
        let rules = match settings.clip_norm {
            Some(_) => rules.without_penalties(),
            None => rules,
        };
        let key = (rules, takes_other(parameter));
        if key == (plain, false) {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, paths)) => paths.push(below(prefix, parameter.path.clone())),
            None => groups.push((key, vec![below(prefix, parameter.path.clone())])),
        }
    }
    let step = |rules| {
        wrap(Regularized {
            optimizer: optimizer.clone(),
            rules,
        })
    };
    let other_step = |rules| {
        wrap_other(Regularized {
            optimizer: other.clone(),
            rules,
        })
    };
    groups.into_iter().fold(
        ModuleOptimizer::from(step(plain)),
        |optimizer, ((rules, is_other), paths)| {
            let group = ParamGroup::from_paths(paths);
            if is_other {
                optimizer.with_group(group, other_step(rules), None)
            } else {
                optimizer.with_group(group, step(rules), None)
            }
        },
    )
}

/// A path of the description in a module that holds the model as `prefix`.
fn below(prefix: &str, path: String) -> String {
    if prefix.is_empty() {
        path
    } else {
        format!("{prefix}.{path}")
    }
}
