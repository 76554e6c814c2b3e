//! Fused optimizer steps: scaling, rules, moments, update and the average of the weights in one pass over the memory.

use super::{Adam, FusedStep, Sgd, Velocity};
use crate::device::is_flex;
use crate::regularize::{Regularized, UpdateRules};
use burn::optim::{AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use damper_flex::{Input, chunk_len, make_contiguous};
use damper_kernels::optimizer as kernel;
use rayon::prelude::*;

/// How steps are taken that [`wrap`] wraps.
pub(super) fn new_step() -> FusedStep {
    FusedStep::fused()
}

/// The same step, fused where the memory can be reached.
pub(super) fn wrap<O: Fusable>(step: Regularized<O>, state: &FusedStep) -> Fused<O> {
    Fused {
        step,
        state: state.clone(),
    }
}

/// Whether a fused step can update this average.
pub(super) fn can_update<const D: usize>(average: &Tensor<D>) -> bool {
    average.dtype() == DType::F32 && is_flex(&average.device())
}

/// The sum of squares, if the memory can be read.
pub(super) fn sum_of_squares<const D: usize>(tensor: Tensor<D>) -> Option<f64> {
    let tensor = make_contiguous(Input::of(tensor).ok()?.into_primitive());
    Some(f64::from(kernel::sum_of_squares(tensor.as_slice::<f32>()?)))
}

/// `decay * average + (1 - decay) * new`.
pub(super) fn blend<const D: usize>(average: Tensor<D>, new: Tensor<D>, decay: f64) -> Tensor<D> {
    match damper_flex::blend(average, new, decay) {
        Ok(average) => average,
        Err((average, new)) => average.mul_scalar(decay) + new.mul_scalar(1.0 - decay),
    }
}

/// [`Regularized`] over [`Adam`] or [`Sgd`], fused where the memory can be reached (`flex`): the step of
/// Adam as tensor operations passes over the weights twelve times, and each rule adds one to three more. Elsewhere it is
/// what it wraps, on scaled gradients.
#[derive(Clone, Debug)]
pub(super) struct Fused<O> {
    step: Regularized<O>,
    state: FusedStep,
}

/// The new weights are written over the gradients: the old ones are shared with the model of the step, and stay as they
/// are.
pub(super) struct Weights<'a> {
    old: &'a [f32],
    new: &'a mut [f32],
}

/// An optimizer that updates each weight by itself, and so can be fused.
pub(super) trait Fusable: Optimizer {
    /// Whether this step can be fused, and its state can be reached.
    fn can_fuse<const D: usize>(&self, state: Option<&Self::State<D>>) -> bool;

    /// Takes the step at a learning rate, and updates the average if there is one; `zeros` is of the weight's shape.
    fn update<const D: usize>(
        &self,
        lr: LearningRate,
        options: kernel::ParamOptions,
        weights: Weights<'_>,
        average: kernel::Average<'_>,
        state: Option<Self::State<D>>,
        zeros: impl Fn() -> Tensor<D>,
    ) -> Option<Self::State<D>>;
}

impl<O: Fusable> Optimizer for Fused<O> {
    type State<const D: usize> = O::State<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let Regularized { optimizer, rules } = &self.step;
        let can_fuse = is_flex(&tensor.device())
            && tensor.dtype() == DType::F32
            && grad.dtype() == DType::F32
            && rules.orthogonal == 0.0
            && optimizer.can_fuse(state.as_ref());
        let old = match Input::of(tensor) {
            Ok(old) if can_fuse => make_contiguous(old.into_primitive()),
            Ok(old) => {
                let tensor = Tensor::from_primitive::<burn::backend::Flex>(old.into_primitive());
                return self.unfused(lr, tensor, grad, state);
            }
            Err(tensor) => return self.unfused(lr, tensor, grad, state),
        };
        let device = grad.device();
        let shape = grad.dims();
        // This hands the memory over.
        let mut new = grad.into_data();
        let lr = lr * rules.rate_scale;
        let options = kernel::ParamOptions {
            grad_scale: self.state.grad_scale(),
            ..kernel_options(rules, lr)
        };
        let state = match (old.as_slice::<f32>(), new.as_mut_slice()) {
            (Some(old), Ok(new)) => {
                let zeros = || Tensor::zeros(shape, &device);
                // The norms change the weight after the step, which the average would miss.
                let mut slot = if rules.projects_norms() {
                    None
                } else {
                    self.state.take_slot(old.len())
                };
                let average = slot.as_mut().and_then(|slot| {
                    let average = slot.average.as_mut_slice().ok()?;
                    slot.updated = true;
                    Some((average, slot.decay as f32))
                });
                let weights = Weights { old, new };
                let state = optimizer.update(lr, options, weights, average, state, zeros);
                if let Some(slot) = slot {
                    self.state.return_slot(slot);
                }
                state
            }
            _ => state,
        };
        let weight = rules.project_norms(Tensor::from_data(new, &device));
        (weight, state)
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        O::to_device(state, device)
    }
}

