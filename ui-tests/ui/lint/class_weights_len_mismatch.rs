use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(4);
    }
    loss cross_entropy(weights = [1.0, 2.0, 1.0])
}

fn main() {}
