//! Optimisers with one parameter group for each treatment of weights, and clipping by the global norm.

mod adam;
mod beside;
#[cfg(feature = "flex")]
mod one_pass;
mod own;
mod sgd;

pub use adam::Adam;
pub(crate) use beside::Beside;
#[cfg(feature = "flex")]
pub(crate) use beside::Lent;
pub use own::{ModelOptimizer, StepError};
pub use sgd::{Sgd, Velocity};

use crate::Spec;
use crate::regularize::{Regularised, Treatment};
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::optim::{
    AdaGradConfig, GradientsParams, LionConfig, ModuleOptimizer, Optimizer, RmsPropConfig,
};
use burn::tensor::Tensor;
use damper_ir::{OptimizerKind, Parameter, Value};

/// The optimizer of the description, for a loop of one's own: its algorithm, its rules on weights, its clip.
///
/// A training has it already; see [`ModelOptimizer`].
pub fn build(spec: &Spec) -> ModelOptimizer {
    ModelOptimizer::new(spec)
}

/// burn's optimizer with one parameter group, by exact paths below `prefix`, for each set of rules that act on weights.
///
/// What no rule reaches, and what the description does not know (the parameters of `custom` layers), is in the
/// first group: it takes plain steps. Decay is done by [`Regularised`], never by the algorithm, so `adam` and `adamw`
/// are one here. A step in one pass, if the algorithm has one, does besides what it is told. The clip by the global norm
/// and, under it, the penalties are the caller's.
pub(crate) fn build_with(spec: &Spec, prefix: &str, beside: &Beside) -> ModuleOptimizer {
    let settings = spec.training();
    let truth = |value: &Value| value.is_true().unwrap_or(false);
    match &settings.optimizer {
        OptimizerKind::Sgd {
            momentum,
            dampening,
            nesterov,
        } => grouped(
            (spec, prefix),
            &Sgd {
                momentum: momentum.number(),
                dampening: dampening.number(),
                nesterov: truth(nesterov),
            },
            |step| in_one_pass(step, beside),
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
        } => grouped(
            (spec, prefix),
            &Adam {
                beta1: beta1.number(),
                beta2: beta2.number(),
                epsilon: epsilon.number(),
                amsgrad: truth(amsgrad),
            },
            |step| in_one_pass(step, beside),
        ),
        OptimizerKind::RmsProp {
            alpha,
            momentum,
            epsilon,
            centered,
        } => grouped(
            (spec, prefix),
            &RmsPropConfig::new()
                .with_alpha(alpha.number() as f32)
                .with_momentum(momentum.number() as f32)
                .with_epsilon(epsilon.number() as f32)
                .with_centered(truth(centered))
                .build(),
            |step| step,
        ),
        OptimizerKind::Adagrad { lr_decay, epsilon } => grouped(
            (spec, prefix),
            &AdaGradConfig::new()
                .with_lr_decay(lr_decay.number())
                .with_epsilon(epsilon.number() as f32)
                .build(),
            |step| step,
        ),
        OptimizerKind::Lion { beta1, beta2 } => grouped(
            (spec, prefix),
            &LionConfig::new()
                .with_beta_1(beta1.number() as f32)
                .with_beta_2(beta2.number() as f32)
                .build(),
            |step| step,
        ),
    }
}

/// In one pass over the memory where it can be reached.
#[cfg(feature = "flex")]
fn in_one_pass<O: one_pass::InMemory>(
    step: Regularised<O>,
    beside: &Beside,
) -> one_pass::OnePass<O> {
    one_pass::OnePass {
        step,
        beside: beside.clone(),
    }
}

#[cfg(not(feature = "flex"))]
fn in_one_pass<O>(step: Regularised<O>, _: &Beside) -> Regularised<O> {
    step
}

