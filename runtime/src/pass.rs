//! The context of one forward pass.

use crate::device::is_cpu;
use burn::module::{Flag, Param};
use burn::tensor::{Bool, Device, Distribution, Int, Tensor};
use damper_kernels::dropout::{DropoutMask, Rate, Source};

/// The context of one forward pass: its random numbers, the padding of its inputs, the activity penalties that it collects,
/// and the search for values that are not finite.
///
/// Its random numbers depend only on the seed and the step of the training and on the position of the layer in the model
/// ([`Philox`](damper_kernels::philox)), so a repeated step drops the same values. A pass outside of training takes a seed
/// from the device's generator when the first layer needs one.
#[derive(Debug, Default)]
pub struct Pass {
    activity: Option<Tensor<1>>,
    trace: Option<Trace>,
    /// The fraction of the training that is done; `None` outside of training.
    progress: Option<f64>,
    /// Seed and step of the random numbers. Outside of training they are drawn when the first layer needs them.
    random: Option<Random>,
    /// How many stochastic layers have run, active or not.
    layers: u32,
    /// The padded steps of each input, with the depth of the nested model that it belongs to.
    padding: Vec<(usize, String, Tensor<2, Bool>)>,
    depth: usize,
    /// Whether stochastic layers are active without autodiff.
    samples: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Random {
    pub(crate) seed: u64,
    step: u32,
}

#[derive(Debug, Default)]
struct Trace {
    path: Vec<String>,
    first_bad: Option<String>,
}

impl Random {
    /// A seed from the device's generator, so that `Device::seed` sets it. For a GPU, where layers draw on the device, it
    /// comes from the host.
    pub(crate) fn drawn(device: &Device) -> Self {
        let seed = if is_cpu(device) {
            let parts = Tensor::<1>::random(
                [4],
                Distribution::Uniform(0.0, 65_536.0),
                &device.clone().inner(),
            );
            parts
                .into_data()
                .iter::<f32>()
                .fold(0, |seed, part| (seed << 16) | u64::from(part as u16))
        } else {
            rand::random()
        };
        Self { seed, step: 0 }
    }
}

impl Pass {
    /// A pass outside of a training.
    pub fn new() -> Self {
        Self::default()
    }

    /// A pass that finds the first value that is not finite. It is slow, and meant for finding the cause of a NaN loss.
    pub fn tracing() -> Self {
        Self {
            trace: Some(Trace::default()),
            ..Self::default()
        }
    }

    /// A training pass. `progress` is the fraction of the training that is done; layers with a schedule follow it.
    pub fn at(progress: f64) -> Self {
        Self {
            progress: Some(progress),
            ..Self::default()
        }
    }

    /// A pass whose stochastic layers are active without autodiff, for predictions over several dropout masks.
    pub fn sampling() -> Self {
        Self {
            samples: true,
            ..Self::default()
        }
    }

    /// Whether a stochastic layer with this flag is active for this value.
    pub(crate) fn acts_on<const D: usize>(
        &self,
        training: &Param<Flag>,
        value: &Tensor<D>,
    ) -> bool {
        training.is_enabled() && self.samples_of(value)
    }

    /// Whether something random that no layer owns is active for this value.
    pub(crate) fn samples_of<const D: usize>(&self, value: &Tensor<D>) -> bool {
        self.samples || value.is_autodiff()
    }

