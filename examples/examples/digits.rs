//! 1797 real handwritten digits: `cargo run --release --example digits`.
//!
//! Trains the model below with five seeds, each with a split of its own, then reads the first one's weights back from
//! a file. `DAMPER_SHORT=1` trains one seed for five epochs.

use damper::data::{Data, DataError};
use damper::prelude::*;
use damper::{MeanStd, Progress, TrainError};
use damper_examples::{at_most, classes, digits, table};
use std::error::Error;

model! {
    /// Classifies 8x8 scans of handwritten digits.
    pub Digits<hidden: usize = 128, rate: f64 = 0.5>

    input image: [64]

    layers {
        fc1:  linear(hidden) -> relu      with dropout(rate) after relu, decay(l2 = 1e-3);
        fc2:  linear(hidden / 2) -> relu  with dropout(rate / 2.0) after relu;
        head: linear(10);
    }

    loss cross_entropy(label_smoothing = 0.05)

    train {
        optimizer: adamw(lr = 1e-3),
        schedule:  cosine(warmup = 0.05),
        epochs: 30, batch: 64, seed: 42,
        early_stop(patience = 5),
    }
}

/// What PyTorch 2.15 gives for this model over five seeds, without early stopping (`examples/pytorch/digits.py`).
const PYTORCH: &str = "0.967 to 0.983, mean 0.976";

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let data = digits()?;
    let device = damper::device()?;
    println!("{data}\n\n{}\n", DigitsConfig::new().spec()?);

    let training = || Digits::training().epochs(at_most(30, 5));
    let (train, valid, test) = split(&data, 42)?;
    println!(
        "{} digits to learn from, {} to stop by, {} for the test\n",
        train.rows(),
        valid.rows(),
        test.rows()
    );
    let run = training().fit(&train, &valid)?;
    println!("\n{}\n", run.diagnosis());

    let folder = std::env::temp_dir().join("damper-digits");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("digits.safetensors");
    run.model.save(&file)?;
    let model = Digits::load(&file, &device)?;
    println!(
        "saved to {} and loaded again; ten digits of the test part:\n",
        file.display()
    );
    show_ten(&model, &test)?;

    let mut accuracies = vec![accuracy(&model, &test)?];
    for seed in 43..at_most(47, 43) {
        let (train, valid, test) = split(&data, seed)?;
        let run = training()
            .seed(seed)
            .progress(Progress::Silent)
            .fit(&train, &valid)?;
        accuracies.push(accuracy(&run.model, &test)?);
    }
    let each: Vec<String> = accuracies
        .iter()
        .map(|accuracy| format!("{accuracy:.3}"))
        .collect();
    let MeanStd { mean, .. } = MeanStd::of(&accuracies);
    println!("\nevery seed with a split of its own: {}", each.join(", "));
    println!(
        "mean {mean:.3} ({}); PyTorch: {PYTORCH}",
        table::spread(&accuracies, 3)
    );
    println!("test accuracy {:.3}", accuracies[0]);
    Ok(())
}

/// 80 % to learn from and 20 % for the test. Early stopping must not look at the test: it gets a tenth of the former.
fn split(data: &Data, seed: u64) -> Result<(Data, Data, Data), DataError> {
    let (learn, test) = data.split(0.8, seed)?;
    let (train, valid) = learn.split(0.9, seed)?;
    Ok((train, valid, test))
}

/// The share of digits that the model reads right.
fn accuracy(model: &Digits, test: &Data) -> Result<f64, TrainError> {
    Ok(model.evaluate(test)?.metrics[0])
}

/// Ten digits side by side, and what the model makes of them.
fn show_ten(model: &Digits, test: &Data) -> Result<(), Box<dyn Error>> {
    let ten = test.select(&(0..10).collect::<Vec<_>>())?;
    let scores: Vec<f32> = model.predict_data(&ten)?.into_data().iter().collect();
    for line in 0..8 {
        let pixels = |row: usize| {
            test.row(row)
                .and_then(|image| image.get(8 * line..8 * line + 8))
                .unwrap_or(&[])
        };
        let ink = |pixel: &f32| [' ', '░', '▒', '▓', '█'][(pixel / 4.0).round() as usize];
        let images: Vec<String> = (0..10)
            .map(|row| pixels(row).iter().map(ink).collect())
            .collect();
        println!("{}", images.join("  ").trim_end());
    }
    let digits = classes(test);
    let answers = scores.chunks(10).zip(digits.iter()).map(|(scores, digit)| {
        let best = scores
            .iter()
            .copied()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let (read, probability) = best.unwrap_or_default();
        let mark = if read == *digit { ' ' } else { '!' };
        format!("{read} {:3.0} %{mark} ", 100.0 * probability)
    });
    println!("{}", answers.collect::<Vec<_>>().join("  ").trim_end());
    Ok(())
}
