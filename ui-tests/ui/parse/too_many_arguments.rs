use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32, false, 7) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
