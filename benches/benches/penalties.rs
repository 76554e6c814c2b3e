//! What regularizing the weights costs, as a share of a training step: `cargo bench -p damper-benches --bench penalties`.
//!
//! One network without and with each rule, in turn in one process. The goal is below 3 %.

use damper::data::Data;
use damper::prelude::*;
use damper::{Network, Progress, TrainError, Training};
use damper_benches::rounds::Rounds;
use damper_benches::{SIZES, Samples, Size};

/// The same network with other annotations on `layers`.
macro_rules! network {
    ($name:ident, $($with:tt)*) => {
        model! {
            /// The network of the benches.
            #[allow(l2_penalty_under_adaptive_optimizer, l1_penalty_leaves_no_zeros, reason = "to measure it")]
            pub $name<features: usize = 50, first: usize = 128, second: usize = 64, classes: usize = 4>

            input x: [features]

            layers $($with)* {
                fc1:  linear(first) -> relu;
                fc2:  linear(second) -> relu;
                head: linear(classes);
            }

            loss cross_entropy

            train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
        }
    };
}

network!(Bare,);
network!(DecayL2, with decay(l2 = 1e-3));
network!(DecayL1, with decay(l1 = 1e-4));
network!(PenaltyL1, with penalty(l1 = 1e-5));
network!(PenaltyL2, with penalty(l2 = 1e-4));
network!(Elastic, with penalty(l1 = 1e-5, l2 = 1e-4));
network!(MaxNorm, with max_norm(3.0));

/// Builds the training of one of the networks for a size.
macro_rules! training {
    ($config:ident, $size:expr) => {
        $config::new()
            .with_features($size.features)
            .with_first($size.first)
            .with_second($size.second)
            .with_classes($size.classes)
            .training()
            .batch($size.batch)
            .progress(Progress::Silent)
    };
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(9);
    for size in SIZES {
        measure(&size, rounds)?;
    }
    Ok(())
}

fn measure(size: &Size, rounds: usize) -> Result<(), Box<dyn std::error::Error>> {
    let samples = |count| Samples::new(size.features, size.classes, count).data();
    let (data, valid) = (samples(size.batch * size.batches)?, samples(size.batch)?);
    let first = seconds(&training!(BareConfig, size).epochs(3), &data, &valid)?;
    let epochs = first.last().map_or(3, |seconds| {
        (0.5 / seconds).ceil().clamp(3.0, 60.0) as usize
    });
    let (data, valid) = (&data, &valid);
    println!(
        "{size}: {} steps in an epoch, {rounds} rounds of {epochs} epochs",
        size.batches
    );
    let arms = vec![
        arm("nothing", training!(BareConfig, size), epochs, data, valid),
        arm(
            "decay(l2)",
            training!(DecayL2Config, size),
            epochs,
            data,
            valid,
        ),
        arm(
            "decay(l1)",
            training!(DecayL1Config, size),
            epochs,
            data,
            valid,
        ),
        arm(
            "penalty(l1)",
            training!(PenaltyL1Config, size),
            epochs,
            data,
            valid,
        ),
        arm(
            "penalty(l2)",
            training!(PenaltyL2Config, size),
            epochs,
            data,
            valid,
        ),
        arm(
            "penalty(l1, l2)",
            training!(ElasticConfig, size),
            epochs,
            data,
            valid,
        ),
        arm(
            "max_norm",
            training!(MaxNormConfig, size),
            epochs,
            data,
            valid,
        ),
    ];
    let rounds = Rounds::measure("an epoch", rounds, arms);
    println!(
        "{rounds}  the cost of a rule is its ratio (of the fastest tenth) - 1: at most {:+.1} %\n",
        100.0 * highest(&rounds)
    );
    Ok(())
}

fn highest(rounds: &Rounds) -> f64 {
    rounds
        .rows()
        .iter()
        .map(|row| row.fastest.1 - 1.0)
        .fold(f64::NEG_INFINITY, f64::max)
}

fn arm<'a, M: Network>(
    name: &'a str,
    training: Training<M>,
    epochs: usize,
    train: &'a Data,
    valid: &'a Data,
) -> (&'a str, Box<dyn FnMut() -> Vec<f64> + 'a>)
where
    Training<M>: 'a,
{
    let training = training.epochs(epochs);
    (
        name,
        Box::new(move || seconds(&training, train, valid).unwrap_or_default()),
    )
}

/// The seconds of each epoch.
fn seconds<M: Network>(
    training: &Training<M>,
    train: &Data,
    valid: &Data,
) -> Result<Vec<f64>, TrainError> {
    let run = training.fit(train, valid)?;
    Ok(run
        .history()
        .epochs
        .iter()
        .map(|epoch| epoch.seconds)
        .collect())
}
