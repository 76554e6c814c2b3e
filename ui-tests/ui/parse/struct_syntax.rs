use damper::model;

model! {
    pub struct Net {
        fc: linear(32) -> relu,
        head: linear(10),
    }
}

fn main() {}
