//! Dropout for self-normalizing networks.

use super::dropout::ApplyMask;
use super::from_op::{Layer, probability};
use crate::Pass;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::tensor::Tensor;
use damper_ir::{Op, OpKind, Shape, Stochastic};
use damper_kernels::dropout::Outcome;

/// The limit of `selu` at minus infinity: its scale times its alpha, negated.
const SATURATION: f64 = -1.758_099_340_847_376_6;

/// Dropout for self-normalizing networks: while training, each value becomes `selu`'s saturation value with
/// probability `rate`, and an affine map restores mean 0 and variance 1 (Klambauer et al., arXiv 1706.02515).
///
/// The formula is PyTorch's `AlphaDropout`.
#[derive(Module, Debug)]
pub struct AlphaDropout {
    /// The probability of dropping a value, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl AlphaDropout {
    /// Drops values with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// Drops values and restores mean and variance.
    ///
    /// # Shapes
    ///
    /// - input: `[..]`
    /// - output: `[..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let Some(mask) = pass.dropout_mask(self.rate, &self.training, &input) else {
            return input;
        };
        let keep = 1.0 - self.rate;
        let scale = (keep * (1.0 + self.rate * SATURATION * SATURATION))
            .sqrt()
            .recip();
        // `scale * (x * kept + SATURATION * (1 - kept)) + shift`
        let shift = -scale * SATURATION * self.rate;
        let outcome = Outcome {
            scale: scale as f32,
            shift: shift as f32,
            dropped: (scale * SATURATION + shift) as f32,
        };
        mask.apply_as(input, outcome)
    }
}

impl Layer for AlphaDropout {
    const WORD: &'static str = "`alpha_dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::AlphaDropout { rate }) => {
                probability(rate).map(Self::new)
            }
            _ => None,
        }
    }
}
