use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(128) -> -> relu;
        fc2:  linear(64,,) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
