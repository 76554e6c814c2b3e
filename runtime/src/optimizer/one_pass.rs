use super::Adam;
use crate::regularize::{Regularised, Treatment};
use burn::optim::{AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{DType, Device, Tensor};

/// [`Regularised`] over [`Adam`], in one pass over the memory where it can be reached (`flex`): the step as tensor
/// operations passes over the weights twelve times, and each rule adds one to three more. Elsewhere it is what it wraps.
#[derive(Clone, Debug)]
pub(super) struct OnePass(pub(super) Regularised<Adam>);

impl Optimizer for OnePass {
    type State<const D: usize> = AdaptiveMomentumState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        if !self.applies(&tensor, &grad, state.as_ref()) {
            return self.0.step(lr, tensor, grad, state);
        }
        let device = tensor.device();
        let mut state = match state {
            Some(mut state) => {
                state.time = state.time.saturating_add(1);
                state
            }
            None => AdaptiveMomentumState::new(1, grad.zeros_like(), grad.zeros_like()),
        };
        let step = Step::new(&self.0, lr, state.time);
        // On flex these hand the memory over; only what is shared (the weight, with the model of the step) is copied.
        let (mut weight, grad) = (tensor.into_data(), grad.into_data());
        let (mut first, mut second) = (state.moment_1.into_data(), state.moment_2.into_data());
        if let (Ok(weight), Ok(grad), Ok(first), Ok(second)) = (
            weight.as_mut_slice(),
            grad.as_slice(),
            first.as_mut_slice(),
            second.as_mut_slice(),
        ) {
            step.take(weight, grad, first, second);
        }
        state.moment_1 = Tensor::from_data(first, &device);
        state.moment_2 = Tensor::from_data(second, &device);
        let weight = self.0.treatment.shorten(Tensor::from_data(weight, &device));
        (weight, Some(state))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        Adam::to_device(state, device)
    }
}

impl OnePass {
    /// Whether the memory can be reached, and all that is asked for acts on each weight by itself.
    fn applies<const D: usize>(
        &self,
        weight: &Tensor<D>,
        grad: &Tensor<D>,
        state: Option<&AdaptiveMomentumState<D>>,
    ) -> bool {
        let Regularised {
            optimizer,
            treatment,
        } = &self.0;
        let moments = state.map(|state| [&state.moment_1, &state.moment_2]);
        is_flex(&weight.device())
            && [weight, grad]
                .into_iter()
                .chain(moments.into_iter().flatten())
                .all(|t| t.dtype() == DType::F32)
            && !optimizer.amsgrad
            && treatment.orthogonal == 0.0
    }
}

#[cfg(feature = "flex")]
fn is_flex(device: &Device) -> bool {
    *device == Device::flex()
}

#[cfg(not(feature = "flex"))]
fn is_flex(_: &Device) -> bool {
    false
}

/// The numbers of one step.
struct Step {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    size: f32,
    keep: f32,
    threshold: f32,
    l1: f32,
    l2: f32,
    limit: f32,
    coupled: f32,
    floor: f32,
    rests: (f32, f32),
}

impl Step {
    fn new(regularised: &Regularised<Adam>, lr: LearningRate, time: usize) -> Self {
        let Regularised {
            optimizer:
                Adam {
                    beta1,
                    beta2,
                    epsilon,
                    ..
                },
            treatment,
        } = regularised;
        let Treatment {
            decay_l1,
            decay_l2,
            coupled_decay,
            penalty_l1,
            penalty_l2,
            ..
        } = treatment;
        let lr = lr * treatment.rate_scale;
        let time = time as f64;
        let correction = (1.0 - beta2.powf(time)).sqrt();
        Self {
            beta1: *beta1 as f32,
            beta2: *beta2 as f32,
            epsilon: (epsilon * correction) as f32,
            size: (lr / (1.0 - beta1.powf(time)) * correction) as f32,
            keep: (1.0 - lr * decay_l2) as f32,
            threshold: (lr * decay_l1) as f32,
            l1: *penalty_l1 as f32,
            l2: (2.0 * penalty_l2) as f32,
            limit: treatment
                .clip_value
                .map_or(f32::INFINITY, |limit| limit as f32),
            coupled: *coupled_decay as f32,
            floor: if treatment.non_negative {
                0.0
            } else {
                f32::NEG_INFINITY
            },
            rests: ((1.0 - beta1) as f32, (1.0 - beta2) as f32),
        }
    }

