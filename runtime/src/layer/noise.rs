//! Gaussian noise, added or multiplied.

use super::from_op::{Layer, probability};
use crate::Pass;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use damper_ir::{Op, OpKind, Shape, Stochastic};
use damper_kernels::dropout::Source;
use damper_kernels::noise::{self, Kind};

/// Adds Gaussian noise of mean 0 to every value while training.
#[derive(Module, Debug)]
pub struct GaussianNoise {
    /// The standard deviation of the noise.
    pub std: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

/// Multiplies every value by Gaussian noise of mean 1 and variance `rate / (1 - rate)` while training:
/// mean and variance are those of dropout with this rate (Srivastava et al., JMLR 15, section 10).
#[derive(Module, Debug)]
pub struct GaussianDropout {
    /// The rate of the dropout with the same mean and variance, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl GaussianNoise {
    /// Noise of this standard deviation, 0 or more.
    pub fn new(std: f64) -> Self {
        Self {
            std,
            training: Param::from_bool(true),
        }
    }

    /// Adds noise.
    ///
    /// # Shapes
    ///
    /// - input: `[..]`
    /// - output: `[..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        act(Kind::Add, self.std, &self.training, input, pass)
    }
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
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let deviation = (self.rate / (1.0 - self.rate)).sqrt();
        act(Kind::Multiply, deviation, &self.training, input, pass)
    }
}

/// A sample of the normal distribution of this mean and logarithm of the variance, as `mean + exp(log_variance / 2) * noise`
/// (Kingma and Welling, arXiv 1312.6114). Outside of training it is the mean.
///
/// # Shapes
///
/// - `mean` and `log_variance`: `[..]`
/// - output: `[..]`
#[must_use]
pub fn sample_normal<const D: usize>(
    mean: Tensor<D>,
    log_variance: Tensor<D>,
    pass: &mut Pass,
) -> Tensor<D> {
    let acts = pass.samples_of(&mean);
    let Some(source) = pass.source(acts, &mean) else {
        return mean;
    };
    let noise = normal(source, 1.0, mean.dims(), &mean.device());
    let noise = crate::autodiff::match_autodiff(noise, &mean);
    mean + log_variance.mul_scalar(0.5).exp() * noise
}

/// Normal numbers of mean 0.
fn normal<const D: usize>(
    source: Source,
    deviation: f64,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    if crate::device::is_cpu(device) {
        let mut values = vec![0.0; shape.iter().product()];
        noise::apply(source, Kind::Replace, deviation as f32, 0, &mut values);
        Tensor::from_data(TensorData::new(values, shape), device)
    } else {
        Tensor::random(shape, Distribution::Normal(0.0, deviation), device)
    }
}

fn act<const D: usize>(
    kind: Kind,
    deviation: f64,
    training: &Param<Flag>,
    input: Tensor<D>,
    pass: &mut Pass,
) -> Tensor<D> {
    let acts = deviation > 0.0 && pass.acts_on(training, &input);
    let Some(source) = pass.source(acts, &input) else {
        return input;
    };
    fused!(input => damper_flex::noise(input, source, kind, deviation as f32));
    let noise = normal(source, deviation, input.dims(), &input.device());
    match kind {
        Kind::Add | Kind::Replace => input + noise,
        Kind::Multiply => input * noise.add_scalar(1.0),
    }
}

impl Layer for GaussianNoise {
    const WORD: &'static str = "`noise`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Stochastic(Stochastic::Noise { std }) = &op.kind else {
            return None;
        };
        let std = std.float().filter(|std| std.is_finite() && *std >= 0.0)?;
        Some(Self::new(std))
    }
}

impl Layer for GaussianDropout {
    const WORD: &'static str = "`gaussian_dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::GaussianDropout { rate }) => {
                probability(rate).map(Self::new)
            }
            _ => None,
        }
    }
}
