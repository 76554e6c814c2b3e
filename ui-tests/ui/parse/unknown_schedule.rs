use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    train { schedule: cosin(warmup = 0.1) }
}

fn main() {}
