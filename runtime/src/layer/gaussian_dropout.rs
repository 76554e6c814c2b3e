use super::acts;
use burn::module::{Flag, Module, Param};
use burn::tensor::{Distribution, Tensor};

/// Multiplies every value by Gaussian noise of mean 1 and variance `rate / (1 - rate)` while training:
/// mean and variance are those of dropout with this rate (Srivastava et al., JMLR 15, section 10).
#[derive(Module, Debug)]
pub struct GaussianDropout {
    /// The rate of the dropout it stands for, in [0, 1).
    pub rate: f64,
    /// Whether the layer acts on a training device; cleared by `freeze`.
    pub training: Param<Flag>,
}

impl GaussianDropout {
    /// Noise of the variance that dropout with `rate`, in [0, 1), has.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// Multiplies by noise.
    ///
    /// # Shapes
    ///
    /// - input: `[..]`
    /// - output: `[..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        if !acts(self.rate, &self.training, &input) {
            return input;
        }
        let deviation = (self.rate / (1.0 - self.rate)).sqrt();
        let noise = Tensor::random(
            input.dims(),
            Distribution::Normal(1.0, deviation),
            &input.device(),
        );
        input * noise
    }
}
