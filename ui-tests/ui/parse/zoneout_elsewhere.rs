use damper::model;

model! {
    pub Net
    input steps: [28, 32]
    layers {
        fc:   linear(32) -> relu with zoneout(0.1);
        pool: mean(axis = time);
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
