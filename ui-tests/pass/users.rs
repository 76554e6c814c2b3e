//! The user's own code around a model: functions, macros, modules and names of every kind.

use damper::burn::tensor::{Device, Tensor};

/// Models of one name in different modules, one beside a module that is called as the crate is.
mod first {
    pub mod damper {}

    ::damper::model! {
        pub Net
        input x: [4]
        layers { head: linear(2); }
    }
}

mod second {
    use damper::model;

    model! {
        pub(crate) Net
        input x: [6]
        layers { head: linear(3); }
    }
}

/// A crate may hand `damper` on under another path.
mod deps {
    pub use ::damper;
    pub use ::damper::model;
}

mod handed_on {
    use super::deps::damper;

    damper::model! {
        pub Through
        input x: [4]
        layers { head: linear(2); }
    }

    crate::users::deps::model! {
        pub Renamed
        input x: [4]
        layers { head: linear(2); }
    }
}

/// A generic layer of the user's own.
mod generic {
    use damper::burn;
    use damper::burn::module::Module;
    use damper::burn::nn::{Linear, LinearConfig};
    use damper::burn::tensor::{Device, Tensor};

    pub trait Shift: Send + Sync + core::fmt::Debug + Clone + 'static {
        const BY: f32;
    }

    #[derive(Clone, Debug)]
    pub struct One;
    impl Shift for One {
        const BY: f32 = 1.0;
    }

    #[derive(Module, Debug)]
    pub struct Shifted<S: Shift, const WIDTH: usize> {
        linear: Linear,
        #[module(skip)]
        by: core::marker::PhantomData<S>,
    }

    impl<S: Shift, const WIDTH: usize> Shifted<S, WIDTH> {
        pub fn new<T: Into<usize>>(inputs: T, device: &Device) -> Self {
            Self {
                linear: LinearConfig::new(inputs.into(), WIDTH).init(device),
                by: core::marker::PhantomData,
            }
        }

        pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
            self.linear.forward(x) + S::BY
        }
    }

    damper::model! {
        pub Net
        input x: [4]
        layers {
            own:  custom(Shifted::<One, 8>::new::<usize>(4, device), output = [8], type = Shifted<One, 8>);
            head: linear(2);
        }
    }
}

/// Models that a `macro_rules!` writes.
mod written {
    use damper::model;

    macro_rules! classifier {
        ($name:ident, $hidden:expr, $rate:literal, $activation:ident, $loss:ident, $lr:expr) => {
            model! {
                pub $name
                input x: [4]
                layers {
                    fc:   linear($hidden) -> $activation -> dropout($rate);
                    head: linear(2);
                }
                loss $loss
                train { optimizer: adamw(lr = $lr), epochs: 3 }
            }
        };
    }

    classifier!(Small, 8, 0.25, relu, cross_entropy, 1e-3);
    classifier!(Large, 2 * 8, 0.5, gelu, cross_entropy, 3.0 * 1e-3);

    macro_rules! whole {
        ($vis:vis $name:ident, [$($size:literal),*], $gate:ty) => {
            model! {
                $vis $name
                input x: [$($size),*]
                layers {
                    gate: custom(<$gate>::new(), output = [$($size),*], type = $gate);
                    head: linear(2);
                }
            }
        };
    }

    #[derive(damper::burn::module::Module, Debug, Default)]
    pub struct Gate {
        #[module(skip)]
        open: bool,
    }
    use damper::burn;

    impl Gate {
        pub fn new() -> Self {
            Self { open: true }
        }

        pub fn forward(&self, x: burn::tensor::Tensor<2>) -> burn::tensor::Tensor<2> {
            if self.open { x } else { x.zeros_like() }
        }
    }

    whole!(pub(crate) Gated, [4], Gate);
}

const WIDTH: usize = 8;

fn dims(x: &Tensor<2>) -> [usize; 2] {
    x.dims()
}

#[test]
fn a_model_in_a_function() {
    damper::model! {
        Inner<hidden: usize = 4>
        input x: [4]
        layers {
            fc:   linear(WIDTH * hidden) -> relu;
            head: linear(2);
        }
        loss cross_entropy
    }
    let device = Device::default();
    let model = InnerConfig::new().init(&device).unwrap();
    assert_eq!(dims(&model.forward(Tensor::zeros([3, 4], &device))), [3, 2]);
}

#[test]
fn all_of_them_run() {
    let device = Device::default();
    let x = || Tensor::zeros([3, 4], &device);
    let net = first::NetConfig::new().init(&device).unwrap();
    assert_eq!(dims(&net.forward(x())), [3, 2]);
    let net = second::NetConfig::new().init(&device).unwrap();
    assert_eq!(dims(&net.forward(Tensor::zeros([3, 6], &device))), [3, 3]);
    let net = handed_on::ThroughConfig::new().init(&device).unwrap();
    assert_eq!(dims(&net.forward(x())), [3, 2]);
    let net = handed_on::RenamedConfig::new().init(&device).unwrap();
    assert_eq!(dims(&net.forward(x())), [3, 2]);
    let net = generic::NetConfig::new().init(&device).unwrap();
    assert_eq!(dims(&net.forward(x())), [3, 2]);
    let net = written::SmallConfig::new().init(&device).unwrap();
    assert_eq!(dims(&net.forward(x())), [3, 2]);
    let net = written::LargeConfig::new().init(&device).unwrap();
    assert_eq!(net.fc.weight.dims(), [4, 16]);
    let net = written::GatedConfig::new().init(&device).unwrap();
    assert_eq!(dims(&net.forward(x())), [3, 2]);
}
