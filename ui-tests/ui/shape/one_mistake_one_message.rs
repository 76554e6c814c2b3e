use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(32) -> relu;
        fc2:  from(x) -> linear(16) -> relu;
        sum:  add(fc1, fc2) -> linear(64) -> relu;
        fc3:  linear(32) -> relu;
        all:  concat(sum, fc3) -> linear(8) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
