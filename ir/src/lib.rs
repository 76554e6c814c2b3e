//! The description of a neural network as plain data, and every rule it must keep.
//!
//! A [`Model`] is what `damper::model!` declares: inputs, layers with their regularization, loss and
//! training. It has no spans and knows nothing of tensors. The same rules serve three callers: the
//! macro (on the declared defaults, with spans), a configuration changed at run time, and the reports
//! a person reads.
//!
//! [`Checked`] works out what follows from it, once:
//!
//! - [`Checked::shapes`]: the [`Shape`] of every value;
//! - [`Checked::findings`]: what does not fit, and what the lints say;
//! - [`Checked::parameters`]: every weight with its path, [`Role`] and regularization;
//! - [`Checked::summary`]: the table that a person reads; [`draw`]: the picture.

mod budget;
pub mod catalogue;
mod checked;
mod counts;
mod defaults;
mod difference;
pub mod draw;
pub mod families;
mod finding;
mod formula;
mod graph;
mod infer;
mod instance;
mod level;
mod lint;
mod lint_level;
pub mod loss;
pub mod metric;
mod model;
mod numbers;
pub mod op;
mod parameters;
pub mod rule;
pub mod shape;
mod suggest;
mod summary;
pub mod task;
#[cfg(test)]
mod tests;
pub mod train;
mod value;
mod values;
pub mod vocabulary;
mod walk;
pub mod words;

pub use catalogue::{Group, LINTS, Lint, Threshold};
pub use checked::Checked;
pub use counts::Counts;
pub use finding::{Finding, SetBy};
pub use formula::{Formula, NoResult, Operator};
pub use infer::Inferred;
pub use level::Level;
pub use lint_level::{Limit, LintLevel};
pub use loss::{Loss, LossFacts, LossKind, OutputActivation, Reads, TargetKind, TargetRange};
pub use metric::{Metric, MetricKind};
pub use model::*;
pub use numbers::{bytes, grouped};
pub use op::activation::{Activation, ActivationKind};
pub use op::recurrent::Cell;
pub use op::reduce::Axis;
pub use op::stochastic::Stochastic;
pub use op::{Call, DropPath, Field, Merge, OpKind, Padding, Rate, Reduction, Type};
pub use op::{Conv, Pool, Recurrent};
pub use parameters::{Parameter, Reparameterization};
pub use rule::{Reach, Role, RuleKind, WeightRule};
pub use shape::{Layout, Shape, ShapeError};
pub use suggest::suggest;
pub use summary::{Row, Summary};
pub use task::{Task, TaskKind};
pub use train::optimizer::{Optimizer, OptimizerFacts, OptimizerKind, WeightDecay};
pub use train::schedule::{Schedule, ScheduleKind};
pub use train::settings::{Augmentation, Settings, Stop};
pub use train::{Augment, Backend, EarlyStop, Form, Setting, Train};
pub(crate) use value::no;
pub use value::{Id, LARGEST_WHOLE, Value};
pub use values::{is_held, not_held};
