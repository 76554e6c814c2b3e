//! Adam, and its `AMSGrad` variant.

use burn::optim::{AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

/// Adam (Kingma and Ba, arXiv 1412.6980) with PyTorch's arithmetic, and `AMSGrad` (Reddi et al., ICLR 2018).
///
/// burn's differs in two ways: it computes the corrections of the bias in 32 bits, which is off by up to 3e-5 in the
/// first steps, and it passes over the weights twice more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Whether the step uses the largest second moment so far.
    pub amsgrad: bool,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdaptiveMomentumState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let first = grad.clone().mul_scalar(1.0 - self.beta1);
        let second = grad.square().mul_scalar(1.0 - self.beta2);
        let mut state = match state {
            Some(mut state) => {
                state.time = state.time.saturating_add(1);
                state.moment_1 = state.moment_1.mul_scalar(self.beta1).add(first);
                state.moment_2 = state.moment_2.mul_scalar(self.beta2).add(second);
                state
            }
            None => AdaptiveMomentumState::new(1, first, second),
        };
        let time = state.time as f64;
        let size = lr / (1.0 - self.beta1.powf(time));
        let correction = (1.0 - self.beta2.powf(time)).sqrt();
        let second = if self.amsgrad {
            let largest = match state.max_moment_2.take() {
                Some(largest) => largest.max_pair(state.moment_2.clone()),
                None => state.moment_2.clone(),
            };
            state.max_moment_2 = Some(largest.clone());
            largest
        } else {
            state.moment_2.clone()
        };
        // size * m / (sqrt(v) / correction + epsilon), with the factors gathered in one scalar.
        let root = second.sqrt().add_scalar(self.epsilon * correction);
        let delta = state
            .moment_1
            .clone()
            .div(root)
            .mul_scalar(size * correction);
        (tensor - delta, Some(state))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.to_device(device)
    }
}
