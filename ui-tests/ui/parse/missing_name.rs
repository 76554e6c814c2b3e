use damper::model;

model! {
    input x: [64]
    layers { head: linear(10); }
}

fn main() {}
