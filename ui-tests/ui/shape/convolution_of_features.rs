use damper::model;

model! {
    pub Net
    input x: [784]
    layers {
        conv: conv2d(8, kernel = 3) -> relu;
        flat: flatten;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
