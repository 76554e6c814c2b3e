#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        block: residual { linear(64) -> relu -> linear(64); } with drop_path(0.7);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
