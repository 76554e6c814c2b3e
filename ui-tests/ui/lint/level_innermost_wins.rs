use damper::model;

model! {
    #[allow(high_dropout_rate)]
    pub Net
    input x: [64]
    layers {
        #[deny(high_dropout_rate)]
        fc1:  linear(32) -> relu -> dropout(0.6);
        fc2:  linear(32) -> relu -> dropout(0.6);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
