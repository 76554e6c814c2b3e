//! Linear layers with their activation and dropout.

use super::dropout::ApplyMask;
use super::dropout::Dropout;
use crate::Pass;
use crate::activation::{self, Activation};
use burn::module::Param;
use burn::nn::Linear;
use burn::nn::activation::SwiGlu;
use burn::tensor::Tensor;
use burn::tensor::module::linear;
use damper_kernels::dropout::DropoutMask;

/// A linear layer followed by an activation: `activation(input weight + bias)`.
///
/// On `flex` this is one node of the graph, which applies the activation while the values are in the cache. On other
/// backends it is the layer and the activation.
///
/// # Shapes
///
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
#[must_use]
pub fn dense<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Option<Activation>,
) -> Tensor<D> {
    run(layer, input, activation, None)
}

/// As [`dense`], followed by dropout, fused with it.
///
/// # Shapes
///
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
#[must_use]
pub fn dense_with_dropout<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Option<Activation>,
    dropout: &Dropout,
    pass: &mut Pass,
) -> Tensor<D> {
    let mask = pass.dropout_mask(dropout.rate, &dropout.training, &input);
    run(layer, input, activation, mask)
}

/// `silu(input inner) * (input outer)` (Shazeer, arXiv 2002.05202).
///
/// # Shapes
///
/// - input: `[.., inputs]`
/// - output: `[.., outputs]`
#[must_use]
pub fn swiglu<const D: usize>(layer: &SwiGlu, input: Tensor<D>) -> Tensor<D> {
    let inner = dense(&layer.linear_inner, input.clone(), Some(Activation::Silu));
    inner * dense(&layer.linear_outer, input, None)
}

fn run<const D: usize>(
    layer: &Linear,
    input: Tensor<D>,
    activation: Option<Activation>,
    mask: Option<DropoutMask>,
) -> Tensor<D> {
    product(
        input,
        layer.weight.val(),
        layer.bias.as_ref().map(Param::val),
        activation,
        mask,
    )
}

/// `activation(input weight + bias)`, followed by dropout if there is a mask: `[.., inputs]` to `[.., outputs]`.
pub(super) fn product<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Option<Activation>,
    mask: Option<DropoutMask>,
) -> Tensor<D> {
    fused!(input => damper_flex::dense(input, weight.clone(), bias.clone(), activation, mask));
    let output = linear(input, weight, bias);
    let output = match activation {
        Some(activation) => activation::apply(activation, output),
        None => output,
    };
    match mask {
        Some(mask) => mask.apply(output),
        None => output,
    }
}
