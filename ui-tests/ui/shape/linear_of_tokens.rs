use damper::model;

model! {
    pub Net
    input tokens: [32] of int
    layers {
        fc:   linear(16) -> relu;
        head: linear(2);
    }
    loss cross_entropy
}

fn main() {}
