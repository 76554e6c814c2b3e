use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        gate: linear(32) -> sigmoid;
        main: from(x) -> linear(64) -> relu;
        gated: mul(gate, main);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
