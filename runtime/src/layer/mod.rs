//! The types of the fields of generated modules: burn's layers, and those that burn lacks.
//!
//! A stochastic layer acts only on a training device, and only while its `training` flag is on, as burn's `Dropout` does.
//! Otherwise it returns its input. Its random numbers come from the [`Pass`](crate::Pass).

mod activation;
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
mod group_norm;
mod instance_norm;
mod layer_norm;
mod linear;
mod mask;
mod noise;
mod pool;
mod position;
mod recurrent;
pub(crate) mod reparameterized;
mod rms_norm;
mod rrelu;
mod sequence;
mod squeeze_excitation;
mod swiglu;

pub use alpha_dropout::AlphaDropout;
pub use attention::{Attention, Projection, Rope};
pub use batch_norm::BatchNorm;
pub use burn::nn::conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
pub use convolution::Conv3d;
pub use drop_connect::DropConnect;
pub use drop_path::DropPath;
pub use dropout::Dropout;
pub use elu::{Celu, Elu};
pub use embedding::{EmbeddingDropout, TiedLinear};
pub use layer_norm::LayerNorm;
pub use mask::{DropBlock, SpatialDropout, VariationalDropout};
pub use noise::{GaussianDropout, GaussianNoise};
pub use pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AvgPool1d, AvgPool2d, AvgPool3d,
    MaxPool1d, MaxPool2d, MaxPool3d,
};
pub use position::{ClassToken, LearnedPosition, SinusoidalPosition};
pub use recurrent::{Recurrent, RecurrentCell, RecurrentLayer};
pub use reparameterized::{SpectralNorm, WeightNorm};
pub use rrelu::RRelu;
pub use sequence::Reshape;
pub use squeeze_excitation::SqueezeExcitation;

// What generated code calls.
#[doc(hidden)]
pub use convolution::{conv1d, conv2d};
#[doc(hidden)]
pub use dense::{dense, dense_with_dropout, swiglu};
#[doc(hidden)]
pub use drop_connect::DropsWeights;
#[doc(hidden)]
pub use elu::selu;
#[doc(hidden)]
pub use pool::{global_avg_pool, global_max_pool, max_pool1d, max_pool2d};
#[doc(hidden)]
pub use sequence::{first_step, flatten, last_step, max_over_time, mean_over_time, to_sequence};

#[doc(hidden)]
pub use crate::weights::Weights;
use burn::module::Module;
use burn::tensor::Device;
use damper_ir::{Op, Shape, Value};

/// A field of a generated module: it can be built from its operation in the description.
#[doc(hidden)]
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

/// The sizes of a weight matrix, if it can be held in memory at all.
fn matrix(input: &Shape, out: &Value) -> Option<(usize, usize)> {
    let d_input = input.features()?;
    let d_output = out.size()?;
    check_allocation([d_input, d_output]).map(|()| (d_input, d_output))
}

/// Whether a tensor of these axes has numbers, and can be held in memory at all.
fn check_allocation(axes: impl IntoIterator<Item = usize>) -> Option<()> {
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
fn probability(rate: &Value) -> Option<f64> {
    rate.float().filter(|rate| (0.0..1.0).contains(rate))
}

/// A finite number above 0.
fn positive(value: &Value) -> Option<f64> {
    value
        .float()
        .filter(|value| value.is_finite() && *value > 0.0)
}
