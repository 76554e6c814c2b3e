use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adamw(lr = 0.0) }
}

fn main() {}
