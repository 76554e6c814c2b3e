use damper::model;

model! {
    pub Net<rate: f64 in 0.0..0.5 = 0.5>
    input x: [64]
    layers {
        fc:   linear(32) -> relu with dropout(rate);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
