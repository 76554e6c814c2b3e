use damper::model;

model! {
    pub Net
    input image: [3, 4, 4]
    layers {
        conv: conv2d(8, kernel = 4, bias = false) -> batch_norm -> relu;
        flat: flatten;
        head: linear(10);
    }
    loss cross_entropy
    train { batch: 1 }
}

fn main() {}
