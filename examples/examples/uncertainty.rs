//! When a network should say that it does not know: `cargo run --release --example uncertainty`.
//!
//! `predict_mc` predicts many times with dropout still on: where the masks disagree, the model is uncertain (Gal and
//! Ghahramani, "Dropout as a Bayesian Approximation", arXiv 1506.02142). Trained on upright digits, the network is asked
//! about digits like those, turned ones, noisy ones, and pure noise. `DAMPER_SHORT=1` trains on 200 images for one epoch.

use damper::burn::tensor::Distribution;
use damper::prelude::*;
use damper_examples::{at_most, classes, mnist_split, rows, table};
use std::error::Error;

model! {
    /// Two convolutions, with enough dropout for the masks to have opinions of their own.
    pub Doubter<rate: f64 = 0.4>

    input image: [1, 28, 28]

    layers with decay(l2 = 0.01) {
        conv1:  conv2d(16, kernel = 3, padding = same) -> relu -> max_pool2d(2)  with spatial_dropout(0.1) after max_pool2d;
        conv2:  conv2d(32, kernel = 3, padding = same) -> relu -> max_pool2d(2)  with spatial_dropout(0.1) after max_pool2d;
        hidden: flatten -> linear(128) -> relu  with dropout(rate) after relu;
        head:   linear(10);
    }

    loss cross_entropy

    train { optimizer: adamw(lr = 1e-3), epochs: 8, batch: 64, seed: 3 }
}

/// How many masks are asked.
const MASKS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let device = damper::device()?;
    let (learn, test) = mnist_split(3)?;
    let model = Doubter::training()
        .epochs(at_most(8, 1))
        .fit(&learn, &test)?
        .model;
    println!();

    let count = test.rows().min(200);
    let digits = &classes(&test)[..count];
    let images: Tensor<4> = rows(&test, 0..count, &device).reshape([count, 1, 28, 28]);
    device.seed(7);
    let random = Tensor::<4>::random(images.dims(), Distribution::Uniform(0.0, 1.0), &device);
    let noisy =
        |share: f64| images.clone().mul_scalar(1.0 - share) + random.clone().mul_scalar(share);
    let asked = [
        ("as those learnt from", images.clone()),
        (
            "turned by 90 degrees",
            images.clone().swap_dims(2, 3).flip([3]),
        ),
        ("upside down", images.clone().flip([2, 3])),
        ("half noise", noisy(0.5)),
        ("nothing but noise", random.clone()),
        (
            "white on black swapped",
            images.clone().neg().add_scalar(1.0),
        ),
    ];

    let mut table = table::Table::new(&[
        "digits",
        "right, %",
        "probability",
        "deviation",
        "unsure, %",
    ]);
    let (mut near, mut far) = (0.0, 0.0_f64);
    for (name, images) in asked {
        let answer = model.predict_mc(images, MASKS);
        let (means, deviations): (Vec<f32>, Vec<f32>) = (
            answer.mean.into_data().iter().collect(),
            answer.std.into_data().iter().collect(),
        );
        // Of each image: the class that most masks favor, its mean probability, and how far the masks spread.
        let best: Vec<(usize, f32, f32)> = means
            .chunks(10)
            .zip(deviations.chunks(10))
            .map(|(means, deviations)| {
                let best = (0..means.len())
                    .max_by(|a, b| means[*a].total_cmp(&means[*b]))
                    .unwrap_or(0);
                (best, means[best], deviations[best])
            })
            .collect();
        let share = |of: &dyn Fn(usize) -> bool| {
            100.0 * (0..count).filter(|row| of(*row)).count() as f64 / count as f64
        };
        let mean = |of: fn(&(usize, f32, f32)) -> f32| {
            best.iter().map(|x| f64::from(of(x))).sum::<f64>() / count as f64
        };
        let spread = mean(|x| x.2);
        match name {
            "as those learnt from" => near = spread,
            _ => far = far.max(spread),
        }
        let is_digit = !matches!(name, "nothing but noise");
        table.row([
            name.to_owned(),
            if is_digit {
                format!("{:.0}", share(&|row| best[row].0 == digits[row]))
            } else {
                "-".to_owned()
            },
            format!("{:.2}", mean(|x| x.1)),
            format!("{spread:.3}"),
            format!("{:.0}", share(&|row| best[row].1 - 2.0 * best[row].2 < 0.5)),
        ]);
    }
    println!(
        "{count} images each, {MASKS} masks; probability and deviation are those of the favored class,"
    );
    println!("and an answer is unsure if two deviations reach below one half\n\n{table}");
    println!("deviation {near:.3} on digits as learnt from, up to {far:.3} on others");
    Ok(())
}
