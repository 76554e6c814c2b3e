use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        conv: conv2d(8, kernel = 3) -> layer_norm -> relu;
        pool: global_avg_pool;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