    /// Sets the seed and the step of the random numbers.
    #[must_use]
    pub fn with_random(mut self, seed: u64, step: u64) -> Self {
        // The step has 32 bits; after that the seed changes.
        let seed = seed.wrapping_add((step >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let step = step as u32;
        self.random = Some(Random { seed, step });
        self
    }

    /// The source of the next layer's random numbers, if the layer `acts`. Inactive layers are counted too, so switching
    /// one off does not change the random numbers of the others.
    pub(crate) fn source<const D: usize>(
        &mut self,
        acts: bool,
        value: &Tensor<D>,
    ) -> Option<Source> {
        let layer = self.layers;
        self.layers = self.layers.wrapping_add(1);
        if !acts {
            return None;
        }
        let Random { seed, step } = *self
            .random
            .get_or_insert_with(|| Random::drawn(&value.device()));
        Some(Source { seed, step, layer })
    }

    /// The dropout mask of the next layer, if it is active: see [`source`](Self::source).
    pub(crate) fn dropout_mask<const D: usize>(
        &mut self,
        rate: f64,
        training: &Param<Flag>,
        value: &Tensor<D>,
    ) -> Option<DropoutMask> {
        let source = self.source(rate > 0.0 && self.acts_on(training, value), value)?;
        Some(DropoutMask {
            source,
            rate: Rate::new(rate as f32),
        })
    }

    /// Whether this is a training step, which is followed by a backward pass.
    pub(crate) fn is_training(&self) -> bool {
        self.progress.is_some()
    }

    /// The fraction of the training that is done, in [0, 1]; 1 outside of training.
    pub fn progress(&self) -> f64 {
        self.progress.unwrap_or(1.0).clamp(0.0, 1.0)
    }

    /// Marks the steps of the input `name` that are padding: `[batch, time]`.
    pub fn pad(&mut self, name: &str, tokens: &Tensor<2, Int>, padding: i64) {
        let is_padding = tokens.clone().equal_elem(padding);
        self.padding.push((self.depth, name.to_owned(), is_padding));
    }

    /// The padded steps of the input `name`, after `before` additional steps that are not padding:
    /// `[batch, before + time]`.
    pub fn padding(&self, name: &str, before: usize) -> Option<Tensor<2, Bool>> {
        let (.., padding) = self.padding.iter().rev().find(|(_, of, _)| of == name)?;
        if before == 0 {
            return Some(padding.clone());
        }
        let [batch, _] = padding.dims();
        let front = Tensor::<2, Int>::zeros([batch, before], &padding.device()).bool();
        Some(Tensor::cat(vec![front, padding.clone()], 1))
    }

    /// The path of the first statement whose value is not finite.
    pub fn first_non_finite(&self) -> Option<&str> {
        self.trace.as_ref()?.first_bad.as_deref()
    }

    /// Takes the activity penalty of this pass: `[1]`.
    pub fn take_activity(&mut self) -> Option<Tensor<1>> {
        self.activity.take()
    }

    /// Checks the value of a statement, in a pass from [`Pass::tracing`].
    #[must_use]
    pub fn see<const D: usize>(&mut self, name: &str, value: Tensor<D>) -> Tensor<D> {
        if let Some(trace) = &mut self.trace
            && trace.first_bad.is_none()
            && !is_finite(&value)
        {
            trace.path.push(name.to_owned());
            trace.first_bad = Some(trace.path.join("."));
            trace.path.pop();
        }
        value
    }

    /// Enters a block.
    pub fn enter(&mut self, name: &str) {
        self.depth += 1;
        if let Some(trace) = &mut self.trace {
            trace.path.push(name.to_owned());
        }
    }

    /// Enters one copy of a repeated block.
    pub fn enter_copy(&mut self, name: &str, index: usize) {
        self.depth += 1;
        if let Some(trace) = &mut self.trace {
            trace.path.push(format!("{name}.{index}"));
        }
    }

    /// Leaves the current block.
    pub fn leave(&mut self) {
        self.padding.retain(|(depth, ..)| *depth < self.depth);
        self.depth = self.depth.saturating_sub(1);
        if let Some(trace) = &mut self.trace {
            trace.path.pop();
        }
    }

    /// Adds the penalty `l1 * sum |x| + l2 * sum x^2`, averaged over the batch, while training.
    pub fn activity<const D: usize>(&mut self, value: &Tensor<D>, l1: f64, l2: f64) {
        if !value.is_autodiff() {
            return;
        }
        let batch = value.dims().first().copied().unwrap_or(1).max(1) as f64;
        let mut penalty = None::<Tensor<1>>;
        if l1 != 0.0 {
            penalty = Some(value.clone().abs().sum().mul_scalar(l1 / batch));
        }
        if l2 != 0.0 {
            let squares = value.clone().powi_scalar(2).sum().mul_scalar(l2 / batch);
            penalty = Some(match penalty {
                Some(sum) => sum + squares,
                None => squares,
            });
        }
        if let Some(penalty) = penalty {
            self.activity = Some(match self.activity.take() {
                Some(sum) => sum + penalty,
                None => penalty,
            });
        }
    }
}

/// Whether every number is finite.
pub(crate) fn is_finite<const D: usize>(value: &Tensor<D>) -> bool {
    value.clone().is_finite().all().into_scalar::<bool>()
}
