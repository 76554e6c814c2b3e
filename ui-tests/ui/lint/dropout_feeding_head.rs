#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    #[warn(dropout_feeding_head)]
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(0.5);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
