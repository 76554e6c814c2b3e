use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
