//! Batch normalization.

use super::from_op::{Layer, positive};
use crate::weights::Weights;
use burn::module::{Flag, Module, Param, RunningState};
use burn::tensor::module::{batch_norm, batch_norm_train};
use burn::tensor::{Device, Tensor};
use damper_ir::{Op, OpKind, Shape, op};

/// Batch normalization with PyTorch's running statistics (Ioffe and Szegedy, arXiv 1502.03167).
///
/// burn's `BatchNorm` averages the biased variance of each batch; PyTorch averages the unbiased one, which is `n / (n - 1)`
/// times as large, a difference for small batches. A batch of one value for each feature has no variance: it is normalized
/// with the running statistics and does not change them.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// The scale: `[features]`.
    pub gamma: Param<Tensor<1>>,
    /// The shift: `[features]`.
    pub beta: Param<Tensor<1>>,
    /// If false, the layer uses its running statistics on a training device, too, and does not update them; `freeze` clears
    /// it.
    pub training: Param<Flag>,
    /// The running mean, for inference: `[features]`.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running variance, for inference: `[features]`.
    pub running_var: RunningState<Tensor<1>>,
    /// The weight of a new batch in the running statistics, in [0, 1].
    pub momentum: f64,
    /// The term added to the variance.
    pub epsilon: f64,
}

impl BatchNorm {
    /// Scale 1, shift 0, mean 0, variance 1.
    pub fn new(features: usize, epsilon: f64, momentum: f64, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([features], device)),
            beta: Param::from_tensor(Tensor::zeros([features], device)),
            training: Param::from_bool(true),
            running_mean: RunningState::new(Tensor::zeros([features], device)),
            running_var: RunningState::new(Tensor::ones([features], device)),
            momentum,
            epsilon,
        }
    }

    /// Normalizes each feature: with the statistics of the batch while training, else with the running statistics.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, features, ..]`
    /// - output: `[batch, features, ..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let count = input.dims().iter().product::<usize>() / self.gamma.dims()[0].max(1);
        if input.is_autodiff() && self.training.is_enabled() && count > 1 {
            self.forward_train(input, count as f64)
        } else {
            let device = input.device();
            let mean = self.running_mean.value().to_device(&device);
            let variance = self.running_var.value().to_device(&device);
            batch_norm(
                input,
                self.gamma.val(),
                self.beta.val(),
                mean,
                variance,
                self.epsilon,
            )
        }
    }

    fn forward_train<const D: usize>(&self, input: Tensor<D>, count: f64) -> Tensor<D> {
        let device = input.device();
        let result = normalize(input, self.gamma.val(), self.beta.val(), self.epsilon);
        let gather = |running: &RunningState<Tensor<1>>, batch: Tensor<1>, scale: f64| {
            let old = running
                .value_sync()
                .to_device(&device)
                .mul_scalar(1.0 - self.momentum);
            running.update((old + batch.detach().mul_scalar(self.momentum * scale)).detach());
        };
        gather(&self.running_mean, result.mean, 1.0);
        gather(&self.running_var, result.variance, count / (count - 1.0));
        result.output
    }
}

/// A batch normalized by its own statistics, which are not part of the graph.
struct Normalized<const D: usize> {
    output: Tensor<D>,
    mean: Tensor<1>,
    variance: Tensor<1>,
}

fn normalize<const D: usize>(
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Normalized<D> {
    fused!(input => damper_flex::batch_norm(input, gamma.clone(), beta.clone(), epsilon).map(
        |result| Normalized {
            output: result.output,
            mean: result.mean,
            variance: result.variance,
        }
    ));
    let result = batch_norm_train(input, gamma, beta, epsilon);
    Normalized {
        output: result.output,
        mean: result.mean,
        variance: result.variance,
    }
}

impl Layer for BatchNorm {
    const WORD: &'static str = "`batch_norm`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::BatchNorm(op::BatchNorm { epsilon, momentum }) = &op.kind else {
            return None;
        };
        let features = input
            .0
            .first()
            .copied()
            .flatten()
            .filter(|size| *size > 0)?;
        let epsilon = positive(epsilon)?;
        let momentum = momentum
            .float()
            .filter(|momentum| (0.0..=1.0).contains(momentum))?;
        Some(Self::new(features, epsilon, momentum, weights.device()))
    }
}