impl<O: Fusable> Fused<O> {
    /// The step as tensor operations.
    fn unfused<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<O::State<D>>,
    ) -> (Tensor<D>, Option<O::State<D>>) {
        let scale = self.state.grad_scale();
        let grad = if scale >= 1.0 {
            grad
        } else {
            grad.mul_scalar(scale)
        };
        self.step.step(lr, tensor, grad, state)
    }
}

/// What the kernels take: all rules but `orthogonal` and the norms, which look at more than one weight.
fn kernel_options(rules: &UpdateRules, lr: f64) -> kernel::ParamOptions {
    // Every rule has a name here: one that the kernel does not know would be lost.
    let UpdateRules {
        decay_l1,
        decay_l2,
        coupled_decay,
        penalty_l1,
        penalty_l2,
        clip_value,
        non_negative,
        // A step with it is not fused; the norms follow as tensor operations.
        orthogonal: _,
        max_norm: _,
        unit_norm: _,
        unit_axis: _,
        // `lr` has it.
        rate_scale: _,
    } = *rules;
    kernel::ParamOptions {
        grad_scale: 1.0,
        l1: penalty_l1 as f32,
        l2: (2.0 * penalty_l2) as f32,
        clip: clip_value.map_or(f32::INFINITY, |limit| limit as f32),
        coupled_decay: coupled_decay as f32,
        keep: (1.0 - lr * decay_l2) as f32,
        threshold: (lr * decay_l1) as f32,
        min: if non_negative { 0.0 } else { f32::NEG_INFINITY },
    }
}

impl Fusable for Adam {
    fn can_fuse<const D: usize>(&self, state: Option<&Self::State<D>>) -> bool {
        let mut moments = state
            .into_iter()
            .flat_map(|state| [&state.moment_1, &state.moment_2]);
        !self.amsgrad && moments.all(|moment| moment.dtype() == DType::F32)
    }

    fn update<const D: usize>(
        &self,
        lr: LearningRate,
        options: kernel::ParamOptions,
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
            options,
            beta1: self.beta1 as f32,
            beta2: self.beta2 as f32,
            one_minus_betas: ((1.0 - self.beta1) as f32, (1.0 - self.beta2) as f32),
            epsilon: (self.epsilon * correction) as f32,
            step_size: (lr / (1.0 - self.beta1.powf(time)) * correction) as f32,
        };
        let device = state.moment_1.device();
        let (mut first, mut second) = (state.moment_1.into_data(), state.moment_2.into_data());
        match (first.as_mut_slice(), second.as_mut_slice()) {
            (Ok(first), Ok(second)) if first.len() == new.len() && second.len() == new.len() => {
                let size = chunk_len(new.len(), 1);
                let moments = first.chunks_mut(size).zip(second.chunks_mut(size));
                let weights = old.chunks(size).zip(new.chunks_mut(size));
                let pieces = weights.zip(moments).zip(averages(average, size));
                in_pieces(pieces, |(((old, new), (first, second)), average)| {
                    nan_unless(step.step(old, new, first, second, average), new);
                });
            }
            _ => new.fill(f32::NAN),
        }
        state.moment_1 = Tensor::from_data(first, &device);
        state.moment_2 = Tensor::from_data(second, &device);
        Some(state)
    }
}

impl Fusable for Sgd {
    fn can_fuse<const D: usize>(&self, state: Option<&Self::State<D>>) -> bool {
        state.is_none_or(|state| state.velocity.dtype() == DType::F32)
    }

