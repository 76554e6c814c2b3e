//! The errors of a training, and what is kept from a failed one.

use super::history::History;
use super::table::rate;
use crate::data::DataError;
use crate::{DeviceError, SpecError};
use std::any::Any;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Why a training or an evaluation failed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The hyper-parameters or the training settings break a rule.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The data do not fit the model.
    #[error(transparent)]
    Data(Box<DataError>),
    /// The device does not exist.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A setting has an invalid value.
    #[error("`{name}` is {value}: {reason}\nhelp: {help}")]
    Setting {
        /// The setting, as it is written in `train`.
        name: &'static str,
        /// Its value.
        value: String,
        /// Why it is invalid.
        reason: String,
        /// A fix.
        help: String,
    },
    /// The loss or a parameter is not finite. Epoch and batch are counted from 1.
    #[error("{}", Explained { epoch: *epoch, batch: *batch, phase: *phase, loss: *loss, layer: layer.as_deref(),
        parameter: parameter.as_deref(), learning_rate: *learning_rate, clipped: *clipped })]
    NonFinite {
        /// The epoch.
        epoch: usize,
        /// The batch of the epoch. `None` if a parameter was not finite at the end of the epoch.
        batch: Option<usize>,
        /// The phase in which it happened.
        phase: Phase,
        /// The loss of that batch.
        loss: f64,
        /// The first layer whose output was not finite when the batch was repeated. `None` if all were finite.
        layer: Option<String>,
        /// The first parameter that was not finite before the batch.
        parameter: Option<String>,
        /// The learning rate of the training.
        learning_rate: f64,
        /// Whether gradients were clipped.
        clipped: bool,
        /// What the training had so far.
        kept: Kept,
    },
    /// The metric that early stopping watches has no value on the validation samples.
    #[error(
        "`early_stop(metric = {metric})`: `{metric}` has no value on these validation samples (they have one class only, or equal targets)\nhelp: watch the validation loss: `early_stop(patience = 5)`"
    )]
    NoMetric {
        /// The metric.
        metric: String,
        /// What the training had so far.
        kept: Kept,
    },
    /// burn's training stopped with an error.
    #[error("training stopped: {reason}")]
    Burn {
        /// Its message.
        reason: String,
        /// What the training had so far.
        kept: Kept,
    },
    /// A panic during an evaluation: a bug of a layer, of a loss function or of the backend.
    #[error("the evaluation panicked: {reason}")]
    Evaluation {
        /// Its message.
        reason: String,
    },
    /// A panic during the training: a bug of a layer, of a loss function or of the backend.
    #[error("training panicked: {reason}")]
    Panic {
        /// Its message.
        reason: String,
        /// What the training had so far.
        kept: Kept,
    },
}

/// What a failed training had so far: see [`TrainError::into_partial`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Partial<M> {
    /// The model of the best epoch. `None` without `early_stop`, and before the end of the first epoch.
    pub best: Option<M>,
    /// The model with the last finite weights, from before the failing batch or from the end of the last epoch. With `ema`
    /// or `swa` it is the average of the weights. `None` if there are none.
    pub last: Option<M>,
    /// The completed epochs.
    pub history: History,
}

impl<M> Partial<M> {
    /// The best model, or the last one if none was chosen.
    pub fn into_model(self) -> Option<M> {
        self.best.or(self.last)
    }
}

/// A [`Partial`] of any model, inside of an error.
#[derive(Default)]
pub struct Kept(Option<Box<Mutex<Box<dyn Any + Send>>>>);

impl Kept {
    pub(super) fn new<M: Send + 'static>(partial: Partial<M>) -> Self {
        Self(Some(Box::new(Mutex::new(Box::new(partial)))))
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(..)")
    }
}

