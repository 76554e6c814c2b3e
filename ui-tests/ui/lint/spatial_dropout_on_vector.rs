use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> spatial_dropout(0.1);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
