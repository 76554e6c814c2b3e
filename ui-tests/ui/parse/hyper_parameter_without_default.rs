use damper::model;

model! {
    pub Net<hidden: usize>
    input x: [64]
    layers {
        fc:   linear(hidden) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
