use damper::model;

model! {
    pub Net
    input x: [64]
    layers {
        #[allow(dropout_with_batchnorm)]
        fc:   linear(32, bias = false) -> batch_norm -> relu;
        head: linear(10);
    }
    loss cross_entropy
}

fn main() {}
