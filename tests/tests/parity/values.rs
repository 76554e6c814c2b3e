//! Windows with uneven borders, norms over channels, and arithmetic with values, from `tests/fixtures/make_values.py`.

use crate::common::{Fixture, device, numbers, op};
use damper::burn::module::Param;
use damper::burn::nn::RmsNorm;
use damper::burn::nn::conv::{Conv1d, Conv2d};
use damper::burn::tensor::{Device, Gradients, Tensor};
use damper::layer::{
    self, AvgPool1d, AvgPool2d, AvgPool3d, Conv3d, Layer, LayerNorm, MaxPool1d, MaxPool2d,
    MaxPool3d, channels_last,
};
use damper::prelude::*;
use damper_ir::op;
use damper_ir::op::norm::NormAxis;
use damper_ir::{Conv, OpKind, Padding, Pool, Reduction, Shape, Value};

fn fixture() -> Fixture {
    Fixture::open("values")
}

fn training() -> Device {
    device().autodiff()
}

fn built<L: Layer>(kind: OpKind, input: &[usize]) -> L {
    let shape = Shape::known(input.iter().copied());
    L::build(&op(1, "layer", kind, vec![]), &shape, &training()).expect("a sound description")
}

fn sizes(sizes: &[usize]) -> Vec<Value> {
    sizes.iter().map(|size| Value::from(*size)).collect()
}

fn input<const D: usize>(name: &str, index: usize) -> Tensor<D> {
    let tensor = fixture().tensor(&format!("{name}.input{index}"), &training());
    tensor.require_grad()
}

/// Compares the output; gives all gradients.
#[track_caller]
fn compare<const D: usize>(name: &str, output: Tensor<D>) -> Gradients {
    fixture().assert(&format!("{name}.output"), output.clone());
    let weights = fixture().tensor(&format!("{name}.weights"), &training());
    (output * weights).sum().backward()
}

#[track_caller]
fn compare_gradient<const D: usize>(name: &str, value: &Tensor<D>, gradients: &Gradients) {
    let gradient = value.grad(gradients).expect("a gradient");
    fixture().assert(&format!("{name}_gradient"), gradient);
}

/// Output and gradient of what has no weights.
#[track_caller]
fn same<const D: usize, const E: usize>(name: &str, forward: impl FnOnce(Tensor<D>) -> Tensor<E>) {
    let x = input(name, 0);
    let gradients = compare(name, forward(x.clone()));
    compare_gradient(&format!("{name}.input0"), &x, &gradients);
}

/// Output and all gradients of a layer with `weight` and perhaps `bias`, whatever they are called here.
macro_rules! weighted {
    ($name:literal, $layer:ident: $Layer:ty [$weight:ident, $bias:ident] = $kind:expr, $shape:expr, |$x:ident| $run:expr) => {{
        let mut $layer: $Layer = built($kind, &$shape);
        let of = |name: &str| fixture().tensor(&format!("{}.{name}", $name), &training());
        $layer.$weight = Param::from_tensor(of("weight"));
        if $layer.$bias.is_some() {
            let bias = fixture().tensor(&format!("{}.bias", $name), &training());
            $layer.$bias = Some(Param::from_tensor(bias));
        }
        let $x = input($name, 0);
        let gradients = compare($name, {
            let $x = $x.clone();
            $run
        });
        compare_gradient(&format!("{}.input0", $name), &$x, &gradients);
        compare_gradient(
            &format!("{}.weight", $name),
            &$layer.$weight.val(),
            &gradients,
        );
        if let Some(bias) = &$layer.$bias {
            compare_gradient(&format!("{}.bias", $name), &bias.val(), &gradients);
        }
    }};
}

const LINE: [usize; 2] = [4, 9];
const IMAGE: [usize; 3] = [4, 7, 6];
const VOLUME: [usize; 4] = [2, 5, 4, 3];

