//! Regularizers, by what they do: masks are counted, means are compared within bounds that a right
//! implementation leaves once in a million runs.

use crate::common::{device, linear, numbers, op};
use damper::Pass;
use damper::burn::module::{Module, ParamGroup};
use damper::burn::nn::{Linear, LinearConfig};
use damper::burn::tensor::{Distribution, Tensor};
use damper::layer::{
    self, AlphaDropout, DropConnect, DropPath, Dropout, GaussianDropout, GaussianNoise, Layer,
};
use damper::regularize;
use damper_ir::{Id, OpKind, Reach, RuleKind, Shape, Stochastic, Value, WeightRule};
use std::sync::{Mutex, MutexGuard, PoisonError};

const ROWS: usize = 400;
const COLUMNS: usize = 300;
const COUNT: f64 = (ROWS * COLUMNS) as f64;
/// Standard deviations that a normal variable leaves once in two million draws.
const BOUND: f64 = 5.0;

/// The generator of a device serves the whole process: a test that draws holds it, and begins at a seed.
fn seeded() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let guard = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    device().seed(7);
    guard
}

fn ones() -> Tensor<2> {
    Tensor::ones([ROWS, COLUMNS], &device().autodiff())
}

fn gaussian(mean: f64, deviation: f64) -> Tensor<2> {
    Tensor::random(
        [ROWS, COLUMNS],
        Distribution::Normal(mean, deviation),
        &device().autodiff(),
    )
}

fn moments(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
    let variance = values
        .iter()
        .map(|x| (f64::from(*x) - mean).powi(2))
        .sum::<f64>()
        / count;
    (mean, variance)
}

/// The share of `count` independent draws with probability `rate` is within its bounds.
#[track_caller]
fn assert_share(share: f64, rate: f64, count: f64) {
    let deviation = (rate * (1.0 - rate) / count).sqrt();
    assert!(
        (share - rate).abs() < BOUND * deviation,
        "{share} is not {rate} within {deviation}"
    );
}

fn share_of_zeros(values: &[f32]) -> f64 {
    values.iter().filter(|x| **x == 0.0).count() as f64 / values.len() as f64
}

fn built<L: Layer>(kind: Stochastic) -> L {
    L::build(
        &op(1, "layer", OpKind::Stochastic(kind), vec![]),
        &Shape(vec![Some(COLUMNS)]),
        &device(),
    )
    .expect("the description is sound")
}

fn at(rate: f64) -> Value {
    Value::known(rate)
}

/// Every stochastic layer with a rate, as a function of its input.
fn layers(rate: f64) -> Vec<(&'static str, Box<dyn Fn(Tensor<2>) -> Tensor<2>>)> {
    let dropout: Dropout = built(Stochastic::Dropout { rate: at(rate) });
    let alpha: AlphaDropout = built(Stochastic::AlphaDropout { rate: at(rate) });
    let gaussian: GaussianDropout = built(Stochastic::GaussianDropout { rate: at(rate) });
    let noise: GaussianNoise = built(Stochastic::Noise { std: at(rate) });
    let path: DropPath = built(Stochastic::DropPath { rate: at(rate) });
    vec![
        (
            "dropout",
            Box::new(move |x| dropout.forward(x, &mut Pass::new())),
        ),
        (
            "alpha_dropout",
            Box::new(move |x| alpha.forward(x, &mut Pass::new())),
        ),
        (
            "gaussian_dropout",
            Box::new(move |x| gaussian.forward(x, &mut Pass::new())),
        ),
        (
            "noise",
            Box::new(move |x| noise.forward(x, &mut Pass::new())),
        ),
        (
            "drop_path",
            Box::new(move |x| path.forward(x, &mut Pass::new())),
        ),
    ]
}

#[test]
fn nothing_happens_at_inference() {
    let _guard = seeded();
    let input = gaussian(0.0, 1.0);
    let plain = input.clone().inner();
    for (name, layer) in layers(0.5) {
        assert_eq!(
            numbers(layer(plain.clone())),
            numbers(input.clone()),
            "`{name}` on a plain device"
        );
        assert_ne!(
            numbers(layer(input.clone())),
            numbers(input.clone()),
            "`{name}` on a training device"
        );
    }
    for (name, layer) in layers(0.0) {
        assert_eq!(
            numbers(layer(input.clone())),
            numbers(input.clone()),
            "`{name}` with rate 0"
        );
    }
}

