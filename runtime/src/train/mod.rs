//! Training: the builder that `NAME::training()` returns, the loop, and the result.
//!
//! [`Training::fit`] runs burn's `SupervisedTraining` with a wrapper around the model. It writes no files.

mod augment;
mod augment_batch;
mod batch_norm_stats;
mod changes;
mod compare;
mod context;
mod diagnosis;
mod error;
mod evaluate;
mod fault;
mod fit;
mod history;
mod interrupt;
mod large_stack;
mod learner_model;
mod meters;
mod non_finite;
mod null_renderer;
mod progress;
mod result;
mod sparsity;
mod state;
mod step;
mod strategy;
mod table;
mod training;

pub use augment::Augment;
pub use compare::{Compare, Comparison, MeanStd, Trial, compare};
pub use diagnosis::{Diagnosis, Verdict};
pub use error::{Kept, Partial, Phase, TrainError};
pub(crate) use evaluate::{LEAST_BATCH, evaluate_prepared};
pub use history::{Epoch, History, Measures};
pub use interrupt::Stopper;
pub use progress::Progress;
pub use result::{StopReason, TrainingResult};
pub use sparsity::{LayerSparsity, NEAR_ZERO, Sparsity};
pub use training::Training;