#[test]
fn causal_convolutions_see_nothing_later() {
    let causal = |out, kernel| Conv {
        padding: Padding::Causal,
        ..Conv::new(1, out, kernel)
    };
    let dilated = Conv {
        dilation: sizes(&[2]),
        ..causal(3, 3)
    };
    weighted!("conv1d_causal", layer: Conv1d[weight, bias] = OpKind::Conv(dilated), LINE, |x| layer::conv1d(&layer, x));
    let strided = Conv {
        stride: sizes(&[2]),
        ..causal(3, 4)
    };
    weighted!("conv1d_causal_strided", layer: Conv1d[weight, bias] = OpKind::Conv(strided), LINE, |x| layer::conv1d(&layer, x));
    let depthwise = Conv {
        depthwise: true,
        ..causal(1, 4)
    };
    weighted!("depthwise_conv1d_causal", layer: Conv1d[weight, bias] = OpKind::Conv(depthwise), LINE, |x| layer::conv1d(&layer, x));
}

#[test]
fn same_padding_with_a_stride_is_that_of_tensorflow() {
    let strided = |axes, stride: &[usize], kernel: &[usize]| Conv {
        stride: sizes(stride),
        kernel: sizes(kernel),
        padding: Padding::Same,
        ..Conv::new(axes, 3, 1)
    };
    let stem = Conv {
        bias: Value::truth(false),
        ..strided(2, &[2], &[3])
    };
    weighted!("conv2d_same_strided", layer: Conv2d[weight, bias] = OpKind::Conv(stem), IMAGE, |x| layer::conv2d(&layer, x));
    let even = Conv {
        dilation: sizes(&[1, 2]),
        ..strided(2, &[3, 2], &[4, 2])
    };
    weighted!("conv2d_same_even", layer: Conv2d[weight, bias] = OpKind::Conv(even), IMAGE, |x| layer::conv2d(&layer, x));
    let deep = Conv {
        out: Value::from(2_usize),
        ..strided(3, &[2], &[3])
    };
    weighted!("conv3d_same_strided", layer: Conv3d[weight, bias] = OpKind::Conv(deep), VOLUME, |x| layer.forward(x));
}

fn pool(axes: u8, reduction: Reduction, kernel: &[usize], edit: impl FnOnce(&mut Pool)) -> OpKind {
    let mut pool = Pool::new(axes, reduction, 1);
    pool.kernel = sizes(kernel);
    pool.stride = sizes(&[2]);
    edit(&mut pool);
    OpKind::Pool(pool)
}

#[test]
fn pools_with_same_padding() {
    use Reduction::{Max, Mean};
    let made = |axes, reduction, kernel: &[usize]| {
        pool(axes, reduction, kernel, |pool| pool.padding = Padding::Same)
    };
    let layer: MaxPool1d = built(made(1, Max, &[3]), &LINE);
    same("max_pool1d_same", |x| layer::max_pool1d(&layer, x));
    let layer: MaxPool2d = built(made(2, Max, &[2, 3]), &IMAGE);
    same("max_pool2d_same", |x| layer::max_pool2d(&layer, x));
    let layer: MaxPool3d = built(made(3, Max, &[2]), &VOLUME);
    same("max_pool3d_same", |x| layer.forward(x));
    let layer: AvgPool1d = built(made(1, Mean, &[4]), &LINE);
    same("avg_pool1d_same", |x| layer.forward(x));
    let layer: AvgPool2d = built(made(2, Mean, &[3, 2]), &IMAGE);
    same("avg_pool2d_same", |x| layer.forward(x));
    let layer: AvgPool3d = built(made(3, Mean, &[2]), &VOLUME);
    same("avg_pool3d_same", |x| layer.forward(x));
}

#[test]
fn ceil_mode_keeps_the_last_window() {
    use Reduction::{Max, Mean};
    let made = |axes, reduction, kernel, zeros| {
        pool(axes, reduction, &[kernel], |pool| {
            pool.padding = Padding::Zeros(sizes(&[zeros]));
            pool.ceil_mode = Some(Value::truth(true));
        })
    };
    let layer: MaxPool1d = built(made(1, Max, 2, 0), &LINE);
    same("max_pool1d_ceil", |x| layer::max_pool1d(&layer, x));
    let layer: MaxPool2d = built(made(2, Max, 3, 1), &IMAGE);
    same("max_pool2d_ceil", |x| layer::max_pool2d(&layer, x));
    let layer: MaxPool3d = built(made(3, Max, 2, 0), &VOLUME);
    same("max_pool3d_ceil", |x| layer.forward(x));
    let layer: AvgPool1d = built(made(1, Mean, 2, 0), &LINE);
    same("avg_pool1d_ceil", |x| layer.forward(x));
    let layer: AvgPool2d = built(made(2, Mean, 3, 1), &IMAGE);
    same("avg_pool2d_ceil", |x| layer.forward(x));
    let layer: AvgPool3d = built(made(3, Mean, 2, 0), &VOLUME);
    same("avg_pool3d_ceil", |x| layer.forward(x));
}

