//! The layers of generated modules: burn's, built from a description, and those that burn lacks.
//!
//! Stochastic layers act only on a training device, and only while their `training` flag is set, like burn's `Dropout`;
//! otherwise they return their input. Their random numbers are those of the [`Pass`](crate::Pass).

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
mod from_op;
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
pub use convolution::{Conv3d, conv1d, conv2d};
pub use dense::{dense, dense_with_dropout, swiglu};
pub use drop_connect::{DropConnect, DropsWeights};
pub use drop_path::DropPath;
pub use dropout::Dropout;
pub use elu::{Celu, Elu, selu};
pub use embedding::{EmbeddingDropout, TiedLinear};
pub use from_op::Layer;
pub use layer_norm::LayerNorm;
pub use mask::{DropBlock, SpatialDropout, VariationalDropout};
pub use noise::{GaussianDropout, GaussianNoise};
pub use pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AvgPool1d, AvgPool2d, AvgPool3d,
    MaxPool1d, MaxPool2d, MaxPool3d, global_avg_pool, global_max_pool, max_pool1d, max_pool2d,
};
pub use position::{ClassToken, LearnedPosition, SinusoidalPosition};
pub use recurrent::{Recurrent, RecurrentCell, RecurrentLayer};
pub use reparameterized::{SpectralNorm, WeightNorm};
pub use rrelu::RRelu;
pub use sequence::{
    Reshape, first_step, flatten, last_step, max_over_time, mean_over_time, to_sequence,
};
pub use squeeze_excitation::SqueezeExcitation;

pub use crate::weights::Weights;
