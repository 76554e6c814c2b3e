use damper::model;

model! {
    pub Net<hidden: usize = 32, parts: usize = 0>
    input x: [64]
    layers {
        fc:   linear(hidden / parts) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
