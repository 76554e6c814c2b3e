use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        blocks: repeat(3) {
            block: residual { linear(128) -> relu -> linear(32); };
        };
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
