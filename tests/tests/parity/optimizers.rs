//! Every optimizer, decay, penalty, projection and clipping: the weights after one step and after ten.

use crate::common::{Fixture, device, linear, spec};
use damper::burn;
use damper::burn::module::{Module, Param};
use damper::burn::nn::{Linear, LinearConfig};
use damper::burn::optim::GradientsParams;
use damper::{Spec, Target, loss, optimizer, regularize};
use damper_ir::{
    Id, Level, LintLevel, LossKind, Optimizer, OptimizerKind, Reach, RuleKind, Train, Value,
    WeightRule,
};

/// The module that the description of these tests describes.
#[derive(Module, Debug)]
struct Net {
    fc: Linear,
}

fn known(value: f64) -> Value {
    Value::known(value)
}

fn rule(kind: RuleKind) -> WeightRule {
    WeightRule {
        id: Id::NONE,
        kind,
        on: Reach::Weights,
        levels: vec![],
    }
}

fn sgd(momentum: f64, dampening: f64, nesterov: bool) -> (OptimizerKind, f64) {
    let kind = OptimizerKind::Sgd {
        momentum: known(momentum),
        dampening: known(dampening),
        nesterov: Value::truth(nesterov),
    };
    (kind, 0.1)
}

fn adam(beta1: f64, beta2: f64, epsilon: f64, amsgrad: bool) -> (OptimizerKind, f64) {
    let (beta1, beta2, epsilon, amsgrad) = (
        known(beta1),
        known(beta2),
        known(epsilon),
        Value::truth(amsgrad),
    );
    (
        OptimizerKind::Adam {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        },
        0.05,
    )
}

fn adamw(amsgrad: bool) -> (OptimizerKind, f64) {
    let (beta1, beta2, epsilon, amsgrad) =
        (known(0.9), known(0.999), known(1e-8), Value::truth(amsgrad));
    (
        OptimizerKind::Adamw {
            beta1,
            beta2,
            epsilon,
            amsgrad,
        },
        0.05,
    )
}

fn rmsprop(alpha: f64, momentum: f64, centered: bool) -> (OptimizerKind, f64) {
    let (alpha, momentum, centered) = (known(alpha), known(momentum), Value::truth(centered));
    (
        OptimizerKind::RmsProp {
            alpha,
            momentum,
            epsilon: known(1e-8),
            centered,
        },
        0.02,
    )
}

fn adagrad(lr_decay: f64) -> (OptimizerKind, f64) {
    (
        OptimizerKind::Adagrad {
            lr_decay: known(lr_decay),
            epsilon: known(1e-10),
        },
        0.1,
    )
}

fn lion() -> (OptimizerKind, f64) {
    (
        OptimizerKind::Lion {
            beta1: known(0.9),
            beta2: known(0.99),
        },
        0.02,
    )
}

/// Trains for ten steps and compares.
#[track_caller]
fn compare(
    name: &str,
    (kind, learning_rate): (OptimizerKind, f64),
    weight_decay: f64,
    rules: Vec<RuleKind>,
    settings: impl FnOnce(&mut Train),
) {
    let fixture = Fixture::open("optimizers");
    let mut train = Train {
        optimizer: Some(Optimizer {
            id: Id::NONE,
            kind,
            learning_rate: known(learning_rate),
            weight_decay: (weight_decay > 0.0).then(|| known(weight_decay)),
        }),
        ..Train::default()
    };
    settings(&mut train);
    // The tests compare numbers; what the lints say of such a declaration is tested elsewhere.
    let mut model = crate::common::model(
        3,
        vec![linear(1, "fc", 2, rules.into_iter().map(rule).collect())],
        Some(LossKind::Mse),
        Some(train),
    );
    model.levels = vec![LintLevel {
        lint: "adam_coupled_weight_decay".to_owned(),
        level: Level::Allow,
        reason: Some("PyTorch's `Adam(weight_decay = ..)`".to_owned()),
        ..LintLevel::default()
    }];
    let spec = Spec::check(model).unwrap_or_else(|error| panic!("{error}"));

    let device = device().autodiff();
    let mut net = Net {
        fc: LinearConfig::new(3, 2).init(&device),
    };
    net.fc.weight = Param::from_tensor(fixture.tensor("weight", &device));
    net.fc.bias = Some(Param::from_tensor(fixture.tensor("bias", &device)));
    let mut optimizer = optimizer::build(&spec);
    let target = Target::Values(fixture.tensor("target", &device));
    for step in 1..=10 {
        let loss = loss::of(
            &spec,
            net.fc.forward(fixture.tensor::<2>("input", &device)),
            &target,
        );
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(learning_rate, net, gradients);
        if step == 1 || step == 10 {
            fixture.assert(&format!("{name}.weight_{step}"), net.fc.weight.val());
            fixture.assert(
                &format!("{name}.bias_{step}"),
                net.fc.bias.as_ref().expect("a bias").val(),
            );
        }
    }
}

