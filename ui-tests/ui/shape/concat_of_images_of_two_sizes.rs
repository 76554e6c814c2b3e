use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        a: conv2d(8, kernel = 3) -> relu;
        b: from(image) -> conv2d(8, kernel = 5) -> relu;
        c: concat(a, b) -> global_avg_pool;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
