//! The learning rate of every step.

use crate::common::{Fixture, assert_close};
use damper::schedule::factor;
use damper_ir::{ScheduleKind, Value};

const STEPS: usize = 60;
const STEPS_PER_EPOCH: usize = 10;

fn all() -> Vec<(&'static str, ScheduleKind, f64)> {
    let one_cycle = |rise: f64, divide: f64, final_divide: f64| ScheduleKind::OneCycle {
        rise: rise.into(),
        divide: divide.into(),
        final_divide: final_divide.into(),
    };
    vec![
        ("constant", ScheduleKind::Constant, 0.0),
        (
            "cosine",
            ScheduleKind::Cosine {
                end: Value::known(0.1),
            },
            0.0,
        ),
        (
            "cosine_warmup",
            ScheduleKind::Cosine {
                end: Value::known(0.0),
            },
            0.1,
        ),
        (
            "linear",
            ScheduleKind::Linear {
                end: Value::known(0.2),
            },
            0.0,
        ),
        (
            "linear_warmup",
            ScheduleKind::Linear {
                end: Value::known(0.0),
            },
            0.1,
        ),
        (
            "step",
            ScheduleKind::Step {
                every: Value::known(2.0),
                factor: Value::known(0.5),
            },
            0.0,
        ),
        (
            "exponential",
            ScheduleKind::Exponential {
                factor: Value::known(0.8),
            },
            0.0,
        ),
        ("one_cycle", one_cycle(0.3, 25.0, 1e4), 0.0),
        ("one_cycle_arguments", one_cycle(0.45, 10.0, 50.0), 0.0),
    ]
}

#[test]
fn every_step_is_pytorchs() {
    let fixture = Fixture::open("schedules");
    for (name, curve, warmup) in all() {
        let (_, expected) = fixture.numbers(name);
        let actual: Vec<f32> = (0..expected.len())
            .map(|step| factor(&curve, warmup, step, STEPS, STEPS_PER_EPOCH) as f32)
            .collect();
        assert_close(name, &actual, &expected, 1e-6);
    }
}

#[test]
fn behind_the_end_nothing_rises() {
    for (name, curve, warmup) in all() {
        let last = factor(&curve, warmup, STEPS - 1, STEPS, STEPS_PER_EPOCH);
        let mut before = last;
        for step in STEPS..3 * STEPS {
            let now = factor(&curve, warmup, step, STEPS, STEPS_PER_EPOCH);
            assert!(now <= before, "`{name}` rises at step {step}");
            before = now;
        }
    }
}

/// No step, one step, no epoch: a number in [0, 1], never NaN.
#[test]
fn the_shortest_trainings() {
    for (name, curve, warmup) in all() {
        for (step, steps, per_epoch) in [(0, 0, 0), (0, 1, 1), (1, 1, 1), (0, 2, 1), (1, 2, 5)] {
            let factor = factor(&curve, warmup, step, steps, per_epoch);
            assert!(
                (0.0..=1.0).contains(&factor),
                "`{name}` at step {step} of {steps} is {factor}"
            );
        }
    }
}
