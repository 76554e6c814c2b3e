use damper::model;

const NAME: &str = "half";

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(NAME);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
