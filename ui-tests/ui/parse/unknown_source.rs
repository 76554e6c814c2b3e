use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(32) -> relu;
        fc2:  from(fc_1) -> linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
