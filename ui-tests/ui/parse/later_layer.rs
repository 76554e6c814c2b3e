use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        conv: conv2d(32, kernel = 3) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
