#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(256) -> relu -> dropout(0.5);
        fc2:  linear(256) -> relu -> dropout(0.5);
        fc3:  linear(256) -> relu -> dropout(0.5);
        fc4:  linear(256) -> relu -> dropout(0.5);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
