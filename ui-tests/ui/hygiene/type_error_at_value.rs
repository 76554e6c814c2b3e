use damper::model;

model! {
    pub Net<hidden: usize = 32>
    input x: [64]
    layers {
        fc:   linear(hidden) -> relu -> dropout(rates[0]);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
