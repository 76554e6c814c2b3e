//! Steps of optimizers against the same formulas in `f64`.

// Zeros, limits and what is the same in both forms are exact.
#![allow(clippy::float_cmp)]

use damper_kernels::optimizer::{self, Adam, ParamOptions, Sgd};

const ADAM: Adam = Adam {
    options: NONE,
    beta1: 0.9,
    beta2: 0.999,
    one_minus_betas: (0.1, 0.001),
    epsilon: 1e-8,
    step_size: 0.01,
};
const SGD: Sgd = Sgd {
    options: NONE,
    step_size: 0.1,
    momentum: 0.9,
    dampening: 0.3,
    nesterov: false,
    first_step: false,
};
const NONE: ParamOptions = ParamOptions::NONE;

/// Options with one rule each, and one with all.
fn all_options() -> Vec<ParamOptions> {
    let all = ParamOptions {
        grad_scale: 0.7,
        l1: 0.05,
        l2: 0.1,
        clip: 0.6,
        coupled_decay: 0.02,
        keep: 0.97,
        threshold: 0.003,
        min: -0.4,
    };
    vec![
        NONE,
        ParamOptions {
            grad_scale: 0.3,
            ..NONE
        },
        ParamOptions { l1: 0.1, ..NONE },
        ParamOptions { l2: 0.1, ..NONE },
        ParamOptions { clip: 0.5, ..NONE },
        ParamOptions {
            coupled_decay: 0.1,
            ..NONE
        },
        ParamOptions { keep: 0.9, ..NONE },
        ParamOptions {
            threshold: 0.05,
            ..NONE
        },
        ParamOptions { min: 0.0, ..NONE },
        all,
    ]
}

/// Between -1 and 1, other ones for each seed.
fn numbers(seed: usize) -> Vec<f32> {
    (0..1003)
        .map(|index| ((index + 1) * (seed + 3) * 7919 % 2001) as f32 / 1000.0 - 1.0)
        .collect()
}

fn close(found: &[f32], exact: &[f64]) {
    for (index, (found, exact)) in found.iter().zip(exact).enumerate() {
        let error = (f64::from(*found) - exact).abs();
        assert!(
            error <= 1e-6 * exact.abs().max(1.0),
            "{index}: {found}, exactly {exact}"
        );
    }
}

fn gradient(options: ParamOptions, weight: f64, gradient: f64) -> f64 {
    let sign = if weight == 0.0 { 0.0 } else { weight.signum() };
    let limit = f64::from(options.clip);
    (f64::from(options.grad_scale) * gradient
        + f64::from(options.l1) * sign
        + f64::from(options.l2) * weight)
        .clamp(-limit, limit)
        + f64::from(options.coupled_decay) * weight
}

fn weight(options: ParamOptions, weight: f64, taken: f64) -> f64 {
    let moved = weight * f64::from(options.keep) - taken;
    let shrunk = (moved.abs() - f64::from(options.threshold)).max(0.0) * moved.signum();
    shrunk.max(f64::from(options.min))
}

/// Weight, first and second moment after a step.
fn adam(adam: Adam, [w, g, m, v]: [f64; 4]) -> [f64; 3] {
    let g = gradient(adam.options, w, g);
    let m = f64::from(adam.beta1) * m + f64::from(adam.one_minus_betas.0) * g;
    let v = f64::from(adam.beta2) * v + f64::from(adam.one_minus_betas.1) * g * g;
    let taken = f64::from(adam.step_size) * m / (v.sqrt() + f64::from(adam.epsilon));
    [weight(adam.options, w, taken), m, v]
}

/// Weight and velocity after a step.
fn sgd(sgd: Sgd, [w, g, v]: [f64; 3]) -> [f64; 2] {
    let g = gradient(sgd.options, w, g);
    let momentum = f64::from(sgd.momentum);
    let v = if sgd.first_step {
        g
    } else {
        momentum * v + (1.0 - f64::from(sgd.dampening)) * g
    };
    let direction = if sgd.nesterov { g + momentum * v } else { v };
    [
        weight(sgd.options, w, f64::from(sgd.step_size) * direction),
        v,
    ]
}

/// The numbers at one place of each slice, as `f64`.
fn places<const N: usize>(slices: [&[f32]; N]) -> Vec<[f64; N]> {
    (0..slices[0].len())
        .map(|index| slices.map(|slice| f64::from(slice[index])))
        .collect()
}

