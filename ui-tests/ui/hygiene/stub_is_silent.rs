use damper::model;

model! {
    pub Net<hidden: usize = 32>
    input x: [64]
    layers {
        fc:   linaer(hidden) -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn run(device: &damper::burn::tensor::Device) -> Result<(), Box<dyn std::error::Error>> {
    let model = NetConfig::new().with_hidden(64).init(device)?;
    let x = damper::burn::tensor::Tensor::<2>::zeros([1, 64], device);
    println!("{}", model.forward(x.clone()));
    println!("{}", model.predict(x.clone()));
    println!("{}", model.classify(x.clone()));
    println!("{}", model.spec());
    model.save("net.safetensors")?;
    let loaded = Net::load("net.safetensors", device)?;
    let _ = loaded.predict_mc(x, 10);
    let _ = Net::training().epochs(3);
    Ok(())
}

mod tests {
    use super::*;

    fn again() -> NetConfig {
        NetConfig::new()
    }
}

fn main() {}
