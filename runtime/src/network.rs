//! What every declared model can do.

use crate::{Inputs, Pass, Spec, SpecError, Target, loss};
use burn::config::Config;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::tensor::kind::Autodiff;
use burn::tensor::{Device, Tensor};
use std::fmt::{Debug, Display};

/// A declared model. `model!` implements it; programs use the methods of the same name on the struct.
pub trait Network: Module + Debug + Display + Clone + Send + 'static {
    /// The hyper-parameters.
    type Config: NetworkConfig<Network = Self>;

    /// How many axes a batch of its output has: 2 for `[batch, outputs]`.
    const RANK: usize = 2;

    /// The description this model was built from.
    fn spec(&self) -> &Spec;

    /// One forward pass: `[rows, outputs]`, a row for each row of the target; see [`Target`].
    fn run(&self, inputs: &Inputs, pass: &mut Pass) -> Tensor<2>;

    /// The loss, the mean over the rows: `[1]`.
    fn loss(&self, output: Tensor<2>, target: &Target) -> Tensor<1> {
        loss::of(self.spec(), output, target)
    }
}

/// The hyper-parameters of a declared model.
pub trait NetworkConfig: Config + Clone + Default + Debug + Send + Sync + 'static {
    /// The model.
    type Network: Network<Config = Self>;

    /// The description with these values.
    ///
    /// # Errors
    ///
    /// The rules that the values break.
    fn spec(&self) -> Result<Spec, SpecError>;

    /// A model with fresh weights.
    ///
    /// # Errors
    ///
    /// The rules that the values break.
    fn init(&self, device: &Device) -> Result<Self::Network, SpecError>;
}

/// Mean and standard deviation over several dropout masks, both of the output's shape: `[batch, outputs]` unless
/// the output has more axes.
#[derive(Clone, Debug)]
pub struct Prediction<const D: usize = 2> {
    /// The mean.
    pub mean: Tensor<D>,
    /// The standard deviation (0 for one sample).
    pub deviation: Tensor<D>,
}

/// Whether the model's weights are on a training device.
pub(crate) fn is_training<M: Module>(model: &M) -> bool {
    struct First(Option<bool>);
    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.is_none() {
                self.0 = Some(param.val().is_autodiff());
            }
        }
    }
    let mut first = First(None);
    model.visit(&mut first);
    first.0.unwrap_or(false)
}

/// Calls `forward` with the inference copy of the model: no dropout, running statistics, no graph.
pub fn inference<M: Module, T>(model: &M, forward: impl FnOnce(&M) -> T) -> T {
    if is_training(model) {
        forward(&model.valid())
    } else {
        forward(model)
    }
}

/// Takes a value off the training device.
#[must_use]
pub fn plain<const D: usize, K: Autodiff>(value: Tensor<D, K>) -> Tensor<D, K> {
    if value.is_autodiff() {
        value.inner()
    } else {
        value
    }
}

/// Calls `forward` `samples` times with dropout active, and batch norm as at inference.
pub fn monte_carlo<M: Network, const D: usize>(
    model: &M,
    samples: usize,
    mut forward: impl FnMut(&M) -> Tensor<D>,
) -> Prediction<D> {
    let frozen: Vec<String> = model
        .spec()
        .parameters()
        .into_iter()
        .filter_map(|parameter| {
            Some(format!(
                "{}.training",
                parameter.path.strip_suffix(".running_mean")?
            ))
        })
        .collect();
    let model = model
        .clone()
        .train()
        .freeze_group(ParamGroup::from_paths(frozen));
    let samples = samples.max(1);
    let first = plain(forward(&model));
    let outputs = (1..samples).map(|_| plain(forward(&model)));
    // Welford's update: no second pass, no cancellation.
    let (mut mean, mut squares, mut count) = (first.clone(), first.zeros_like(), 1.0);
    for output in outputs {
        count += 1.0;
        let delta = output.clone() - mean.clone();
        mean = mean + delta.clone() / count;
        squares = squares + delta * (output - mean.clone());
    }
    let deviation = if count > 1.0 {
        (squares / (count - 1.0)).sqrt()
    } else {
        squares
    };
    Prediction { mean, deviation }
}
