use damper::model;

model! {
    pub Net
    input image: [16, 8, 8]
    layers {
        down: residual { conv2d(32, kernel = 3, stride = 2, padding = 1) -> relu; };
        pool: global_avg_pool;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
