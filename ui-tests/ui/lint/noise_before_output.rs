use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(1) with noise(0.1);
    }
    loss mse
}

fn main() {}
