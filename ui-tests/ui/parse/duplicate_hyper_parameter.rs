use damper::model;

model! {
    pub Net<n: usize = 32, n: usize = 64>
    input x: [64]
    layers {
        fc:   linear(n) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
