use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: adam(lr = 1e-3, weight_decay = 1e-2) }
}

fn main() {}
