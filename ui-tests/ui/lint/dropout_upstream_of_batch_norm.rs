#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(64) -> relu -> dropout(0.3);
        fc2:  linear(32, bias = false) -> batch_norm -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
