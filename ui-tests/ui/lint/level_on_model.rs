use damper::model;

model! {
    #[deny(high_dropout_rate)]
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(0.8);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
