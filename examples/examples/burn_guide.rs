//! The model of burn's guide, corrected as the compiler says: `cargo run --release --example burn_guide`.
//!
//! The Burn Book's "Basic Workflow" builds two convolutions, adaptive pooling and two dense layers, with `dropout(0.5)` after
//! each convolution and before both activations. Declared as it is, it compiles with five warnings:
//!
//! - `elementwise_dropout_on_feature_maps`, twice: neighboring pixels say nearly the same, so little is hidden;
//! - `missing_nonlinearity`: without an activation between them, the two convolutions are one;
//! - `dropout_before_activation`, twice: dropout belongs after the activation.
//!
//! Below it is corrected as their `help` lines say. `DAMPER_SHORT=1` trains on 200 images for one epoch.

use damper::prelude::*;
use damper_examples::{at_most, mnist_split};
use std::error::Error;

model! {
    /// Burn's guide, corrected.
    pub Guide<hidden: usize = 512, classes: usize = 10, rate: f64 = 0.5>

    input image: [1, 28, 28]

    layers {
        conv1:   conv2d(8, kernel = 3) -> relu         with spatial_dropout(0.1) after relu;
        conv2:   conv2d(16, kernel = 3) -> relu        with spatial_dropout(0.1) after relu;
        pool:    adaptive_avg_pool2d(8) -> flatten;
        linear1: linear(hidden) -> relu                with dropout(rate) after relu;
        linear2: linear(classes);
    }

    loss cross_entropy

    train { optimizer: adamw(lr = 1e-3), epochs: 8, batch: 64, seed: 42 }
}

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let (learn, test) = mnist_split(42)?;
    println!("{}\n", GuideConfig::new().spec()?);

    // The test is looked at after each epoch, but nothing is chosen by it: no early stopping.
    let run = Guide::training().epochs(at_most(8, 1)).fit(&learn, &test)?;
    println!("\n{}\n", run.diagnosis());

    let accuracy = run.evaluate(&test)?.metrics[0];
    println!("test accuracy {accuracy:.3}");
    Ok(())
}