#[test]
fn norms_over_channels() {
    let (epsilon, axis) = (Value::known(1e-4), NormAxis::Channels);
    let kind = OpKind::LayerNorm(op::LayerNorm { epsilon, axis });
    weighted!("layer_norm_channels", layer: LayerNorm[gamma, beta] = kind, IMAGE, |x| channels_last::<4>(x, |x| layer.forward(x)));
    let mut layer: RmsNorm = built(OpKind::RmsNorm(op::RmsNorm { epsilon, axis }), &LINE);
    let gain = fixture().tensor("rms_norm_channels.weight", &training());
    layer.gamma = Param::from_tensor(gain);
    let x: Tensor<3> = input("rms_norm_channels", 0);
    let output = channels_last(x.clone(), |x| layer.forward(x));
    let gradients = compare("rms_norm_channels", output);
    compare_gradient("rms_norm_channels.input0", &x, &gradients);
    compare_gradient("rms_norm_channels.weight", &layer.gamma.val(), &gradients);
}

model! {
    /// A number for each channel and one for each position.
    #[allow(damper::all)]
    pub Spread
    input { x: [4, 7, 6], gate: [4], mask: [1, 7, 6] }
    layers {
        gated:   mul(gate, x);
        less:    sub(gated, mask);
        share:   div(less, mask);
        shifted: add(share, gate) -> softmax;
    }
}

model! {
    /// The channels gate themselves.
    #[allow(damper::all)]
    pub Gated
    input x: [4, 7, 6]
    layers { gated: glu -> log_softmax; }
}

#[test]
fn values_spread_over_others() {
    let model = SpreadConfig::new().init(&training()).expect("sound");
    let (x, gate, mask) = (input("spread", 0), input("spread", 1), input("spread", 2));
    let output = model.forward(x.clone(), gate.clone(), mask.clone());
    let gradients = compare::<4>("spread", output);
    compare_gradient::<4>("spread.input0", &x, &gradients);
    compare_gradient::<2>("spread.input1", &gate, &gradients);
    compare_gradient::<4>("spread.input2", &mask, &gradients);
}

#[test]
fn maps_are_gated_over_their_channels() {
    let model = GatedConfig::new().init(&training()).expect("sound");
    same::<4, 4>("gated", |x| model.forward(x));
}

model! {
    /// Functions of each number.
    #[allow(damper::all)]
    pub Waves
    input x: [5, 6]
    layers { all: scale(0.5) -> sin -> shift(1.5) -> abs -> log -> exp -> sqrt -> square -> cos -> identity; }
}

model! {
    /// Parts, joints and products of a sequence and a matrix.
    #[allow(damper::all)]
    pub Pieces
    input { x: [5, 6], other: [6, 3] }
    layers {
        part:    from(x) -> slice(time, 1..3) -> pad([1, 2], value = 0.5);
        longer:  concat(x, part, axis = time) -> sum(axis = features);
        low:     from(x) -> min(axis = time);
        product: matmul(x, other) -> max(axis = features);
        few:     from(x) -> slice(features, 2..4) -> mean(axis = time);
        row:     concat(longer, low, product, few);
    }
}

model! {
    /// A dense pair over the steps.
    #[allow(damper::all)]
    pub Mixer
    input x: [5, 6]
    layers { mix: transpose -> linear(7) -> tanh -> linear(5) -> transpose; }
}

model! {
    /// Channels and positions in other places.
    #[allow(damper::all)]
    pub Orders
    input x: [12, 3, 4]
    layers {
        all: pixel_shuffle(2) -> channel_shuffle(3) -> to_sequence -> to_image([3, 8, 6]) -> permute([2, 3, 1])
            -> slice(channels, 1..7) -> permute([3, 1, 2]) -> pad([0, 1, 2, 3], value = -1.0);
    }
}

