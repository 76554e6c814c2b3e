use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32);
        act:  relu with decay(l2 = 1e-3);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
