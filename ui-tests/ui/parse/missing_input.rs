use damper::model;

model! {
    pub Net
    layers {
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
