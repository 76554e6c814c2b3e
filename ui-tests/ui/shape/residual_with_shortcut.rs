use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        block: residual { linear(128) -> relu -> linear(32); } shortcut { linear(16); };
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