fn column<const N: usize>(rows: &[[f64; N]], index: usize) -> Vec<f64> {
    rows.iter().map(|row| row[index]).collect()
}

#[test]
fn a_step_of_adam_is_its_formula() {
    for options in all_options() {
        let step = Adam { options, ..ADAM };
        let (mut weight, gradient, mut first) = (numbers(1), numbers(2), numbers(3));
        let mut second: Vec<f32> = numbers(4).iter().map(|x| x * x).collect();
        let (mut over, mut first_over, mut second_over) =
            (gradient.clone(), first.clone(), second.clone());
        let exact: Vec<_> = places([&weight, &gradient, &first, &second])
            .into_iter()
            .map(|place| adam(step, place))
            .collect();
        step.step(&weight, &mut over, &mut first_over, &mut second_over, None)
            .unwrap();
        close(&over, &column(&exact, 0));
        close(&first_over, &column(&exact, 1));
        close(&second_over, &column(&exact, 2));
        step.step_in_place(&mut weight, &gradient, &mut first, &mut second, None)
            .unwrap();
        assert_eq!(
            (weight, first, second),
            (over, first_over, second_over),
            "{options:?}"
        );
    }
}

#[test]
fn a_step_of_sgd_is_its_formula() {
    for options in all_options() {
        for (nesterov, first) in [(false, false), (true, false), (false, true), (true, true)] {
            let step = Sgd {
                options,
                nesterov,
                first_step: first,
                ..SGD
            };
            let (mut weight, gradient, mut velocity) = (numbers(1), numbers(2), numbers(3));
            let (mut over, mut velocity_over) = (gradient.clone(), velocity.clone());
            let exact: Vec<_> = places([&weight, &gradient, &velocity])
                .into_iter()
                .map(|place| sgd(step, place))
                .collect();
            step.step(&weight, &mut over, Some(&mut velocity_over), None)
                .unwrap();
            close(&over, &column(&exact, 0));
            close(&velocity_over, &column(&exact, 1));
            step.step_in_place(&mut weight, &gradient, Some(&mut velocity), None)
                .unwrap();
            assert_eq!((weight, velocity), (over, velocity_over), "{step:?}");
        }
    }
}

#[test]
fn sgd_without_velocity_follows_the_gradient() {
    for options in all_options() {
        let step = Sgd { options, ..SGD };
        let (mut weight, mut over) = (numbers(1), numbers(2));
        let gradient = over.clone();
        // As the first step with momentum, of which nothing is kept.
        let exact: Vec<_> = places([&weight, &gradient, &weight])
            .into_iter()
            .map(|place| {
                sgd(
                    Sgd {
                        first_step: true,
                        ..step
                    },
                    place,
                )
            })
            .collect();
        step.step(&weight, &mut over, None, None).unwrap();
        close(&over, &column(&exact, 0));
        step.step_in_place(&mut weight, &gradient, None, None)
            .unwrap();
        assert_eq!(weight, over);
    }
}

/// What the velocity was before the first step does not matter.
#[test]
fn the_first_velocity_is_the_gradient() {
    let step = Sgd {
        first_step: true,
        ..SGD
    };
    let (mut weight, mut velocity) = ([1.0], [f32::NAN]);
    step.step_in_place(&mut weight, &[0.5], Some(&mut velocity), None)
        .unwrap();
    assert_eq!((weight, velocity), ([0.95], [0.5]));
}

#[test]
fn the_average_follows_the_new_weight() {
    let (decay, gradient, before) = (0.75, numbers(2), numbers(5));
    let follow = |weight: &[f32]| -> Vec<f64> {
        places([weight, &before])
            .into_iter()
            .map(|[weight, average]| 0.75 * average + 0.25 * weight)
            .collect()
    };
    for options in all_options() {
        let step = Adam { options, ..ADAM };
        let (mut first, mut second) = (vec![0.1; gradient.len()], vec![0.2; gradient.len()]);
        let (mut over, mut average) = (gradient.clone(), before.clone());
        step.step(
            &numbers(1),
            &mut over,
            &mut first,
            &mut second,
            Some((&mut average, decay)),
        )
        .unwrap();
        close(&average, &follow(&over));
        let (step, mut weight) = (Sgd { options, ..SGD }, numbers(1));
        for velocity in [Some(&mut first[..]), None] {
            let mut average = before.clone();
            step.step_in_place(
                &mut weight,
                &gradient,
                velocity,
                Some((&mut average, decay)),
            )
            .unwrap();
            close(&average, &follow(&weight));
        }
    }
}

