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
//! - [`Model::summary`] is the table that a person reads.

mod activation;
mod finding;
mod model;
mod value;

pub use activation::{Activation, ActivationKind};
pub use finding::{Finding, Level};
pub use model::*;
pub use value::{Id, Value};
