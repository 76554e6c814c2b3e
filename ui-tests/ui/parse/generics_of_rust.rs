use damper::model;

model! {
    pub Net<'a, T>
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
