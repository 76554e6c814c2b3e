#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        conv: conv2d(16, kernel = 3) -> relu -> dropout(0.1) -> max_pool2d(2);
        flat: flatten;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
