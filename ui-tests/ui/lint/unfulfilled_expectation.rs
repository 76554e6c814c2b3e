#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        #[expect(high_dropout_rate, reason = "to be lowered")]
        fc:   linear(32) -> relu -> dropout(0.5);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
