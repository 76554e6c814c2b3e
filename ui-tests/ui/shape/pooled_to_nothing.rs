use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        conv: conv2d(8, kernel = 3) -> relu -> max_pool2d(13) -> max_pool2d(4);
        flat: flatten;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
