//! The description of a neural network as plain data, and every rule it must keep.
//!
//! A [`Model`] is what `damper::model!` declares: inputs, layers with their regularisation, loss and
//! training. It has no spans and knows nothing of tensors. The same rules serve three callers: the
//! macro (on the declared defaults, with spans), a configuration changed at run time, and the reports
//! a person reads.
//!
//! - [`Model::infer`] gives every value its [`Shape`];
//! - [`Model::check`] gives the [`Finding`]s: what does not fit, and what the lints say;
//! - [`Model::parameters`] lists every weight with its path, [`Role`] and regularisation;
//! - [`Model::summary`] is the table that a person reads, [`draw`] the picture.

mod activation;
mod budget;
pub mod catalogue;
mod counts;
mod difference;
mod display;
pub mod draw;
mod finding;
mod graph;
mod infer;
mod lint;
mod model;
mod parameters;
mod settings;
pub mod shape;
mod suggest;
mod summary;
mod task;
#[cfg(test)]
mod tests;
mod value;
mod values;
mod walk;

pub use activation::{Activation, ActivationKind};
pub use budget::bytes;
pub use catalogue::{Group, LINTS, Lint, Threshold};
pub use counts::Counts;
pub use finding::{Finding, Level, SetBy};
pub use infer::Inferred;
pub use model::*;
pub use parameters::{Parameter, Reparameterisation};
pub use settings::{Algorithm, Augmentation, Curve, Settings, Stop};
pub use shape::{Layout, Shape};
pub use suggest::suggest;
pub use summary::{Row, Summary, grouped};
pub use value::{Id, Value};
pub use values::{is_held, not_held};
