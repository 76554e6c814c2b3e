#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    /// The model of burn's guide, layer by layer.
    pub Guide<hidden: usize = 512, rate: f64 = 0.5>
    input image: [1, 28, 28]
    layers {
        conv1:   conv2d(8, kernel = 3) -> dropout(rate);
        conv2:   conv2d(16, kernel = 3) -> dropout(rate) -> relu;
        pool:    adaptive_avg_pool2d(8);
        linear1: flatten -> linear(hidden) -> dropout(rate) -> relu;
        linear2: linear(10);
    }
    loss cross_entropy
}

fn main() {}
