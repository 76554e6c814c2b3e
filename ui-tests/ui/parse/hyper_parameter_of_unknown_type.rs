use damper::model;

model! {
    pub Net<hidden: u32 = 32>
    input x: [64]
    layers {
        fc:   linear(hidden) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