#[test]
fn the_threshold_gives_exact_zeros() {
    let options = ParamOptions {
        threshold: 0.1,
        ..NONE
    };
    let (mut weight, mut first, mut second) = ([0.05, -0.05, 1.0, -1.0], [0.0; 4], [0.0; 4]);
    Adam { options, ..ADAM }
        .step_in_place(&mut weight, &[0.0; 4], &mut first, &mut second, None)
        .unwrap();
    assert_eq!(weight, [0.0, 0.0, 0.9, -0.9]);
}

#[test]
fn no_weight_is_below_the_minimum() {
    let options = ParamOptions { min: 0.0, ..NONE };
    let mut weight = [0.05, -0.05, 1.0];
    Sgd { options, ..SGD }
        .step_in_place(&mut weight, &[1.0; 3], None, None)
        .unwrap();
    assert_eq!(weight, [0.0, 0.0, 0.9]);
}

#[test]
fn no_gradient_is_beyond_the_limit() {
    let options = ParamOptions { clip: 0.5, ..NONE };
    let mut weight = [1.0; 4];
    let gradient = [1e30, f32::NEG_INFINITY, 0.5, 0.25];
    Sgd { options, ..SGD }
        .step_in_place(&mut weight, &gradient, None, None)
        .unwrap();
    assert_eq!(weight, [0.95, 1.05, 0.95, 0.975]);
}

#[test]
fn a_gradient_that_is_no_number_is_not_hidden() {
    for options in all_options() {
        let step = Adam { options, ..ADAM };
        let (mut gradient, mut first, mut second) = ([f32::NAN; 20], [0.0; 20], [0.0; 20]);
        let weight = [0.3; 20];
        step.step(&weight, &mut gradient, &mut first, &mut second, None)
            .unwrap();
        let all = gradient.iter().chain(&first).chain(&second);
        assert!(all.clone().all(|x| x.is_nan()), "{options:?}");
        let mut weight = weight;
        Sgd { options, ..SGD }
            .step_in_place(&mut weight, &[f32::NAN; 20], Some(&mut [0.0; 20]), None)
            .unwrap();
        assert!(weight.iter().all(|x| x.is_nan()), "{options:?}");
    }
}

#[test]
fn squares_are_added_without_loss() {
    assert!(optimizer::sum_of_squares(&[]).abs() < 1e-30);
    for length in [1, 15, 16, 17, 1003] {
        let values = &numbers(7)[..length];
        let exact: f64 = values.iter().map(|x| f64::from(*x).powi(2)).sum();
        close(&[optimizer::sum_of_squares(values)], &[exact]);
    }
    // More than `f32` can count in ones.
    let ones = vec![1.0; (1 << 24) + 8];
    assert_eq!(
        optimizer::sum_of_squares(&ones).to_bits(),
        16_777_224_f32.to_bits()
    );
}

#[test]
fn lengths_that_do_not_fit_are_errors() {
    let name = |result: Result<(), damper_kernels::LengthMismatch>| result.unwrap_err().name;
    let (two, mut one) = ([0.0; 2], [0.0; 1]);
    let (mut a, mut b, mut c) = (two, two, two);
    assert_eq!(
        name(ADAM.step(&two, &mut one, &mut a, &mut b, None)),
        "gradient"
    );
    assert_eq!(
        name(ADAM.step(&two, &mut c, &mut one, &mut b, None)),
        "first"
    );
    assert_eq!(
        name(ADAM.step(&two, &mut c, &mut a, &mut one, None)),
        "second"
    );
    let average = Some((&mut one[..], 0.9));
    assert_eq!(
        name(ADAM.step_in_place(&mut c, &two, &mut a, &mut b, average)),
        "average"
    );
    assert_eq!(
        name(SGD.step(&two, &mut c, Some(&mut one), None)),
        "velocity"
    );
    assert_eq!(
        name(SGD.step_in_place(&mut c, &one, None, None)),
        "gradient"
    );
}
