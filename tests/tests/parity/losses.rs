//! Every loss: its value, and its gradient.

use crate::common::{Fixture, device};
use damper::Target;
use damper::burn;
use damper::loss;
use damper_ir::{LossKind, Reads, Value};

struct Losses(Fixture);

impl Losses {
    /// Compares the loss of the fixture's `output`.
    #[track_caller]
    fn compare(&self, name: &str, kind: &LossKind, output: &str, target: &Target) {
        let output = self
            .0
            .tensor::<2>(output, &device().autodiff())
            .require_grad();
        let loss = loss::value(kind, output.clone(), target);
        self.0.assert(&format!("{name}.value"), loss.clone());
        let gradients = loss.backward();
        self.0.assert(
            &format!("{name}.gradient"),
            output.grad(&gradients).expect("a gradient"),
        );
    }

    /// A target made on the plain device, as a loader that knows nothing of training gives it.
    fn values(&self, name: &str) -> Target {
        Target::Values(self.0.tensor(name, &device()))
    }

    fn classes(&self) -> Target {
        Target::Classes(self.0.classes("classes", &device()))
    }
}

fn losses() -> Losses {
    Losses(Fixture::open("losses"))
}

fn smoothing(smoothing: f64) -> Option<Value> {
    (smoothing > 0.0).then(|| Value::known(smoothing))
}

fn weights(given: bool) -> Vec<Value> {
    if given {
        [0.5, 2.0, 1.0, 1.5].map(Value::known).to_vec()
    } else {
        vec![]
    }
}

fn cross_entropy(share: f64, weighted: bool, from: Reads) -> LossKind {
    LossKind::CrossEntropy {
        label_smoothing: smoothing(share),
        weights: weights(weighted),
        from,
        z: None,
    }
}

fn binary(share: f64, weighted: bool, from: Reads) -> LossKind {
    LossKind::BinaryCrossEntropy {
        label_smoothing: smoothing(share),
        weights: weights(weighted),
        from,
        positive_weight: None,
    }
}

#[test]
fn cross_entropy_of_logits() {
    let losses = losses();
    for (name, share, weighted) in [
        ("cross_entropy", 0.0, false),
        ("cross_entropy_smoothing", 0.1, false),
        ("cross_entropy_weights", 0.0, true),
        ("cross_entropy_weights_smoothing", 0.1, true),
    ] {
        losses.compare(
            name,
            &cross_entropy(share, weighted, Reads::Logits),
            "logits",
            &losses.classes(),
        );
    }
}

#[test]
fn focal() {
    let losses = losses();
    for (name, gamma, like) in [
        ("focal", 2.0, ""),
        ("focal_half", 0.5, ""),
        ("cross_entropy", 0.0, "with 0 it is the cross entropy"),
    ] {
        let kind = LossKind::focal().with("gamma", gamma).expect(like);
        losses.compare(name, &kind, "logits", &losses.classes());
    }
}

/// A sample that is certain adds nothing, and has a gradient.
#[test]
fn focal_of_certain_samples_is_finite() {
    let kind = LossKind::focal().with("gamma", 0.5).expect("a number");
    let device = device().autodiff();
    let output = burn::tensor::Tensor::<2>::from_floats([[200.0, -200.0]], &device).require_grad();
    let target = Target::Classes(burn::tensor::Tensor::from_ints([0], &device.inner()));
    let loss = loss::value(&kind, output.clone(), &target);
    let gradients = loss.backward();
    let gradient = output.grad(&gradients).expect("a gradient");
    assert!(loss.into_scalar::<f32>().abs() < 1e-6);
    assert!(gradient.into_data().iter::<f32>().all(f32::is_finite));
}

#[test]
fn cross_entropy_with_probabilities_as_target() {
    let losses = losses();
    let soft = losses.values("soft");
    losses.compare(
        "cross_entropy_soft",
        &cross_entropy(0.1, false, Reads::Logits),
        "logits",
        &soft,
    );
    losses.compare(
        "cross_entropy_soft_weights",
        &cross_entropy(0.0, true, Reads::Logits),
        "logits",
        &soft,
    );
}

#[test]
fn cross_entropy_of_probabilities() {
    let losses = losses();
    let classes = losses.classes();
    let kind = cross_entropy(0.0, false, Reads::Probabilities);
    losses.compare(
        "cross_entropy_probabilities",
        &kind,
        "probabilities",
        &classes,
    );
    let kind = cross_entropy(0.0, false, Reads::LogProbabilities);
    losses.compare(
        "cross_entropy_log_probabilities",
        &kind,
        "log_probabilities",
        &classes,
    );
}

#[test]
fn binary_cross_entropy() {
    let losses = losses();
    let target = losses.values("binary");
    for (name, share, weighted) in [
        ("binary_cross_entropy", 0.0, false),
        ("binary_cross_entropy_smoothing", 0.1, false),
        ("binary_cross_entropy_weights", 0.0, true),
    ] {
        losses.compare(
            name,
            &binary(share, weighted, Reads::Logits),
            "logits",
            &target,
        );
    }
    let kind = binary(0.0, false, Reads::Probabilities);
    losses.compare(
        "binary_cross_entropy_probabilities",
        &kind,
        "probabilities",
        &target,
    );
}

