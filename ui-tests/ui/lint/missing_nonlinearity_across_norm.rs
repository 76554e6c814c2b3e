use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linear(32, bias = false) -> batch_norm;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
