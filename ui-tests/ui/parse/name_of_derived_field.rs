use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(0.5);
        fc_dropout: linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
