//! Regularizers side by side: `cargo run --release --example six_experiments`.
//!
//! The third experiment of the article "Dropout & Regularization in Neural Networks": 2000 samples of 50 features of
//! which 10 matter, six ways to train. `DAMPER_SHORT=1` trains one seed for three epochs.

use damper::data::{Data, DataError};
use damper::prelude::*;
use damper::{Comparison, Progress, Training, compare};
use damper_examples::random::Random;
use damper_examples::table::{Table, spread};
use damper_examples::{at_most, is_short};
use std::error::Error;

model! {
    /// Two hidden layers.
    pub Plain<rate: f64 = 0.0, weight_decay: f64 = 0.0>

    input features: [50]

    layers {
        fc1:  linear(128) -> relu  with dropout(rate) after relu;
        fc2:  linear(64) -> relu   with dropout(rate) after relu;
        head: linear(4);
    }

    loss cross_entropy

    train { optimizer: adamw(lr = 1e-3, weight_decay = weight_decay), epochs: 60, batch: 64 }
}

model! {
    /// Two hidden layers with batch norm. The article's biases before it are left out: batch norm cancels them exactly.
    pub Normed<weight_decay: f64 = 0.0>

    input features: [50]

    layers {
        fc1:  linear(128, bias = false) -> batch_norm -> relu;
        fc2:  linear(64, bias = false) -> batch_norm -> relu;
        head: linear(4);
    }

    loss cross_entropy

    train { optimizer: adamw(lr = 1e-3, weight_decay = weight_decay), epochs: 60, batch: 64 }
}

/// PyTorch 2.15, ten seeds (`examples/pytorch/six_experiments.py`): the accuracy on the validation samples.
const PYTORCH: [&str; 6] = [
    "0.897 ± 0.009",
    "0.898 ± 0.015",
    "0.903 ± 0.008",
    "0.907 ± 0.011",
    "0.805 ± 0.018",
    "0.807 ± 0.015",
];

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let seeds = at_most(5, 1);
    let mut all: Option<Comparison> = None;
    for seed in 0..seeds {
        eprintln!("seed {} of {seeds}", seed + 1);
        let (train, valid) = sparse_truth(seed)?;
        let comparison = compare()
            .add("no regularization", plain(0.0, 0.0, seed))
            .add("decay 1e-3", plain(0.0, 1e-3, seed))
            .add("dropout 0.4", plain(0.4, 0.0, seed))
            .add("dropout 0.4, decay 1e-3", plain(0.4, 1e-3, seed))
            .add("batch norm", normed(0.0, seed))
            .add("batch norm, decay 5e-4", normed(5e-4, seed))
            .seeds(1)
            .progress(Progress::Silent)
            .run(&train, &valid)?;
        match &mut all {
            None => all = Some(comparison),
            Some(all) => {
                for (trial, other) in all.trials.iter_mut().zip(comparison.trials) {
                    trial.train.extend(other.train);
                    trial.valid.extend(other.valid);
                }
            }
        }
    }
    let Some(all) = all else { return Ok(()) };
    println!(
        "2000 samples of 50 features (10 matter), 1400 to learn from; each seed has data and weights of its own\n"
    );
    println!("{all}\n");
    let mut table = Table::new(&[
        "validation accuracy",
        "damper, 5 seeds",
        "PyTorch, 10 seeds",
    ]);
    for (trial, pytorch) in all.trials.iter().zip(PYTORCH) {
        table.row([
            trial.name.clone(),
            spread(&trial.valid, 3),
            pytorch.to_owned(),
        ]);
    }
    println!("{table}");
    println!(
        "All six learn the 1400 samples by heart (PyTorch: 1.000 each). Dropout generalizes best, with or without decay;"
    );
    println!(
        "batch norm fits them fastest and generalizes worst: with 1400 samples it is no substitute for regularization."
    );
    println!(
        "(PyTorch's AdamW decays biases and norm gains too, damper weight matrices only; told to do the same, PyTorch"
    );
    println!("gives 0.899, 0.905 and 0.807 for the three with decay.)");
    if is_short() {
        println!("\nDAMPER_SHORT=1: these are not the figures of the full training");
    }
    Ok(())
}

fn plain(rate: f64, weight_decay: f64, seed: u64) -> Training<Plain> {
    let config = PlainConfig::new()
        .with_rate(rate)
        .with_weight_decay(weight_decay);
    config.training().seed(seed).epochs(at_most(60, 3))
}

fn normed(weight_decay: f64, seed: u64) -> Training<Normed> {
    NormedConfig::new()
        .with_weight_decay(weight_decay)
        .training()
        .seed(seed)
        .epochs(at_most(60, 3))
}

/// The article's data: normal features, and the class of the largest of four random sums of the first ten.
fn sparse_truth(seed: u64) -> Result<(Data, Data), DataError> {
    let mut random = Random::new(seed);
    let rows: Vec<Vec<f32>> = (0..2000)
        .map(|_| (0..50).map(|_| random.normal()).collect())
        .collect();
    let truth: Vec<[f32; 4]> = (0..10)
        .map(|_| std::array::from_fn(|_| random.normal()))
        .collect();
    let class_of = |row: &Vec<f32>| {
        let score = |class: usize| {
            row.iter()
                .zip(&truth)
                .map(|(x, weights)| x * weights[class])
                .sum::<f32>()
        };
        (0..4)
            .max_by(|a, b| score(*a).total_cmp(&score(*b)))
            .unwrap_or(0)
    };
    let classes: Vec<usize> = rows.iter().map(class_of).collect();
    let part = |from: usize, to: usize| Data::new(&rows[from..to], &classes[from..to]);
    Ok((part(0, 1400)?, part(1400, 2000)?))
}
