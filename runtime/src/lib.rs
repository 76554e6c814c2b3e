//! Neural networks that are declared, checked by the compiler, and trained.

/// burn, for those who want its types.
pub use burn;

mod batch;
mod build;
mod network;
mod pass;
mod spec;

pub mod data;
pub mod device;
pub mod layer;
pub mod lint;
pub mod loss;
pub mod metric;
pub mod optimizer;
pub mod regularize;
pub mod schedule;
mod storage;
mod train;
pub mod vocabulary;

#[doc(hidden)]
pub mod __private;

pub use batch::{Batch, InputTensor, Inputs, Target};
pub use device::{DeviceError, device};
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

/// Declares a neural network.
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
