use damper::model;

model! {
    pub Net
    input tokens: [32] of int
    layers {
        embed: embedding(1000, 16);
        rnn:   lstm(32);
        head:  linear(1000, tied = embed);
    }
    loss cross_entropy
}

fn main() {}
