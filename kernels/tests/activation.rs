//! Activations against the same functions in `f64`.

use damper_kernels::{Activation, Saved};

/// Half of `erfc`, which has no cancellation where the normal distribution is small.
fn normal(x: f64) -> f64 {
    0.5 * libm::erfc(-x / 2_f64.sqrt())
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// What stands within the sigmoid of the approximated gelu, and its derivative.
fn inner(x: f64) -> (f64, f64) {
    let factor = 2.0 * (2.0 / std::f64::consts::PI).sqrt();
    (
        factor * (x + 0.044_715 * x * x * x),
        factor * (1.0 + 3.0 * 0.044_715 * x * x),
    )
}

/// `tanh(ln(1 + exp(x)))` without cancellation.
fn gate(x: f64) -> f64 {
    let e = x.min(300.0).exp();
    e * (e + 2.0) / (e * (e + 2.0) + 2.0)
}

/// The function and its derivative.
fn reference(activation: Activation, x: f64) -> (f64, f64) {
    // Beyond it, everything but `exp` has its limit; products with infinities would be NaN.
    let near = if x.abs() > 1000.0 {
        x.signum() * 1000.0
    } else {
        x
    };
    let (value, slope) = match activation {
        Activation::Relu => {
            // Not `max`, which passes NaN over.
            let value = if near < 0.0 { 0.0 } else { near };
            (value, if x > 0.0 { 1.0 } else { 0.0 })
        }
        Activation::Exp => return (x.exp(), x.exp()),
        Activation::Tanh => (x.tanh(), 1.0 - x.tanh() * x.tanh()),
        Activation::Sigmoid => (sigmoid(x), sigmoid(x) * sigmoid(-x)),
        Activation::Silu => (
            near * sigmoid(near),
            sigmoid(near) * (1.0 + near * sigmoid(-near)),
        ),
        Activation::Gelu => (near * normal(near), normal(near) + near * density(near)),
        Activation::GeluApproximate => {
            let (z, change) = inner(near);
            (
                near * sigmoid(z),
                sigmoid(z) * (1.0 + near * sigmoid(-z) * change),
            )
        }
        Activation::Mish => (
            near * gate(near),
            gate(near) + near * (1.0 - gate(near)) * (1.0 + gate(near)) * sigmoid(near),
        ),
    };
    let unbounded = !matches!(activation, Activation::Tanh | Activation::Sigmoid);
    (if unbounded && x > 1000.0 { x } else { value }, slope)
}

/// The bound that the documentation of each activation states.
fn bound(activation: Activation) -> f64 {
    match activation {
        Activation::Relu => 0.0,
        Activation::Exp => 1.0,
        Activation::Tanh | Activation::Sigmoid => 1.5,
        Activation::Silu | Activation::Gelu | Activation::GeluApproximate | Activation::Mish => 2.0,
    }
}

/// The error in units in the last place of a number that is normal.
// An infinity less itself is NaN.
#[allow(clippy::float_cmp)]
fn ulps(found: f32, exact: f64) -> f64 {
    if found.is_nan() && exact.is_nan()
        || f64::from(found) == exact
        || found.is_infinite() && found == exact as f32
    {
        return 0.0;
    }
    let exponent = exact
        .abs()
        .clamp(f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX))
        .log2()
        .floor() as i32;
    (f64::from(found) - exact).abs() / 2_f64.powi(exponent - 23)
}

