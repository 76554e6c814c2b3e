use super::{acts, inverted_mask};
use burn::module::{Flag, Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::module::linear;

/// Drops weights, not activations: while training, each weight becomes 0 with probability `rate`, and
/// survives scaled by `1 / (1 - rate)` (Wan et al., ICML 2013).
///
/// One mask serves the whole batch. The bias is never dropped.
#[derive(Module, Debug)]
pub struct DropConnect {
    /// The probability of zeroing a weight, in [0, 1).
    pub rate: f64,
    /// Whether the layer acts on a training device; cleared by `freeze`.
    pub training: Param<Flag>,
}

impl DropConnect {
    /// Drops weights with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// The linear layer, with some of its weights dropped while training.
    ///
    /// # Shapes
    ///
    /// - input: `[.., in]`
    /// - output: `[.., out]`
    #[must_use]
    pub fn linear<const D: usize>(&self, layer: &Linear, input: Tensor<D>) -> Tensor<D> {
        let weight = layer.weight.val();
        if !acts(self.rate, &self.training, &weight) {
            return layer.forward(input);
        }
        let mask = inverted_mask(weight.dims(), self.rate, &weight.device());
        linear(input, weight * mask, layer.bias.as_ref().map(Param::val))
    }
}
