use damper::model;

model! {
    pub Net
    input image: [3, 32, 32]
    layers {
        conv: conv2d(16, kernel = 3, padding = same) -> relu;
        map:  conv2d(4, kernel = 1);
    }
    loss cross_entropy
    task multiclass(5)
}

fn main() {}
