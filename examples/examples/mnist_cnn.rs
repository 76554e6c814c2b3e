//! A convolutional network on 5000 images of handwritten digits: `cargo run --release --example mnist_cnn`.
//!
//! First two 3x3 convolutions as one would write them down, for eight epochs. Then the same layers with what the article
//! recommends for images: whole channels dropped, dropout only before the dense layers, decay, soft labels, and images
//! shifted by up to two pixels. 4000 images are learnt from, 1000 are the test. `DAMPER_SHORT=1` trains on 200 images for
//! one epoch.

use damper::prelude::*;
use damper::{MeanStd, Progress, TrainingResult};
use damper_examples::{at_most, mnist_split, table};
use std::error::Error;

model! {
    /// Two convolutions, without regularization.
    pub Plain

    input image: [1, 28, 28]

    layers {
        conv1:  conv2d(16, kernel = 3, padding = same) -> relu -> max_pool2d(2);
        conv2:  conv2d(32, kernel = 3, padding = same) -> relu -> max_pool2d(2);
        hidden: flatten -> linear(128) -> relu;
        head:   linear(10);
    }

    loss cross_entropy

    train { optimizer: adamw(lr = 1e-3), epochs: 8, batch: 64 }
}

model! {
    /// The same layers, regularized.
    pub Regularized

    input image: [1, 28, 28]

    layers with decay(l2 = 0.01) {
        conv1:  conv2d(16, kernel = 3, padding = same) -> relu -> max_pool2d(2)  with spatial_dropout(0.1) after max_pool2d;
        conv2:  conv2d(32, kernel = 3, padding = same) -> relu -> max_pool2d(2);
        hidden: flatten -> linear(128) -> relu  with dropout(0.3) after relu;
        head:   linear(10);
    }

    loss cross_entropy(label_smoothing = 0.05)

    train {
        optimizer: adamw(lr = 2e-3),
        schedule:  cosine(warmup = 0.1),
        epochs: 16, batch: 64,
        augment(shift = 2),
    }
}

/// PyTorch 2.15, the same two networks, five seeds (`examples/pytorch/mnist_cnn.py`).
const PYTORCH: [&str; 2] = ["0.949 to 0.966, mean 0.959", "0.966 to 0.986, mean 0.978"];

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    println!("{}\n", RegularizedConfig::new().spec()?);
    let seeds = at_most(3, 1);
    let (mut plain, mut regularized) = (Vec::new(), Vec::new());
    for seed in 0..seeds {
        let (learn, test) = mnist_split(seed)?;

        // The test is looked at after each epoch, but nothing is chosen by it: no early stopping.
        let run: TrainingResult<Plain> = Plain::training()
            .epochs(at_most(8, 1))
            .seed(seed)
            .progress(Progress::Silent)
            .fit(&learn, &test)?;
        plain.push(run.evaluate(&test)?.metrics[0]);
        let run: TrainingResult<Regularized> = Regularized::training()
            .epochs(at_most(16, 1))
            .seed(seed)
            .progress(Progress::Silent)
            .fit(&learn, &test)?;
        regularized.push(run.evaluate(&test)?.metrics[0]);
        if seed == 0 {
            println!("{}\n", run.diagnosis());
        }
    }

    let mut table = table::Table::new(&["", "test accuracy, each seed", "mean", "PyTorch"]);
    let both = [
        ("two convolutions, 8 epochs", &plain),
        ("regularized, 16 epochs", &regularized),
    ];
    for ((name, accuracies), pytorch) in both.into_iter().zip(PYTORCH) {
        let each: Vec<String> = accuracies
            .iter()
            .map(|accuracy| format!("{accuracy:.3}"))
            .collect();
        table.row([
            name.to_owned(),
            each.join(" "),
            format!("{:.4}", MeanStd::of(accuracies).mean),
            pytorch.to_owned(),
        ]);
    }
    println!("{table}");
    println!(
        "test accuracy {:.4}, regularized {:.4}",
        MeanStd::of(&plain).mean,
        MeanStd::of(&regularized).mean
    );
    Ok(())
}
