//! What generated code calls. Not for people: it changes without notice.

pub mod arithmetic;
mod backend;
pub mod check;
mod module;

use crate::batch::{RowLayout, class_axis};
use crate::{Inputs, Spec, Target};
use burn::tensor::{Device, Int, Tensor};
use damper_ir::InputKind;

pub use self::module::part;
pub use crate::autodiff::{lift, lift_to, plain};
pub use crate::build::Builder;
pub use crate::network::{inference, monte_carlo, no_rows};
pub use crate::pass::Pass;
pub use crate::spec::Filling;
pub use crate::storage::{load, save};
pub use crate::tape::forward;
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

/// The model's output as the loss reads it, `[rows, outputs]`: the axis of the classes as columns, and every other
/// position of every sample as a row of its own, sample by sample.
pub fn rows<const D: usize>(spec: &Spec, output: Tensor<D>) -> Tensor<2> {
    let dims = output.dims();
    let (batch, axes) = dims.split_first().unwrap_or((&1, &[]));
    RowLayout::in_shape(axes, class_axis(spec, axes.len())).rows(*batch, output)
}

/// Marks the steps of the input `name` that are padding, if it is declared `of int(pad = ..)`: `[batch, time]`.
pub fn pad(pass: &mut Pass, spec: &Spec, name: &str, tokens: &Tensor<2, Int>) {
    let input = spec.model().inputs.iter().find(|input| input.name == name);
    if let Some(InputKind::Int { pad: Some(pad), .. }) = input.map(|input| &input.kind)
        && let Some(pad) = pad.size().and_then(|pad| i64::try_from(pad).ok())
    {
        pass.pad(name, tokens, pad);
    }
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
