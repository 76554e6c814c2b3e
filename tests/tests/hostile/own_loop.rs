//! Loops of one's own: every rule on weights acts, in the model and in a module that holds it, or it is an error.

use crate::common::{device, noise};
use damper::burn;
use damper::burn::module::Module;
use damper::burn::optim::GradientsParams;
use damper::burn::tensor::{Device, Tensor};
use damper::optimizer::{self, StepError};

mod models {
    use damper::prelude::*;
    model! { #[allow(l2_penalty_under_adaptive_optimizer, l1_penalty_leaves_no_zeros, reason = "it is what is tried")] pub Penalized input x: [8] layers { a: linear(16) -> relu with penalty(l1 = 1.0); o: linear(1); } loss mse train { optimizer: adamw(lr = 1e-2) } }
    model! { #[allow(l2_penalty_under_adaptive_optimizer, l1_penalty_leaves_no_zeros, reason = "it is what is tried")] pub Clipped input x: [8] layers { a: linear(16) -> relu with penalty(l1 = 1.0); o: linear(1); } loss mse train { optimizer: adamw(lr = 1e-2), clip(norm = 1.0) } }
    model! { #[allow(unusual_value, reason = "it is what is tried")] pub Short input x: [8] layers { a: linear(16) -> relu; o: linear(1); } loss mse train { optimizer: sgd(lr = 1.0), clip(norm = 1e-3) } }
    model! { pub Sparse input x: [8] layers { a: linear(16) -> relu with decay(l1 = 0.5); o: linear(1); } loss mse train { optimizer: adamw(lr = 1e-2) } }
    model! { pub Head input h: [1] layers { o: linear(1); } loss mse }
}
use models::*;

fn data(device: &Device) -> (Tensor<2>, Tensor<2>) {
    let x = Tensor::<1>::from_floats(noise(32 * 8, 3).as_slice(), device).reshape([32, 8]);
    let y = x.clone().narrow(1, 0, 1);
    (x, y)
}

/// The weights of the first layer after 100 steps, in a loop as a user writes it.
macro_rules! trained {
    ($config:ident, $steps:expr) => {{
        let device = device().autodiff();
        let mut model = $config::new().init(&device).unwrap();
        let before: Vec<f32> = model.a.weight.val().into_data().iter().collect();
        let mut optimizer = optimizer::build(model.spec());
        let (x, y) = data(&device);
        for _ in 0..$steps {
            let loss = (model.forward(x.clone()) - y.clone()).square().mean();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(model.spec().training().learning_rate, model, gradients);
        }
        let after: Vec<f32> = model.a.weight.val().into_data().iter().collect();
        (before, after)
    }};
}

fn mean(weights: &[f32]) -> f32 {
    weights.iter().map(|w| w.abs()).sum::<f32>() / weights.len() as f32
}

#[test]
fn a_penalty_acts_with_and_without_a_clip() {
    let (before, after) = trained!(PenalizedConfig, 100);
    assert!(
        mean(&after) < 0.3 * mean(&before),
        "{} to {}",
        mean(&before),
        mean(&after)
    );
    let (before, after) = trained!(ClippedConfig, 100);
    assert!(
        mean(&after) < 0.3 * mean(&before),
        "{} to {}",
        mean(&before),
        mean(&after)
    );
}

#[test]
fn a_clip_shortens_the_step() {
    let (before, after) = trained!(ShortConfig, 1);
    let length = before
        .iter()
        .zip(&after)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f32>()
        .sqrt();
    assert!(length > 0.0 && length <= 1.01e-3, "{length}");
}

#[derive(Module, Debug)]
struct Both {
    encoder: Sparse,
    head: Head,
}

#[derive(Module, Debug)]
struct Twice {
    first: Sparse,
    second: Sparse,
}

#[test]
fn rules_reach_a_model_inside_of_another_module() {
    let device = device().autodiff();
    let mut both = Both {
        encoder: SparseConfig::new().init(&device).unwrap(),
        head: HeadConfig::new().init(&device).unwrap(),
    };
    let mut optimizer = optimizer::build(both.encoder.spec());
    let (x, y) = data(&device);
    let head = |both: &Both| both.head.o.weight.val().into_data().iter::<f32>().next();
    let before = head(&both);
    for _ in 0..100 {
        let output = both.head.forward(both.encoder.forward(x.clone()));
        let loss = (output - y.clone()).square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &both);
        both = optimizer.step(1e-2, both, gradients);
    }
    let weights: Vec<f32> = both.encoder.a.weight.val().into_data().iter().collect();
    let zeros = weights.iter().filter(|w| **w == 0.0).count();
    assert!(zeros > 64, "{zeros} of {}", weights.len());
    assert_ne!(before, head(&both), "what is beside it learns too");
}

#[test]
fn a_module_without_the_model_or_with_two_is_an_error() {
    let device = device().autodiff();
    let sparse = || SparseConfig::new().init(&device).unwrap();
    let head = HeadConfig::new().init(&device).unwrap();
    let mut optimizer = optimizer::build(sparse().spec());
    let error = optimizer
        .try_step(1e-2, head, GradientsParams::new())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the optimizer of `Sparse` does not find `a.weight` in this module, whose parameters are `o.weight`, `o.bias`\n\
         help: give it `Sparse`, or a module that has it as a field"
    );
    let twice = Twice {
        first: sparse(),
        second: sparse(),
    };
    let error = optimizer
        .try_step(1e-2, twice, GradientsParams::new())
        .unwrap_err();
    assert!(
        matches!(&error, StepError::Several { places, .. } if *places == ["first", "second"]),
        "{error}"
    );
}

#[test]
fn steps_go_on_from_a_record_inside_of_another_module() {
    let device = device().autodiff();
    let both = Both {
        encoder: SparseConfig::new().init(&device).unwrap(),
        head: HeadConfig::new().init(&device).unwrap(),
    };
    let (x, y) = data(&device);
    let gradients = |both: &Both| {
        let output = both.head.forward(both.encoder.forward(x.clone()));
        GradientsParams::from_grads((output - y.clone()).square().mean().backward(), both)
    };
    let mut first = optimizer::build(both.encoder.spec());
    let given = gradients(&both);
    let both = first.step(0.05, both, given);
    let mut second = optimizer::build(both.encoder.spec()).load_record(first.to_record());
    let (one, other) = (gradients(&both), gradients(&both));
    let continued = second.step(0.05, both.clone(), one);
    let wanted = first.step(0.05, both, other);
    let numbers = |both: &Both| {
        both.encoder
            .a
            .weight
            .val()
            .into_data()
            .iter::<f32>()
            .collect::<Vec<f32>>()
    };
    assert_eq!(numbers(&continued), numbers(&wanted));
}
