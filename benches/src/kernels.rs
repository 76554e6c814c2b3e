//! The kernels alone, as a user of damper calls them; `benches/networks.rs` measures them beside burn's.

pub use damper::activation::{
    gelu, gelu_approximate, log_softmax, mish, sigmoid, silu, softmax, tanh,
};
pub use damper::layer::BatchNorm;
pub use damper::optimizer::build as optimizer;

use damper::burn::tensor::Tensor;
use damper::layer::{Dropout, LayerNorm};
use damper::{Pass, Spec, Target};

/// Dropout of half of the numbers.
#[must_use]
pub fn dropout<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    Dropout::new(0.5).forward(input, &mut Pass::new().with_random(1, 2))
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
