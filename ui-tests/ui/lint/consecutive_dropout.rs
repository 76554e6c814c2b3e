#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(0.3) with dropout(0.2) after relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
