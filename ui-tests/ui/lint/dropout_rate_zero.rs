#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        #[warn(dropout_rate_zero)]
        fc:   linear(32) -> relu -> dropout(0.0);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
