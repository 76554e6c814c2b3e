//! Convolution, pooling, norms of images, embedding, attention and reparameterized weights, from
//! `tests/fixtures/make_layers.py`.

use crate::common::{Fixture, device, numbers, op};
use damper::Pass;
use damper::burn::module::{Module, ModuleMapper, Param};
use damper::burn::nn::conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
use damper::burn::nn::{Embedding, GroupNorm, InstanceNorm, Linear, RmsNorm};
use damper::burn::tensor::{Bool, Device, Gradients, Int, Tensor};
use damper::layer::{
    self, AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, Attention, AvgPool1d, AvgPool2d,
    AvgPool3d, BatchNorm, Conv3d, Layer, MaxPool1d, MaxPool2d, MaxPool3d, SpectralNorm,
    SqueezeExcitation, WeightNorm, global_avg_pool, global_max_pool, last_step, max_over_time,
    mean_over_time, to_sequence,
};
use damper_ir::op;
use damper_ir::op::norm::NormAxis;
use damper_ir::{Conv, OpKind, Padding, Pool, Reduction, Shape, Value};

fn fixture() -> Fixture {
    Fixture::open("architectures")
}

fn training() -> Device {
    device().autodiff()
}

fn built<L: Layer>(kind: OpKind, input: &[usize]) -> L {
    L::build(
        &op(1, "layer", kind, vec![]),
        &Shape::known(input.iter().copied()),
        &training(),
    )
    .expect("a sound description")
}

fn values(sizes: &[usize]) -> Vec<Value> {
    sizes
        .iter()
        .map(|size| Value::known(*size as f64))
        .collect()
}

fn conv(axes: u8, out: usize, kernel: &[usize]) -> Conv {
    Conv {
        axes,
        transposed: false,
        depthwise: false,
        out: Value::known(out as f64),
        kernel: values(kernel),
        stride: values(&[1]),
        padding: Padding::Valid,
        dilation: values(&[1]),
        groups: Value::known(1.0),
        output_padding: vec![],
        bias: Value::truth(true),
    }
}

fn pool(axes: u8, reduction: Reduction, kernel: &[usize], stride: &[usize], zeros: usize) -> Pool {
    Pool {
        axes,
        reduction,
        adaptive: false,
        kernel: values(kernel),
        stride: values(stride),
        padding: match zeros {
            0 => Padding::Valid,
            zeros => Padding::Zeros(values(&[zeros])),
        },
        ceil_mode: None,
    }
}

fn parameter<const D: usize>(name: &str) -> Param<Tensor<D>> {
    Param::from_tensor(fixture().tensor(name, &training()))
}

/// Compares the output and the input's gradient; gives the gradients of the parameters.
#[track_caller]
fn compare<const D: usize, const E: usize>(
    name: &str,
    forward: impl FnOnce(Tensor<D>) -> Tensor<E>,
) -> Gradients {
    let fixture = fixture();
    let input = fixture
        .tensor::<D>(&format!("{name}.input"), &training())
        .require_grad();
    let output = forward(input.clone());
    fixture.assert(&format!("{name}.output"), output.clone());
    let weights = fixture.tensor(&format!("{name}.weights"), &training());
    let gradients = (output * weights).sum().backward();
    fixture.assert(
        &format!("{name}.input_gradient"),
        input.grad(&gradients).expect("a gradient"),
    );
    gradients
}

#[track_caller]
fn compare_parameter<const D: usize>(
    name: &str,
    parameter: &Param<Tensor<D>>,
    gradients: &Gradients,
) {
    let gradient = parameter.base().grad(gradients).expect("a gradient");
    fixture().assert(&format!("{name}_gradient"), gradient);
}

/// A layer as the generated code runs it.
trait Runs<const D: usize> {
    fn run(&self, input: Tensor<D>) -> Tensor<D>;
}

macro_rules! runs {
    ($($layer:ident($rank:literal) = $run:expr;)*) => {$(
        impl Runs<$rank> for $layer {
            fn run(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                $run(self, input)
            }
        }
    )*};
}

runs! {
    Linear(3) = |layer, input| layer::dense(layer, input, None);
    Conv1d(3) = layer::conv1d;
    Conv2d(4) = layer::conv2d;
    Conv3d(5) = Conv3d::forward;
    ConvTranspose1d(3) = ConvTranspose1d::forward;
    ConvTranspose2d(4) = ConvTranspose2d::forward;
    ConvTranspose3d(5) = ConvTranspose3d::forward;
    MaxPool1d(3) = layer::max_pool1d;
    MaxPool2d(4) = layer::max_pool2d;
}

