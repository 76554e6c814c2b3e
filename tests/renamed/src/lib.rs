//! A crate that knows damper as `renamed`, and does not depend on burn.

#![deny(warnings, missing_docs, clippy::all, clippy::pedantic)]

use renamed::model;

model! {
    /// Every kind of item that is generated.
    pub Net<hidden: usize = 16, rate: f64 in 0.0..0.9 = 0.2>
    input x: [8]
    layers with decay(l2 = 1e-4) {
        stem:  linear(hidden) -> relu -> dropout(rate);
        body:  repeat(2) {
            block: residual {
                linear(hidden, bias = false) -> prelu with drop_connect(0.1);
                linear(hidden);
            };
        } with drop_path(0.0..0.1);
        head:  linear(3);
    }
    loss cross_entropy
    metrics accuracy, f1
    train { optimizer: adamw(lr = 1e-3), schedule: cosine(warmup = 0.1), epochs: 2, early_stop(patience = 1) }
}

model! {
    /// Compiles because `Cargo.toml` says so.
    pub Noisy<rate: f64 = 0.6>
    input x: [8]
    layers {
        fc:   linear(16) -> relu -> dropout(rate);
        head: linear(3) -> dropout(0.1);
    }
    loss cross_entropy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_of_the_crate_hold_at_run_time_too() {
        let device = renamed::device().expect("a device");
        NoisyConfig::new()
            .init(&device)
            .expect("the table allows 0.6");
        let error = NoisyConfig::new()
            .with_rate(0.65)
            .init(&device)
            .expect_err("0.65 is above the table's limit");
        assert!(error.to_string().contains("high_dropout_rate"), "{error}");
    }

    #[test]
    fn a_renamed_dependency_is_enough() {
        let device = renamed::device().expect("a device");
        let model = NetConfig::new()
            .with_hidden(12)
            .init(&device)
            .expect("12 units are fine");
        let x = renamed::burn::tensor::Tensor::<2>::ones([2, 8], &device);
        assert_eq!(model.predict(x).dims(), [2, 3]);
    }

    #[test]
    fn a_value_outside_its_domain_is_an_error() {
        let device = renamed::device().expect("a device");
        let error = NetConfig::new()
            .with_rate(0.95)
            .init(&device)
            .expect_err("0.95 is not below 0.9");
        assert!(error.to_string().contains("rate"), "{error}");
    }
}
