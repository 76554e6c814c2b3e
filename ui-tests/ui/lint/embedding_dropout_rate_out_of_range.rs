use damper::model;

model! {
    pub Net
    input tokens: [32] of int
    layers {
        embed: embedding(1000, 16) with embedding_dropout(10);
        pool:  mean(axis = time);
        head:  linear(2);
    }
    loss cross_entropy
}

fn main() {}
