use damper::model;

model! {
    pub Net<rate: f64 = 0.5>
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(2.0 * rate);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