/// A convolution with the fixture's weights: output and every gradient.
macro_rules! convolution {
    ($name:ident: $layer:ident($rank:literal, $input:expr) = $conv:expr) => {
        #[test]
        fn $name() {
            let name = stringify!($name);
            let mut layer: $layer = built(OpKind::Conv($conv), &$input);
            let weight = parameter(&format!("{name}.weight"));
            assert_eq!(layer.weight.dims(), weight.dims());
            layer.weight = weight;
            if layer.bias.is_some() {
                layer.bias = Some(parameter(&format!("{name}.bias")));
            }
            let gradients = compare::<$rank, $rank>(name, |x| layer.run(x));
            compare_parameter(&format!("{name}.weight"), &layer.weight, &gradients);
            if let Some(bias) = &layer.bias {
                compare_parameter(&format!("{name}.bias"), bias, &gradients);
            }
        }
    };
}

const LINE: [usize; 2] = [4, 9];
const IMAGE: [usize; 3] = [4, 6, 5];
const VOLUME: [usize; 4] = [2, 4, 4, 3];

convolution!(conv1d: Conv1d(3, LINE) = Conv {
    stride: values(&[2]),
    padding: Padding::Zeros(values(&[1])),
    dilation: values(&[2]),
    ..conv(1, 3, &[3])
});
convolution!(conv1d_same_even: Conv1d(3, LINE) = Conv { padding: Padding::Same, ..conv(1, 2, &[4]) });
convolution!(conv2d: Conv2d(4, IMAGE) = Conv { padding: Padding::Same, ..conv(2, 3, &[3]) });
convolution!(conv2d_strided: Conv2d(4, IMAGE) = Conv {
    stride: values(&[2, 1]),
    padding: Padding::Zeros(values(&[1, 0])),
    bias: Value::truth(false),
    ..conv(2, 3, &[3, 2])
});
convolution!(conv2d_dilated: Conv2d(4, IMAGE) = Conv { dilation: values(&[2]), ..conv(2, 2, &[2]) });
convolution!(conv2d_grouped: Conv2d(4, IMAGE) = Conv {
    groups: Value::known(2.0),
    padding: Padding::Zeros(values(&[1])),
    ..conv(2, 6, &[3])
});
convolution!(conv2d_depthwise: Conv2d(4, IMAGE) = Conv {
    depthwise: true,
    padding: Padding::Same,
    ..conv(2, 2, &[3])
});
convolution!(conv2d_same_even: Conv2d(4, IMAGE) = Conv { padding: Padding::Same, ..conv(2, 2, &[2, 4]) });
convolution!(conv3d: Conv3d(5, VOLUME) = Conv {
    stride: values(&[2, 1, 1]),
    padding: Padding::Zeros(values(&[1, 0, 1])),
    ..conv(3, 2, &[2])
});
convolution!(conv3d_same_even: Conv3d(5, VOLUME) = Conv { padding: Padding::Same, ..conv(3, 2, &[2, 3, 2]) });
convolution!(conv_transpose1d: ConvTranspose1d(3, LINE) = Conv {
    transposed: true,
    stride: values(&[2]),
    output_padding: values(&[1]),
    ..conv(1, 2, &[3])
});
convolution!(conv_transpose2d: ConvTranspose2d(4, IMAGE) = Conv {
    transposed: true,
    stride: values(&[2]),
    padding: Padding::Zeros(values(&[1])),
    output_padding: values(&[1]),
    groups: Value::known(2.0),
    ..conv(2, 4, &[3])
});
convolution!(conv_transpose3d: ConvTranspose3d(5, VOLUME) = Conv {
    transposed: true,
    stride: values(&[2]),
    ..conv(3, 3, &[2])
});

#[test]
fn pools() {
    use Reduction::{Max, Mean};

    let layer: MaxPool1d = built(OpKind::Pool(pool(1, Max, &[3], &[2], 1)), &LINE);
    compare::<3, 3>("max_pool1d", |x| layer.run(x));
    let layer: MaxPool2d = built(OpKind::Pool(pool(2, Max, &[3], &[2], 1)), &IMAGE);
    compare::<4, 4>("max_pool2d", |x| layer.run(x));
    let layer: MaxPool3d = built(OpKind::Pool(pool(3, Max, &[2], &[1], 1)), &VOLUME);
    compare::<5, 5>("max_pool3d", |x| layer.forward(x));
    let layer: AvgPool1d = built(OpKind::Pool(pool(1, Mean, &[3], &[2], 1)), &LINE);
    compare::<3, 3>("avg_pool1d", |x| layer.forward(x));
    let layer: AvgPool2d = built(OpKind::Pool(pool(2, Mean, &[2, 3], &[], 0)), &IMAGE);
    compare::<4, 4>("avg_pool2d", |x| layer.forward(x));
    let layer: AvgPool3d = built(OpKind::Pool(pool(3, Mean, &[2], &[1], 1)), &VOLUME);
    compare::<5, 5>("avg_pool3d", |x| layer.forward(x));
}

