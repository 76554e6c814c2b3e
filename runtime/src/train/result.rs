//! The result of a training.

use super::diagnosis::{Diagnosis, Evidence};
use super::error::TrainError;
use super::evaluate::{Evaluation, evaluate};
use super::history::{History, Measures};
use super::sparsity::Sparsity;
use crate::data::{Data, Schema};
use crate::{Network, Spec};
use damper_ir::Settings;
use std::fmt;

/// The result of a training. `Display` prints every epoch and how the training ended.
#[derive(Clone, Debug)]
pub struct TrainingResult<M> {
    /// The trained model, for inference, on the device that was given. With early stopping it is the model of the
    /// best epoch, however training ended; without, that of the last step.
    pub model: M,
    pub(super) history: History,
    pub(super) stop_reason: StopReason,
    /// The description with the settings of this training, and its data's columns and classes.
    pub(super) spec: Spec,
    pub(super) settings: Settings,
    /// What the training data's columns and classes are called.
    pub(super) schema: Schema,
    pub(super) train: Evaluation,
    pub(super) valid: Evaluation,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs were run.
    Finished,
    /// Early stopping saw no improvement for its patience.
    Early {
        /// The last epoch.
        epoch: usize,
        /// The best epoch, whose model was kept.
        best: usize,
    },
    /// Ctrl-C, or a [`crate::Stopper`], ended it.
    Interrupted {
        /// How many epochs were completed.
        epochs: usize,
    },
}

impl<M: Network> TrainingResult<M> {
    /// Every epoch.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How training ended.
    pub fn stop_reason(&self) -> StopReason {
        self.stop_reason
    }

    /// The seed of everything random in this run.
    pub fn seed(&self) -> u64 {
        self.settings.seed
    }

    /// Loss and metrics of the final model on the training samples, with inference behavior.
    pub fn train_measures(&self) -> &Measures {
        &self.train.measures
    }

    /// Loss and metrics of the final model on the validation samples.
    pub fn valid_measures(&self) -> &Measures {
        &self.valid.measures
    }

    /// The names of the training data's columns and classes: other files are read like them by
    /// [`Table::like`](crate::data::Table::like).
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Loss and metrics of the final model on other samples: a test set that chose nothing.
    ///
    /// Their columns and classes are matched with those of the training samples by name: [`Schema::apply`].
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the data do not fit the model, or have other columns or classes than the training samples.
    pub fn evaluate(&self, data: &Data) -> Result<Measures, TrainError> {
        evaluate(&self.model, &self.spec, data)
    }

    /// Whether the model overfits or underfits, and what to change in its declaration.
    pub fn diagnosis(&self) -> Diagnosis {
        Diagnosis::of(&Evidence {
            spec: &self.spec,
            settings: &self.settings,
            history: &self.history,
            train: &self.train,
            valid: &self.valid,
        })
    }

    /// How many weights of each layer are zero.
    pub fn sparsity(&self) -> Sparsity {
        Sparsity::of(&self.model)
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("all epochs were run"),
            Self::Early { epoch, best } => {
                write!(
                    f,
                    "stopped early after epoch {epoch}: none was better than epoch {best}"
                )
            }
            Self::Interrupted { epochs } => write!(
                f,
                "interrupted after {}",
                super::table::plural(*epochs, "epoch")
            ),
        }
    }
}

impl<M> fmt::Display for TrainingResult<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.history, self.stop_reason)
    }
}
