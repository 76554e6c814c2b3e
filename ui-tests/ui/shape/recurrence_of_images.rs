use damper::model;

model! {
    pub Net
    input image: [1, 28, 28]
    layers {
        rnn:  lstm(32);
        last: last_step;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
