use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        tower: repeat(1_000_000_000) { linear(64) -> relu; };
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