/// The largest error of the numbers with these bits, and where it is. An error that is NaN counts as infinite.
fn worst(activation: Activation, bits: impl Iterator<Item = u32>) -> (f64, f32) {
    let input: Vec<f32> = bits.map(f32::from_bits).collect();
    let mut output = vec![0.0; input.len()];
    activation.forward(&input, &mut output).unwrap();
    let mut worst = (0.0, 0.0);
    for (&x, &y) in input.iter().zip(&output) {
        let error = ulps(y, reference(activation, f64::from(x)).0);
        let error = if error.is_nan() { f64::INFINITY } else { error };
        if error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

/// Every sign and exponent, subnormals, infinities and NaN among them: the step has no factor with their spacing.
#[test]
fn forward_keeps_its_bound() {
    for activation in Activation::ALL {
        let (error, x) = worst(activation, (0..=u32::MAX).step_by(8191));
        assert!(
            error <= bound(activation),
            "{activation:?}: {error} ulp at {x:e}"
        );
    }
}

/// Between -16 and 16, where the functions bend.
#[test]
fn forward_keeps_its_bound_where_it_matters() {
    for activation in Activation::ALL {
        for sign in [0, 1 << 31] {
            let range = 0.01_f32.to_bits()..16_f32.to_bits();
            let (error, x) = worst(activation, range.step_by(101).map(|bits| bits | sign));
            assert!(
                error <= bound(activation),
                "{activation:?}: {error} ulp at {x:e}"
            );
        }
    }
}

#[test]
#[ignore = "all 2^32 numbers: many minutes"]
fn forward_keeps_its_bound_everywhere() {
    for activation in Activation::ALL {
        for high in 0..256 {
            let (error, x) = worst(activation, (0..1 << 24).map(|low| high << 24 | low));
            assert!(
                error <= bound(activation),
                "{activation:?}: {error} ulp at {x:e}"
            );
        }
    }
}

#[test]
fn limits() {
    let of = |activation: Activation, x: f32| {
        let mut output = [f32::NAN];
        activation.forward(&[x], &mut output).unwrap();
        output[0]
    };
    for activation in Activation::ALL {
        assert!(of(activation, f32::NAN).is_nan(), "{activation:?}");
        let (upper, lower) = (
            of(activation, f32::INFINITY),
            of(activation, f32::NEG_INFINITY),
        );
        match activation {
            Activation::Tanh => assert_eq!((upper, lower), (1.0, -1.0)),
            Activation::Sigmoid => assert_eq!((upper, lower), (1.0, 0.0)),
            _ => assert_eq!((upper, lower), (f32::INFINITY, 0.0), "{activation:?}"),
        }
    }
}

/// The slopes to 1e-6, or of their size where that is above 1; those of numbers far out are their limits.
#[test]
fn backward_is_the_derivative() {
    let input: Vec<f32> = (-40_000..40_000)
        .map(|index| index as f32 / 1000.0)
        .chain([-1e30, -1000.0, 80.0, 1000.0, 1e30])
        .collect();
    let gradient: Vec<f32> = (0..input.len())
        .map(|index| if index % 2 == 0 { 1.0 } else { -2.0 })
        .collect();
    let (mut output, mut into) = (vec![0.0; input.len()], vec![0.0; input.len()]);
    for activation in Activation::ALL {
        activation.forward(&input, &mut output).unwrap();
        let saved = if activation.saved() == Saved::Input {
            &input
        } else {
            &output
        };
        activation.backward(saved, &gradient, &mut into).unwrap();
        for ((&x, &into), &gradient) in input.iter().zip(&into).zip(&gradient) {
            let exact = f64::from(gradient) * reference(activation, f64::from(x)).1;
            if exact.abs() > f64::from(f32::MAX) {
                assert!(into.is_infinite());
                continue;
            }
            let error = (f64::from(into) - exact).abs();
            assert!(
                error <= 1e-6 * exact.abs().max(1.0),
                "{activation:?} at {x}: {into}, exactly {exact}"
            );
        }
    }
}

#[test]
fn nan_goes_through_the_gradient() {
    for activation in Activation::ALL {
        for (saved, gradient) in [(f32::NAN, 1.0), (0.5, f32::NAN)] {
            // Relu passes the gradient on as it is where its output is NaN.
            if activation == Activation::Relu && saved.is_nan() {
                continue;
            }
            let mut into = [0.0];
            activation
                .backward(&[saved], &[gradient], &mut into)
                .unwrap();
            assert!(into[0].is_nan(), "{activation:?}");
        }
    }
}

#[test]
fn lengths_that_do_not_fit_are_errors() {
    let error = Activation::Tanh
        .forward(&[1.0, 2.0], &mut [0.0])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`output` has length 1, but length 2 is needed"
    );
    assert!(
        Activation::Tanh
            .backward(&[1.0], &[1.0, 2.0], &mut [0.0])
            .is_err()
    );
}
