#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(3) -> softmax;
    }
    loss binary_cross_entropy(from = probabilities)
}

fn main() {}
