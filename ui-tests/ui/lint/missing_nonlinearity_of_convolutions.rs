use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        conv1: conv2d(32, kernel = 1);
        conv2: conv2d(32, kernel = 3) -> relu;
        pool:  global_avg_pool;
        head:  linear(10);
    }
    loss cross_entropy
}

fn main() {}
