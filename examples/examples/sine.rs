//! What penalties and decay do to weights: `cargo run --release --example sine`.
//!
//! The first experiment of the article "Dropout & Regularization in Neural Networks": a network with 16,641 weights and
//! 80 points of a noisy sine, trained without regularization, with the two penalties of the article, and with the
//! proximal step that the article does not have. `DAMPER_SHORT=1` trains one seed for 50 epochs.

use damper::data::{Data, DataError};
use damper::prelude::*;
use damper::{LayerSparsity, Progress, TrainingResult};
use damper_examples::random::Random;
use damper_examples::table::{Table, spread};
use damper_examples::{at_most, is_short};
use std::error::Error;
use std::f64::consts::TAU;

model! {
    /// Far more weights than points.
    #[allow(l2_penalty_under_adaptive_optimizer, reason = "the article sends its penalty through Adam")]
    pub Wide<penalty_l1: f64 = 0.0, penalty_l2: f64 = 0.0, decay_l1: f64 = 0.0>

    input x: [1]

    layers with penalty(l1 = penalty_l1, l2 = penalty_l2), decay(l1 = decay_l1) {
        fc1: linear(128) -> relu;
        fc2: linear(128) -> relu;
        out: linear(1);
    }

    loss mse

    train { optimizer: adam(lr = 1e-3), epochs: 500, batch: 80 }
}

/// PyTorch 2.15, ten seeds (`examples/pytorch/sine.py`): weights near zero in %, exact zeros in %, the last loss.
const PYTORCH: [Option<[&str; 3]>; 4] = [
    Some(["1.1 ± 0.1", "0.0 ± 0.0", "0.077 ± 0.011"]),
    Some(["49.7 ± 2.7", "0.0 ± 0.0", "0.081 ± 0.011"]),
    Some(["66.4 ± 3.2", "0.0 ± 0.0", "0.079 ± 0.012"]),
    None,
];

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let seeds = at_most(5, 1);
    let variants = [
        ("none", WideConfig::new()),
        (
            "penalty(l2 = 1e-3)",
            WideConfig::new().with_penalty_l2(1e-3),
        ),
        (
            "penalty(l1 = 1e-4)",
            WideConfig::new().with_penalty_l1(1e-4),
        ),
        ("decay(l1 = 0.2)", WideConfig::new().with_decay_l1(0.2)),
    ];
    let mut table = Table::new(&[
        "",
        "|w| < 1e-3, %",
        "PyTorch",
        "w = 0, %",
        "PyTorch",
        "last loss",
        "PyTorch",
        "seconds",
    ]);
    let mut last = None;
    for ((name, config), pytorch) in variants.into_iter().zip(PYTORCH) {
        let (mut near, mut zero, mut losses, mut seconds) = (vec![], vec![], vec![], 0.0);
        for seed in 0..seeds {
            let data = noisy_sine(seed)?;
            let training = config
                .clone()
                .training()
                .epochs(at_most(500, 50))
                .seed(seed);
            let run: TrainingResult<Wide> =
                training.progress(Progress::Silent).fit(&data, &data)?;
            let total: LayerSparsity = run.sparsity().total();
            near.push(100.0 * total.near_zero_share());
            zero.push(100.0 * total.zero_share());
            losses.extend(run.history().last().map(|epoch| epoch.train.loss));
            seconds += run
                .history()
                .epochs
                .iter()
                .map(|epoch| epoch.seconds)
                .sum::<f64>();
            last = Some(run);
        }
        let [torch_near, torch_zero, torch_loss] = pytorch.unwrap_or(["-"; 3]).map(str::to_owned);
        table.row([
            name.to_owned(),
            spread(&near, 1),
            torch_near,
            spread(&zero, 1),
            torch_zero,
            spread(&losses, 3),
            torch_loss,
            format!("{seconds:.1}"),
        ]);
    }
    println!(
        "80 points of a sine with noise of deviation 0.3, {seeds} seeds (mean ± deviation)\n\n{table}"
    );
    println!(
        "The loss is the mean squared error without the penalty; the noise alone is 0.09. A penalty goes through Adam: it"
    );
    println!(
        "makes weights small, never zero. decay(l1), which the article does not have, is a step of its own after Adam's (a"
    );
    println!(
        "soft threshold): what it takes away is exactly zero. Its last seed, layer by layer:\n"
    );
    if let Some(run) = last {
        println!("{}", run.sparsity());
    }
    if is_short() {
        println!("\nDAMPER_SHORT=1: these are not the figures of the full training");
    }
    Ok(())
}

/// `linspace(0, 2 pi, 80)`, its sine, and noise of deviation 0.3.
fn noisy_sine(seed: u64) -> Result<Data, DataError> {
    let mut random = Random::new(seed);
    let points: Vec<[f32; 1]> = (0..80)
        .map(|i| [(f64::from(i) * TAU / 79.0) as f32])
        .collect();
    let values: Vec<f32> = points
        .iter()
        .map(|[x]| x.sin() + 0.3 * random.normal())
        .collect();
    Data::new(points, values)
}
