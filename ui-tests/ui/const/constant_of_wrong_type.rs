use damper::model;

const UNITS: i32 = 32;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(UNITS) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
