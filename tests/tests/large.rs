//! Models of many layers: what the compiler reads in parts is the same module, and the same model.

use crate::common;
use damper::burn;
use damper::burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use damper::burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use damper::burn::tensor::{Device, Tensor};
use damper::data::Data;
use damper::prelude::*;

/// A struct whose `Module` is burn's derive, and the same one whose `Module` is written in parts.
macro_rules! net {
    ($($derive:path),*; $(#[$skip:meta])?) => {
        #[derive($($derive),*)]
        pub struct Net {
            pub first: Linear,
            pub rest: Vec<Linear>,
            pub drop: Dropout,
            pub r#type: Option<Linear>,
            pub last: Linear,
            $(#[$skip])?
            pub note: String,
        }

        impl Net {
            pub fn new(device: &Device) -> Self {
                let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
                Self {
                    first: linear(2, 3),
                    rest: vec![linear(3, 4), linear(4, 5)],
                    drop: DropoutConfig::new(0.5).init(),
                    r#type: Some(linear(5, 2)),
                    last: linear(2, 1),
                    note: "kept".to_owned(),
                }
            }
        }
    };
}

mod derived {
    use super::*;
    net!(burn::module::Module, Debug; #[module(skip)]);
}

mod in_parts {
    use super::*;
    net!(Debug;);
    damper::__large_module!(Net {
        part_0 { first 0, rest 1, } part_1 { drop 0, r#type 1, last 2, }; skip { note, }
    });
}

/// The modules that are entered, and the shapes of their parameters.
#[derive(Default)]
struct Walk(Vec<String>);

impl ModuleVisitor for Walk {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("into {name} of {container}"));
    }
    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("out of {name} of {container}"));
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (dims, autodiff) = (param.val().dims(), param.val().is_autodiff());
        self.0.push(format!("{dims:?}, autodiff {autodiff}"));
    }
}

impl ModuleMapper for Walk {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("into {name} of {container}"));
    }
    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.push(format!("out of {name} of {container}"));
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0.push(format!("{:?}", param.val().dims()));
        param.map(|tensor| tensor * 0.0 + 1.0)
    }
}

fn visited<M: Module>(module: &M) -> Vec<String> {
    let mut walk = Walk::default();
    module.visit(&mut walk);
    walk.0
}

/// All that a module answers, as text.
fn answers<M: Module + std::fmt::Display>(module: M, sum: impl Fn(&M) -> f32) -> Vec<String> {
    let plain = common::device();
    let training = plain.clone().autodiff();
    let mut walk = Walk::default();
    let mapped = module.clone().map(&mut walk);
    let mut answers = walk.0;
    answers.push(format!("sum of ones: {}", sum(&mapped)));
    answers.push(format!("{} parameters", module.num_params()));
    answers.push(format!("devices: {:?}", module.devices()));
    answers.push(module.to_string());
    for (name, module) in [
        ("as it is", module.clone()),
        ("train", module.clone().train()),
        ("train, valid", module.clone().train().valid()),
        ("fork", module.clone().fork(&training)),
        ("to a device", module.clone().to_device(&training)),
        ("materialize", module.materialize()),
    ] {
        answers.push(name.to_owned());
        answers.extend(visited(&module));
        answers.push(module.to_string());
    }
    answers
}

#[test]
fn a_module_in_parts_answers_as_the_derived_one() {
    let device = common::device();
    let sum = |linear: &Linear| linear.weight.val().sum().into_scalar::<f32>();
    let derived = answers(derived::Net::new(&device), |net| sum(&net.first));
    let in_parts = answers(in_parts::Net::new(&device), |net| sum(&net.first));
    assert_eq!(in_parts, derived);
    let text = in_parts.join("\n");
    for part in [
        "into first of Struct:Net",
        "sum of ones: 6",
        "kept",
        "autodiff true",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    assert_eq!(in_parts::Net::new(&device).clone().note, "kept");
}

/// Doubles.
#[derive(Module, Debug)]
pub struct Twice {
    #[module(skip)]
    factor: f64,
}

impl Twice {
    fn new() -> Self {
        Self { factor: 2.0 }
    }
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        x * self.factor
    }
}

