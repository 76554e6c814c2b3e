use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        head: linear(10);
    }
    loss cross_entropy
    train { epochs: 10, swa(20) }
}

fn main() {}
