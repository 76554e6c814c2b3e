use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> dropout(0.3) -> sigmoid;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
