use damper::model;

const RATE: f64 = 1.5;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(RATE);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
