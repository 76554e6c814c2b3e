use damper::model;

model! {
    pub Net
    input x: [64]
    layer { head: linear(10); }
    loss cross_entropy
}

fn main() {}
