#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input { user: [32], item: [64] }
    layers {
        left:  from(user) -> linear(32) -> relu;
        right: from(item) -> linear(32) -> relu;
        body:  add(left, right) -> residual {
            linear(64) -> dropout(0.2) -> relu;
            linear(32) -> relu;
        };
        score: linear(1) -> sigmoid;
    }
    loss binary_cross_entropy
}

fn main() {}