fn plain(name: &str, optimizer: (OptimizerKind, f64), weight_decay: f64) {
    compare(name, optimizer, weight_decay, vec![], |_| {});
}

fn regularized(name: &str, optimizer: (OptimizerKind, f64), rules: Vec<RuleKind>) {
    compare(name, optimizer, 0.0, rules, |_| {});
}

#[test]
fn gradient_descent() {
    plain("sgd", sgd(0.0, 0.0, false), 0.0);
    plain("sgd_momentum", sgd(0.9, 0.0, false), 0.0);
    plain("sgd_dampening", sgd(0.9, 0.1, false), 0.0);
    plain("sgd_nesterov", sgd(0.9, 0.0, true), 0.0);
    plain("sgd_weight_decay", sgd(0.9, 0.0, false), 0.3);
}

#[test]
fn adaptive_moments() {
    plain("adam", adam(0.9, 0.999, 1e-8, false), 0.0);
    plain("adam_amsgrad", adam(0.9, 0.999, 1e-8, true), 0.0);
    plain("adam_betas", adam(0.8, 0.95, 1e-3, false), 0.0);
    plain("adam_weight_decay", adam(0.9, 0.999, 1e-8, false), 0.3);
    plain("adamw", adamw(false), 0.3);
    plain("adamw_amsgrad", adamw(true), 0.3);
}

#[test]
fn root_mean_square() {
    plain("rmsprop", rmsprop(0.99, 0.0, false), 0.0);
    plain("rmsprop_momentum", rmsprop(0.99, 0.9, false), 0.0);
    plain("rmsprop_centered", rmsprop(0.9, 0.0, true), 0.0);
    plain("rmsprop_weight_decay", rmsprop(0.99, 0.0, false), 0.3);
}

#[test]
fn adaptive_gradient() {
    plain("adagrad", adagrad(0.0), 0.0);
    plain("adagrad_lr_decay", adagrad(0.1), 0.0);
    plain("adagrad_weight_decay", adagrad(0.0), 0.3);
}

#[test]
fn sign_of_the_momentum() {
    plain("lion", lion(), 0.0);
    plain("lion_weight_decay", lion(), 0.3);
}

#[test]
fn orthogonalized_momentum() {
    let muon = |momentum: f64, nesterov: bool| {
        let kind = OptimizerKind::muon().with("momentum", momentum);
        let kind = kind.and_then(|kind| kind.with("nesterov", nesterov));
        (kind.expect("arguments of `muon`"), 0.05)
    };
    plain("muon", muon(0.95, true), 0.0);
    plain("muon_plain", muon(0.8, false), 0.0);
    plain("muon_weight_decay", muon(0.95, true), 0.3);
}

#[test]
fn decay() {
    let decay = |l1: f64, l2: f64| {
        vec![RuleKind::Decay {
            l1: (l1 > 0.0).then(|| known(l1)),
            l2: (l2 > 0.0).then(|| known(l2)),
        }]
    };
    regularized("decay_l1", sgd(0.0, 0.0, false), decay(0.2, 0.0));
    regularized("decay_l1_l2", adamw(false), decay(0.2, 0.3));
    // `decay(l2)` is the weight decay of AdamW, and behind `adam` as well.
    regularized("adamw", adamw(false), decay(0.0, 0.3));
    regularized("adamw", adam(0.9, 0.999, 1e-8, false), decay(0.0, 0.3));
    regularized("lion_weight_decay", lion(), decay(0.0, 0.3));
}

fn penalty(l1: f64, l2: f64) -> Vec<RuleKind> {
    vec![RuleKind::Penalty {
        l1: (l1 > 0.0).then(|| known(l1)),
        l2: (l2 > 0.0).then(|| known(l2)),
    }]
}

