//! Relu with a random slope.

use crate::Pass;
use burn::module::{Flag, Module, Param};
use burn::tensor::activation::leaky_relu;
use burn::tensor::{Distribution, Tensor, TensorData};
use damper_kernels::uniform;

/// `x` where positive, else a slope times `x` (Xu et al., arXiv 1505.00853). While training, the slope of each number is
/// drawn uniformly from `[lower, upper)`; otherwise it is the mean of the two.
///
/// Unlike in burn's layer, slopes are drawn from the [`Pass`] and not from the device's generator.
#[derive(Module, Debug)]
pub struct RRelu {
    /// The smallest slope.
    pub lower: f64,
    /// The upper bound of the slopes, which is not included.
    pub upper: f64,
    /// If false, no slopes are drawn on a training device either; `freeze` clears it.
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
            // Drawn on the device, so that nothing is sent to the GPU.
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
