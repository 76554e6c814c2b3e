use damper::model;

model! {
    #[warn(high_dropout_rate, maximum = 0.6)]
    pub Net
    input x: [64]
    layers {
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
