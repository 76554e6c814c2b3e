use damper::model;

model! {
    pub Net
    input steps: [28, 28]
    layers {
        rnn:  lstm(32) -> batch_norm;
        last: last_step;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
