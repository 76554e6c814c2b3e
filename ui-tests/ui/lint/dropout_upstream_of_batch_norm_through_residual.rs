#![deny(deprecated)] // Warnings of the macro are deprecations to rustc.

use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        stem: conv2d(16, kernel = 3) -> relu -> spatial_dropout(0.1);
        body: residual { conv2d(16, kernel = 3, padding = same, bias = false) -> batch_norm -> relu; };
        pool: global_avg_pool;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
