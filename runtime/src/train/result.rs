//! The result of a training.

use super::diagnosis::{Diagnosis, Evidence};
use super::error::TrainError;
use super::evaluate::Evaluation;
use super::history::{History, Measures};
use super::sparsity::Sparsity;
use crate::data::{Data, Schema};
use crate::{Network, Spec};
use damper_ir::Settings;
use std::fmt;

/// The result of a training: the model, its history, and what can be computed from them. `Display` prints all epochs and
/// why the training ended.
#[derive(Clone, Debug)]
pub struct TrainingResult<M> {
    /// The trained model in inference mode, on the device of the training. With early stopping it is the model of the best
    /// epoch, otherwise that of the last step.
    pub model: M,
    pub(super) history: History,
    pub(super) stop_reason: StopReason,
    /// The description with the settings of this training, and with the columns and classes of its data.
    pub(super) spec: Spec,
    pub(super) settings: Settings,
    /// The columns and classes of the training data.
    pub(super) schema: Schema,
    pub(super) train: Evaluation,
    pub(super) valid: Evaluation,
}

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs were run.
    Finished,
    /// Early stopping: no improvement for as many epochs as its patience.
    Early {
        /// The last epoch.
        epoch: usize,
        /// The best epoch, whose model is the result.
        best: usize,
    },
    /// Ctrl-C, or a [`crate::Stopper`], ended it.
    Interrupted {
        /// The number of completed epochs.
        epochs: usize,
    },
}

impl<M: Network> TrainingResult<M> {
    /// All epochs.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Why the training ended.
    pub fn stop_reason(&self) -> StopReason {
        self.stop_reason
    }

    /// The seed of this training.
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

    /// The columns and classes of the training data. [`Table::like`](crate::data::Table::like) reads other files in the
    /// same way.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Loss and metrics of the final model on other data, such as a test set: [`Network::evaluate`] with the settings of
    /// this training.
    ///
    /// Columns and classes are matched with those of the training data by name: see [`Schema::apply`].
    ///
    /// # Errors
    ///
    /// [`TrainError`] if the data do not fit the model, or if they have other columns or classes than the training data.
    pub fn evaluate(&self, data: &Data) -> Result<Measures, TrainError> {
        crate::network::evaluate(&self.model, &self.spec, data)
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

    /// The number of zeros among the weights of each layer.
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
