use damper::model;

model! {
    pub Net<hidden: usize = 32>
    input x: [64]
    layers {
        fc:   linear(hidden / 64) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
