//! `squeeze_excitation`: channels scaled by a small network of their means.

use super::from_op::Layer;
use super::linear::linear;
use super::pool::global_avg_pool;
use crate::activation::{relu, sigmoid};
use crate::weights::Weights;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use damper_ir::{Op, OpKind, Shape};

/// Squeeze and excitation (Hu et al., arXiv 1709.01507): each channel times `sigmoid(W2 relu(W1 z))`, `z` the means of all
/// channels.
#[derive(Module, Debug)]
pub struct SqueezeExcitation {
    /// The layer from the channels to fewer units.
    pub squeeze: Linear,
    /// The layer from these units to the channels.
    pub excite: Linear,
}

impl SqueezeExcitation {
    /// Scales the channels.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, channels, ..]`
    /// - output: the same
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let [batch, channels] = [0, 1].map(|axis| input.dims().get(axis).copied().unwrap_or(1));
        let means = global_avg_pool(input.clone());
        let hidden = relu(self.squeeze.forward(means));
        let scales = sigmoid(self.excite.forward(hidden));
        let mut shape = [1; D];
        for (axis, size) in shape.iter_mut().zip([batch, channels]) {
            *axis = size;
        }
        input * scales.reshape(shape)
    }
}

impl Layer for SqueezeExcitation {
    const WORD: &'static str = "`squeeze_excitation`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::SqueezeExcitation(squeeze) = &op.kind else {
            return None;
        };
        let channels = input.channels().filter(|size| *size > 0)?;
        let units = squeeze.units(channels)?;
        Some(Self {
            squeeze: linear(channels, units, true, weights),
            excite: linear(units, channels, true, weights),
        })
    }
}
