//! Stochastic gradient descent with momentum.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// Stochastic gradient descent with PyTorch's momentum: the first velocity is the gradient, and later ones are
/// `momentum * velocity + (1 - dampening) * gradient` (Sutskever et al., ICML 2013, for Nesterov's).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// How much of the velocity stays; 0 for none.
    pub momentum: f64,
    /// By how much less of the gradient the velocity gets.
    pub dampening: f64,
    /// Whether the step looks ahead.
    pub nesterov: bool,
}

/// What momentum remembers of a weight.
#[derive(Clone, Debug)]
pub struct Velocity<const D: usize> {
    /// Of the weight's shape.
    pub velocity: Tensor<D>,
}

// burn's derive names its own crate.
impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "velocity", self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = src.take_tensor(prefix, "velocity")?;
        (velocity.shape().num_dims() == D).then(|| Self {
            velocity: Tensor::from_data(velocity, device),
        })
    }
}

impl Optimizer for Sgd {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if self.momentum == 0.0 {
            return (tensor - grad.mul_scalar(lr), None);
        }
        let velocity = match state {
            Some(state) => {
                state.velocity.mul_scalar(self.momentum)
                    + grad.clone().mul_scalar(1.0 - self.dampening)
            }
            None => grad.clone(),
        };
        let direction = if self.nesterov {
            grad + velocity.clone().mul_scalar(self.momentum)
        } else {
            velocity.clone()
        };
        (
            tensor - direction.mul_scalar(lr),
            Some(Velocity { velocity }),
        )
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        Velocity {
            velocity: state.velocity.to_device(device),
        }
    }
}
