use damper::model;

model! {
    pub Net
    input image: [8, 6, 6]
    layers {
        conv: conv2d(16, kernel = 3) -> relu with drop_block(0.1, size = 7);
        pool: global_avg_pool;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
