use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32, bias = false) -> relu -> dropout(0.3) -> batch_norm;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
