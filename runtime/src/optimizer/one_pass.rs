use super::Adam;
use crate::device::is_flex;
use crate::flex::{Input, piece, readable};
use crate::regularize::Regularised;
use burn::optim::{AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{DType, Device, Tensor};
use damper_kernels::optimizer as kernel;
use rayon::prelude::*;

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
        let numbers = numbers(&self.0, lr, state.time);
        let old = match Input::of(tensor) {
            Ok(old) => old,
            // `applies` has seen that it can be reached.
            Err(tensor) => return (tensor, Some(state)),
        };
        let old = readable(old.into_primitive());
        // These hand their memory over. The new weights are written over the gradient: the old ones are shared with the
        // model of the step, and stay as they are.
        let mut new = grad.into_data();
        let (mut first, mut second) = (state.moment_1.into_data(), state.moment_2.into_data());
        if let (Some(old), Ok(new), Ok(first), Ok(second)) = (
            old.as_slice(),
            new.as_mut_slice(),
            first.as_mut_slice(),
            second.as_mut_slice(),
        ) {
            in_pieces(&numbers, old, new, first, second);
        }
        state.moment_1 = Tensor::from_data(first, &device);
        state.moment_2 = Tensor::from_data(second, &device);
        let weight = self.0.treatment.shorten(Tensor::from_data(new, &device));
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

/// The step, on as many threads as there are.
fn in_pieces(
    step: &kernel::Adam,
    old: &[f32],
    new: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    let size = piece(new.len(), 1);
    if size >= new.len() {
        // The kernel's errors are lengths that do not fit; these do.
        let _ = step.step(old, new, first, second, None);
        return;
    }
    let moments = first.par_chunks_mut(size).zip(second.par_chunks_mut(size));
    let weights = old.par_chunks(size).zip(new.par_chunks_mut(size));
    weights
        .zip(moments)
        .for_each(|((old, new), (first, second))| {
            let _ = step.step(old, new, first, second, None);
        });
}

/// The numbers of one step.
fn numbers(regularised: &Regularised<Adam>, lr: LearningRate, time: usize) -> kernel::Adam {
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
    let lr = lr * treatment.rate_scale;
    let time = time as f64;
    let correction = (1.0 - beta2.powf(time)).sqrt();
    kernel::Adam {
        treatment: treatment.kernel(lr),
        beta1: *beta1 as f32,
        beta2: *beta2 as f32,
        rests: ((1.0 - beta1) as f32, (1.0 - beta2) as f32),
        epsilon: (epsilon * correction) as f32,
        size: (lr / (1.0 - beta1.powf(time)) * correction) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regularize::Treatment;
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
