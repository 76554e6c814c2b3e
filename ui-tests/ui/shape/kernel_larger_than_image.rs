use damper::model;

model! {
    pub Net
    input image: [3, 4, 4]
    layers {
        conv: conv2d(8, kernel = 5) -> relu;
        flat: flatten;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
