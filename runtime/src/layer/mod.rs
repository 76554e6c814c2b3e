//! The layers of generated modules: burn's, built from a description, and those that burn lacks.
//!
//! The stochastic layers act only on a training device, and only while their `training` flag is on, as
//! burn's `Dropout` does; elsewhere they give their input back. Their random numbers are those of the [`Pass`](crate::Pass).

mod alpha_dropout;
mod attention;
mod batch_norm;
mod convolution;
mod dense;
mod drop_connect;
mod drop_path;
mod dropout;
mod elu;
mod embedding;
mod layer_norm;
mod mask;
mod noise;
mod norm;
mod pool;
mod position;
mod recurrent;
pub(crate) mod reparameterised;
mod rrelu;
mod sequence;
mod squeeze_excitation;

pub use alpha_dropout::AlphaDropout;
pub use attention::{Attention, Projection, Rope};
pub use batch_norm::BatchNorm;
pub use burn::nn::conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
pub use convolution::{Conv3d, conv1d, conv2d};
pub use dense::{dense, dense_with_dropout, swiglu};
pub use drop_connect::{DropConnect, DropsWeights};
pub use drop_path::DropPath;
pub use dropout::Dropout;
pub use elu::{Celu, Elu, selu};
pub use embedding::{EmbeddingDropout, TiedLinear};
pub use layer_norm::LayerNorm;
pub use mask::{DropBlock, SpatialDropout, VariationalDropout};
pub use noise::{GaussianDropout, GaussianNoise};
pub use pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AvgPool1d, AvgPool2d, AvgPool3d,
    MaxPool1d, MaxPool2d, MaxPool3d, global_avg_pool, global_max_pool, max_pool1d, max_pool2d,
};
pub use position::{ClassToken, LearnedPosition, SinusoidalPosition};
pub use recurrent::{Recurrent, RecurrentCell, RecurrentLayer};
pub use reparameterised::{SpectralNorm, WeightNorm};
pub use rrelu::RRelu;
pub use sequence::{
    Reshape, first_step, flatten, last_step, max_over_time, mean_over_time, to_sequence,
};
pub use squeeze_excitation::SqueezeExcitation;

pub use crate::weights::Weights;
use burn::module::Module;
use burn::nn::activation::{
    HardShrink, HardShrinkConfig, HardSigmoid, HardSigmoidConfig, Hardtanh, HardtanhConfig,
    LeakyRelu, LeakyReluConfig, PRelu, PReluConfig, Shrink, ShrinkConfig, SoftShrink,
    SoftShrinkConfig, Softplus, SoftplusConfig, SwiGlu, SwiGluConfig, Threshold, ThresholdConfig,
    ThresholdedRelu, ThresholdedReluConfig,
};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use damper_ir::op;
use damper_ir::{ActivationKind, Op, OpKind, RuleKind, Shape, Stochastic, Value};

/// A field of a generated module: it can be built from its operation in the description.
pub trait Layer: Module + Sized {
    /// What the operation is called, for messages.
    const WORD: &'static str;

    /// The layer with fresh weights, initialized as PyTorch's; `None` where `op` is another operation, or
    /// has a value that the rules exclude.
    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self>;

    /// The layer alone, with weights whose seed comes from the device's generator.
    fn build(op: &Op, input: &Shape, device: &Device) -> Option<Self> {
        Self::make(op, input, &Weights::new(device))
    }
}

impl Layer for Linear {
    const WORD: &'static str = "`linear`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Linear(op::Linear { out, bias, .. }) = &op.kind else {
            return None;
        };
        let (d_input, d_output) = matrix(input, out)?;
        Some(linear(d_input, d_output, bias.is_true()?, weights))
    }
}

/// burn's layer, with weights as PyTorch draws them.
fn linear(d_input: usize, d_output: usize, bias: bool, weights: &Weights) -> Linear {
    let mut layer = LinearConfig::new(d_input, d_output)
        .with_bias(bias)
        .init(weights.device());
    weights.layer(&mut layer.weight, layer.bias.as_mut(), d_input);
    layer
}

impl Layer for SwiGlu {
    const WORD: &'static str = "`swiglu`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Swiglu(op::Swiglu { out, bias }) = &op.kind else {
            return None;
        };
        let (d_input, d_output) = matrix(input, out)?;
        let bias = bias.is_true()?;
        let mut layer = SwiGluConfig::new(d_input, d_output)
            .with_bias(bias)
            .init(weights.device());
        layer.linear_inner = linear(d_input, d_output, bias, weights);
        layer.linear_outer = linear(d_input, d_output, bias, weights);
        Some(layer)
    }
}

impl Layer for BatchNorm {
    const WORD: &'static str = "`batch_norm`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::BatchNorm(op::BatchNorm { epsilon, momentum }) = &op.kind else {
            return None;
        };
        let features = input
            .0
            .first()
            .copied()
            .flatten()
            .filter(|size| *size > 0)?;
        let epsilon = positive(epsilon)?;
        let momentum = momentum
            .float()
            .filter(|momentum| (0.0..=1.0).contains(momentum))?;
        Some(Self::new(features, epsilon, momentum, weights.device()))
    }
}

impl Layer for AlphaDropout {
    const WORD: &'static str = "`alpha_dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::AlphaDropout { rate }) => share(rate).map(Self::new),
            _ => None,
        }
    }
}

