use damper::model;

model! {
    pub Net<hidden: usize = 512>
    input x: [64]
    layers {
        fc1:  linear(hidden) -> relu;
        fc2:  linear(hidden) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    budget {
        params <= 100_000,
        flops <= 1_000_000,
        memory <= 1 MiB,
    }
}

fn main() {}
