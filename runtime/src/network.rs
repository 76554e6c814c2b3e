//! The traits of declared models.

use crate::autodiff::{is_training, plain};
use crate::data::{Data, DataError};
use crate::input::{InputError, PredictError};
use crate::train::{LEAST_BATCH, Measures, TrainError, evaluate_prepared};
use crate::{Batch, InputTensor, Inputs, Pass, Spec, SpecError, Target, loss, tape};
use burn::config::Config;
use burn::module::{Flag, Module, ModuleMapper, Param, ParamGroup};
use burn::tensor::{Device, Tensor};
use std::fmt::{Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A declared model: `model!` implements this trait. Import it, or the prelude, to call its methods. The functions that
/// depend on the inputs of a model (`forward`, `predict`, `classify`) are on its struct.
pub trait Network: Module + Debug + Display + Clone + Send + 'static {
    /// The hyper-parameters.
    type Config: NetworkConfig<Network = Self>;

    /// The number of axes of a batch of outputs: 2 for `[batch, outputs]`.
    const RANK: usize = 2;

    /// The description that this model was built from, and the columns and classes that it was trained on.
    fn spec(&self) -> &Spec;

    /// The same for changing the columns and classes: see [`Spec::set_schema`].
    fn spec_mut(&mut self) -> &mut Spec;

    /// Runs one forward pass: `[rows, outputs]`, with one row per row of the target; see [`Target`].
    fn run(&self, inputs: &Inputs, pass: &mut Pass) -> Tensor<2>;

    /// The predictions for one batch, `[rows, outputs]`, like `predict` of the struct. Inputs that do not fit the model
    /// are an error here; `predict` panics on them, as burn's layers do.
    ///
    /// ```
    /// use damper::burn::tensor::Tensor;
    /// use damper::{Inputs, Network, model};
    ///
    /// model! {
    ///     /// Three numbers to two classes.
    ///     pub Small
    ///     input row: [3]
    ///     layers { head: linear(2); }
    ///     loss cross_entropy
    /// }
    ///
    /// let device = damper::device()?;
    /// let model = SmallConfig::new().init(&device)?;
    /// let wrong = Inputs::features(Tensor::zeros([1, 4], &device));
    /// let error = model.try_predict(&wrong).unwrap_err();
    /// assert_eq!(error.to_string(), "`row` of `Small` is [batch, 3], but [1, 4] was given");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InputError`] for another number of inputs, another shape, batches of different sizes, or a class index outside of
    /// the vocabulary.
    fn try_predict(&self, inputs: &Inputs) -> Result<Tensor<2>, InputError> {
        InputError::check_all(self.spec(), inputs)?;
        let inputs = Inputs(inputs.0.iter().map(InputTensor::plain).collect());
        predict(self, &inputs, usize::MAX)
    }

    /// The predictions for all rows of the data, in their order: the values of `predict`, as `[rows, outputs]`. If the
    /// output has more axes, there is one row per position of each sample, as in [`Target`].
    ///
    /// The data need no targets ([`Table::features`](crate::data::Table::features), `Data::new(rows, ())`); targets are
    /// ignored. Columns are matched with those of the training data by name, also after saving and loading. A model
    /// without a [`Spec::schema`] takes them by position.
    ///
    /// ```
    /// # use damper::{Network, Progress, data, model};
    /// # model! { pub Price input house: [2] layers { price: linear(1); } loss mse train { epochs: 1, batch: 2 } }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let train = data::csv_from("train.csv", "rooms,size,price\n3,80,1.5\n2,50,1.0\n".as_bytes())?.target("price")?;
    /// let price = Price::training().progress(Progress::Silent).fit(&train, &train)?.model;
    ///
    /// let new = data::csv_from("new.csv", "size,rooms\n80,3\n".as_bytes())?.features()?;
    /// let first_of_train = price.predict_data(&train)?.slice([0..1]);
    /// assert_eq!(price.predict_data(&new)?.into_data(), first_of_train.into_data());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`PredictError`] if columns are missing or additional, if a category does not occur in the training data, or if
    /// the number of features is wrong.
    fn predict_data(&self, data: &Data) -> Result<Tensor<2>, PredictError> {
        let spec = self.spec();
        let device = device_of(self);
        let inputs = match spec.schema() {
            Some(schema) => schema.apply_inputs(data)?.inputs_of(spec, &device)?,
            None => data.inputs_of(spec, &device)?,
        };
        let batch = spec.training().batch.max(LEAST_BATCH);
        Ok(predict(self, &inputs, batch)?)
    }

    /// The loss and the metrics on data, with inference behavior. [`Spec::metrics`] lists the metrics.
    ///
    /// Columns and classes are matched with those of the training data by name, also after saving and loading. A model
    /// without a [`Spec::schema`] takes columns by position and classes by index.
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the data do not fit the model, if they have other columns or classes than its training data, or
    /// if the model has no loss.
    fn evaluate(&self, data: &Data) -> Result<Measures, TrainError> {
        evaluate(self, self.spec(), data)
    }

    /// The loss, averaged over the rows: `[1]`.
    fn loss(&self, output: Tensor<2>, target: &Target) -> Tensor<1> {
        loss::of(self.spec(), output, target)
    }
}

