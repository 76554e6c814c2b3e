//! NaN, infinite, negative and huge values: each is an error that names the value, or trains with it; none is replaced by
//! the default in silence.

use crate::common::device;
use damper::data::Data;
use damper::prelude::*;
use damper::{Augment, Progress, TrainError, Training};

model! {
    /// Every kind of number that a program can change.
    #[allow(damper::all, reason = "what is tried are the bounds, not the advice")]
    pub Net<
        lr: f64 = 1e-2, momentum: f64 = 0.9, l1: f64 = 1e-3, l2: f64 = 1e-3, most: f64 = 3.0, rate: f64 = 0.2, share: f64 = 0.1,
        strength: f64 = 1e-3, epsilon: f64 = 1e-5, slope: f64 = 0.1, smooth: f64 = 0.1, clip: f64 = 1.0, keep: f64 = 0.9,
        alpha: f64 = 0.2, factor: f64 = 0.9, warm: f64 = 0.1, delta: f64 = 0.0
    >
    input x: [2]
    layers {
        a: linear(8) -> layer_norm(epsilon = epsilon) -> leaky_relu(slope) with decay(l1 = l1, l2 = l2), max_norm(most), dropout(rate) after leaky_relu, drop_connect(share);
        b: linear(8) -> tanh -> noise(share) with penalty(l1 = strength, l2 = strength), activity(l1 = strength), orthogonal(strength);
        head: linear(2);
    }
    loss cross_entropy(label_smoothing = smooth)
    train {
        optimizer: sgd(lr = lr, momentum = momentum), schedule: cosine(warmup = warm), epochs: 2, batch: 4, clip(norm = clip), ema(keep),
        mixup(alpha), layer_decay(factor), early_stop(patience = 1, min_delta = delta),
    }
}

model! {
    /// Every size that a program can change.
    #[allow(damper::all, reason = "what is tried are the bounds, not the advice")]
    pub Sizes<hidden: usize = 8, times: usize = 1, heads: usize = 2, epochs: usize = 1, batch: usize = 4, patience: usize = 1>
    input x: [3, 8]
    layers { a: attention(heads); b: repeat(times) { residual { linear(same) -> relu; }; }; m: mean(axis = time); h: linear(hidden) -> relu; head: linear(2); }
    loss cross_entropy
    train { optimizer: adamw(lr = 1e-3), epochs: epochs, batch: batch, early_stop(patience = patience) }
}

fn rows(width: usize) -> Data {
    let values: Vec<f32> = (0..8 * width).map(|x| (x % 7) as f32 / 7.0).collect();
    Data::new((values, width), [0, 1, 1, 0, 1, 0, 0, 1]).expect("good data")
}

fn quiet<M: Network>(training: Training<M>) -> Training<M> {
    training
        .device(device())
        .progress(Progress::Silent)
        .interruptible(false)
}

const WITHOUT_END: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
const FAR: [f64; 6] = [0.0, -0.0, -1.0, 1e-300, 1e300, f64::MAX];

