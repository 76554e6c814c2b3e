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
mod elementwise;
mod elu;
mod embedding;
mod from_op;
mod group_norm;
mod instance_norm;
mod layer_norm;
mod linear;
mod mask;
mod noise;
mod pool;
mod position;
mod rearrange;
mod recurrent;
pub(crate) mod reparameterized;
mod resample;
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
pub use elementwise::{Scale, Shift};
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
pub use rearrange::{ChannelShuffle, Pad, Permute, PixelShuffle, Slice, ToImage};
pub use recurrent::{Recurrent, RecurrentCell, RecurrentLayer};
pub use reparameterized::{SpectralNorm, WeightNorm};
pub use resample::Resample;
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
pub use noise::sample_normal;
#[doc(hidden)]
pub use pool::{global_avg_pool, global_max_pool, max_pool1d, max_pool2d};
#[doc(hidden)]
pub use sequence::{
    channels_last, first_step, flatten, last_step, max_over_time, mean_over_time, min_over_time,
    spread, sum_over_time, to_sequence,
};

#[doc(hidden)]
pub use crate::weights::Weights;
#[doc(hidden)]
pub use from_op::Layer;
