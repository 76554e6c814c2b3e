//! Every metric, over an epoch of batches of different sizes.

use crate::common::{Fixture, TOLERANCE, assert_close, device, linear, spec};
use damper::Target;
use damper::burn::tensor::Tensor;
use damper::metric::MetricAccumulator;
use damper_ir::{LossKind, MetricKind, Reads, Value};

const CLASSIFICATION: [(&str, MetricKind); 5] = [
    ("accuracy", MetricKind::Accuracy),
    ("precision", MetricKind::Precision),
    ("recall", MetricKind::Recall),
    ("f1", MetricKind::F1),
    ("auroc", MetricKind::Auroc),
];

/// Compares with the fixture, in batches of 1, 9 and 13 rows, the value being asked for in between.
fn compare(
    fixture: &Fixture,
    name: &str,
    kind: MetricKind,
    loss: LossKind,
    output: &str,
    target: impl Fn(usize, usize) -> Target,
) {
    let output = fixture.tensor::<2>(output, &device());
    let spec = spec(
        4,
        vec![linear(1, "fc", output.dims()[1], vec![])],
        Some(loss),
        None,
    );
    let mut metric = MetricAccumulator::new(kind, &spec);
    assert!(metric.value().is_nan(), "an empty epoch has no metric");
    let mut start = 0;
    for length in [1, 9, 13] {
        metric.update(
            &output.clone().narrow(0, start, length),
            &target(start, length),
        );
        metric.value();
        start += length;
    }
    let (_, expected) = fixture.numbers(name);
    assert_close(name, &[metric.value() as f32], &expected, TOLERANCE);
}

#[test]
fn of_classes() {
    let fixture = Fixture::open("metrics");
    let classes = fixture.classes("classes", &device());
    let top = ("top_2", MetricKind::TopK(Value::known(2.0)));
    for (name, kind) in CLASSIFICATION.into_iter().chain([top]) {
        let loss = LossKind::CrossEntropy {
            label_smoothing: None,
            weights: vec![],
            from: Reads::Logits,
            z: None,
        };
        compare(
            &fixture,
            &format!("class.{name}"),
            kind,
            loss,
            "scores",
            |start, length| Target::Classes(classes.clone().narrow(0, start, length)),
        );
    }
}

#[test]
fn of_yes_and_no() {
    let fixture = Fixture::open("metrics");
    let yes = fixture.tensor::<2>("yes", &device());
    for (name, kind) in CLASSIFICATION {
        let loss = LossKind::BinaryCrossEntropy {
            label_smoothing: None,
            weights: vec![],
            from: Reads::Logits,
            positive_weight: None,
        };
        compare(
            &fixture,
            &format!("binary.{name}"),
            kind,
            loss,
            "logits",
            |start, length| Target::Values(yes.clone().narrow(0, start, length)),
        );
    }
}

#[test]
fn of_numbers() {
    let fixture = Fixture::open("metrics");
    let values = fixture.tensor::<2>("true", &device());
    for (name, kind) in [
        ("mse", MetricKind::Mse),
        ("rmse", MetricKind::Rmse),
        ("mae", MetricKind::Mae),
        ("mape", MetricKind::Mape),
        ("r2", MetricKind::R2),
    ] {
        compare(
            &fixture,
            &format!("number.{name}"),
            kind,
            LossKind::Mse,
            "says",
            |start, length| Target::Values(values.clone().narrow(0, start, length)),
        );
    }
}

/// Targets far from 0 with a small deviation: squares of the targets would cancel.
#[test]
fn r2_does_not_cancel() {
    let spec = spec(
        4,
        vec![linear(1, "fc", 1, vec![])],
        Some(LossKind::Mse),
        None,
    );
    let mut metric = MetricAccumulator::new(MetricKind::R2, &spec);
    for batch in 0..50 {
        let target: Vec<[f32; 1]> = (0..20)
            .map(|row| [4096.0 + ((batch + row) % 4) as f32 * 0.25])
            .collect();
        let says: Vec<[f32; 1]> = target.iter().map(|[x]| [x + 0.125]).collect();
        let rows = |rows: Vec<[f32; 1]>| {
            Tensor::<1>::from_floats(rows.as_flattened(), &device()).reshape([20, 1])
        };
        metric.update(&rows(says), &Target::Values(rows(target)));
    }
    // Four values, 0.25 apart: variance 0.25^2 * 5/4; squared error 0.125^2.
    assert_close("r2", &[metric.value() as f32], &[0.8], 1e-4);
}

/// A metric of another task, and a target of another width, are NaN, not a number.
#[test]
fn what_does_not_fit_is_nan() {
    let spec = spec(
        4,
        vec![linear(1, "fc", 2, vec![])],
        Some(LossKind::Mse),
        None,
    );
    let output = Tensor::<2>::zeros([3, 2], &device());
    for (kind, width) in [
        (MetricKind::Accuracy, 2),
        (MetricKind::F1, 2),
        (MetricKind::Mse, 1),
        (MetricKind::R2, 3),
    ] {
        let mut metric = MetricAccumulator::new(kind, &spec);
        metric.update(
            &output,
            &Target::Values(Tensor::zeros([3, width], &device())),
        );
        assert!(metric.value().is_nan(), "{kind:?} with a target of {width}");
    }
}
