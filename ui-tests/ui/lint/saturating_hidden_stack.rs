#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(64) -> sigmoid;
        fc2:  linear(64) -> sigmoid;
        fc3:  linear(64) -> sigmoid;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
