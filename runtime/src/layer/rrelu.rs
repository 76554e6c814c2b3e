//! Relu with a random slope.

use crate::Pass;
use burn::module::{Flag, Module, Param};
use burn::tensor::activation::leaky_relu;
use burn::tensor::{Distribution, Tensor, TensorData};
use damper_kernels::uniform;

/// `x` where positive, else a slope times `x`: drawn for each number while training, uniform in `[lower, upper)`, and
/// the mean of the two else (Xu et al., arXiv 1505.00853).
///
/// Not burn's, whose slopes come from the device's generator: here they are those of the [`Pass`].
#[derive(Module, Debug)]
pub struct RRelu {
    /// The smallest slope.
    pub lower: f64,
    /// Above the greatest slope.
    pub upper: f64,
    /// Whether slopes are drawn on a training device; cleared by `freeze`.
    pub training: Param<Flag>,
}

impl RRelu {
    /// Slopes from `lower` to `upper`.
    pub fn new(lower: f64, upper: f64) -> Self {
        Self {
            lower,
            upper,
            training: Param::from_bool(true),
        }
    }

    /// Applies the activation.
    ///
    /// # Shapes
    ///
    /// - input: `[..]`
    /// - output: `[..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let acts = pass.acts_on(&self.training, &input);
        let Some(source) = pass.source(acts, &input) else {
            return leaky_relu(input, f64::midpoint(self.lower, self.upper));
        };
        let (shape, device) = (input.dims(), input.device());
        let slopes = if crate::device::is_cpu(&device) {
            let mut values = vec![0.0; shape.iter().product()];
            uniform::fill(source, self.lower as f32, self.upper as f32, &mut values);
            Tensor::from_data(TensorData::new(values, shape), &device)
        } else {
            // Drawn where they are used: nothing is sent to the GPU.
            Tensor::random(
                shape,
                Distribution::Uniform(self.lower, self.upper),
                &device,
            )
        };
        let scaled = input.clone() * slopes;
        let is_negative = input.clone().lower_scalar(0.0);
        input.mask_where(is_negative, scaled)
    }
}
