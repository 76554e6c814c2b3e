//! What accompanies one forward pass.

use crate::device::is_cpu;
use burn::module::{Flag, Param};
use burn::tensor::{Bool, Device, Distribution, Int, Tensor};
use damper_kernels::dropout::{DropoutMask, Rate, Source};

/// What accompanies one forward pass: the activity penalties it gathers, and the search for numbers
/// that are not finite.
///
/// The generated code hands every statement's value to [`Pass::see`]; it costs nothing unless a
/// search was asked for.
///
/// Random numbers of a pass are a function of the seed and the step of the training and of the layer's place in the
/// model ([`Philox`](damper_kernels::philox)): a step that is repeated drops the same values. A pass outside of
/// training takes a seed from the device's generator when the first layer asks for one.
#[derive(Debug, Default)]
pub struct Pass {
    activity: Option<Tensor<1>>,
    trace: Option<Trace>,
    /// Which share of the training is over; `None` outside of training.
    progress: Option<f64>,
    /// What the random numbers of the pass come from; drawn when the first is asked for, outside of training.
    random: Option<Random>,
    /// How many layers have asked for random numbers, or would have.
    layers: u32,
    /// Which steps of an input are padding, with the depth of the model that takes it.
    padding: Vec<(usize, String, Tensor<2, Bool>)>,
    depth: usize,
    /// Whether stochastic layers act although no gradient is wanted.
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
    /// From the device's generator, so that `Device::seed` decides. On a GPU, whose layers draw there, from the host's.
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
    /// A pass that looks for nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A pass that looks for the first value that is not finite: slower, for finding out why a loss is NaN.
    pub fn tracing() -> Self {
        Self {
            trace: Some(Trace::default()),
            ..Self::default()
        }
    }

    /// A pass of training, of which the share `progress` is over: what has a schedule follows it.
    pub fn at(progress: f64) -> Self {
        Self {
            progress: Some(progress),
            ..Self::default()
        }
    }

    /// A pass whose stochastic layers act on any device, for predictions over dropout masks: nothing is kept for a
    /// backward that nobody asks for.
    pub fn sampling() -> Self {
        Self {
            samples: true,
            ..Self::default()
        }
    }

    /// Whether a stochastic layer acts on this value, with its flag as given.
    pub(crate) fn acts_on<const D: usize>(
        &self,
        training: &Param<Flag>,
        value: &Tensor<D>,
    ) -> bool {
        training.is_enabled() && (self.samples || value.is_autodiff())
    }

    /// The same pass with the random numbers of this seed and step.
    #[must_use]
    pub fn with_random(mut self, seed: u64, step: u64) -> Self {
        // Beyond 2^32 steps the seed changes.
        let seed = seed.wrapping_add((step >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let step = step as u32;
        self.random = Some(Random { seed, step });
        self
    }

    /// Where the next layer's random numbers come from, if it `acts` on the value. Layers that do not act are counted
    /// too: to switch one off does not change what the others draw.
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

    /// What the next layer drops, if it acts on the value: see [`source`](Self::source).
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

    /// Whether it is a step of a training, which has its backward.
    pub(crate) fn is_training(&self) -> bool {
        self.progress.is_some()
    }

    /// Which share of the training is over, in [0, 1]; 1 outside of training.
    pub fn progress(&self) -> f64 {
        self.progress.unwrap_or(1.0).clamp(0.0, 1.0)
    }

    /// Marks the steps of the input `name` that are padding: `[batch, time]`.
    pub fn pad(&mut self, name: &str, tokens: &Tensor<2, Int>, padding: i64) {
        let is_padding = tokens.clone().equal_elem(padding);
        self.padding.push((self.depth, name.to_owned(), is_padding));
    }

    /// Which steps of the input `name` are padding, with `before` steps in front that are not:
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

    /// The path of the first statement whose value has a number that is not finite.
    pub fn first_non_finite(&self) -> Option<&str> {
        self.trace.as_ref()?.first_bad.as_deref()
    }

    /// Takes the activity penalty that the pass gathered: `[1]`.
    pub fn take_activity(&mut self) -> Option<Tensor<1>> {
        self.activity.take()
    }

    /// Looks at the value of a statement.
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

    /// Leaves the block entered last.
    pub fn leave(&mut self) {
        self.padding.retain(|(depth, ..)| *depth < self.depth);
        self.depth = self.depth.saturating_sub(1);
        if let Some(trace) = &mut self.trace {
            trace.path.pop();
        }
    }

    /// Adds the penalty `l1 * sum |x| + l2 * sum x^2`, the mean over the batch, while training.
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
