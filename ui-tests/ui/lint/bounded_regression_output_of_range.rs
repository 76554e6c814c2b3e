use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(1) -> sigmoid;
    }
    loss mse target in [-1, 1]
}

fn main() {}
