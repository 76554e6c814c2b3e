use damper::model;

model! {
    pub Net
    input image: [3, 8, 8]
    layers {
        conv: conv2d(8, kernel = 3, groups = 2) -> relu;
        pool: global_avg_pool;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