model! {
    /// More fields than one function takes apart: layers, a block, a layer of the user's, strengths of an activity penalty.
    pub Deep<strength: f64 = 1e-3>

    input x: [2]

    layers {
        first: linear(4) -> tanh with activity(l2 = strength);
        mine: custom(Twice::new(), output = [4], type = Twice);
        block: residual { inner: linear(4) -> tanh with dropout(0.1) after tanh; };
        tower: residual {
            l0: linear(4) -> tanh; l1: linear(4) -> tanh; l2: linear(4) -> tanh; l3: linear(4) -> tanh;
            l4: linear(4) -> tanh; l5: linear(4) -> tanh; l6: linear(4) -> tanh; l7: linear(4) -> tanh;
            l8: linear(4) -> tanh; l9: linear(4) -> tanh; l10: linear(4) -> tanh; l11: linear(4) -> tanh;
            l12: linear(4) -> tanh; l13: linear(4) -> tanh; l14: linear(4) -> tanh; l15: linear(4) -> tanh;
            l16: linear(4) -> tanh; l17: linear(4) -> tanh; l18: linear(4) -> tanh; l19: linear(4) -> tanh;
            l20: linear(4) -> tanh; l21: linear(4) -> tanh; l22: linear(4) -> tanh; l23: linear(4) -> tanh;
            l24: linear(4) -> tanh; l25: linear(4) -> tanh; l26: linear(4) -> tanh; l27: linear(4) -> tanh;
            l28: linear(4) -> tanh; l29: linear(4) -> tanh; l30: linear(4) -> tanh; l31: linear(4) -> tanh;
            l32: linear(4) -> tanh; l33: linear(4) -> tanh; l34: linear(4) -> tanh; l35: linear(4) -> tanh;
            l36: linear(4) -> tanh; l37: linear(4) -> tanh; l38: linear(4) -> tanh; l39: linear(4) -> tanh;
            l40: linear(4) -> tanh; l41: linear(4) -> tanh; l42: linear(4) -> tanh; l43: linear(4) -> tanh;
            l44: linear(4) -> tanh; l45: linear(4) -> tanh; l46: linear(4) -> tanh; l47: linear(4) -> tanh;
            l48: linear(4) -> tanh; l49: linear(4) -> tanh; l50: linear(4) -> tanh; l51: linear(4) -> tanh;
            l52: linear(4) -> tanh; l53: linear(4) -> tanh; l54: linear(4) -> tanh; l55: linear(4) -> tanh;
            l56: linear(4) -> tanh; l57: linear(4) -> tanh; l58: linear(4) -> tanh; l59: linear(4) -> tanh;
            l60: linear(4) -> tanh; l61: linear(4) -> tanh; l62: linear(4) -> tanh; l63: linear(4) -> tanh;
            narrow: linear(4);
        };
        l0: linear(4) -> tanh; l1: linear(4) -> tanh; l2: linear(4) -> tanh; l3: linear(4) -> tanh;
        l4: linear(4) -> tanh; l5: linear(4) -> tanh; l6: linear(4) -> tanh; l7: linear(4) -> tanh;
        l8: linear(4) -> tanh; l9: linear(4) -> tanh; l10: linear(4) -> tanh; l11: linear(4) -> tanh;
        l12: linear(4) -> tanh; l13: linear(4) -> tanh; l14: linear(4) -> tanh; l15: linear(4) -> tanh;
        l16: linear(4) -> tanh; l17: linear(4) -> tanh; l18: linear(4) -> tanh; l19: linear(4) -> tanh;
        l20: linear(4) -> tanh; l21: linear(4) -> tanh; l22: linear(4) -> tanh; l23: linear(4) -> tanh;
        l24: linear(4) -> tanh; l25: linear(4) -> tanh; l26: linear(4) -> tanh; l27: linear(4) -> tanh;
        l28: linear(4) -> tanh; l29: linear(4) -> tanh; l30: linear(4) -> tanh; l31: linear(4) -> tanh;
        l32: linear(4) -> tanh; l33: linear(4) -> tanh; l34: linear(4) -> tanh; l35: linear(4) -> tanh;
        l36: linear(4) -> tanh; l37: linear(4) -> tanh; l38: linear(4) -> tanh; l39: linear(4) -> tanh;
        l40: linear(4) -> tanh; l41: linear(4) -> tanh; l42: linear(4) -> tanh; l43: linear(4) -> tanh;
        l44: linear(4) -> tanh; l45: linear(4) -> tanh; l46: linear(4) -> tanh; l47: linear(4) -> tanh;
        l48: linear(4) -> tanh; l49: linear(4) -> tanh; l50: linear(4) -> tanh; l51: linear(4) -> tanh;
        l52: linear(4) -> tanh; l53: linear(4) -> tanh; l54: linear(4) -> tanh; l55: linear(4) -> tanh;
        l56: linear(4) -> tanh; l57: linear(4) -> tanh; l58: linear(4) -> tanh; l59: linear(4) -> tanh;
        l60: linear(4) -> tanh; l61: linear(4) -> tanh; l62: linear(4) -> tanh; l63: linear(4) -> tanh;
        head: linear(1);
    }

    loss mse

    train { optimizer: adam(lr = 1e-2), epochs: 2, batch: 4 }
}

#[test]
fn a_model_of_many_layers_trains_and_is_saved() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<Vec<f32>> = (0..8u8)
        .map(|row| vec![f32::from(row) / 8.0, 1.0])
        .collect();
    let y: Vec<f32> = x.iter().map(|row| row[0] * 2.0).collect();
    let data = Data::new(x, y)?;
    let run = Deep::training().seed(3).fit(&data, &data)?;
    let again = Deep::training().seed(3).fit(&data, &data)?;
    let input = Tensor::<2>::from_floats([[0.25, 1.0]], &common::device());
    let of = |model: &Deep| {
        model
            .predict(input.clone().to_device(&model.first.weight.val().device()))
            .into_scalar::<f32>()
    };
    assert_eq!(of(&run.model), of(&again.model));

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("deep.safetensors");
    run.model.save(&path)?;
    let loaded = Deep::load(&path, &run.model.first.weight.val().device())?;
    assert_eq!(of(&run.model), of(&loaded));

    // Every field is a layer of the description, in its order.
    let mut walk = Walk::default();
    loaded.visit(&mut walk);
    let top: Vec<&String> = walk
        .0
        .iter()
        .filter(|line| line.starts_with("into") && line.ends_with("Struct:Deep"))
        .collect();
    assert_eq!(top.len(), 64 + 5);
    assert_eq!(top[0], "into first of Struct:Deep");
    assert_eq!(top[68], "into head of Struct:Deep");
    let sizes = loaded.spec().parameters().iter();
    let declared: usize = sizes
        .map(|parameter| parameter.shape.iter().product::<usize>())
        .sum();
    assert_eq!(loaded.num_params(), declared);
    assert_eq!(loaded.clone().to_string(), loaded.to_string());
    Ok(())
}
