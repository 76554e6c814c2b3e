use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> variational_dropout(0.2);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