#[test]
fn a_frozen_layer_gives_its_input_back() {
    let _guard = seeded();
    let input = ones();
    let frozen = |path: DropPath| path.freeze_group(ParamGroup::from_path("training"));
    let layer = frozen(DropPath::new(0.5));
    assert_eq!(
        numbers(layer.forward(input.clone(), &mut Pass::new())),
        numbers(input.clone())
    );
    let layer = AlphaDropout::new(0.5).freeze_group(ParamGroup::from_path("training"));
    assert_eq!(
        numbers(layer.forward(input.clone(), &mut Pass::new())),
        numbers(input.clone())
    );
    let layer = GaussianDropout::new(0.5).freeze_group(ParamGroup::from_path("training"));
    assert_eq!(
        numbers(layer.forward(input.clone(), &mut Pass::new())),
        numbers(input.clone())
    );
}

#[test]
fn dropout_drops_single_values_and_keeps_the_mean() {
    let _guard = seeded();
    let layer: Dropout = built(Stochastic::Dropout { rate: at(0.3) });
    let values = numbers(layer.forward(ones(), &mut Pass::new()));
    assert_share(share_of_zeros(&values), 0.3, COUNT);
    assert!(
        values
            .iter()
            .all(|x| *x == 0.0 || (x - 1.0 / 0.7).abs() < 1e-5),
        "survivors are scaled by 1 / (1 - p)"
    );
    let (mean, _) = moments(&values);
    assert!(
        (mean - 1.0).abs() < BOUND * (0.3 / 0.7 / COUNT).sqrt(),
        "the mean is {mean}"
    );
}

#[test]
fn drop_path_drops_whole_samples() {
    let _guard = seeded();
    let rate = 0.25;
    let mut dropped = 0;
    for _ in 0..20 {
        let values = numbers(DropPath::new(rate).forward(ones(), &mut Pass::new()));
        for sample in values.chunks(COLUMNS) {
            assert!(
                sample.iter().all(|x| *x == sample[0]),
                "a sample is dropped or kept as a whole"
            );
            assert!(sample[0] == 0.0 || (sample[0] - 1.0 / 0.75).abs() < 1e-5);
            dropped += usize::from(sample[0] == 0.0);
        }
    }
    let samples = (20 * ROWS) as f64;
    assert_share(dropped as f64 / samples, rate, samples);
}

#[test]
fn drop_connect_drops_weights_and_keeps_the_mean() {
    let _guard = seeded();
    let device = device().autodiff();
    let layer: Linear = LinearConfig::new(ROWS, COLUMNS)
        .with_bias(false)
        .init(&device);
    let drop: DropConnect = {
        let rate = at(0.4);
        let rule = WeightRule {
            id: Id::NONE,
            kind: RuleKind::DropConnect { rate },
            on: Reach::Weights,
            levels: vec![],
        };
        let op = linear(1, "fc", COLUMNS, vec![rule]);
        Layer::build(&op, &Shape(vec![Some(ROWS)]), &device).expect("the description is sound")
    };
    // The identity shows the weights themselves.
    let shown = numbers(drop.forward(&layer, Tensor::<2>::eye(ROWS, &device), &mut Pass::new()));
    let weights = numbers(layer.weight.val());
    assert_share(share_of_zeros(&shown), 0.4, COUNT);
    for (shown, weight) in shown.iter().zip(&weights) {
        assert!(
            *shown == 0.0 || (shown - weight / 0.6).abs() < 1e-5,
            "{shown} from {weight}"
        );
    }
    // One mask for the whole batch: equal samples stay equal.
    let outputs = numbers(drop.forward(
        &layer,
        Tensor::<2>::ones([2, ROWS], &device),
        &mut Pass::new(),
    ));
    assert_eq!(outputs[..COLUMNS], outputs[COLUMNS..]);
    // At inference it is the layer.
    let input = Tensor::<2>::random([3, ROWS], Distribution::Default, &crate::common::device());
    let (layer, drop) = (layer.valid(), drop.valid());
    assert_eq!(
        numbers(drop.forward(&layer, input.clone(), &mut Pass::new())),
        numbers(layer.forward(input))
    );
}

/// A weight that was dropped gets no gradient.
#[test]
fn drop_connect_has_the_gradient_of_what_it_kept() {
    let _guard = seeded();
    let device = device().autodiff();
    let layer: Linear = LinearConfig::new(20, 10).with_bias(false).init(&device);
    let output =
        DropConnect::new(0.5).forward(&layer, Tensor::<2>::eye(20, &device), &mut Pass::new());
    let dropped: Vec<bool> = numbers(output.clone()).iter().map(|x| *x == 0.0).collect();
    let gradient = numbers(
        layer
            .weight
            .val()
            .grad(&output.sum().backward())
            .expect("a gradient"),
    );
    assert!(dropped.contains(&true) && dropped.contains(&false));
    for (dropped, gradient) in dropped.into_iter().zip(gradient) {
        let wanted = if dropped { 0.0 } else { 2.0 };
        assert!(
            (gradient - wanted).abs() < 1e-5,
            "{gradient} for dropped {dropped}"
        );
    }
}