    fn update<const D: usize>(
        &self,
        lr: LearningRate,
        options: kernel::ParamOptions,
        Weights { old, new }: Weights<'_>,
        average: kernel::Average<'_>,
        state: Option<Self::State<D>>,
        zeros: impl Fn() -> Tensor<D>,
    ) -> Option<Self::State<D>> {
        let step = kernel::Sgd {
            options,
            step_size: lr as f32,
            momentum: self.momentum as f32,
            dampening: self.dampening as f32,
            nesterov: self.nesterov,
            first_step: state.is_none(),
        };
        let size = chunk_len(new.len(), 1);
        if self.momentum == 0.0 {
            let weights = old.chunks(size).zip(new.chunks_mut(size));
            let weights = weights.zip(averages(average, size));
            in_pieces(weights, |((old, new), average)| {
                nan_unless(step.step(old, new, None, average), new);
            });
            return None;
        }
        let velocity = state.map_or_else(zeros, |state| state.velocity);
        let device = velocity.device();
        let mut velocity: TensorData = velocity.into_data();
        match velocity.as_mut_slice() {
            Ok(velocity) if velocity.len() == new.len() => {
                let weights = old.chunks(size).zip(new.chunks_mut(size));
                let weights = weights.zip(averages(average, size));
                in_pieces(
                    weights.zip(velocity.chunks_mut(size)),
                    |(((old, new), average), velocity)| {
                        nan_unless(step.step(old, new, Some(velocity), average), new);
                    },
                );
            }
            _ => new.fill(f32::NAN),
        }
        Some(Velocity {
            velocity: Tensor::from_data(velocity, &device),
        })
    }
}

/// Before a step, `new` holds the gradient: if the step cannot be taken, that must not become the weights. NaN is found at
/// the end of the epoch, with the name of the parameter.
fn nan_unless(result: Result<(), damper_kernels::LengthMismatch>, new: &mut [f32]) {
    if result.is_err() {
        new.fill(f32::NAN);
    }
}