type Change = (&'static str, fn(NetConfig, f64) -> NetConfig);

const HYPER: [Change; 17] = [
    ("lr", NetConfig::with_lr),
    ("momentum", NetConfig::with_momentum),
    ("l1", NetConfig::with_l1),
    ("l2", NetConfig::with_l2),
    ("most", NetConfig::with_most),
    ("rate", NetConfig::with_rate),
    ("share", NetConfig::with_share),
    ("strength", NetConfig::with_strength),
    ("epsilon", NetConfig::with_epsilon),
    ("slope", NetConfig::with_slope),
    ("smooth", NetConfig::with_smooth),
    ("clip", NetConfig::with_clip),
    ("keep", NetConfig::with_keep),
    ("alpha", NetConfig::with_alpha),
    ("factor", NetConfig::with_factor),
    ("warm", NetConfig::with_warm),
    ("delta", NetConfig::with_delta),
];

#[test]
fn a_hyper_parameter_that_is_not_finite_is_an_error_with_its_name() {
    for (name, change) in HYPER {
        for number in WITHOUT_END {
            let config = change(NetConfig::new(), number);
            let wanted = format!(
                "`Net` cannot be built with these values:\nerror: `{name}` is {number}, it must be a finite number"
            );
            assert_eq!(config.spec().unwrap_err().to_string(), wanted);
            assert!(config.init(&device()).is_err());
            let error = quiet(config.training())
                .fit(&rows(2), &rows(2))
                .unwrap_err();
            assert!(
                matches!(error, TrainError::Spec(_)),
                "{name}, {number}: {error}"
            );
        }
    }
}

#[test]
fn a_hyper_parameter_beyond_what_the_layers_hold_is_an_error_with_its_name() {
    for (name, change) in HYPER {
        for number in [1e39, -1e300, f64::MAX] {
            let error = change(NetConfig::new(), number).spec().unwrap_err();
            let wanted =
                format!("error: `{name}` is {number:e}, beyond what an `f32` holds: 3.4e38");
            assert!(error.to_string().ends_with(&wanted), "{error}");
        }
    }
}

#[test]
fn an_extreme_hyper_parameter_is_an_error_or_trains() {
    for (name, change) in HYPER {
        for number in FAR {
            let config = change(NetConfig::new(), number);
            match quiet(config.training()).fit(&rows(2), &rows(2)) {
                Ok(run) => assert!(run.train_measures().loss.is_finite(), "{name} {number}"),
                Err(TrainError::Panic { reason, .. }) => panic!("{name} {number}: {reason}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn an_extreme_number_of_the_builder_is_an_error_or_trains() {
    type Count = (&'static str, fn(Training<Net>, usize) -> Training<Net>);
    const COUNTS: [Count; 5] = [
        ("epochs", Training::epochs),
        ("batch", Training::batch),
        ("early_stop", Training::early_stop),
        ("accumulate", Training::accumulate),
        ("swa", Training::swa),
    ];
    type Set = (&'static str, fn(Training<Net>, f64) -> Training<Net>);
    const NUMBERS: [Set; 6] = [
        ("learning_rate", Training::learning_rate),
        ("clip_norm", Training::clip_norm),
        ("mixup", Training::mixup),
        ("cutmix", Training::cutmix),
        ("ema", Training::ema),
        ("layer_decay", Training::layer_decay),
    ];
    for (name, set) in NUMBERS {
        for number in WITHOUT_END.into_iter().chain(FAR) {
            match set(quiet(Net::training()), number).fit(&rows(2), &rows(2)) {
                Ok(run) => assert!(
                    number.is_finite() && run.train_measures().loss.is_finite(),
                    "{name} {number}"
                ),
                Err(TrainError::Panic { reason, .. }) => panic!("{name} {number}: {reason}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    for (name, set) in COUNTS {
        for count in [0, usize::MAX, 1 << 60] {
            match set(quiet(Net::training()).early_stop(1), count).fit(&rows(2), &rows(2)) {
                Ok(_) => panic!("{name} {count}: taken for another number"),
                Err(TrainError::Panic { reason, .. }) => panic!("{name} {count}: {reason}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    for augment in [
        Augment::new().shift(usize::MAX),
        Augment::new().crop(usize::MAX),
        Augment::new().erase(f64::NAN),
    ] {
        assert!(
            quiet(Net::training())
                .augment(augment)
                .fit(&rows(2), &rows(2))
                .is_err()
        );
    }
}

#[test]
fn an_extreme_size_is_an_error_before_memory_is_allocated() {
    type Size = (&'static str, fn(SizesConfig, usize) -> SizesConfig);
    const SIZES: [Size; 4] = [
        ("hidden", SizesConfig::with_hidden),
        ("times", SizesConfig::with_times),
        ("heads", SizesConfig::with_heads),
        ("patience", SizesConfig::with_patience),
    ];
    for (name, change) in SIZES {
        for size in [0, 1 << 53, (1 << 53) + 1, usize::MAX] {
            let config = change(SizesConfig::new(), size);
            match quiet(config.training()).fit(&rows(24), &rows(24)) {
                Ok(_) => assert!(name == "patience" && size > 0, "{name} {size}"),
                Err(TrainError::Panic { reason, .. }) => panic!("{name} {size}: {reason}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}
