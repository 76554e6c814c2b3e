use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32, bias = false) -> batch_norm -> relu with dropout(0.5) after relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