#[test]
fn alpha_dropout_keeps_mean_and_variance() {
    let _guard = seeded();
    let rate = 0.2;
    let values = numbers(AlphaDropout::new(rate).forward(gaussian(0.0, 1.0), &mut Pass::new()));
    let (mean, variance) = moments(&values);
    assert!(mean.abs() < BOUND / COUNT.sqrt(), "the mean is {mean}");
    // The fourth moment of the mixture is below 4: the variance's own deviation is below sqrt(3 / n).
    assert!(
        (variance - 1.0).abs() < BOUND * (3.0 / COUNT).sqrt(),
        "the variance is {variance}"
    );
    // What is dropped takes one value: PyTorch's formula at the saturation of selu.
    let saturation: f64 = -1.758_099_340_847_376_6;
    let scale = ((1.0 - rate) * (1.0 + rate * saturation * saturation)).powf(-0.5);
    let dropped = (scale * saturation * (1.0 - rate)) as f32;
    let count = values
        .iter()
        .filter(|x| (**x - dropped).abs() < 1e-6)
        .count() as f64;
    assert_share(count / COUNT, rate, COUNT);
}

#[test]
fn gaussian_dropout_has_the_moments_of_dropout() {
    let _guard = seeded();
    let rate = 0.3;
    let (mean, variance) = moments(&numbers(
        GaussianDropout::new(rate).forward(ones(), &mut Pass::new()),
    ));
    let wanted = rate / (1.0 - rate);
    assert!(
        (mean - 1.0).abs() < BOUND * (wanted / COUNT).sqrt(),
        "the mean is {mean}"
    );
    assert!(
        (variance - wanted).abs() < BOUND * wanted * (2.0 / COUNT).sqrt(),
        "the variance is {variance}"
    );
}

#[test]
fn noise_is_added() {
    let _guard = seeded();
    let layer: GaussianNoise = built(Stochastic::Noise { std: at(0.1) });
    let (mean, variance) = moments(&numbers(layer.forward(ones(), &mut Pass::new())));
    assert!(
        (mean - 1.0).abs() < BOUND * 0.1 / COUNT.sqrt(),
        "the mean is {mean}"
    );
    assert!(
        (variance - 0.01).abs() < BOUND * 0.01 * (2.0 / COUNT).sqrt(),
        "the variance is {variance}"
    );
}

/// A value that the rules exclude gives no layer, and no panic.
#[test]
fn impossible_layers_are_refused() {
    let shape = Shape(vec![Some(3)]);
    for rate in [-0.1, 1.0, 1.5, f64::NAN, f64::INFINITY] {
        let rate = at(rate);
        let op = |kind| op(1, "layer", OpKind::Stochastic(kind), vec![]);
        assert!(Dropout::build(&op(Stochastic::Dropout { rate }), &shape, &device()).is_none());
        assert!(DropPath::build(&op(Stochastic::DropPath { rate }), &shape, &device()).is_none());
        assert!(
            AlphaDropout::build(&op(Stochastic::AlphaDropout { rate }), &shape, &device())
                .is_none()
        );
        assert!(
            GaussianDropout::build(&op(Stochastic::GaussianDropout { rate }), &shape, &device())
                .is_none()
        );
    }
    assert!(Linear::build(&linear(1, "fc", 0, vec![]), &shape, &device()).is_none());
    assert!(
        Linear::build(
            &linear(1, "fc", 1 << 52, vec![]),
            &Shape(vec![Some(1 << 52)]),
            &device()
        )
        .is_none()
    );
    assert!(Linear::build(&linear(1, "fc", 2, vec![]), &Shape(vec![None]), &device()).is_none());
    assert!(Dropout::build(&linear(1, "fc", 2, vec![]), &shape, &device()).is_none());
}

fn weight() -> Tensor<2> {
    Tensor::from_floats([[3.0, 0.1, 0.0], [-4.0, -0.2, 0.0]], &device())
}

#[test]
fn the_soft_threshold_makes_exact_zeros() {
    assert_eq!(
        numbers(regularize::soft_threshold(weight(), 0.25)),
        [2.75, 0.0, 0.0, -3.75, 0.0, 0.0]
    );
    let many = gaussian(0.0, 1.0).inner();
    let zeros = share_of_zeros(&numbers(regularize::soft_threshold(many, 1.0)));
    assert_share(zeros, 0.682_689_5, COUNT);
}