#[test]
fn adaptive_and_global_pools() {
    let adaptive = |axes, size: &[usize]| {
        OpKind::Pool(Pool {
            adaptive: true,
            ..pool(axes, Reduction::Mean, size, &[], 0)
        })
    };
    let layer: AdaptiveAvgPool1d = built(adaptive(1, &[4]), &LINE);
    compare::<3, 3>("adaptive_avg_pool1d", |x| layer.forward(x));
    let layer: AdaptiveAvgPool2d = built(adaptive(2, &[3, 2]), &IMAGE);
    compare::<4, 4>("adaptive_avg_pool2d", |x| layer.forward(x));
    let layer: AdaptiveAvgPool3d = built(adaptive(3, &[2]), &VOLUME);
    compare::<5, 5>("adaptive_avg_pool3d", |x| layer.forward(x));
    compare::<4, 2>("global_avg_pool", global_avg_pool);
    compare::<4, 2>("global_max_pool", global_max_pool);
    compare::<4, 3>("to_sequence", to_sequence);
}

#[test]
fn norms() {
    let epsilon = || Value::known(1e-4);
    let kind = OpKind::GroupNorm(op::GroupNorm {
        groups: Value::known(2.0),
        epsilon: epsilon(),
    });
    let mut layer: GroupNorm = built(kind, &IMAGE);
    layer.gamma = Some(parameter("group_norm.weight"));
    layer.beta = Some(parameter("group_norm.bias"));
    let gradients = compare::<4, 4>("group_norm", |x| layer.forward(x));
    compare_parameter(
        "group_norm.weight",
        layer.gamma.as_ref().expect("a gain"),
        &gradients,
    );
    let mut layer: InstanceNorm = built(
        OpKind::InstanceNorm(op::InstanceNorm { epsilon: epsilon() }),
        &IMAGE,
    );
    layer.gamma = Some(parameter("instance_norm.weight"));
    layer.beta = Some(parameter("instance_norm.bias"));
    let gradients = compare::<4, 4>("instance_norm", |x| layer.forward(x));
    compare_parameter(
        "instance_norm.bias",
        layer.beta.as_ref().expect("a shift"),
        &gradients,
    );
    let mut layer: RmsNorm = built(
        OpKind::RmsNorm(op::RmsNorm {
            epsilon: epsilon(),
            axis: NormAxis::Features,
        }),
        &[5, 8],
    );
    layer.gamma = parameter("rms_norm.weight");
    let gradients = compare::<3, 3>("rms_norm", |x| layer.forward(x));
    compare_parameter("rms_norm.weight", &layer.gamma, &gradients);
    let kind = OpKind::BatchNorm(op::BatchNorm {
        epsilon: epsilon(),
        momentum: Value::known(0.1),
    });
    let mut layer: BatchNorm = built(kind, &IMAGE);
    layer.gamma = parameter("batch_norm.weight");
    layer.beta = parameter("batch_norm.bias");
    let gradients = compare::<4, 4>("batch_norm", |x| layer.forward(x));
    compare_parameter("batch_norm.weight", &layer.gamma, &gradients);
}

#[test]
fn squeeze_excitation() {
    let kind = OpKind::SqueezeExcitation(op::SqueezeExcitation {
        reduction: Value::known(2.0),
    });
    let mut layer: SqueezeExcitation = built(kind, &IMAGE);
    // PyTorch's weights are [out, in].
    let transposed = |name: &str| {
        let weight = parameter::<2>(name).val().inner().transpose();
        Param::from_tensor(Tensor::from_inner(weight))
    };
    layer.squeeze.weight = transposed("squeeze_excitation.squeeze.weight");
    layer.squeeze.bias = Some(parameter("squeeze_excitation.squeeze.bias"));
    layer.excite.weight = transposed("squeeze_excitation.excite.weight");
    layer.excite.bias = Some(parameter("squeeze_excitation.excite.bias"));
    let gradients = compare::<4, 4>("squeeze_excitation", |x| layer.forward(x));
    for (name, linear) in [("squeeze", &layer.squeeze), ("excite", &layer.excite)] {
        let gradient = linear.weight.val().grad(&gradients).expect("a gradient");
        let name = format!("squeeze_excitation.{name}");
        fixture().assert(&format!("{name}.weight_gradient"), gradient.transpose());
        compare_parameter(
            &format!("{name}.bias"),
            linear.bias.as_ref().expect("a bias"),
            &gradients,
        );
    }
}

