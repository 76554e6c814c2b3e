use damper::model;

model! {
    pub Net
    input steps: [28, 32]
    layers {
        pool: mean(axis = width);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
