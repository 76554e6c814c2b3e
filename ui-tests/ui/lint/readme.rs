use damper::model;

model! {
    /// Classifies 8x8 scans of handwritten digits.
    pub Digits<hidden: usize = 128, rate: f64 = 0.5>

    input image: [64]

    layers {
        fc1:  linear(hidden) -> relu      with dropout(rate) after relu, decay(l2 = 1e-3);
        fc2:  linear(hidden / 2) -> relu  with dropout(rate / 2.0) after relu;
        head: linear(10) with dropout(0.5);
    }

    loss cross_entropy(label_smoothing = 0.05)

    train {
        optimizer: adamw(lr = 1e-3),
        schedule:  cosine(warmup = 0.05),
        epochs: 30, batch: 64, seed: 42,
        early_stop(patience = 5),
    }
}

fn main() {}