#[test]
fn functions_of_each_number() {
    let model = WavesConfig::new().init(&training()).expect("sound");
    same::<3, 3>("waves", |x| model.forward(x));
}

#[test]
fn parts_joints_and_products() {
    let model = PiecesConfig::new().init(&training()).expect("sound");
    let (x, other) = (input("pieces", 0), input("pieces", 1));
    let gradients = compare("pieces", model.forward(x.clone(), other.clone()));
    compare_gradient::<3>("pieces.input0", &x, &gradients);
    compare_gradient::<3>("pieces.input1", &other, &gradients);
}

#[test]
fn linear_layers_over_the_steps() {
    let mut model = MixerConfig::new().init(&training()).expect("sound");
    // PyTorch's weights are [out, in].
    let weight = |name: &str| {
        let weight: Tensor<2> = fixture().tensor(&format!("mixer.{name}.weight"), &training());
        Param::from_tensor(weight.transpose())
    };
    let bias = |name: &str| {
        Some(Param::from_tensor(
            fixture().tensor(&format!("mixer.{name}.bias"), &training()),
        ))
    };
    (model.mix.weight, model.mix.bias) = (weight("0"), bias("0"));
    (model.mix_linear.weight, model.mix_linear.bias) = (weight("2"), bias("2"));
    let x: Tensor<3> = input("mixer", 0);
    let gradients = compare("mixer", model.forward(x.clone()));
    compare_gradient("mixer.input0", &x, &gradients);
    for (name, layer) in [("0", &model.mix), ("2", &model.mix_linear)] {
        let gradient = layer.weight.val().grad(&gradients).expect("a gradient");
        fixture().assert(
            &format!("mixer.{name}.weight_gradient"),
            gradient.transpose(),
        );
        let bias = layer.bias.as_ref().expect("a bias").val();
        compare_gradient(&format!("mixer.{name}.bias"), &bias, &gradients);
    }
}

#[test]
fn other_places() {
    let model = OrdersConfig::new().init(&training()).expect("sound");
    same::<4, 4>("orders", |x| model.forward(x));
    let shuffle = layer::ChannelShuffle { groups: 3 };
    same::<4, 4>("channel_shuffle", |x| shuffle.forward(x));
}

#[test]
fn other_sizes() {
    let made = |factor, size: &[usize], bilinear| layer::Resample {
        factor,
        size: size.to_vec(),
        bilinear,
    };
    let times = |factor, bilinear| made(Some(factor), &[], bilinear);
    same::<4, 4>("upsample_nearest", |x| times(3, false).forward(x));
    same::<4, 4>("upsample_bilinear", |x| times(2, true).forward(x));
    same::<4, 4>("resize_nearest", |x| made(None, &[5, 9], false).forward(x));
    same::<4, 4>("resize_bilinear", |x| made(None, &[5, 9], true).forward(x));
    same::<3, 3>("upsample_line", |x| times(2, false).forward(x));
    same::<3, 3>("resize_line", |x| made(None, &[5], true).forward(x));
}

model! {
    /// The sampled middle of a variational autoencoder.
    #[allow(damper::all)]
    pub Middle
    input x: [6]
    layers {
        mean:   linear(4);
        spread: from(x) -> linear(4);
        latent: sample_normal(mean, spread);
        again:  sample_normal(mean, latent) -> linear(6);
    }
}

#[test]
fn a_sampled_value_is_its_mean_at_inference() {
    let model = MiddleConfig::new().init(&device()).expect("sound");
    let x = Tensor::<2>::ones([3, 6], &device());
    let mean = layer::dense(&model.mean, x.clone(), None);
    let wanted = numbers(layer::dense(&model.again, mean, None));
    assert_eq!(numbers(model.forward(x)), wanted);
    let x = Tensor::<2>::ones([3, 6], &training());
    let model = MiddleConfig::new().init(&training()).expect("sound");
    assert_ne!(numbers(model.forward(x.clone())), numbers(model.forward(x)));
}
