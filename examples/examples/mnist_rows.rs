//! An image read line by line: `cargo run --release --example mnist_rows`.
//!
//! Each of 5000 digits is a sequence of 28 steps of 28 pixels for two LSTM layers. `variational_dropout` draws one mask for
//! all steps of a sample (Gal and Ghahramani, arXiv 1512.05287); `dropout` on a stack of recurrent layers acts between them,
//! as `nn.LSTM(dropout = ..)` does in PyTorch. `DAMPER_SHORT=1` trains on 200 images for one epoch.

use damper::prelude::*;
use damper_examples::{at_most, mnist_split};
use std::error::Error;

model! {
    /// Reads an image from top to bottom.
    pub Rows

    input image: [28, 28]

    layers {
        rnn:  lstm(128, layers = 2)  with variational_dropout(0.1), dropout(0.1);
        last: last_step;
        head: linear(10);
    }

    loss cross_entropy

    train {
        optimizer: adamw(lr = 2e-3),
        schedule:  cosine(warmup = 0.1),
        epochs: 15, batch: 64, seed: 1,
    }
}

/// PyTorch 2.15, three seeds (`examples/pytorch/mnist_rows.py`).
const PYTORCH: &str = "0.959 to 0.969, mean 0.965";

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let (learn, test) = mnist_split(1)?;
    println!("{}\n\n{learn}\n", RowsConfig::new().spec()?);

    // The test is looked at after each epoch, but nothing is chosen by it: no early stopping.
    let run = Rows::training().epochs(at_most(15, 1)).fit(&learn, &test)?;
    println!("\n{}\n", run.diagnosis());

    let accuracy = run.evaluate(&test)?.metrics[0];
    println!("PyTorch, the same network: {PYTORCH}");
    println!("test accuracy {accuracy:.3}");
    Ok(())
}
