//! What generated code calls. Not for people: it changes without notice.

pub mod arithmetic;
mod backend;
pub mod check;

use crate::{Inputs, Target};
use burn::tensor::{Device, Int, Tensor};

pub use crate::build::Builder;
pub use crate::network::{inference, monte_carlo, plain};
pub use crate::pass::{Pass, lift, lift_to};
pub use crate::spec::Filling;
pub use crate::storage::{load, save};
pub use burn;
pub use damper_macros::model_impl;

/// The input at `index`; an empty one where the batch has none of this rank, which training has excluded before.
pub fn input<const D: usize>(inputs: &Inputs, index: usize) -> Tensor<D> {
    inputs
        .float(index)
        .unwrap_or_else(|| Tensor::empty([0; D], &Device::default()))
}

/// The class indices at `index`; an empty one where the batch has none of this rank, which training has excluded
/// before.
pub fn input_int<const D: usize>(inputs: &Inputs, index: usize) -> Tensor<D, Int> {
    inputs
        .int(index)
        .unwrap_or_else(|| Tensor::empty([0; D], &Device::default()))
}

/// The last axis as columns, everything before it as rows: `[rows, outputs]`.
pub fn rows<const D: usize>(output: Tensor<D>) -> Tensor<2> {
    let outputs = output.dims().last().copied().unwrap_or(1).max(1);
    let rows = output.dims().iter().product::<usize>() / outputs;
    output.reshape([rows, outputs])
}

/// The user's loss on the output and the target, both `[rows, values]`; class indices as one column of numbers.
pub fn custom_loss(
    loss: impl FnOnce(Tensor<2>, Tensor<2>) -> Tensor<1>,
    output: Tensor<2>,
    target: &Target,
) -> Tensor<1> {
    match target {
        Target::Values(values) => loss(output, values.clone()),
        Target::Classes(classes) => loss(output, classes.clone().float().unsqueeze_dim(1)),
    }
}