/// The device of a model's weights, without autodiff.
pub(crate) fn device_of<M: Module>(model: &M) -> Device {
    let device = model.devices().into_iter().next().unwrap_or_default();
    device.inner()
}

/// Matches data with the training data and evaluates a model on them: see [`Network::evaluate`].
pub(crate) fn evaluate<M: Network>(
    model: &M,
    spec: &Spec,
    data: &Data,
) -> Result<Measures, TrainError> {
    if spec.model().loss.is_none() {
        let model = spec.model().name.clone();
        return Err(DataError::NoLoss { model }.into());
    }
    let data = match spec.schema() {
        Some(schema) => schema.apply(data)?.check_rows_for(spec)?,
        None => data.check_rows_for(spec)?,
    };
    let batch = spec.training().batch;
    let evaluate = || {
        inference(model, |model, _| {
            evaluate_prepared(
                evaluation_step(model),
                spec,
                &data,
                &spec.metrics(),
                batch,
                &device_of(model),
            )
        })
    };
    let evaluation = catch_unwind(AssertUnwindSafe(evaluate)).unwrap_or_else(|payload| {
        Err(TrainError::Evaluation {
            reason: crate::panic::text(&*payload),
        })
    })?;
    Ok(evaluation.measures)
}

/// Computes the output and the loss of a batch, in inference mode.
pub(crate) fn evaluation_step<M: Network>(
    model: &M,
) -> impl Fn(&Batch) -> (Tensor<2>, Tensor<1>) + '_ {
    |batch| {
        let output = model.run(&batch.inputs, &mut Pass::new());
        let loss = model.loss(output.clone(), &batch.target);
        (output, loss)
    }
}

/// Computes the predictions for inputs that fit the model, in batches.
fn predict<M: Network>(model: &M, inputs: &Inputs, batch: usize) -> Result<Tensor<2>, InputError> {
    let (spec, rows) = (model.spec(), inputs.batch());
    let predict = || {
        inference(model, |model, _| {
            let run = |inputs: &Inputs| {
                loss::output_activation_along(spec, model.run(inputs, &mut Pass::new()), 1)
            };
            if rows <= batch {
                return run(inputs);
            }
            let starts = (0..rows).step_by(batch);
            let outputs = starts.map(|start| run(&inputs.narrow(start, batch.min(rows - start))));
            Tensor::cat(outputs.collect(), 0)
        })
    };
    catch_unwind(AssertUnwindSafe(predict)).map_err(|payload| InputError::Layer {
        model: spec.model().name.clone(),
        reason: crate::panic::text(&*payload),
    })
}

/// The hyper-parameters of a declared model.
pub trait NetworkConfig: Config + Clone + Default + Debug + Send + Sync + 'static {
    /// The model.
    type Network: Network<Config = Self>;

    /// The checked description with these values.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if the values break a rule.
    fn spec(&self) -> Result<Spec, SpecError>;

    /// A model with initial weights.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if the values break a rule.
    fn init(&self, device: &Device) -> Result<Self::Network, SpecError>;
}

