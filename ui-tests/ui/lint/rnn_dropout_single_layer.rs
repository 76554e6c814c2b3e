use damper::model;

model! {
    pub Net
    input steps: [28, 28]
    layers {
        rnn:  lstm(64) with dropout(0.2);
        last: last_step;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
