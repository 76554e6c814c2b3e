//! Stochastic depth.

use super::dropout::ApplyMask;
use super::from_op::{Layer, probability};
use crate::Pass;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::tensor::Tensor;
use damper_ir::{Op, OpKind, Shape, Stochastic};

/// Stochastic depth: while training, the whole branch of a sample becomes 0 with probability `rate`, and
/// survives scaled by `1 / (1 - rate)` (Huang et al., arXiv 1603.09382).
#[derive(Module, Debug)]
pub struct DropPath {
    /// The probability of dropping a sample's branch, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl DropPath {
    /// Drops a sample's branch with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// Drops whole samples.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, ..]`
    /// - output: `[batch, ..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let Some(mask) = pass.dropout_mask(self.rate, &self.training, &input) else {
            return input;
        };
        let mut shape = [1; D];
        shape[0] = input.dims()[0];
        mask.apply_to_groups(input, shape)
    }
}

impl Layer for DropPath {
    const WORD: &'static str = "`drop_path`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::DropPath { rate }) => probability(rate).map(Self::new),
            _ => None,
        }
    }
}
