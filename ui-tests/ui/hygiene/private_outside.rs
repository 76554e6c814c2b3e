use damper::model;

mod inner {
    super::model! {
        Net
        input x: [64]
        layers { head: linear(10); }
        loss cross_entropy
    }
}

fn main() {
    let _ = inner::NetConfig::new();
}