#[test]
fn norms_are_those_of_columns() {
    let limited = numbers(regularize::max_norm(weight(), 1.0));
    // The first column has length 5; the others are short enough, and stay as they are, bit for bit.
    crate::common::assert_close(
        "max_norm",
        &limited,
        &[0.6, 0.1, 0.0, -0.8, -0.2, 0.0],
        1e-6,
    );
    assert_eq!([limited[1], limited[2], limited[4]], [0.1, 0.0, -0.2]);
    let root = 0.05f32.sqrt();
    let unit = numbers(regularize::unit_norm(weight()));
    crate::common::assert_close(
        "unit_norm",
        &unit,
        &[0.6, 0.1 / root, 0.0, -0.8, -0.2 / root, 0.0],
        1e-5,
    );
}

#[test]
fn negative_weights_become_zero() {
    assert_eq!(
        numbers(regularize::non_negative(weight())),
        [3.0, 0.1, 0.0, 0.0, 0.0, 0.0]
    );
}

#[test]
fn a_penalty_is_the_articles_formula() {
    let close = |name: &str, actual: Tensor<1>, expected: f32| {
        crate::common::assert_close(name, &numbers(actual), &[expected], 1e-5);
    };
    close(
        "l1",
        regularize::penalty_value(weight(), 0.5, 0.0),
        0.5 * 7.3,
    );
    close(
        "l2",
        regularize::penalty_value(weight(), 0.0, 0.1),
        0.1 * 25.05,
    );
    close(
        "both",
        regularize::penalty_value(weight(), 0.5, 0.1),
        0.5 * 7.3 + 0.1 * 25.05,
    );
    close("none", regularize::penalty_value(weight(), 0.0, 0.0), 0.0);
}

/// The gradients are those of the values, as autodiff finds them.
#[test]
fn gradients_belong_to_the_values() {
    for (l1, l2) in [(0.5, 0.0), (0.0, 0.1), (0.5, 0.1), (0.0, 0.0)] {
        let leaf = Tensor::from_inner(weight()).require_grad();
        let gradients = regularize::penalty_value(leaf.clone(), l1, l2).backward();
        let found = numbers(leaf.grad(&gradients).expect("a gradient"));
        crate::common::assert_close(
            "penalty",
            &numbers(regularize::penalty_gradient(weight(), l1, l2)),
            &found,
            1e-5,
        );
    }
    let leaf = Tensor::from_inner(weight()).require_grad();
    let gradients = regularize::orthogonal_value(leaf.clone()).backward();
    let found = numbers(leaf.grad(&gradients).expect("a gradient"));
    crate::common::assert_close(
        "orthogonal",
        &numbers(regularize::orthogonal_gradient(weight())),
        &found,
        1e-5,
    );
}

#[test]
fn a_normal_sample_has_its_mean_and_variance() {
    let _guard = seeded();
    let mean = ones().mul_scalar(3.0).require_grad();
    let log_variance = ones().mul_scalar(4_f64.ln()).require_grad();
    let mut pass = Pass::at(1.0).with_random(1, 2);
    let sample = layer::sample_normal(mean.clone(), log_variance.clone(), &mut pass);
    let values = numbers(sample.clone());
    let (center, variance) = moments(&values);
    assert!(
        (center - 3.0).abs() < BOUND * 2.0 / COUNT.sqrt(),
        "{center}"
    );
    // The variance of the squares of normal numbers is 2.
    assert!(
        (variance / 4.0 - 1.0).abs() < BOUND * (2.0 / COUNT).sqrt(),
        "{variance}"
    );
    // The slopes are 1, and half of the distance to the mean.
    let gradients = sample.sum().backward();
    let slopes = numbers(mean.grad(&gradients).expect("a gradient"));
    assert!(slopes.iter().all(|slope| *slope == 1.0));
    let slopes = numbers(log_variance.grad(&gradients).expect("a gradient"));
    for (slope, value) in slopes.iter().zip(&values) {
        assert!(
            (slope - (value - 3.0) / 2.0).abs() < 1e-4,
            "{slope} {value}"
        );
    }
}

#[test]
fn a_normal_sample_is_its_mean_outside_of_training() {
    let mean: Tensor<2> = Tensor::ones([3, 4], &device());
    let sample = layer::sample_normal(mean.clone(), mean.clone(), &mut Pass::new());
    assert_eq!(numbers(sample), numbers(mean));
}
