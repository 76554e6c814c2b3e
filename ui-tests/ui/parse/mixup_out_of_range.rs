use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        head: linear(10);
    }
    loss cross_entropy
    train { mixup(0.0) }
}

fn main() {}
