use damper::model;

model! {
    pub Net
    input x: [64]
    layers {

    }
    loss cross_entropy
}

fn main() {}
