//! Names in scope that generated code must not take for its own.

/// Everything that generated code names, as types of the user's.
mod shadowed {
    #![allow(dead_code, reason = "only their names matter")]

    pub struct Result;
    pub struct Option;
    pub struct String;
    pub struct Vec;
    pub struct Box;
    pub struct Tensor;
    pub struct Device;
    pub struct Spec;
    pub struct SpecError;
    pub struct Training;
    pub struct Builder;
    pub struct Module;
    pub struct Config;
    pub struct Default;
    pub struct Clone;
    pub struct Debug;
    pub struct Into;
    pub struct From;
    pub struct Ok;
    pub struct Err;
    pub struct Some;
    pub struct None;
    pub mod std {}
    pub mod core {}
    pub mod alloc {}
    pub mod serde {}

    damper::model! {
        /// Stands among them.
        pub Net<hidden: usize = 16, rate: f64 = 0.1>
        input x: [8]
        layers {
            fc:    linear(hidden) -> relu -> dropout(rate);
            body:  repeat(2) { block: residual { linear(hidden) -> prelu -> linear(hidden); } with drop_path(0.1); };
            head:  linear(3);
        }
        loss cross_entropy
        train { optimizer: adam(lr = 1e-3) }
    }
}

/// Hyper-parameters, inputs and layers that are called as generated code calls its own things.
mod awkward {
    damper::model! {
        /// Awkward hyper-parameters.
        pub Hyper<device: usize = 8, build: usize = 9, spec: f64 = 0.1, model: usize = 10, x: usize = 11, pass: bool = true>
        input input: [4]
        layers {
            a: linear(device, bias = pass) -> relu;
            b: linear(build) -> relu -> dropout(spec);
            c: linear(model) -> relu;
            d: linear(x);
        }
        loss mse
    }

    damper::model! {
        /// Awkward inputs.
        pub Inputs
        input { device: [4], pass: [5], samples: [6] }
        layers {
            all:  concat(device, pass, samples) -> linear(7) -> relu;
            head: linear(2);
        }
        loss mse
    }

    damper::model! {
        /// Awkward layers.
        pub Layers
        input image: [4]
        layers {
            forward: linear(4) -> relu;
            init:    linear(4) -> relu;
            device:  linear(4) -> relu;
            pass:    linear(4) -> relu;
            x:       linear(4) -> relu;
            build:   linear(4) -> relu;
            result:  linear(4);
        }
        loss mse
    }
}

/// Constants and functions of the user's module are in scope of the values.
mod values {
    const HIDDEN: usize = 12;
    const RATE: f64 = 0.25;

    mod limits {
        pub const CLASSES: usize = 5;
    }

    const fn twice(n: usize) -> usize {
        2 * n
    }

    damper::model! {
        /// Sizes from elsewhere.
        pub Net
        input x: [HIDDEN]
        layers {
            fc:   linear(twice(HIDDEN)) -> relu -> dropout(RATE);
            head: linear(limits::CLASSES);
        }
        loss cross_entropy
    }

    #[test]
    fn constants_are_read() {
        let device = damper::device().expect("a device");
        let model = NetConfig::new()
            .init(&device)
            .expect("the constants are fine");
        assert_eq!(model.fc.weight.dims(), [12, 24]);
        assert_eq!(model.head.weight.dims(), [24, 5]);
    }
}

#[test]
fn shadowed_names_do_not_matter() {
    let device = damper::device().expect("a device");
    let model = shadowed::NetConfig::new()
        .init(&device)
        .expect("the defaults are checked");
    let x = damper::burn::tensor::Tensor::<2>::ones([2, 8], &device);
    assert_eq!(model.predict(x).dims(), [2, 3]);
}

#[test]
fn awkward_names_do_not_matter() {
    let device = damper::device().expect("a device");
    let ones = |features: usize| damper::burn::tensor::Tensor::<2>::ones([2, features], &device);

    let hyper = awkward::HyperConfig::new()
        .with_device(3)
        .with_x(6)
        .init(&device)
        .expect("sizes are fine");
    assert_eq!(hyper.a.weight.dims(), [4, 3]);
    assert_eq!(hyper.predict(ones(4)).dims(), [2, 6]);

    let inputs = awkward::InputsConfig::new()
        .init(&device)
        .expect("the defaults are checked");
    assert_eq!(inputs.predict(ones(4), ones(5), ones(6)).dims(), [2, 2]);

    let layers = awkward::LayersConfig::new()
        .init(&device)
        .expect("the defaults are checked");
    assert_eq!(layers.predict(ones(4)).dims(), [2, 4]);
}
