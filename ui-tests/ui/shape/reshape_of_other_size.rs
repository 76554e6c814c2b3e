use damper::model;

model! {
    pub Net
    input x: [784]
    layers {
        image: reshape([1, 28, 29]);
        conv:  conv2d(8, kernel = 3) -> relu;
        pool:  global_avg_pool;
        head:  linear(10);
    }
    loss cross_entropy
}

fn main() {}
