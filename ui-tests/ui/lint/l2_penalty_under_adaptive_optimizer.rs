#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu with penalty(l2 = 1e-3);
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adam(lr = 1e-3) }
}

fn main() {}
