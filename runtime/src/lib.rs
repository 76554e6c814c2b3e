//! Declare a neural network, let the compiler check it, and train it.
//!
//! [`model!`] turns a declaration, with the regularization written next to each layer, into a [burn](https://burn.dev)
//! module and a training loop. Many mistakes do not compile: each is an error at the exact token, with a reason and a fix.
//!
//! ```
//! use damper::prelude::*;
//!
//! model! {
//!     /// Tells whether a point lies above the diagonal.
//!     pub Above<hidden: usize = 16>
//!     input point: [2]
//!     layers {
//!         fc:    linear(hidden) -> tanh with decay(l2 = 1e-3);
//!         score: linear(1);
//!     }
//!     loss binary_cross_entropy
//!     train { optimizer: adamw(lr = 0.05), epochs: 20, batch: 16, seed: 1 }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let points: Vec<[f32; 2]> = (0..128).map(|i| [(i % 16) as f32 / 8.0 - 1.0, (i / 16) as f32 / 4.0 - 1.0]).collect();
//! let above: Vec<usize> = points.iter().map(|[x, y]| usize::from(y > x)).collect();
//! let (train, valid) = damper::data::Data::new(points, above)?.split(0.75, 7)?;
//!
//! let run = Above::training().progress(damper::Progress::Silent).fit(&train, &valid)?;
//! let last = run.history().epochs.last().ok_or("no epoch")?;
//! assert!(last.valid.loss < 0.3);
//!
//! let point = Tensor::<2>::from_floats([[-1.0, 1.0]], &damper::device()?);
//! let probability = run.model.predict(point).into_scalar::<f32>();
//! assert!(probability > 0.5);
//! # Ok(())
//! # }
//! ```
//!
//! - [`vocabulary`] documents every word of the language, [`lint`] every rule.
//! - [`data`] reads arrays, CSV files and folders of images, splits and scales them.
//! - [`Training`] fits a model. [`TrainingResult`] holds the model, its history, diagnosis and sparsity. [`compare()`] compares
//!   several configurations.
//! - [`Network`] is the trait of all models: [`evaluate`](Network::evaluate), [`predict_data`](Network::predict_data). The
//!   functions that depend on its inputs (`forward`, `predict`, `classify`) are generated on its struct.
//! - [`layer`] has the types of the generated fields. [`optimizer`] and [`schedule`] are for training loops of your own.

/// Re-export of burn, for its types.
pub use burn;
/// The description of a model as plain data, which [`Spec`] and its errors contain.
#[doc(no_inline)]
pub use damper_ir as ir;
#[doc(inline)]
pub use damper_ir::vocabulary;
pub use damper_ir::{MetricKind, Optimizer, OptimizerKind, Schedule, ScheduleKind, Setting};

#[macro_use]
mod fused;

mod autodiff;
mod batch;
mod build;
mod file;
mod input;
mod network;
mod panic;
mod pass;
mod paths;
mod readable;
mod spec;

pub mod data;
pub mod device;
pub mod layer;
pub mod lint;
pub mod optimizer;
pub mod schedule;
mod storage;
mod tape;
mod train;
mod weights;

// For generated code and tests only; it changes without notice.
#[doc(hidden)]
pub mod __private;
#[doc(hidden)]
pub mod activation;
#[doc(hidden)]
pub mod loss;
#[doc(hidden)]
pub mod metric;
#[doc(hidden)]
pub mod regularize;

pub use batch::{Batch, InputTensor, Inputs, Target};
#[doc(inline)]
pub use device::{DeviceError, device};
pub use input::{InputError, PredictError};
pub use network::{Network, NetworkConfig, Prediction};
pub use pass::Pass;
pub use spec::{Spec, SpecError};
pub use storage::{LoadError, SaveError, load_weights};
pub use train::*;

/// The items that most programs import.
pub mod prelude {
    pub use crate::{Network, NetworkConfig, model};
    pub use burn::config::Config;
    pub use burn::module::Module;
    pub use burn::tensor::{Device, Int, Tensor};
}

/// Declares a neural network: a struct with one field per layer, its configuration and its training.
///
/// ```
/// damper::model! {
///     /// Three numbers to two classes.
///     pub Small<width: usize = 8>
///     input row: [3]
///     layers {
///         hidden: linear(width) -> relu with dropout(0.2);
///         head:   linear(2);
///     }
///     loss cross_entropy
/// }
///
/// let device = damper::device()?;
/// let model = SmallConfig::new().with_width(32).init(&device)?;
/// println!("{}", model.spec());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A declaration that breaks a rule does not compile. The error is at the token and gives the reason:
///
/// ```compile_fail
/// damper::model! {
///     Small
///     input row: [3]
///     layers { head: linear(2) with dropout(0.5); } // `dropout(0.5)` on the class scores
///     loss cross_entropy
/// }
/// ```
///
/// The words are documented in [`vocabulary`], the rules in [`lint`]. Declare models at module level: inside a function,
/// the macro does not see the items of that function.
#[macro_export]
macro_rules! model {
    ($($tokens:tt)*) => {
        $crate::__private::model_impl! { $crate, $($tokens)* }
    };
}

/// Compiles the programs of the README with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
