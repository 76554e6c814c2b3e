use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    train { epochs: 10, batch: 32, epochs: 20 }
}

fn main() {}
