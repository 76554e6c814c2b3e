use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(6);
    }
    task multiclass(7)
    loss cross_entropy
}

fn main() {}
