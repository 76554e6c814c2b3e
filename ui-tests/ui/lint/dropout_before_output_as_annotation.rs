use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10) with dropout(0.5), decay(l2 = 1e-3);
    }
    loss cross_entropy
}

fn main() {}
