//! A small vision transformer: `cargo run --release --example mnist_vit`.
//!
//! Each of 5000 digits is cut into 16 patches of 7x7 pixels; a class token looks at all of them (Dosovitskiy et al., arXiv
//! 2010.11929). With 4000 images to learn from, such a model needs regularization: stochastic depth that rises with the
//! block, decay, and shifted images. `DAMPER_SHORT=1` trains on 200 images for one epoch.

use damper::prelude::*;
use damper_examples::{at_most, mnist_split};
use std::error::Error;

model! {
    /// Patches, four blocks with the norms in front, a class token.
    pub Vit<dim: usize = 64, heads: usize = 4, depth: usize = 4>

    input image: [1, 28, 28]

    layers {
        patches: conv2d(dim, kernel = 7, stride = 7) -> to_sequence -> class_token -> positional(learned);
        encoder: repeat(depth) {
            attend: residual { layer_norm -> attention(heads = heads); };
            feed:   residual { layer_norm -> linear(2 * dim) -> gelu -> linear(dim)  with dropout(0.1) after gelu; };
        } with drop_path(0.0..0.1);
        token:   layer_norm -> first_step;
        head:    linear(10);
    }

    loss cross_entropy

    train {
        optimizer: adamw(lr = 2e-3, weight_decay = 0.05),
        schedule:  cosine(warmup = 0.1),
        epochs: 20, batch: 64, seed: 1,
        augment(shift = 2),
    }
}

/// PyTorch 2.15, three seeds (`examples/pytorch/mnist_vit.py`).
const PYTORCH: &str = "0.954 to 0.964, mean 0.959";

fn main() -> Result<(), Box<dyn Error>> {
    damper_examples::say_if_short();
    let (learn, test) = mnist_split(1)?;
    println!("{}\n\n{learn}\n", VitConfig::new().spec()?);

    // The test is looked at after each epoch, but nothing is chosen by it: no early stopping.
    let run = Vit::training().epochs(at_most(20, 1)).fit(&learn, &test)?;
    println!("\n{}\n", run.diagnosis());

    let accuracy = run.evaluate(&test)?.metrics[0];
    println!("PyTorch, the same network: {PYTORCH}");
    println!("test accuracy {accuracy:.3}");
    Ok(())
}
