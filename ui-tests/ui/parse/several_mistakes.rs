use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc1:  linaer(128) -> relu with dropout(0.5);
        fc2:  linear(64, bais = false) -> rellu;
        fc3:  linear(0.5) -> relu with dropuot(0.3), decay(l3 = 1e-3);
        head: linear(10);
    }
    loss cross_entropi
    train { epoch: 10, optimizer: adamv(lr = 1e-3) }
}

fn main() {}
