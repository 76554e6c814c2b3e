//! Layer normalization.

use super::from_op::{Layer, positive};
use crate::weights::Weights;
use burn::module::{Module, Param};
use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Tensor};
use damper_ir::op;
use damper_ir::{Op, OpKind, Shape};

/// Layer normalization over the features (Ba et al., arXiv 1607.06450): `gamma (x - mean) / √(variance + epsilon) +
/// beta`, with mean and variance of each position.
///
/// burn's layer with the same weights has the same output; this one is fused on `flex`, forward and backward.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// The scale: `[features]`.
    pub gamma: Param<Tensor<1>>,
    /// The shift: `[features]`.
    pub beta: Option<Param<Tensor<1>>>,
    /// The term added to the variance.
    pub epsilon: f64,
}

impl LayerNorm {
    /// Scale 1, shift 0.
    pub fn new(features: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([features], device)),
            beta: Some(Param::from_tensor(Tensor::zeros([features], device))),
            epsilon,
        }
    }

    /// Normalizes each position.
    ///
    /// # Shapes
    ///
    /// - input: `[.., features]`
    /// - output: `[.., features]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let gamma = self.gamma.val();
        let beta = self.beta.as_ref().map(Param::val);
        fused!(input => {
            damper_flex::layer_norm(input, gamma.clone(), beta.clone(), self.epsilon)
        });
        layer_norm(input, gamma, beta, self.epsilon)
    }
}

impl Layer for LayerNorm {
    const WORD: &'static str = "`layer_norm`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::LayerNorm(op::LayerNorm { epsilon, axis }) = &op.kind else {
            return None;
        };
        let features = axis.size(input).filter(|size| *size > 0)?;
        Some(Self::new(features, positive(epsilon)?, weights.device()))
    }
}
