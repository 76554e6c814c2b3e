#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> batch_norm -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
