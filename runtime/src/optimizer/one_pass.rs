use super::{Adam, Beside, Sgd, Velocity};
use crate::device::is_flex;
use crate::regularize::Regularised;
use burn::optim::{AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use damper_flex::{Input, chunk_len as piece, make_contiguous as readable};
use damper_kernels::optimizer as kernel;
use rayon::prelude::*;

/// [`Regularised`] over [`Adam`] or [`Sgd`], in one pass over the memory where it can be reached (`flex`): the step of
/// Adam as tensor operations passes over the weights twelve times, and each rule adds one to three more. Elsewhere it is
/// what it wraps.
#[derive(Clone, Debug)]
pub(super) struct OnePass<O> {
    pub(super) step: Regularised<O>,
    pub(super) beside: Beside,
}

/// The new weights, written over the gradients: the old ones are shared with the model of the step, and stay as they
/// are.
pub(super) struct Weights<'a> {
    old: &'a [f32],
    new: &'a mut [f32],
}

/// An optimiser whose step each weight takes by itself.
pub(super) trait InMemory: Optimizer {
    /// Whether the step is such a one, and what it remembers can be reached.
    fn applies<const D: usize>(&self, state: Option<&Self::State<D>>) -> bool;

    /// Takes the step at a learning rate, and leads the average if there is one; `zeros` is of the weight's shape.
    fn take<const D: usize>(
        &self,
        lr: LearningRate,
        treatment: kernel::Treatment,
        weights: Weights<'_>,
        average: kernel::Average<'_>,
        state: Option<Self::State<D>>,
        zeros: impl Fn() -> Tensor<D>,
    ) -> Option<Self::State<D>>;
}

impl<O: InMemory> Optimizer for OnePass<O> {
    type State<const D: usize> = O::State<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let Regularised {
            optimizer,
            treatment,
        } = &self.step;
        let applies = is_flex(&tensor.device())
            && tensor.dtype() == DType::F32
            && grad.dtype() == DType::F32
            && treatment.orthogonal == 0.0
            && optimizer.applies(state.as_ref());
        let old = match Input::of(tensor) {
            Ok(old) if applies => readable(old.into_primitive()),
            Ok(old) => {
                let tensor = Tensor::from_primitive::<burn::backend::Flex>(old.into_primitive());
                return self.in_operations(lr, tensor, grad, state);
            }
            Err(tensor) => return self.in_operations(lr, tensor, grad, state),
        };
        let device = grad.device();
        let shape = grad.dims();
        // This hands the memory over.
        let mut new = grad.into_data();
        let lr = lr * treatment.rate_scale;
        let rules = kernel::Treatment {
            scale: self.beside.factor(),
            ..treatment.kernel(lr)
        };
        let state = match (old.as_slice::<f32>(), new.as_mut_slice()) {
            (Some(old), Ok(new)) => {
                let zeros = || Tensor::zeros(shape, &device);
                // What still changes the weight behind the step would not be in the average.
                let mut lent = if treatment.shortens() {
                    None
                } else {
                    self.beside.borrow(old)
                };
                let average = lent.as_mut().and_then(|lent| {
                    let average = lent.average.as_mut_slice().ok()?;
                    lent.led = true;
                    Some((average, lent.keep as f32))
                });
                let state = optimizer.take(lr, rules, Weights { old, new }, average, state, zeros);
                if let Some(lent) = lent {
                    self.beside.give_back(lent);
                }
                state
            }
            _ => state,
        };
        let weight = treatment.shorten(Tensor::from_data(new, &device));
        (weight, state)
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        O::to_device(state, device)
    }
}

impl<O: InMemory> OnePass<O> {
    /// The step as tensor operations.
    fn in_operations<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<O::State<D>>,
    ) -> (Tensor<D>, Option<O::State<D>>) {
        let factor = self.beside.factor();
        let grad = if factor >= 1.0 {
            grad
        } else {
            grad.mul_scalar(factor)
        };
        self.step.step(lr, tensor, grad, state)
    }
}

impl InMemory for Adam {
    fn applies<const D: usize>(&self, state: Option<&Self::State<D>>) -> bool {
        let mut moments = state
            .into_iter()
            .flat_map(|state| [&state.moment_1, &state.moment_2]);
        !self.amsgrad && moments.all(|moment| moment.dtype() == DType::F32)
    }

    fn take<const D: usize>(
        &self,
        lr: LearningRate,
        treatment: kernel::Treatment,
        Weights { old, new }: Weights<'_>,
        average: kernel::Average<'_>,
        state: Option<Self::State<D>>,
        zeros: impl Fn() -> Tensor<D>,
    ) -> Option<Self::State<D>> {
        let mut state = match state {
            Some(mut state) => {
                state.time = state.time.saturating_add(1);
                state
            }
            None => AdaptiveMomentumState::new(1, zeros(), zeros()),
        };
        let time = state.time as f64;
        let correction = (1.0 - self.beta2.powf(time)).sqrt();
        let step = kernel::Adam {
            treatment,
            beta1: self.beta1 as f32,
            beta2: self.beta2 as f32,
            rests: ((1.0 - self.beta1) as f32, (1.0 - self.beta2) as f32),
            epsilon: (self.epsilon * correction) as f32,
            size: (lr / (1.0 - self.beta1.powf(time)) * correction) as f32,
        };
        let device = state.moment_1.device();
        let (mut first, mut second) = (state.moment_1.into_data(), state.moment_2.into_data());
        if let (Ok(first), Ok(second)) = (first.as_mut_slice(), second.as_mut_slice()) {
            let size = piece(new.len(), 1);
            let moments = first.chunks_mut(size).zip(second.chunks_mut(size));
            let weights = old.chunks(size).zip(new.chunks_mut(size));
            let pieces = weights.zip(moments).zip(averages(average, size));
            in_pieces(pieces, |(((old, new), (first, second)), average)| {
                // The kernel's errors are lengths that do not fit; these do.
                let _ = step.step(old, new, first, second, average);
            });
        }
        state.moment_1 = Tensor::from_data(first, &device);
        state.moment_2 = Tensor::from_data(second, &device);
        Some(state)
    }
}

