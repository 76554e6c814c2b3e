use damper::model;

model! {
    pub Net
    input tokens: [32] of int
    layers {
        embed: embedding(1000, 16);
        rnn:   lstm(16);
        head:  linear(1000, tied = rnn);
    }
    loss cross_entropy
}

fn main() {}