/// Mean and standard deviation of a prediction over several dropout masks. Both have the shape of the output:
/// `[batch, outputs]`, unless the output has more axes.
#[derive(Clone, Debug)]
pub struct Prediction<const D: usize = 2> {
    /// The mean.
    pub mean: Tensor<D>,
    /// The standard deviation (0 for one sample).
    pub std: Tensor<D>,
}

/// Calls `forward` with the model in inference mode: no dropout, running statistics, no autodiff.
pub fn inference<M: Module, T>(model: &M, forward: impl FnOnce(&M, &mut Pass) -> T) -> T {
    if is_training(model) {
        forward(&model.valid(), &mut Pass::new())
    } else {
        forward(model, &mut Pass::new())
    }
}

/// The output for a batch without rows: a tensor without rows. `None` if the batch has rows.
///
/// No layer sees an empty batch: matrix products of it abort the process (burn 0.22.1, `matmul_batched_gemm` of
/// burn-flex), and means over zero steps panic. Remove this once burn supports empty batches.
///
/// # Panics
///
/// If the inputs have batches of different sizes, or rows of another width than declared: see [`Network::try_predict`].
pub fn no_rows<const D: usize>(
    spec: &Spec,
    inputs: &[&[usize]],
    device: &Device,
) -> Option<Tensor<D>> {
    let batches = inputs.iter().map(|dims| dims.first().copied().unwrap_or(0));
    let mut empty = false;
    for (batch, (dims, declared)) in batches.zip(inputs.iter().zip(&spec.model().inputs)) {
        if let Err(error) = InputError::check(spec, declared, inputs, dims) {
            panic!("{error}");
        }
        empty |= batch == 0;
    }
    if !empty {
        return None;
    }
    let axes = spec.shapes().output()?;
    let mut dims = [0; D];
    if axes.0.len() + 1 != D {
        return None;
    }
    for (size, axis) in dims.iter_mut().skip(1).zip(&axes.0) {
        *size = (*axis)?;
    }
    Some(Tensor::zeros(dims, device))
}

/// Calls `forward` `samples` times with active dropout, and with batch norm in inference mode.
///
/// The weights are taken off the autodiff device, so that nothing is kept for a backward pass; [`Pass::sampling`] keeps
/// the stochastic layers active. Custom layers check only the device, so a model that has some stays on it.
pub fn monte_carlo<M: Network, const D: usize>(
    model: &M,
    samples: usize,
    mut forward: impl FnMut(&M, &mut Pass) -> Tensor<D>,
) -> Prediction<D> {
    /// Enables what training enables, but takes the weights off the autodiff device: on it they would become leaves of
    /// a graph that burn keeps.
    struct Sampling;
    impl ModuleMapper for Sampling {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if param.base().is_autodiff() {
                param.map(plain)
            } else {
                param
            }
        }

        fn map_flag(&mut self, param: Param<Flag>) -> Param<Flag> {
            param.train()
        }
    }
    let frozen: Vec<String> = model
        .spec()
        .parameters()
        .iter()
        .filter_map(|parameter| {
            Some(format!(
                "{}.training",
                parameter.path.strip_suffix(".running_mean")?
            ))
        })
        .collect();
    let model = model.clone();
    let model = if model.spec().model().has_custom() {
        model.train()
    } else {
        model.map(&mut Sampling)
    };
    let model = model.freeze_group(ParamGroup::from_paths(frozen));
    let samples = samples.max(1);
    let mut sample = || {
        let sample = |pass: &mut Pass| forward(&model, pass);
        plain(tape::forward(&mut Pass::sampling(), sample))
    };
    let first = sample();
    // Welford's algorithm: one pass, without cancellation.
    let (mut mean, mut squares, mut count) = (first.clone(), first.zeros_like(), 1.0);
    for _ in 1..samples {
        let output = sample();
        count += 1.0;
        let delta = output.clone() - mean.clone();
        mean = mean + delta.clone() / count;
        squares = squares + delta * (output - mean.clone());
    }
    let std = if count > 1.0 {
        (squares / (count - 1.0)).sqrt()
    } else {
        squares
    };
    Prediction { mean, std }
}