    /// The order of [`Regularised`], weight by weight.
    fn take(&self, weights: &mut [f32], grads: &[f32], firsts: &mut [f32], seconds: &mut [f32]) {
        for (((weight, grad), first), second) in
            weights.iter_mut().zip(grads).zip(firsts).zip(seconds)
        {
            let sign = f32::from(*weight > 0.0) - f32::from(*weight < 0.0);
            let grad = within(grad + self.l1 * sign + self.l2 * *weight, self.limit)
                + self.coupled * *weight;
            *first = self.beta1 * *first + self.rests.0 * grad;
            *second = self.beta2 * *second + self.rests.1 * (grad * grad);
            let moved = *weight * self.keep - self.size * (*first / (second.sqrt() + self.epsilon));
            let kept = moved - within(moved, self.threshold);
            *weight = if kept < self.floor { self.floor } else { kept };
        }
    }
}

/// `x` between `-limit` and `limit`; what is not a number stays so.
fn within(x: f32, limit: f32) -> f32 {
    if x > limit {
        limit
    } else if x < -limit {
        -limit
    } else {
        x
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, Tolerance};

    /// Some steps with the same gradients, by one pass and by tensor operations.
    fn compare(treatment: Treatment) {
        let device = Device::flex();
        device.seed(5);
        let wrapped = Regularised {
            optimizer: Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                amsgrad: false,
            },
            treatment,
        };
        let start = Tensor::<2>::random([7, 5], Distribution::Normal(0.0, 1.0), &device);
        let (mut fused, mut plain) = ((start.clone(), None), (start, None));
        for _ in 0..20 {
            let grad = Tensor::<2>::random([7, 5], Distribution::Normal(0.0, 1.0), &device);
            fused = OnePass(wrapped.clone()).step(0.01, fused.0, grad.clone(), fused.1);
            plain = wrapped.step(0.01, plain.0, grad, plain.1);
        }
        let (fused, plain) = (fused.0.into_data(), plain.0.into_data());
        fused.assert_approx_eq::<f32>(&plain, Tolerance::rel_abs(1e-5, 1e-6));
    }

    #[test]
    fn one_pass_is_the_same_step() {
        let none = Treatment::default();
        compare(none);
        compare(Treatment {
            decay_l1: 0.5,
            decay_l2: 0.1,
            ..none
        });
        compare(Treatment {
            penalty_l1: 0.1,
            penalty_l2: 0.2,
            clip_value: Some(0.5),
            ..none
        });
        compare(Treatment {
            coupled_decay: 0.1,
            non_negative: true,
            max_norm: Some(1.0),
            ..none
        });
        compare(Treatment {
            orthogonal: 0.1,
            unit_norm: true,
            ..none
        });
    }

    #[test]
    fn the_soft_threshold_gives_exact_zeros() {
        let device = Device::flex();
        let wrapped = Regularised {
            optimizer: Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                amsgrad: false,
            },
            treatment: Treatment {
                decay_l1: 10.0,
                ..Treatment::default()
            },
        };
        let weight = Tensor::<1>::from_floats([0.05, -0.05, 1.0], &device);
        let (weight, _) = OnePass(wrapped).step(0.01, weight, Tensor::zeros([3], &device), None);
        let weight: Vec<f32> = weight.into_data().iter().collect();
        assert_eq!(weight[..2], [0.0, 0.0]);
        assert!((weight[2] - 0.9).abs() < 1e-6);
    }

    #[test]
    fn a_gradient_that_is_no_number_is_not_hidden() {
        let device = Device::flex();
        let wrapped = Regularised {
            optimizer: Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                amsgrad: false,
            },
            treatment: Treatment {
                clip_value: Some(1.0),
                non_negative: true,
                ..Treatment::default()
            },
        };
        let (weight, grad) = (
            Tensor::<1>::ones([1], &device),
            Tensor::full([1], f32::NAN, &device),
        );
        let (weight, _) = OnePass(wrapped).step(0.01, weight, grad, None);
        assert!(weight.into_scalar::<f32>().is_nan());
    }
}