#[test]
fn penalties() {
    regularized("penalty_l1", sgd(0.0, 0.0, false), penalty(0.02, 0.0));
    regularized("penalty_l2", sgd(0.0, 0.0, false), penalty(0.0, 0.05));
    regularized(
        "penalty_l1_l2",
        adam(0.9, 0.999, 1e-8, false),
        penalty(0.02, 0.05),
    );
    regularized(
        "orthogonal",
        sgd(0.0, 0.0, false),
        vec![RuleKind::Orthogonal {
            strength: known(0.1),
        }],
    );
}

#[test]
fn projections() {
    regularized(
        "max_norm",
        sgd(0.0, 0.0, false),
        vec![RuleKind::MaxNorm { limit: known(0.6) }],
    );
    regularized("unit_norm", sgd(0.0, 0.0, false), vec![RuleKind::UnitNorm]);
    regularized(
        "non_negative",
        sgd(0.0, 0.0, false),
        vec![RuleKind::NonNegative],
    );
}

#[test]
fn clipping() {
    let plain = || sgd(0.0, 0.0, false);
    compare("clip_value", plain(), 0.0, vec![], |train| {
        train.clip_value = Some(known(0.1));
    });
    compare(
        "clip_value_penalty",
        plain(),
        0.0,
        penalty(0.02, 0.05),
        |train| {
            train.clip_value = Some(known(0.1));
        },
    );
    compare("clip_norm", plain(), 0.0, vec![], |train| {
        train.clip_norm = Some(known(0.2));
    });
    compare("clip_norm_idle", plain(), 0.0, vec![], |train| {
        train.clip_norm = Some(known(1e3));
    });
}

/// The report is the sum of the penalties of all weights, once, in the article's formula.
#[test]
fn the_report_is_the_sum_of_the_penalties() {
    let fixture = Fixture::open("optimizers");
    let mut rules = penalty(0.02, 0.05);
    rules.push(RuleKind::Orthogonal {
        strength: known(0.1),
    });
    let spec = spec(
        3,
        vec![linear(1, "fc", 2, rules.into_iter().map(rule).collect())],
        Some(LossKind::Mse),
        None,
    );
    let device = device();
    let mut net = Net {
        fc: LinearConfig::new(3, 2).init(&device),
    };
    net.fc.weight = Param::from_tensor(fixture.tensor("weight", &device));
    let (_, w) = fixture.numbers("weight");
    let column = |c: usize| [w[c], w[2 + c], w[4 + c]];
    let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let gram = [(0, 0), (0, 1), (1, 0), (1, 1)]
        .map(|(i, j)| (dot(column(i), column(j)) - f32::from(u8::from(i == j))).powi(2));
    let expected = 0.02 * w.iter().map(|w| w.abs()).sum::<f32>()
        + 0.05 * w.iter().map(|w| w * w).sum::<f32>()
        + 0.1 * gram.iter().sum::<f32>();
    for net in [net.clone(), net.train()] {
        let report = regularize::report(&net, &spec) as f32;
        crate::common::assert_close("report", &[report], &[expected], 1e-5);
    }
}

/// The state of a regularized optimizer is saved and loaded: the next step is the same, bit for bit.
#[test]
fn a_record_continues_where_it_stopped() {
    let fixture = Fixture::open("optimizers");
    let decay = RuleKind::Decay {
        l1: Some(known(0.2)),
        l2: Some(known(0.3)),
    };
    let spec = spec(
        3,
        vec![linear(1, "fc", 2, vec![rule(decay)])],
        Some(LossKind::Mse),
        None,
    );
    let device = device().autodiff();
    let net = Net {
        fc: LinearConfig::new(3, 2).init(&device),
    };
    let gradients = |net: &Net| {
        let target = Target::Values(fixture.tensor("target", &device));
        let output = net.fc.forward(fixture.tensor::<2>("input", &device));
        GradientsParams::from_grads(loss::of(&spec, output, &target).backward(), net)
    };
    let mut first = optimizer::build(&spec);
    let given = gradients(&net);
    let net = first.step(0.05, net, given);
    let mut second = optimizer::build(&spec).load_record(first.to_record());
    let given = (gradients(&net), gradients(&net));
    let continued = second.step(0.05, net.clone(), given.0);
    let wanted = first.step(0.05, net, given.1);
    assert_eq!(
        crate::common::numbers(continued.fc.weight.val()),
        crate::common::numbers(wanted.fc.weight.val())
    );
}
