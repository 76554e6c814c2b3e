use damper::model;

model! {
    #[deny(high_dropout_rate, max = 0.6, reason = "the input is masked")]
    pub Net
    input x: [64]
    layers {
        fc1:  linear(32) -> relu -> dropout(0.6);
        fc2:  linear(32) -> relu -> dropout(0.65);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