#[test]
fn embedding() {
    let fixture = fixture();
    let kind = OpKind::Embedding(op::Embedding {
        vocab: Value::known(7.0),
        dim: Value::known(3.0),
        dropout: None,
    });
    let mut layer: Embedding = built(kind, &[4]);
    layer.weight = parameter("embedding.weight");
    let tokens: Tensor<2, Int> = fixture.tensor::<2>("embedding.tokens", &training()).int();
    let output = layer.forward(tokens);
    fixture.assert("embedding.output", output.clone());
    let weights = fixture.tensor("embedding.weights", &training());
    let gradients = (output * weights).sum().backward();
    compare_parameter("embedding.weight", &layer.weight, &gradients);
}

fn padding(device: &Device) -> Tensor<2, Bool> {
    fixture().tensor::<2>("padding", device).bool()
}

#[test]
fn attention() {
    for (name, causal, padded, rope) in [
        ("attention", false, false, false),
        ("attention_causal", true, false, false),
        ("attention_padded", false, true, false),
        ("attention_both", true, true, false),
        ("attention_rope", false, false, true),
    ] {
        let kind = OpKind::Attention(op::Attention {
            causal: Value::truth(causal),
            rope,
            ..op::Attention::new(2_usize)
        });
        let mut layer: Attention = built(kind, &[5, 8]);
        let turned = |name: &str| {
            let weight: Tensor<2> = fixture().tensor(name, &training());
            Param::from_tensor(weight.transpose())
        };
        layer.in_proj.weight = turned("attention.in_proj_weight");
        layer.in_proj.bias = Some(parameter("attention.in_proj_bias"));
        layer.out_proj.weight = turned("attention.out_proj.weight");
        layer.out_proj.bias = Some(parameter("attention.out_proj.bias"));
        let mask = padding(&device());
        let mask = padded.then_some(&mask);
        compare::<3, 3>(name, |x| layer.forward(x, mask, &mut Pass::new()));
        // Inference goes through burn's fused attention.
        let input = fixture().tensor(&format!("{name}.input"), &device());
        let output = layer.valid().forward(input, mask, &mut Pass::new());
        fixture().assert(&format!("{name}.output"), output);
    }
}

/// The steps of the fixture: none padded, the last two padded, all padded.
#[test]
fn a_sequence_of_padding_gives_numbers() {
    let input = Tensor::<3>::from_floats(
        [
            [[1.0], [2.0], [3.0], [4.0], [-5.0]],
            [[-1.0], [-2.0], [-6.0], [40.0], [50.0]],
            [[1.0], [2.0], [3.0], [4.0], [5.0]],
        ],
        &training(),
    );
    let mask = padding(&device());
    let mask = Some(&mask);
    assert_eq!(numbers(last_step(input.clone(), mask)), [-5.0, -6.0, 1.0]);
    assert_eq!(
        numbers(mean_over_time(input.clone(), mask)),
        [1.0, -3.0, 0.0]
    );
    assert_eq!(
        numbers(max_over_time(input.clone(), mask)),
        [4.0, -1.0, 0.0]
    );
    assert_eq!(numbers(last_step(input.clone(), None)), [-5.0, 50.0, 5.0]);
    let input = input.require_grad();
    let sum = mean_over_time(input.clone(), mask) + max_over_time(input.clone(), mask);
    let gradient = input.grad(&sum.sum().backward()).expect("a gradient");
    let third = 1.0 / 3.0;
    crate::common::assert_close(
        "gradient",
        &numbers(gradient)[..10],
        &[0.2, 0.2, 0.2, 1.2, 0.2, 1.0 + third, third, third, 0.0, 0.0],
        1e-6,
    );
}

/// Gives the lengths of a weight norm the fixture's numbers.
struct Lengths(&'static str);

impl ModuleMapper for Lengths {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 1 || self.0.is_empty() {
            return param;
        }
        let (_, numbers) = fixture().numbers(self.0);
        param.map(|old| {
            Tensor::<1>::from_floats(numbers.as_slice(), &old.device())
                .reshape(old.dims())
                .require_grad()
        })
    }
}

