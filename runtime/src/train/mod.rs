//! Training: what `NAME::training()` gives, and what it leads to.
//!
//! [`Training::fit`] runs burn's `SupervisedTraining` with one wrapper around the model. Files are not written.

mod augment;
mod compare;
mod diagnosis;
mod error;
mod history;
mod interrupt;
mod learn;
mod measure;
mod progress;
mod quiet;
mod room;
mod run;
mod search;
mod settle;
mod sparsity;
mod strategy;
mod table;
mod training;
mod vary;

pub use augment::Augment;
pub use compare::{Compare, Comparison, Spread, Trial, compare};
pub use diagnosis::{Diagnosis, Verdict};
pub use error::{Kept, Partial, Phase, TrainError};
pub use history::{Epoch, History, Measures};
pub use interrupt::Stopper;
pub use progress::Progress;
pub use run::{Run, Stop};
pub use sparsity::{LayerSparsity, NEAR_ZERO, Sparsity};
pub use training::Training;
