//! Neural networks that are declared, checked by the compiler, and trained.
//!
//! [`model!`] turns a declaration, with its regularization beside each layer, into a burn module and a training
//! loop. Bad regularization does not compile.
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
//! - [`Network`] is what every model can do: [`evaluate`](Network::evaluate), [`predict_data`](Network::predict_data). The
//!   functions that depend on its inputs (`forward`, `predict`, `classify`) are generated on its struct.
//! - [`layer`] has the types of the generated fields. [`optimizer`] and [`schedule`] are for training loops of your own.

/// burn, for those who want its types.
pub use burn;
/// The model as plain data: what [`Spec`] and its errors are made of.
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

// What generated code and the tests call. It changes without notice.
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
pub use device::{DeviceError, device};
pub use input::{InputError, PredictError};
pub use network::{Network, NetworkConfig, Prediction};
pub use pass::Pass;
pub use spec::{Spec, SpecError};
pub use storage::{LoadError, SaveError, load_weights};
pub use train::*;

/// What most programs import.
pub mod prelude {
    pub use crate::{Network, NetworkConfig, model};
    pub use burn::config::Config;
    pub use burn::module::Module;
    pub use burn::tensor::{Device, Int, Tensor};
}

/// Declares a neural network: a struct with one field for each layer, its configuration, its training.
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
/// What breaks a rule does not compile, and says why at the token:
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
/// The words are documented in [`vocabulary`], the rules in [`lint`]. The declaration stands at module level: inside a
/// function it does not see that function's items.
#[macro_export]
macro_rules! model {
    ($($tokens:tt)*) => {
        $crate::__private::model_impl! { $crate, $($tokens)* }
    };
}

/// The README's programs are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
