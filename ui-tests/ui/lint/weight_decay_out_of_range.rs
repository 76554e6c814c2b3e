use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu with decay(l2 = 10.0);
        head: linear(10);
    }
    loss cross_entropy
    train { optimizer: sgd(lr = 0.1) }
}

fn main() {}
