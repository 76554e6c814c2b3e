//! Everything the language has, in models that no lint complains of.

use damper::model;

/// A layer of the user's.
mod own {
    use damper::burn;
    use damper::burn::module::Module;
    use damper::burn::tensor::Tensor;

    /// Multiplies its input.
    #[derive(Module, Debug)]
    pub struct Scale {
        factor: f64,
    }

    impl Scale {
        pub fn by(factor: f64) -> Self {
            Self { factor }
        }

        pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
            x * self.factor
        }
    }
}

model! {
    /// Every annotation.
    pub Annotations
    input x: [16]
    layers with decay(l2 = 1e-4) {
        a:    linear(16) -> relu   with dropout(0.1) after relu, decay(l1 = 1e-5, l2 = 1e-3);
        b:    linear(16) -> relu   with noise(0.05), max_norm(3.0);
        c:    linear(16) -> tanh   with gaussian_dropout(0.1), unit_norm;
        d:    linear(16) -> relu   with drop_connect(0.2), non_negative;
        e:    linear(16) -> relu   with orthogonal(1e-3), activity(l1 = 1e-5);
        f:    linear(16) -> relu   with freeze, decay(l2 = 0.0);
        #[allow(l1_penalty_leaves_no_zeros, reason = "every annotation")]
        g:    linear(16) -> selu   with alpha_dropout(0.05), penalty(l1 = 1e-5);
        head: linear(4)            with decay(l2 = 1e-2) on all;
    }
    loss cross_entropy
}

model! {
    /// Every source and block.
    pub Structure<depth: usize = 2>
    input { left: [8], right: [8] }
    layers {
        sum:     add(left, right) -> linear(8) -> relu;
        product: mul(left, sum) -> linear(8) -> relu;
        all:     concat(left, sum, product) -> linear(16) -> relu;
        tower:   repeat(depth) {
            block: residual {
                linear(32) -> layer_norm -> gelu;
                linear(16);
            };
        } with drop_path(0.0..0.2);
        narrow:  residual { linear(32) -> silu; linear(8); } shortcut { linear(8); } -> relu;
        own:     custom(own::Scale::by(2.0), output = [8], type = own::Scale);
        head:    linear(1);
    }
    loss huber(delta = 1.0)
    metrics mae, rmse, r2
    train {
        optimizer: sgd(lr = 0.05, momentum = 0.9, nesterov = true),
        schedule:  one_cycle,
        epochs: 12, batch: 16, drop_last: true, seed: 7, accumulate: 2,
        clip(value = 0.5),
        early_stop(patience = 3, metric = mae),
    }
}

#[test]
fn structures_run() {
    let device = damper::device().expect("a device");
    let ones = |features: usize| damper::burn::tensor::Tensor::<2>::ones([2, features], &device);

    let annotations = AnnotationsConfig::new()
        .init(&device)
        .expect("the defaults are checked");
    assert_eq!(annotations.predict(ones(16)).dims(), [2, 4]);

    let structure = StructureConfig::new()
        .with_depth(3)
        .init(&device)
        .expect("three blocks are fine");
    assert_eq!(structure.tower.len(), 3);
    assert_eq!(structure.predict(ones(8), ones(8)).dims(), [2, 1]);
}

#[test]
fn bad_values_at_run_time_are_errors_of_the_same_rules() {
    let device = damper::device().expect("a device");
    let error = StructureConfig::new()
        .with_depth(0)
        .init(&device)
        .expect_err("no copies");
    assert!(error.to_string().contains("repeat"), "{error}");
}