/// An average in pieces of a size, then `None` forever.
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
    use crate::optimizer::Average;
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::{GradientsParams, ModuleOptimizer};
    use burn::tensor::{Distribution, Tolerance};

    fn fused<O: Fusable>(step: Regularized<O>) -> Fused<O> {
        wrap(step, &new_step())
    }

    /// Some steps with the same gradients, fused and as tensor operations.
    fn compare(rules: UpdateRules) {
        let device = Device::flex();
        device.seed(5);
        let wrapped = Regularized {
            optimizer: Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                amsgrad: false,
            },
            rules,
        };
        let start = Tensor::<2>::random([7, 5], Distribution::Normal(0.0, 1.0), &device);
        let (mut fast, mut plain) = ((start.clone(), None), (start, None));
        for _ in 0..20 {
            let grad = Tensor::<2>::random([7, 5], Distribution::Normal(0.0, 1.0), &device);
            fast = fused(wrapped.clone()).step(0.01, fast.0, grad.clone(), fast.1);
            plain = wrapped.step(0.01, plain.0, grad, plain.1);
        }
        let (fast, plain) = (fast.0.into_data(), plain.0.into_data());
        fast.assert_approx_eq::<f32>(&plain, Tolerance::rel_abs(1e-5, 1e-6));
    }

    #[test]
    fn a_fused_step_is_the_same_step() {
        let none = UpdateRules::default();
        compare(none);
        compare(UpdateRules {
            decay_l1: 0.5,
            decay_l2: 0.1,
            ..none
        });
        compare(UpdateRules {
            penalty_l1: 0.1,
            penalty_l2: 0.2,
            clip_value: Some(0.5),
            ..none
        });
        compare(UpdateRules {
            coupled_decay: 0.1,
            non_negative: true,
            max_norm: Some(1.0),
            ..none
        });
        compare(UpdateRules {
            orthogonal: 0.1,
            unit_norm: true,
            ..none
        });
    }

    #[test]
    fn the_soft_threshold_gives_exact_zeros() {
        let device = Device::flex();
        let wrapped = Regularized {
            optimizer: Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                amsgrad: false,
            },
            rules: UpdateRules {
                decay_l1: 10.0,
                ..UpdateRules::default()
            },
        };
        let weight = Tensor::<1>::from_floats([0.05, -0.05, 1.0], &device);
        let (weight, _) = fused(wrapped).step(0.01, weight, Tensor::zeros([3], &device), None);
        let weight: Vec<f32> = weight.into_data().iter().collect();
        assert_eq!(weight[..2], [0.0, 0.0]);
        assert!((weight[2] - 0.9).abs() < 1e-6);
    }

    /// The average of a model's weights is the same whether the step updates it or it reads the weights afterwards.
    #[test]
    fn an_average_is_updated_by_the_step() {
        let device = Device::flex().autodiff();
        device.seed(5);
        let mut model = LinearConfig::new(7, 5).init(&device);
        for rules in [
            UpdateRules {
                decay_l1: 0.5,
                ..UpdateRules::default()
            },
            UpdateRules {
                max_norm: Some(0.1),
                ..UpdateRules::default()
            },
        ] {
            let step = fused(Regularized {
                optimizer: Sgd {
                    momentum: 0.9,
                    dampening: 0.0,
                    nesterov: false,
                },
                rules,
            });
            let state = step.state.clone();
            let mut optimizer = ModuleOptimizer::from(step);
            let (mut fast, mut plain) = (Average::exponential(0.9), Average::exponential(0.9));
            for turn in 0..4 {
                let input = Tensor::<2>::random([3, 7], Distribution::Default, &device);
                let loss = model.forward(input).square().mean();
                let grads = GradientsParams::from_grads(loss.backward(), &model);
                fast.before_step(&model, &grads, &state);
                model = state.step(&mut optimizer, 0.1.into(), model, grads, None);
                // What projects the weight after the step does not let it update the average.
                let expected = vec![rules.max_norm.is_none(); if turn == 0 { 0 } else { 2 }];
                assert_eq!(state.updated(), expected);
                fast.after_step(&model, &state);
                plain.update(&model);
                let weights = |average: &Average<Linear>| {
                    let model = average.model().expect("an average");
                    model.weight.val().into_data()
                };
                weights(&fast)
                    .assert_approx_eq::<f32>(&weights(&plain), Tolerance::rel_abs(1e-6, 1e-7));
            }
        }
    }

    /// A step that does not know its parameter leaves the average to `after_step`.
    #[test]
    fn an_average_that_no_step_updates_is_updated_afterwards() {
        let device = Device::flex().autodiff();
        device.seed(6);
        let mut model = LinearConfig::new(3, 3).init(&device);
        let step = fused(Regularized {
            optimizer: Sgd {
                momentum: 0.0,
                dampening: 0.0,
                nesterov: false,
            },
            rules: UpdateRules::default(),
        });
        let state = step.state.clone();
        let mut optimizer = ModuleOptimizer::from(step);
        let (mut lent, mut plain) = (Average::exponential(0.9), Average::exponential(0.9));
        for _ in 0..3 {
            let input = Tensor::<2>::random([2, 3], Distribution::Default, &device);
            let loss = model.forward(input).square().mean();
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            lent.before_step(&model, &grads, &state);
            // Not by `FusedStep::step`.
            model = optimizer.step(0.1, model, grads);
            assert!(state.updated().iter().all(|updated| !updated));
            lent.after_step(&model, &state);
            plain.update(&model);
            let weights = |average: &Average<Linear>| {
                let model = average.model().expect("an average");
                model.weight.val().into_data()
            };
            weights(&lent).assert_eq(&weights(&plain), true);
        }
    }

    #[test]
    fn a_gradient_that_is_no_number_is_not_hidden() {
        let device = Device::flex();
        let wrapped = Regularized {
            optimizer: Adam {
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                amsgrad: false,
            },
            rules: UpdateRules {
                clip_value: Some(1.0),
                non_negative: true,
                ..UpdateRules::default()
            },
        };
        let (weight, grad) = (
            Tensor::<1>::ones([1], &device),
            Tensor::full([1], f32::NAN, &device),
        );
        let (weight, _) = fused(wrapped).step(0.01, weight, grad, None);
        assert!(weight.into_scalar::<f32>().is_nan());
    }
}
