//! Ordinary dropout, and the application of a dropout mask, which other layers use.

use super::from_op::{Layer, probability};
use crate::Pass;
use crate::device::is_cpu;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use damper_ir::{Op, OpKind, Shape, Stochastic};
use damper_kernels::dropout::{DropoutMask, Outcome};

/// Drops values: while training, each becomes 0 with probability `rate`, and survives scaled by `1 / (1 - rate)`
/// (Srivastava et al., JMLR 15).
///
/// The mask depends only on the seed and the step of the training, the layer's place in the model and the value's place in
/// the tensor; on a CPU it does not depend on the number of threads. See [`Pass`].
#[derive(Module, Debug)]
pub struct Dropout {
    /// The probability of dropping a value, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl Dropout {
    /// Drops values with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// Drops values.
    ///
    /// # Shapes
    ///
    /// - input: `[..]`
    /// - output: `[..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        match pass.dropout_mask(self.rate, &self.training, &input) {
            Some(mask) => mask.apply(input),
            None => input,
        }
    }
}

impl Layer for Dropout {
    const WORD: &'static str = "`dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::Dropout { rate }) => probability(rate).map(Self::new),
            _ => None,
        }
    }
}

/// The application of a [`DropoutMask`] to tensors.
pub(super) trait ApplyMask: Sized {
    /// Drops or scales each value: `[..]` to `[..]`.
    fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D>;

    /// Replaces each value by the outcome for kept or dropped values: `[..]` to `[..]`.
    fn apply_as<const D: usize>(self, input: Tensor<D>, outcome: Outcome) -> Tensor<D>;

    /// Drops or scales groups of values together, `[..]` to `[..]`: the mask has one value where `shape` has 1.
    fn apply_to_groups<const D: usize>(self, input: Tensor<D>, shape: [usize; D]) -> Tensor<D>;

    /// An inverted mask of this shape: `1 / (1 - rate)` with probability `1 - rate`, else 0. Not part of the graph.
    fn to_factors<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D>;

    /// A mask of this shape that is 1 with the probability of being dropped, else 0. Not part of the graph.
    fn to_marks<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D>;
}

impl ApplyMask for DropoutMask {
    fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        self.apply_as(input, self.rate.into())
    }

    fn apply_as<const D: usize>(self, input: Tensor<D>, outcome: Outcome) -> Tensor<D> {
        fused!(input => damper_flex::dropout(input, self, outcome));
        let Outcome {
            scale,
            shift,
            dropped,
        } = outcome;
        let marks = self.to_marks(input.dims(), &input.device());
        let factors = marks.clone().mul_scalar(-scale).add_scalar(scale);
        if shift == 0.0 && dropped == 0.0 {
            return input * factors;
        }
        input * factors + marks.mul_scalar(dropped - shift).add_scalar(shift)
    }

    fn apply_to_groups<const D: usize>(self, input: Tensor<D>, shape: [usize; D]) -> Tensor<D> {
        fused!(input => damper_flex::scale_groups(input, shape, |count| self.factors(count)));
        let factors = self.to_factors(shape, &input.device());
        input * factors
    }

    fn to_factors<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        if is_cpu(device) {
            let factors = self.factors(shape.iter().product());
            return Tensor::from_data(TensorData::new(factors, shape), device);
        }
        // Drawn on the device, so that nothing is sent to the GPU.
        let kept = 1.0 - f64::from(self.rate.probability());
        let mask = Tensor::random(shape, Distribution::Bernoulli(kept), device);
        mask.mul_scalar(self.rate.scale())
    }

    fn to_marks<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        let kept = self.to_factors(shape, device).not_equal_scalar(0.0).float();
        kept.neg().add_scalar(1.0)
    }
}
