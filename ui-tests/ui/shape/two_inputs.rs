use damper::model;

model! {
    pub Net
    input { user: [32], item: [64] }
    layers {
        sum:  add(user, item) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
