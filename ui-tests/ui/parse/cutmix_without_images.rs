use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        head: linear(10);
    }
    loss cross_entropy
    train { cutmix(1.0) }
}

fn main() {}
