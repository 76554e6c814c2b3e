use damper::model;

model! {
    pub Net
    input image: [3, 32, 32]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
