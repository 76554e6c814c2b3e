use damper::model;

model! {
    pub Net<hidden: usize = 0.5>
    input x: [64]
    layers {
        fc:   linear(hidden) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
