//! The seam of `fused` without `flex`: every step is a step of tensor operations.

pub(super) use burn::optim::Optimizer as Fusable;

use super::FusedStep;
use crate::regularize::Regularized;
use burn::tensor::Tensor;

/// How steps are taken that [`wrap`] wraps.
pub(super) fn new_step() -> FusedStep {
    FusedStep::unfused()
}

/// The step itself.
pub(super) fn wrap<O>(step: Regularized<O>, _: &FusedStep) -> Regularized<O> {
    step
}

/// Whether a fused step can update this average.
pub(super) fn can_update<const D: usize>(_: &Tensor<D>) -> bool {
    false
}

/// The sum of squares, if the memory can be read.
pub(super) fn sum_of_squares<const D: usize>(_: Tensor<D>) -> Option<f64> {
    None
}

/// `decay * average + (1 - decay) * new`.
pub(super) fn blend<const D: usize>(average: Tensor<D>, new: Tensor<D>, decay: f64) -> Tensor<D> {
    average.mul_scalar(decay) + new.mul_scalar(1.0 - decay)
}
