use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        fc:   linear(32) -> relu;
        head: linear(10);
    }
    loss cross_entropy
    train { backend: wgpu, epochs: 3 }
}

fn main() {
    let _ = Net::training().epochs(5);
}
