use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        block: residual { linear(64) -> relu -> linear(64); } with drop_path(0.0..0.2);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
