use damper::model;

mod nets {
    use super::model;

    model! {
        pub Net<hidden: usize = 32>
        input x: [64]
        layers {
            fc:   linear(hidden) -> relu;
            head: linear(10) -> softmax;
        }
        loss cross_entropy
    }
}

use nets::*;

fn run(device: &damper::burn::tensor::Device) -> Result<Net, damper::SpecError> {
    let model = NetConfig::new().init(device)?;
    let _ = (&model.fc.weight, &model.head.bias);
    Ok(model)
}

fn main() {
    let _ = run;
}