/// One group for each distinct treatment; `wrap` may choose another way to take the same step.
fn grouped<O: Optimizer, W: Optimizer>(
    (spec, prefix): (&Spec, &str),
    optimizer: &O,
    wrap: impl Fn(Regularised<O>) -> W,
) -> ModuleOptimizer {
    let settings = spec.training();
    let clip_value = settings.clip_value;
    let plain = Treatment {
        clip_value,
        ..Treatment::default()
    };
    let mut groups: Vec<(Treatment, Vec<String>)> = Vec::new();
    for parameter in spec.parameters().into_iter().filter(Parameter::trained) {
        let treatment = Treatment {
            clip_value,
            ..Treatment::of(&parameter)
        };
        // The clip by the global norm has added them before: `regularize::add_penalties`.
        let treatment = match settings.clip_norm {
            Some(_) => treatment.without_penalties(),
            None => treatment,
        };
        if treatment == plain {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == treatment) {
            Some((_, paths)) => paths.push(below(prefix, parameter.path)),
            None => groups.push((treatment, vec![below(prefix, parameter.path)])),
        }
    }
    let regularised = |treatment| {
        wrap(Regularised {
            optimizer: optimizer.clone(),
            treatment,
        })
    };
    groups.into_iter().fold(
        ModuleOptimizer::from(regularised(plain)),
        |optimizer, (treatment, paths)| {
            optimizer.with_group(ParamGroup::from_paths(paths), regularised(treatment), None)
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

/// Scales all gradients of a model by one number, so that together, as one vector, they are no longer than
/// `max` (Pascanu et al., arXiv 1211.5063; PyTorch's `clip_grad_norm_`).
///
/// Penalties belong to the objective, so the training adds their gradients before it clips.
#[must_use]
pub fn clip_norm<M: Module>(model: &M, grads: GradientsParams, max: f64) -> GradientsParams {
    struct Squares<'a> {
        grads: &'a GradientsParams,
        total: Option<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.get::<D>(param.id) {
                let squares = grad.square().sum();
                self.total = Some(match self.total.take() {
                    Some(total) => total + squares,
                    None => squares,
                });
            }
        }
    }
    struct Scale {
        grads: GradientsParams,
        factor: Tensor<1>,
    }
    impl ModuleVisitor for Scale {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(grad) = self.grads.remove::<D>(param.id) {
                let factor = self.factor.clone().reshape([1; D]);
                self.grads.register(param.id, grad * factor);
            }
        }
    }
    let mut squares = Squares {
        grads: &grads,
        total: None,
    };
    model.visit(&mut squares);
    let Some(total) = squares.total else {
        return grads;
    };
    // One number on the device: nothing waits for it.
    let factor = total
        .sqrt()
        .add_scalar(1e-6)
        .recip()
        .mul_scalar(max)
        .clamp_max(1.0);
    let mut scale = Scale { grads, factor };
    model.visit(&mut scale);
    scale.grads
}

/// [`clip_norm`], in the step that the optimiser of [`build_with`] takes next where that is possible.
pub(crate) fn clip<M: Module>(
    model: &M,
    spec: &Spec,
    grads: GradientsParams,
    max: f64,
    beside: &Beside,
) -> GradientsParams {
    #[cfg(feature = "flex")]
    if clip_in_step(model, spec, &grads, max, beside).is_some() {
        return grads;
    }
    let _ = (spec, beside);
    clip_norm(model, grads, max)
}

/// As [`clip_norm`], where the step multiplies the gradients anyhow: they are read once, and the step is told by what.
/// `None`, with nothing changed, where a step does not look at it.
#[cfg(feature = "flex")]
fn clip_in_step<M: Module>(
    model: &M,
    spec: &Spec,
    grads: &GradientsParams,
    max: f64,
    beside: &Beside,
) -> Option<()> {
    struct Squares<'a> {
        grads: &'a GradientsParams,
        /// `None` where the memory of one cannot be reached.
        total: Option<f64>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let (Some(total), Some(grad)) = (self.total, self.grads.get::<D>(param.id)) else {
                return;
            };
            let grad = damper_flex::Input::of(grad).ok();
            let grad = grad.map(|grad| damper_flex::make_contiguous(grad.into_primitive()));
            let numbers = grad.as_ref().and_then(|grad| grad.as_slice::<f32>());
            self.total = numbers.map(|numbers| {
                total + f64::from(damper_kernels::optimizer::sum_of_squares(numbers))
            });
        }
    }
    let in_one_pass = matches!(
        spec.training().optimizer,
        OptimizerKind::Sgd { .. } | OptimizerKind::Adam { .. } | OptimizerKind::Adamw { .. }
    );
    if !in_one_pass {
        return None;
    }
    let mut squares = Squares {
        grads,
        total: Some(0.0),
    };
    model.visit(&mut squares);
    let scale = max / (squares.total?.sqrt() + 1e-6);
    // A norm that is no number reaches the weights, as it does in `clip_norm`.
    beside.multiply(if scale > 1.0 { 1.0 } else { scale as f32 });
    Some(())
}
