use damper::model;

model! {
    pub Net
    input tokens: [32] of int
    layers {
        embed: embedding(1000, 16);
        conv:  conv1d(32, kernel = 3) -> relu;
        pool:  global_avg_pool;
        head:  linear(2);
    }
    loss cross_entropy
}

fn main() {}
