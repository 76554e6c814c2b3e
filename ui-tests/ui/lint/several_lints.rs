#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(32) -> dropout(0.5) -> sigmoid;
        fc2:  linear(32) -> relu -> dropout(0.3) -> batch_norm;
        head: linear(10) -> dropout(0.2) -> softmax;
    }
    loss cross_entropy
    train { optimizer: adam(lr = 1e-3, weight_decay = 1e-2), batch: 1 }
}

fn main() {}
