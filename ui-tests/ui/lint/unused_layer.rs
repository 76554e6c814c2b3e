#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        wide: linear(32) -> relu;
        deep: from(x) -> linear(16) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
