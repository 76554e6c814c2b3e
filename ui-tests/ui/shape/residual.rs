use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        block: residual { linear(32) -> relu; };
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
