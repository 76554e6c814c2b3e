use damper::model;

model! {
    pub Net
    input x: [32]
    layers {
        embed: embedding(1000, 16);
        pool:  mean(axis = time);
        head:  linear(2);
    }
    loss cross_entropy
}

fn main() {}