impl Layer for DropPath {
    const WORD: &'static str = "`drop_path`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::DropPath { rate }) => share(rate).map(Self::new),
            _ => None,
        }
    }
}

impl Layer for DropConnect {
    const WORD: &'static str = "`drop_connect`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        op.rules.iter().find_map(|rule| match &rule.kind {
            RuleKind::DropConnect { rate } => share(rate).map(Self::new),
            _ => None,
        })
    }
}

/// Activations with arguments or weights: each is one of burn's modules.
macro_rules! activations {
    ($($layer:ident = $kind:ident, |$arguments:ident, $weights:ident| $build:expr;)*) => {$(
        impl Layer for $layer {
            const WORD: &'static str = concat!("the activation `", stringify!($layer), "`");

            fn make(op: &Op, _: &Shape, $weights: &Weights) -> Option<Self> {
                let $arguments = arguments(op, ActivationKind::$kind)?;
                $build
            }
        }
    )*};
}

activations! {
    LeakyRelu = LeakyRelu, |arguments, _weights| {
        let [slope] = arguments;
        Some(LeakyReluConfig::new().with_negative_slope(slope).init())
    };
    RRelu = Rrelu, |arguments, _weights| {
        let [lower, upper] = arguments;
        (lower <= upper).then(|| RRelu::new(lower, upper))
    };
    PRelu = Prelu, |arguments, weights| {
        let [init] = arguments;
        Some(PReluConfig::new().with_alpha(init).init(weights.device()))
    };
    Elu = Elu, |arguments, _weights| {
        let [alpha] = arguments;
        Some(Elu { alpha })
    };
    Celu = Celu, |arguments, _weights| {
        let [alpha] = arguments;
        (alpha != 0.0).then_some(Celu { alpha })
    };
    HardSigmoid = HardSigmoid, |arguments, _weights| {
        let [alpha, beta] = arguments;
        Some(HardSigmoidConfig::new().with_alpha(alpha).with_beta(beta).init())
    };
    Hardtanh = Hardtanh, |arguments, _weights| {
        let [min, max] = arguments;
        (min <= max).then(|| HardtanhConfig::new().with_min_val(min).with_max_val(max).init())
    };
    Softplus = Softplus, |arguments, _weights| {
        let [beta] = arguments;
        (beta != 0.0).then(|| SoftplusConfig::new().with_beta(beta).init())
    };
    ThresholdedRelu = ThresholdedRelu, |arguments, _weights| {
        let [alpha] = arguments;
        Some(ThresholdedReluConfig::new().with_alpha(alpha).init())
    };
    Threshold = Threshold, |arguments, _weights| {
        let [threshold, value] = arguments;
        Some(ThresholdConfig::new(threshold, value).init())
    };
    HardShrink = HardShrink, |arguments, _weights| {
        let [lambda] = arguments;
        Some(HardShrinkConfig::new().with_lambda(lambda).init())
    };
    SoftShrink = SoftShrink, |arguments, _weights| {
        let [lambda] = arguments;
        Some(SoftShrinkConfig::new().with_lambda(lambda).init())
    };
    Shrink = Shrink, |arguments, _weights| {
        let [lambda, bias] = arguments;
        Some(ShrinkConfig::new().with_lambda(lambda).with_bias(bias).init())
    };
}

/// The arguments of the activation `kind`, if `op` is one and they are all finite.
fn arguments<const N: usize>(op: &Op, kind: ActivationKind) -> Option<[f64; N]> {
    let OpKind::Activation(activation) = &op.kind else {
        return None;
    };
    if activation.kind != kind || kind.arguments().len() != N {
        return None;
    }
    let mut values = [0.0; N];
    for (index, (value, of)) in values.iter_mut().zip(kind.arguments()).enumerate() {
        *value = match activation.arguments.get(index) {
            Some(argument) => argument.float().filter(|argument| argument.is_finite())?,
            None => of.number()?,
        };
    }
    Some(values)
}

/// The sizes of a weight matrix, if it can be held in memory at all.
fn matrix(input: &Shape, out: &Value) -> Option<(usize, usize)> {
    let d_input = input.features()?;
    let d_output = out.size()?;
    held([d_input, d_output]).map(|()| (d_input, d_output))
}

/// Whether a tensor of these axes has numbers, and can be held in memory at all.
fn held(axes: impl IntoIterator<Item = usize>) -> Option<()> {
    let bytes = axes
        .into_iter()
        .try_fold(size_of::<f32>(), usize::checked_mul)?;
    isize::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes > 0)
        .map(|_| ())
}

/// One size for each of `N` axes: a single one stands for all of them.
fn sizes<const N: usize>(values: &[Value], default: Option<[usize; N]>) -> Option<[usize; N]> {
    match values {
        [] => default,
        [one] => one.size().map(|size| [size; N]),
        _ if values.len() == N => {
            let mut sizes = [0; N];
            for (size, value) in sizes.iter_mut().zip(values) {
                *size = value.size()?;
            }
            Some(sizes)
        }
        _ => None,
    }
}

/// A rate in [0, 1).
fn share(rate: &Value) -> Option<f64> {
    rate.float().filter(|rate| (0.0..1.0).contains(rate))
}

/// A finite number above 0.
fn positive(value: &Value) -> Option<f64> {
    value
        .float()
        .filter(|value| value.is_finite() && *value > 0.0)
}
