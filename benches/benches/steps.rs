//! A training step of `model!` against burn by hand: `cargo bench -p damper-benches --bench steps`.
//!
//! Four arms in turn in one process: a plain loop over hand-sliced tensors that reports loss and accuracy, the same with
//! the loss alone, burn's own `Learner`, and `Training::fit` (both with loss and accuracy). All are the same network with
//! the same dropout and decay, read the samples in a new order in each epoch, and measure a validation batch after it.
//! The goal is a ratio of at most 1.02. A number behind `--` sets the rounds.

use damper::data::Data;
use damper::prelude::*;
use damper::{Progress, TrainError};
use damper_benches::rounds::{Arm, Rounds};
use damper_benches::{SIZES, Samples, Size, hand};

model! {
    /// The network of the benches.
    pub Mlp<features: usize = 50, first: usize = 128, second: usize = 64, classes: usize = 4, rate: f64 = 0.5, strength: f64 = 1e-3>

    input x: [features]

    layers with decay(l2 = strength) {
        fc1:  linear(first) -> relu   with dropout(rate) after relu;
        fc2:  linear(second) -> relu  with dropout(rate / 2.0) after relu;
        head: linear(classes);
    }

    loss cross_entropy

    train { optimizer: adamw(lr = 1e-3), epochs: 3, batch: 64 }
}

/// Decay and dropout rate.
const REGULARISATION: (f64, f64) = (1e-3, 0.5);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(9);
    for size in SIZES {
        let (samples, valid) = (
            Samples::new(&size, size.batch * size.batches),
            Samples::new(&size, size.batch),
        );
        let (train_data, valid_data) = (samples.data()?, valid.data()?);
        // Enough epochs that a round takes about half a second.
        let once = hand::plain_loop(&size, &samples, &valid, REGULARISATION, 2, true);
        let epochs = once.last().map_or(3, |seconds| {
            (0.5 / seconds).ceil().clamp(3.0, 60.0) as usize
        });
        // Once outside of the measurement, where an error can be told.
        generated(&size, &train_data, &valid_data, 1)?;
        let arms: Vec<Arm<'_>> = vec![
            (
                "burn, plain loop",
                Box::new(|| {
                    hand::plain_loop(&size, &samples, &valid, REGULARISATION, epochs, true)
                }),
            ),
            (
                "burn, without accuracy",
                Box::new(|| {
                    hand::plain_loop(&size, &samples, &valid, REGULARISATION, epochs, false)
                }),
            ),
            (
                "burn, Learner",
                Box::new(|| hand::learner(&size, &samples, &valid, REGULARISATION, epochs)),
            ),
            (
                "damper",
                Box::new(|| generated(&size, &train_data, &valid_data, epochs).unwrap_or_default()),
            ),
        ];
        println!(
            "{size}: {} steps in an epoch, {rounds} rounds of {epochs} epochs",
            size.batches
        );
        println!("{}", Rounds::measure("an epoch", rounds, arms));
    }
    Ok(())
}

/// Trains the generated model; gives the seconds of each epoch.
fn generated(
    size: &Size,
    train: &Data,
    valid: &Data,
    epochs: usize,
) -> Result<Vec<f64>, TrainError> {
    let config = MlpConfig::new()
        .with_features(size.features)
        .with_first(size.first)
        .with_second(size.second)
        .with_classes(size.classes)
        .with_rate(REGULARISATION.1)
        .with_strength(REGULARISATION.0);
    let training = config
        .training()
        .epochs(epochs)
        .batch(size.batch)
        .progress(Progress::Silent);
    let run = training.fit(train, valid)?;
    Ok(run
        .history()
        .epochs
        .iter()
        .map(|epoch| epoch.seconds)
        .collect())
}
