use damper::model;

model! {
    Net
    input x: [20, 8]
    layers {
        tower: repeat(3) { fc: flatten -> linear(8) -> relu; };
        head:  linear(2);
    }
    loss mse
}

fn main() {}
