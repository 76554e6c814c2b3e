//! What messages say of activations holds for their formulas: the range, what becomes of 0, whether a scale passes through,
//! whether a second one changes anything, how steep they are.

use damper_ir::{Activation, ActivationKind, Value};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The distribution function of the normal distribution (Abramowitz and Stegun 7.1.26 is too coarse: a series).
fn normal(x: f64) -> f64 {
    let mut sum = 0.0;
    let mut term = x;
    for n in 1..200 {
        sum += term;
        term *= x * x / f64::from(2 * n + 1);
    }
    if x.abs() > 6.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The value at `x` with the default arguments; `None` for those that read several values.
fn value(kind: ActivationKind, x: f64) -> Option<f64> {
    use ActivationKind as A;
    Some(match kind {
        A::Relu => x.max(0.0),
        A::LeakyRelu => {
            if x > 0.0 {
                x
            } else {
                0.01 * x
            }
        }
        A::Relu6 => x.clamp(0.0, 6.0),
        // At inference: the mean of the bounds.
        A::Rrelu => {
            if x > 0.0 {
                x
            } else {
                f64::midpoint(0.125, 1.0 / 3.0) * x
            }
        }
        A::Prelu => {
            if x > 0.0 {
                x
            } else {
                0.25 * x
            }
        }
        A::Elu | A::Celu => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        A::Selu => {
            let (alpha, scale) = (1.673_263_242_354_377, 1.050_700_987_355_480_5);
            if x > 0.0 {
                scale * x
            } else {
                scale * alpha * x.exp_m1()
            }
        }
        A::Gelu => x * normal(x),
        A::GeluApproximate => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
        A::Silu => x * sigmoid(x),
        A::Mish => x * softplus(x).tanh(),
        A::Sigmoid => sigmoid(x),
        A::LogSigmoid => -softplus(-x),
        A::HardSigmoid => (0.2 * x + 0.5).clamp(0.0, 1.0),
        A::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        A::Tanh => x.tanh(),
        A::Hardtanh => x.clamp(-1.0, 1.0),
        A::Tanhshrink => x - x.tanh(),
        A::Softplus => softplus(x),
        A::Softsign => x / (1.0 + x.abs()),
        A::ThresholdedRelu | A::Threshold => {
            if x > 1.0 {
                x
            } else {
                0.0
            }
        }
        A::HardShrink | A::Shrink => {
            if x.abs() > 0.5 {
                x
            } else {
                0.0
            }
        }
        A::SoftShrink => x.signum() * (x.abs() - 0.5).max(0.0),
        A::Glu | A::Softmax | A::LogSoftmax | A::Softmin | A::QuietSoftmax => return None,
    })
}

fn points() -> impl Iterator<Item = f64> {
    (-800..=800).map(|at| f64::from(at) / 100.0)
}

/// Every activation of one value, with its default arguments.
fn of_one_value() -> impl Iterator<Item = Activation> {
    let all = ActivationKind::ALL.iter().copied();
    all.filter(|kind| value(*kind, 0.0).is_some()).map(|kind| {
        let defaults = kind
            .arguments()
            .iter()
            .filter_map(damper_ir::words::Argument::number);
        Activation {
            kind,
            arguments: defaults.map(Value::known).collect(),
        }
    })
}

fn at(activation: &Activation, x: f64) -> f64 {
    value(activation.kind, x).expect("one value")
}

#[test]
fn no_value_lies_outside_of_the_range() {
    for activation in of_one_value() {
        let (low, high) = activation.range();
        for x in points() {
            let value = at(&activation, x);
            let inside = (low - 2e-3..=high + 2e-3).contains(&value);
            assert!(
                inside,
                "{activation} gives {value} at {x}, not in [{low}, {high}]"
            );
        }
        // What is said to be bounded comes near its bounds.
        let all: Vec<f64> = (-4000..=4000)
            .map(|x| at(&activation, f64::from(x) / 10.0))
            .collect();
        let least = all.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(
            !low.is_finite() || least - low < 0.02,
            "{activation}: {least}, {low}"
        );
        assert!(
            !high.is_finite() || high - largest < 0.02,
            "{activation}: {largest}, {high}"
        );
        assert!(low.is_finite() || least < -1.0, "{activation}: {least}");
        assert!(
            high.is_finite() || largest > 100.0,
            "{activation}: {largest}"
        );
    }
}

#[test]
fn what_keeps_zero_does() {
    for activation in of_one_value() {
        let zero = at(&activation, 0.0) == 0.0;
        assert_eq!(activation.keeps_zero(), Some(zero), "{activation}");
    }
}

/// "The result is the same as after it" is said of these alone.
#[test]
fn dropout_before_and_behind_is_the_same_where_scales_pass_through() {
    for activation in of_one_value() {
        let scaled = |scale: f64| {
            points().all(|x| (at(&activation, scale * x) - scale * at(&activation, x)).abs() < 1e-9)
        };
        let passes = [1.25, 2.0, 10.0].into_iter().all(scaled);
        // The slope of `rrelu` is drawn anew for each value.
        if activation.kind != ActivationKind::Rrelu {
            assert_eq!(activation.kind.is_homogeneous(), passes, "{activation}");
        }
    }
}

/// "The second one has no effect" is said of these alone.
#[test]
fn a_second_one_has_no_effect_where_it_is_said() {
    for activation in of_one_value().filter(|activation| activation.kind.is_idempotent()) {
        for x in points() {
            let once = at(&activation, x);
            assert!(
                (at(&activation, once) - once).abs() < 1e-12,
                "{activation} at {x}"
            );
        }
    }
}

/// "Where it gives 0 its gradient is 0", and "the slope of a sigmoid is at most 1/4".
#[test]
fn slopes_are_what_is_said() {
    let slope = |activation: &Activation, x: f64| {
        (at(activation, x + 1e-6) - at(activation, x - 1e-6)) / 2e-6
    };
    for activation in of_one_value() {
        if activation.kind.is_rectifier() {
            let flat = points()
                .filter(|x| *x < -0.01)
                .all(|x| slope(&activation, x) == 0.0 && at(&activation, x) == 0.0);
            assert!(flat, "{activation}");
        }
        if activation.kind.is_saturating() {
            assert!(
                points().all(|x| slope(&activation, x) <= 0.25 + 1e-6),
                "{activation}"
            );
        }
    }
    let softplus = Activation {
        kind: ActivationKind::Softplus,
        arguments: vec![Value::known(1.0)],
    };
    assert!(
        points().all(|x| slope(&softplus, x) > 0.0),
        "`softplus`, whose gradient is never 0"
    );
}
