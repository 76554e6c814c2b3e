use damper::model;

model! {
    pub Net
    input x: [64]
    loss cross_entropy
}

fn main() {}