#[test]
fn regression() {
    let losses = losses();
    let target = losses.values("values");
    for (name, kind) in [
        ("mse", LossKind::Mse),
        ("mae", LossKind::Mae),
        ("mape", LossKind::Mape),
        (
            "huber",
            LossKind::Huber {
                delta: Value::known(0.7),
            },
        ),
        (
            "smooth_l1",
            LossKind::SmoothL1 {
                beta: Value::known(0.7),
            },
        ),
        ("log_cosh", LossKind::LogCosh),
    ] {
        losses.compare(name, &kind, "output", &target);
    }
    losses.compare(
        "poisson",
        &LossKind::Poisson,
        "output",
        &losses.values("counts"),
    );
}

/// Mean and log variance of two values: four units.
#[test]
fn gaussian_likelihood() {
    let losses = losses();
    let Target::Values(values) = losses.values("values") else {
        unreachable!()
    };
    let target = Target::Values(values.narrow(1, 0, 2));
    losses.compare("gaussian_nll", &LossKind::GaussianNll, "output", &target);
}

#[test]
fn dice() {
    let losses = losses();
    let target = losses.values("binary");
    let kind = LossKind::Dice {
        smooth: Value::known(1.0),
        from: Reads::Logits,
    };
    losses.compare("dice", &kind, "logits", &target);
    let kind = LossKind::Dice {
        smooth: Value::known(0.5),
        from: Reads::Probabilities,
    };
    losses.compare("dice_probabilities", &kind, "probabilities", &target);
}

#[test]
fn divergence() {
    let losses = losses();
    let target = losses.values("soft");
    losses.compare(
        "kl_div",
        &LossKind::KlDiv {
            from: Reads::Logits,
        },
        "logits",
        &target,
    );
    let kind = LossKind::KlDiv {
        from: Reads::Probabilities,
    };
    losses.compare("kl_div_probabilities", &kind, "probabilities", &target);
}

/// Large scores neither overflow nor lose their gradient, and a probability of 0 has a finite loss.
#[test]
fn extremes_are_finite() {
    use damper::burn::tensor::Tensor;

    let device = device().autodiff();
    let yes = Target::Values(Tensor::from_floats([[1.0, 0.0, 1.0, 0.0, 1.0]], &device));
    let scores = [[-1e4, 1e4, 1e4, -1e4, 0.0]];
    let output = Tensor::<2>::from_floats(scores, &device).require_grad();
    let loss = loss::value(&binary(0.0, false, Reads::Logits), output.clone(), &yes);
    let gradient = output.grad(&loss.clone().backward()).expect("a gradient");
    crate::common::assert_close(
        "loss",
        &crate::common::numbers(loss),
        &[(2e4 + 2f32.ln()) / 5.0],
        1e-5,
    );
    crate::common::assert_close(
        "gradient",
        &crate::common::numbers(gradient),
        &[-0.2, 0.2, 0.0, 0.0, -0.1],
        1e-5,
    );

    let output = Tensor::<2>::from_floats([[0.0, 1.0, 1.0, 0.0, 0.5]], &device).require_grad();
    let loss = loss::value(
        &binary(0.0, false, Reads::Probabilities),
        output.clone(),
        &yes,
    );
    let gradient = output.grad(&loss.clone().backward()).expect("a gradient");
    crate::common::assert_close(
        "loss",
        &crate::common::numbers(loss),
        &[(200.0 + 2f32.ln()) / 5.0],
        1e-5,
    );
    assert!(
        crate::common::numbers(gradient)
            .iter()
            .all(|x| x.is_finite())
    );
}

/// What cannot be compared is NaN, which training reports; it is not a panic, and not a number.
#[test]
fn shapes_that_do_not_fit_are_nan() {
    use damper::burn::tensor::Tensor;

    let output = Tensor::<2>::zeros([4, 3], &device());
    let narrow = Target::Values(Tensor::zeros([4, 2], &device()));
    let short = Target::Classes(Tensor::zeros([3], &device()));
    for kind in [
        LossKind::Mse,
        cross_entropy(0.0, false, Reads::Logits),
        binary(0.0, false, Reads::Logits),
    ] {
        for target in [&narrow, &short] {
            let loss = crate::common::numbers(loss::value(&kind, output.clone(), target));
            assert!(loss[0].is_nan(), "{kind:?} of {target:?} is {loss:?}");
        }
    }
}

#[test]
fn logits_that_stay_near_zero() {
    let losses = losses();
    let kind = LossKind::cross_entropy().with("z", 0.01).expect("a number");
    losses.compare("cross_entropy_z", &kind, "logits", &losses.classes());
}

#[test]
fn a_yes_that_weighs_more() {
    let losses = losses();
    let target = losses.values("binary");
    let kind = |from| LossKind::BinaryCrossEntropy {
        label_smoothing: None,
        weights: vec![],
        from,
        positive_weight: Some(Value::known(3.0)),
    };
    losses.compare(
        "binary_cross_entropy_positive",
        &kind(Reads::Logits),
        "logits",
        &target,
    );
    let name = "binary_cross_entropy_positive_probabilities";
    losses.compare(name, &kind(Reads::Probabilities), "probabilities", &target);
}

#[test]
fn quantiles() {
    let losses = losses();
    let levels = [0.1, 0.75].map(Value::known).to_vec();
    let kind = LossKind::Quantile { levels };
    losses.compare("quantile", &kind, "output", &losses.values("pair"));
}
