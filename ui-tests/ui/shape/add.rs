use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        deep: linear(32) -> relu;
        wide: from(x) -> linear(16) -> relu;
        sum:  add(deep, wide);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
