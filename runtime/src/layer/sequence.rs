//! Changes of shape, and reductions of a sequence to one step.

use super::from_op::Layer;
use super::pool::positions;
use crate::autodiff::match_autodiff;
use crate::weights::Weights;
use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};
use damper_ir::op;
use damper_ir::{Op, OpKind, Shape};

/// The same numbers in another shape.
#[derive(Module, Debug)]
pub struct Reshape {
    /// The axes of one sample.
    #[module(skip)]
    pub shape: Vec<usize>,
}

impl Reshape {
    /// The value in the layer's shape.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, ..]`
    /// - output: `[batch, shape..]`; `E` is the number of its axes
    ///
    /// # Panics
    ///
    /// In burn, if the numbers do not fill the shape. The rules of the description exclude that.
    #[must_use]
    pub fn forward<const D: usize, const E: usize>(&self, input: Tensor<D>) -> Tensor<E> {
        let mut shape = [1; E];
        if let Some(batch) = shape.first_mut() {
            *batch = input.dims().first().copied().unwrap_or(1);
        }
        for (axis, size) in shape.iter_mut().skip(1).zip(&self.shape) {
            *axis = *size;
        }
        input.reshape(shape)
    }
}

impl Layer for Reshape {
    const WORD: &'static str = "`reshape`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Reshape(op::Reshape { shape }) = &op.kind else {
            return None;
        };
        let shape = shape
            .iter()
            .map(damper_ir::Value::size)
            .collect::<Option<_>>()?;
        Some(Self { shape })
    }
}

/// What a layer of the last axis gives for the channels of each position.
///
/// # Shapes
///
/// - input: `[batch, channels, ..]`
/// - output: `[batch, channels, ..]`; the layer takes and gives `[batch, .., channels]`
#[must_use]
pub fn channels_last<const D: usize>(
    input: Tensor<D>,
    layer: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    // Another order of the positions does not matter to a layer that reads each of them alone.
    layer(input.swap_dims(1, D - 1)).swap_dims(1, D - 1)
}

/// The value with axes of size 1 behind its own, as many as are needed: it then spreads over a value of `E` axes.
///
/// # Shapes
///
/// - input: `[batch, channels]`
/// - output: `[batch, channels, 1, ..]`; `E` is the number of its axes
#[must_use]
pub fn spread<const D: usize, const E: usize>(input: Tensor<D>) -> Tensor<E> {
    let mut shape = [1; E];
    for (axis, size) in shape.iter_mut().zip(input.dims()) {
        *axis = size;
    }
    input.reshape(shape)
}

/// All numbers of a sample in one row.
///
/// # Shapes
///
/// - input: `[batch, ..]`
/// - output: `[batch, product]`
#[must_use]
pub fn flatten<const D: usize>(input: Tensor<D>) -> Tensor<2> {
    let dims = input.dims();
    let batch = dims.first().copied().unwrap_or(1);
    input.reshape([batch, dims.iter().skip(1).product()])
}

/// The positions of an image as the steps of a sequence, in the order of its rows.
///
/// # Shapes
///
/// - input: `[batch, channels, ..]`
/// - output: `[batch, positions, channels]`
#[must_use]
pub fn to_sequence<const D: usize>(input: Tensor<D>) -> Tensor<3> {
    positions(input).swap_dims(1, 2)
}

/// The first step.
///
/// # Shapes
///
/// - input: `[batch, time, features]`
/// - output: `[batch, features]`
#[must_use]
pub fn first_step(input: Tensor<3>) -> Tensor<2> {
    step(input, 0)
}

/// The step at an index.
fn step(input: Tensor<3>, index: usize) -> Tensor<2> {
    fused!(input => damper_flex::step(input, index));
    input.narrow(1, index, 1).squeeze_dim(1)
}

/// The last step that is not padding, or the first one if all steps are padding.
///
/// # Shapes
///
/// - input: `[batch, time, features]`
/// - padding: `[batch, time]`, true where a step is padding
/// - output: `[batch, features]`
#[must_use]
pub fn last_step(input: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    let [batch, time, features] = input.dims();
    let Some(padding) = padding else {
        return step(input, time.saturating_sub(1));
    };
    let padding = match_autodiff(padding.clone(), &input);
    let steps = Tensor::<1, Int>::arange(0..time as i64, &padding.device());
    let steps = steps.unsqueeze_dim::<2>(0).expand([batch, time]);
    let last = steps.mask_fill(padding, 0).max_dim(1);
    let index = last.unsqueeze_dim::<3>(2).expand([batch, 1, features]);
    input.gather(1, index).squeeze_dim(1)
}

/// The mean of the steps that are not padding, or 0 if all steps are padding.
///
/// # Shapes
///
/// - input: `[batch, time, features]`
/// - padding: `[batch, time]`, true where a step is padding
/// - output: `[batch, features]`
#[must_use]
pub fn mean_over_time(input: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    let Some(padding) = padding else {
        return input.mean_dim(1).squeeze_dim(1);
    };
    let padding = match_autodiff(padding.clone(), &input).unsqueeze_dim::<3>(2);
    let count = padding.clone().bool_not().float().sum_dim(1).clamp_min(1.0);
    let dims = input.dims();
    let kept = input.mask_fill(padding.expand(dims), 0.0);
    (kept.sum_dim(1) / count).squeeze_dim(1)
}

/// The sum of the steps that are not padding.
///
/// # Shapes
///
/// - input: `[batch, time, features]`
/// - padding: `[batch, time]`, true where a step is padding
/// - output: `[batch, features]`
#[must_use]
pub fn sum_over_time(input: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    let Some(padding) = padding else {
        return input.sum_dim(1).squeeze_dim(1);
    };
    let padding = match_autodiff(padding.clone(), &input).unsqueeze_dim::<3>(2);
    let dims = input.dims();
    let kept = input.mask_fill(padding.expand(dims), 0.0);
    kept.sum_dim(1).squeeze_dim(1)
}

/// The minimum of each feature over the steps that are not padding, or 0 if all steps are padding.
///
/// # Shapes
///
/// As [`max_over_time`].
#[must_use]
pub fn min_over_time(input: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    max_over_time(input.neg(), padding).neg()
}

/// The maximum of each feature over the steps that are not padding, or 0 if all steps are padding.
///
/// # Shapes
///
/// - input: `[batch, time, features]`
/// - padding: `[batch, time]`, true where a step is padding
/// - output: `[batch, features]`
#[must_use]
pub fn max_over_time(input: Tensor<3>, padding: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    let Some(padding) = padding else {
        return input.max_dim(1).squeeze_dim(1);
    };
    let padding = match_autodiff(padding.clone(), &input).unsqueeze_dim::<3>(2);
    let [batch, time, features] = input.dims();
    let nothing = padding.clone().all_dim(1).expand([batch, 1, features]);
    let kept = input.mask_fill(padding.expand([batch, time, features]), f32::MIN);
    kept.max_dim(1).mask_fill(nothing, 0.0).squeeze_dim(1)
}
