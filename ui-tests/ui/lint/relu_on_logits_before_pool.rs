#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        conv: conv2d(32, kernel = 3) -> relu;
        map:  conv2d(10, kernel = 1) -> relu;
        head: global_avg_pool;
    }
    loss cross_entropy
}

fn main() {}