impl TrainError {
    /// What the training had when it failed: the best model, the last weights and the history. `None` if it failed before
    /// the first step, or if `M` is not the trained model.
    ///
    /// ```
    /// use damper::TrainError;
    /// # use damper::{data::Data, model};
    /// # model! { pub Price input x: [1] layers { price: linear(1); } loss mse train { epochs: 1, batch: 1 } }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let data = Data::new([[1.0], [2.0]], [1.0, 2.0])?;
    /// match Price::training().fit(&data, &data) {
    ///     Ok(run) => run.model.save("price.safetensors")?,
    ///     Err(error) => {
    ///         eprintln!("{error}");
    ///         if let Some(model) = error.into_partial::<Price>().and_then(|partial| partial.into_model()) {
    ///             model.save("price.safetensors")?;
    ///         }
    ///     }
    /// }
    /// # std::fs::remove_file("price.safetensors")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_partial<M: 'static>(self) -> Option<Partial<M>> {
        let (Self::NonFinite { kept, .. }
        | Self::NoMetric { kept, .. }
        | Self::Burn { kept, .. }
        | Self::Panic { kept, .. }) = self
        else {
            return None;
        };
        let kept = kept.0?.into_inner();
        let kept = kept.unwrap_or_else(PoisonError::into_inner);
        kept.downcast::<Partial<M>>().ok().map(|partial| *partial)
    }

    /// An error of burn.
    pub(super) fn burn(error: impl fmt::Display) -> Self {
        Self::Burn {
            reason: error.to_string(),
            kept: Kept::default(),
        }
    }

    /// A caught panic.
    #[allow(clippy::needless_pass_by_value, reason = "as `catch_unwind` gives it")]
    pub(super) fn panic(payload: Box<dyn Any + Send>) -> Self {
        Self::Panic {
            reason: crate::panic::text(&*payload),
            kept: Kept::default(),
        }
    }

    /// Adds what the training had.
    pub(super) fn with_kept(mut self, new: Kept) -> Self {
        if let Self::NonFinite { kept, .. }
        | Self::NoMetric { kept, .. }
        | Self::Burn { kept, .. }
        | Self::Panic { kept, .. } = &mut self
        {
            *kept = new;
        }
        self
    }
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> Self {
        Self::Data(Box::new(error))
    }
}

/// A phase of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Training on the training samples.
    Training,
    /// Evaluating the validation samples.
    Validation,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Training => "training",
            Self::Validation => "validation",
        })
    }
}

struct Explained<'a> {
    epoch: usize,
    batch: Option<usize>,
    phase: Phase,
    loss: f64,
    layer: Option<&'a str>,
    parameter: Option<&'a str>,
    learning_rate: f64,
    clipped: bool,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            epoch, phase, loss, ..
        } = self;
        match (self.batch, self.parameter) {
            (Some(batch), _) => write!(
                f,
                "the {phase} loss is {loss} in epoch {epoch}, batch {batch}"
            )?,
            (None, Some(parameter)) => {
                write!(f, "`{parameter}` is not finite after epoch {epoch}")?;
            }
            (None, None) => write!(f, "the {phase} loss is {loss} in epoch {epoch}")?,
        }
        let lower = || {
            let rate = rate(self.learning_rate / 10.0);
            let clip = if self.clipped {
                ""
            } else {
                ", or limit the gradients with `clip(norm = 1.0)`"
            };
            format!(
                "the optimizer steps are too large: lower the learning rate (`lr = {rate}`){clip}"
            )
        };
        match (self.layer, self.parameter) {
            (Some(layer), Some(parameter)) => {
                write!(
                    f,
                    ": `{layer}` is the first layer whose output is not finite"
                )?;
                write!(
                    f,
                    "\nnote: the parameter `{parameter}` was not finite before this batch"
                )?;
                write!(f, "\nhelp: {}", lower())
            }
            (None, Some(parameter)) => {
                if self.batch.is_some() {
                    write!(
                        f,
                        ": the parameter `{parameter}` was not finite before this batch"
                    )?;
                } else {
                    write!(
                        f,
                        "\nnote: an activation such as `relu` can hide this from the loss"
                    )?;
                }
                write!(f, "\nhelp: {}", lower())
            }
            (Some(layer), None) => {
                write!(
                    f,
                    ": `{layer}` is the first layer whose output is not finite"
                )?;
                write!(
                    f,
                    "\nnote: every parameter is finite, so the numbers overflow in `{layer}` itself"
                )?;
                let inputs = "standardize the inputs (`Scaler::standard`)";
                if self.batch == Some(1) && *epoch == 1 {
                    write!(f, "\nhelp: {inputs}")
                } else {
                    write!(f, "\nhelp: {}; {inputs}", lower())
                }
            }
            (None, None) => {
                write!(
                    f,
                    ": every layer's output is finite, so the loss itself overflows"
                )?;
                write!(
                    f,
                    "\nhelp: check the range of the targets, and that the loss reads what the last layer gives (`from = ..`)"
                )
            }
        }
    }
}
