//! The initial weights of a model.

use crate::pass::Random;
use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use damper_kernels::dropout::Source;
use damper_kernels::noise::{self, Kind};
use damper_kernels::{philox, uniform};
use std::cell::Cell;

/// A step that no training reaches, so that weights and masks use different random numbers.
const STEP: u32 = u32::MAX;

thread_local! {
    /// The seed for the next model that is built on this thread. That model consumes it.
    static NEXT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Creates the parameters of a model. Their values depend only on the seed and on the position of the parameter in the
/// model, not on the device's generator, on threads, or on other random numbers in the process.
///
/// Custom layers create their own parameters; burn's layers draw from the device's generator.
#[derive(Debug)]
pub struct Weights {
    device: Device,
    seed: u64,
    /// How many parameters and nested models have been created.
    made: Cell<u32>,
}

/// The distribution of the values of a parameter.
#[derive(Clone, Copy, Debug)]
enum Law {
    Zeros,
    /// Uniform between minus this and this.
    Uniform(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
}

/// Builds models with this seed while `build` runs on this thread.
pub(crate) fn with_seed<T>(seed: u64, build: impl FnOnce() -> T) -> T {
    struct Restore(Option<u64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NEXT.set(self.0);
        }
    }
    let _restore = Restore(NEXT.replace(Some(seed)));
    build()
}

impl Weights {
    /// Takes the seed of [`with_seed`]. Without one, the seed comes from the device's generator, so `Device::seed` sets it.
    pub(crate) fn new(device: &Device) -> Self {
        let seed = NEXT.take().unwrap_or_else(|| Random::drawn(device).seed);
        Self::seeded(device, seed)
    }

    /// Parameters on the device, drawn from this seed.
    pub fn seeded(device: &Device, seed: u64) -> Self {
        Self {
            device: device.clone(),
            seed,
            made: Cell::new(0),
        }
    }

    /// The device of the parameters.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Builds a nested model, whose weights have their own seed.
    pub(crate) fn nested<T>(&self, build: impl FnOnce() -> T) -> T {
        let place = self.next();
        let [low, high, ..] = philox::block(
            [place, 0, STEP, STEP],
            [self.seed as u32, (self.seed >> 32) as u32],
        );
        with_seed(u64::from(high) << 32 | u64::from(low), build)
    }

    /// A parameter of zeros.
    pub fn zeros<const D: usize>(&self, shape: [usize; D]) -> Param<Tensor<D>> {
        self.make(shape, Law::Zeros)
    }

    /// A parameter with values from the uniform distribution between `-bound` and `bound`.
    pub fn uniform<const D: usize>(&self, shape: [usize; D], bound: f64) -> Param<Tensor<D>> {
        self.make(shape, Law::Uniform(bound))
    }

    /// A parameter with values from the normal distribution with mean 0.
    pub fn normal<const D: usize>(&self, shape: [usize; D], std: f64) -> Param<Tensor<D>> {
        self.make(shape, Law::Normal(std))
    }

    /// Initializes weight and bias of a burn layer as PyTorch does: uniform between `-1 / sqrt(fan_in)` and
    /// `1 / sqrt(fan_in)`, where `fan_in` is the number of inputs of one output.
    ///
    /// burn initializes lazily, so its own values are never drawn.
    pub(crate) fn layer<const D: usize>(
        &self,
        weight: &mut Param<Tensor<D>>,
        bias: Option<&mut Param<Tensor<1>>>,
        fan_in: usize,
    ) {
        let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
        *weight = self.uniform(weight.lazy_shape().dims(), bound);
        if let Some(bias) = bias {
            *bias = self.uniform(bias.lazy_shape().dims(), bound);
        }
    }

    fn next(&self) -> u32 {
        let place = self.made.get();
        self.made.set(place.wrapping_add(1));
        place
    }

    fn make<const D: usize>(&self, shape: [usize; D], law: Law) -> Param<Tensor<D>> {
        let source = Source {
            seed: self.seed,
            step: STEP,
            layer: self.next(),
        };
        Param::uninitialized(
            ParamId::new(),
            move |device, trained| {
                let value =
                    Tensor::from_data(TensorData::new(law.draw(source, &shape), shape), device);
                if trained { value.require_grad() } else { value }
            },
            self.device.clone(),
            true,
            shape.into(),
        )
    }
}

impl Law {
    fn draw(self, source: Source, shape: &[usize]) -> Vec<f32> {
        let mut values = vec![0.0; shape.iter().product()];
        match self {
            Self::Zeros => {}
            Self::Uniform(bound) => {
                uniform::fill(source, -bound as f32, bound as f32, &mut values);
            }
            Self::Normal(std) => {
                noise::apply(source, Kind::Replace, std as f32, 0, &mut values);
            }
        }
        values
    }
}
