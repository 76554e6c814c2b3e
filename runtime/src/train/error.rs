//! Why a training ends without a model.

use super::table::rate;
use crate::data::DataError;
use crate::{DeviceError, SpecError};
use std::fmt;

/// Why a training ended without a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The hyper-parameters or the training settings break a rule.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The data does not fit the model.
    #[error(transparent)]
    Data(Box<DataError>),
    /// There is no such device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A setting has a value that cannot be used.
    #[error("`{name}` is {value}: {reason}\nhelp: {help}")]
    Setting {
        /// The setting, as it is written in `train`.
        name: &'static str,
        /// Its value.
        value: String,
        /// Why it cannot be used.
        reason: String,
        /// What to write instead.
        help: String,
    },
    /// The loss, or a parameter, is no longer a finite number. The epoch's and the batch's number are counted from 1.
    #[error("{}", Explained { epoch: *epoch, batch: *batch, phase: *phase, loss: *loss, layer: layer.as_deref(),
        parameter: parameter.as_deref(), learning_rate: *learning_rate, clipped: *clipped })]
    NonFinite {
        /// The epoch.
        epoch: usize,
        /// The batch of the epoch; `None` if the weights were found to be broken at the epoch's end.
        batch: Option<usize>,
        /// Whether it happened while training or while validating.
        phase: Phase,
        /// The loss of that batch.
        loss: f64,
        /// The first layer whose value was not finite when the batch was run again; `None` if all were finite.
        layer: Option<String>,
        /// The first parameter that was not finite before the batch.
        parameter: Option<String>,
        /// The learning rate of the run.
        learning_rate: f64,
        /// Whether gradients were clipped.
        clipped: bool,
    },
    /// Burn's training stopped on an error of its own.
    #[error("training stopped: {0}")]
    Burn(String),
    /// Something panicked inside the training: a defect of a layer, of a loss function, or of the backend.
    #[error("training panicked: {0}")]
    Panic(String),
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> Self {
        Self::Data(Box::new(error))
    }
}

/// What the model was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Learning from the training samples.
    Training,
    /// Measuring the validation samples.
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
            format!("the steps are too long: lower the learning rate (`lr = {rate}`){clip}")
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
                let inputs = "standardise the inputs (`Scaler::standard`)";
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