#[test]
fn weight_norm() {
    let kind = OpKind::Linear(op::Linear {
        out: Value::known(3.0),
        bias: Value::truth(false),
        same: false,
        tied: None,
    });
    let mut layer: Linear = built(kind, &[5, 8]);
    let turned: Tensor<2> =
        fixture().tensor("weight_norm.parametrizations.weight.original1", &training());
    layer.weight = Param::from_tensor(turned.transpose());
    let before = numbers(layer.weight.val());
    let layer = WeightNorm::attach(layer, &["weight".to_owned()]);
    crate::common::assert_close(
        "the value stays",
        &numbers(layer.weight.val()),
        &before,
        1e-6,
    );
    let mut layer = layer.map(&mut Lengths(
        "weight_norm.parametrizations.weight.original0",
    ));
    layer.bias = Some(parameter("weight_norm.bias"));
    let gradients = compare::<3, 3>("weight_norm", |x| layer.run(x));
    let gradient = layer.weight.base().grad(&gradients).expect("a gradient");
    fixture().assert(
        "weight_norm.parametrizations.weight.original1_gradient",
        gradient.transpose(),
    );
    let length = &layer
        .weight
        .reparameterization::<WeightNorm>()
        .expect("it is there")
        .length;
    let gradient = length.val().grad(&gradients).expect("a gradient");
    fixture().assert(
        "weight_norm.parametrizations.weight.original0_gradient",
        gradient.reshape([3, 1]),
    );
}

#[test]
fn weight_norm_of_a_kernel() {
    let mut layer: Conv2d = built(
        OpKind::Conv(Conv {
            bias: Value::truth(false),
            ..conv(2, 3, &[2])
        }),
        &IMAGE,
    );
    layer.weight = parameter("weight_norm_conv.parametrizations.weight.original1");
    let layer = WeightNorm::attach(layer, &["weight".to_owned()]);
    let mut layer = layer.map(&mut Lengths(
        "weight_norm_conv.parametrizations.weight.original0",
    ));
    layer.bias = Some(parameter("weight_norm_conv.bias"));
    let gradients = compare::<4, 4>("weight_norm_conv", |x| layer.run(x));
    compare_parameter(
        "weight_norm_conv.parametrizations.weight.original1",
        &layer.weight,
        &gradients,
    );
}

macro_rules! spectral_norm {
    ($name:ident: $layer:ident($rank:literal, $input:expr) = $kind:expr, $turn:expr) => {
        #[test]
        fn $name() {
            let name = stringify!($name);
            let of = |key: &str| format!("{name}.parametrizations.weight.{key}");
            let mut layer: $layer = built($kind, &$input);
            let turn = $turn;
            layer.weight = Param::from_tensor(turn(fixture().tensor(&of("original"), &training())));
            layer.bias = Some(parameter(&format!("{name}.bias")));
            let layer = SpectralNorm::attach(layer, &["weight".to_owned()]);
            let norm = layer
                .weight
                .reparameterization::<SpectralNorm>()
                .expect("it is there");
            norm.u.update(fixture().tensor(&of("0._u"), &training()));
            norm.v.update(fixture().tensor(&of("0._v"), &training()));
            let gradients = compare::<$rank, $rank>(name, |x| layer.run(x));
            let gradient = layer.weight.base().grad(&gradients).expect("a gradient");
            fixture().assert(&of("original_gradient"), turn(gradient));
            let after = |key: &str| format!("{name}.after.parametrizations.weight.0.{key}");
            fixture().assert(&after("_u"), norm.u.value_sync());
            fixture().assert(&after("_v"), norm.v.value_sync());
            let input = fixture().tensor::<$rank>(&format!("{name}.input"), &device());
            fixture().assert(&format!("{name}.inference"), layer.valid().run(input));
        }
    };
}

spectral_norm!(spectral_norm: Linear(3, [5, 8]) = OpKind::Linear(op::Linear {
    out: Value::known(3.0),
    bias: Value::truth(true),
    same: false,
    tied: None,
}), Tensor::<2>::transpose);
spectral_norm!(spectral_norm_conv: Conv2d(4, IMAGE) = OpKind::Conv(conv(2, 3, &[2])), |x: Tensor<4>| x);
spectral_norm!(spectral_norm_transposed: ConvTranspose2d(4, IMAGE) = OpKind::Conv(Conv {
    transposed: true,
    ..conv(2, 3, &[2])
}), |x: Tensor<4>| x);
