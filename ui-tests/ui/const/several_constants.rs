use damper::model;

const UNITS: usize = 0;
const RATE: f64 = 1.0;

mod limits {
    pub const LEARNING_RATE: f64 = -1e-3;
}

const fn half(n: usize) -> usize {
    n / 2
}

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(half(UNITS)) -> relu -> dropout(RATE);
        fc2:  linear(32) -> relu with drop_connect(1.0 - RATE - 0.5);
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = limits::LEARNING_RATE) }
}

fn main() {}
