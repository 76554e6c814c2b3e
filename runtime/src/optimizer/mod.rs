//! Optimisers with one parameter group for each treatment of weights, and clipping by the global norm.

mod adam;
#[cfg(feature = "flex")]
mod one_pass;

pub use adam::Adam;
#[cfg(feature = "flex")]
use one_pass::OnePass;

use crate::Spec;
use crate::regularize::{Regularised, Treatment};
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, GradientsParams, LionConfig, ModuleOptimizer, Optimizer, RmsPropConfig,
    SgdConfig,
};
use burn::tensor::Tensor;
use damper_spec::{Algorithm, Parameter};

/// The optimiser of the description: its algorithm, and one parameter group, by exact paths, for each set of
/// rules that act on weights.
///
/// What no rule reaches, and what the description does not know (the parameters of `custom` layers), is in the
/// first group: it takes plain steps. Decay is done by [`Regularised`], never by the algorithm, so `adam` and `adamw`
/// are one here.
pub fn build(spec: &Spec) -> ModuleOptimizer {
    let settings = spec.training();
    match settings.algorithm {
        Algorithm::Sgd {
            momentum,
            dampening,
            nesterov,
        } => {
            let momentum = (momentum != 0.0).then(|| {
                MomentumConfig::new()
                    .with_momentum(momentum)
                    .with_dampening(dampening)
                    .with_nesterov(nesterov)
            });
            grouped(
                spec,
                &SgdConfig::new().with_momentum(momentum).build(),
                |step| step,
            )
        }
        Algorithm::Adam {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        }
        | Algorithm::Adamw {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        } => grouped(
            spec,
            &Adam {
                beta1,
                beta2,
                epsilon,
                amsgrad,
            },
            in_one_pass,
        ),
        Algorithm::RmsProp {
            alpha,
            momentum,
            epsilon,
            centered,
        } => grouped(
            spec,
            &RmsPropConfig::new()
                .with_alpha(alpha as f32)
                .with_momentum(momentum as f32)
                .with_epsilon(epsilon as f32)
                .with_centered(centered)
                .build(),
            |step| step,
        ),
        Algorithm::Adagrad { lr_decay, epsilon } => grouped(
            spec,
            &AdaGradConfig::new()
                .with_lr_decay(lr_decay)
                .with_epsilon(epsilon as f32)
                .build(),
            |step| step,
        ),
        Algorithm::Lion { beta1, beta2 } => grouped(
            spec,
            &LionConfig::new()
                .with_beta_1(beta1 as f32)
                .with_beta_2(beta2 as f32)
                .build(),
            |step| step,
        ),
    }
}

/// In one pass over the memory where it can be reached.
#[cfg(feature = "flex")]
fn in_one_pass(step: Regularised<Adam>) -> OnePass {
    OnePass(step)
}

#[cfg(not(feature = "flex"))]
fn in_one_pass(step: Regularised<Adam>) -> Regularised<Adam> {
    step
}

/// One group for each distinct treatment; `wrap` may choose another way to take the same step.
fn grouped<O: Optimizer, W: Optimizer>(
    spec: &Spec,
    optimizer: &O,
    wrap: fn(Regularised<O>) -> W,
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
            Some((_, paths)) => paths.push(parameter.path),
            None => groups.push((treatment, vec![parameter.path])),
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