impl InMemory for Sgd {
    fn applies<const D: usize>(&self, state: Option<&Self::State<D>>) -> bool {
        state.is_none_or(|state| state.velocity.dtype() == DType::F32)
    }

    fn take<const D: usize>(
        &self,
        lr: LearningRate,
        treatment: kernel::Treatment,
        Weights { old, new }: Weights<'_>,
        average: kernel::Average<'_>,
        state: Option<Self::State<D>>,
        zeros: impl Fn() -> Tensor<D>,
    ) -> Option<Self::State<D>> {
        let step = kernel::Sgd {
            treatment,
            size: lr as f32,
            momentum: self.momentum as f32,
            dampening: self.dampening as f32,
            nesterov: self.nesterov,
            first: state.is_none(),
        };
        let size = piece(new.len(), 1);
        let weights = old.chunks(size).zip(new.chunks_mut(size));
        let weights = weights.zip(averages(average, size));
        if self.momentum == 0.0 {
            in_pieces(weights, |((old, new), average)| {
                let _ = step.step(old, new, None, average);
            });
            return None;
        }
        let velocity = state.map_or_else(zeros, |state| state.velocity);
        let device = velocity.device();
        let mut velocity: TensorData = velocity.into_data();
        if let Ok(velocity) = velocity.as_mut_slice() {
            let weights = weights.zip(velocity.chunks_mut(size));
            in_pieces(weights, |(((old, new), average), velocity)| {
                let _ = step.step(old, new, Some(velocity), average);
            });
        }
        Some(Velocity {
            velocity: Tensor::from_data(velocity, &device),
        })
    }
}

/// An average in pieces of a size, for ever.
fn averages(
    average: kernel::Average<'_>,
    size: usize,
) -> impl Iterator<Item = kernel::Average<'_>> {
    let (mut pieces, keep) = match average {
        Some((average, keep)) => (Some(average.chunks_mut(size)), keep),
        None => (None, 0.0),
    };
    std::iter::from_fn(move || {
        Some(
            pieces
                .as_mut()
                .and_then(Iterator::next)
                .map(|piece| (piece, keep)),
        )
    })
}

/// Runs over the pieces, on this thread if there is one alone.
fn in_pieces<T: Send>(pieces: impl Iterator<Item = T>, run: impl Fn(T) + Send + Sync) {
    let mut pieces: Vec<T> = pieces.collect();
    if pieces.len() > 1 {
        pieces.into_par_iter().for_each(run);
    } else if let Some(piece) = pieces.pop() {
        run(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regularize::{Average, Treatment};
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::{GradientsParams, ModuleOptimizer};
    use burn::tensor::{Distribution, Tolerance};

    fn one_pass<O: InMemory>(step: Regularised<O>) -> OnePass<O> {
        OnePass {
            step,
            beside: Beside::default(),
        }
    }

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
            fused = one_pass(wrapped.clone()).step(0.01, fused.0, grad.clone(), fused.1);
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
        let (weight, _) = one_pass(wrapped).step(0.01, weight, Tensor::zeros([3], &device), None);
        let weight: Vec<f32> = weight.into_data().iter().collect();
        assert_eq!(weight[..2], [0.0, 0.0]);
        assert!((weight[2] - 0.9).abs() < 1e-6);
    }

    /// The average of a model's weights is the same whether the step leads it or it reads the weights behind it.
    #[test]
    fn an_average_is_led_by_the_step() {
        let device = Device::flex().autodiff();
        device.seed(5);
        let mut model = LinearConfig::new(7, 5).init(&device);
        for treatment in [
            Treatment {
                decay_l1: 0.5,
                ..Treatment::default()
            },
            Treatment {
                max_norm: Some(0.1),
                ..Treatment::default()
            },
        ] {
            let step = one_pass(Regularised {
                optimizer: Sgd {
                    momentum: 0.9,
                    dampening: 0.0,
                    nesterov: false,
                },
                treatment,
            });
            let beside = step.beside.clone();
            let mut optimizer = ModuleOptimizer::from(step);
            let (mut led, mut behind) = (Average::exponential(0.9), Average::exponential(0.9));
            for turn in 0..4 {
                let input = Tensor::<2>::random([3, 7], Distribution::Default, &device);
                let loss = model.forward(input).square().mean();
                let grads = GradientsParams::from_grads(loss.backward(), &model);
                led.lend(&model, &grads, &beside);
                model = optimizer.step(0.1, model, grads);
                // What shortens the weight behind the step does not let it lead.
                let expected = vec![treatment.max_norm.is_none(); if turn == 0 { 0 } else { 2 }];
                assert_eq!(beside.led(), expected);
                led.update_after(&model, &beside);
                behind.update(&model);
                let weights = |average: &Average<Linear>| {
                    let model = average.model().expect("an average");
                    model.weight.val().into_data()
                };
                weights(&led)
                    .assert_approx_eq::<f32>(&weights(&behind), Tolerance::rel_abs(1e-6, 1e-7));
            }
        }
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
        let (weight, _) = one_pass(wrapped).step(0.01, weight, grad, None);
        assert!(weight.into_scalar::<f32>().is_nan());
    }
}
