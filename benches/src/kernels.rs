//! The kernels alone, as a user of damper calls them; `benches/networks.rs` measures them beside burn's.
//!
//! `dropout`, the activations and `layer_norm` are burn's own functions: damper has none. `BatchNorm`, `cross_entropy`
//! and `optimizer` are damper's.

pub use damper::burn::tensor::activation::{
    gelu, gelu_approximate, log_softmax, mish, sigmoid, silu, softmax, tanh,
};
pub use damper::layer::BatchNorm;
pub use damper::optimizer::build as optimizer;

use damper::burn::nn::{DropoutConfig, LayerNorm};
use damper::burn::tensor::Tensor;
use damper::{Spec, Target};

/// Dropout of half of the numbers.
#[must_use]
pub fn dropout<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    DropoutConfig::new(0.5).init().forward(input)
}

/// Layer norm over the last axis.
#[must_use]
pub fn layer_norm<const D: usize>(norm: &LayerNorm, input: Tensor<D>) -> Tensor<D> {
    norm.forward(input)
}

/// The loss of a description whose loss is `cross_entropy`: `[rows, classes]` to `[1]`.
#[must_use]
pub fn cross_entropy(spec: &Spec, logits: Tensor<2>, target: &Target) -> Tensor<1> {
    damper::loss::of(spec, logits, target)
}
