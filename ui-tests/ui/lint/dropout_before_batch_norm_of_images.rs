use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        conv: conv2d(16, kernel = 3, bias = false) -> relu -> spatial_dropout(0.1) -> batch_norm;
        pool: global_avg_pool;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
