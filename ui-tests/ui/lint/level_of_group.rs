use damper::model;

model! {
    #[deny(damper::strict)]
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu -> dropout(0.3);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
