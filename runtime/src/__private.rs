//! What generated code calls. Not for people: it changes without notice.

pub use crate::build::Builder;
pub use crate::network::{inference, monte_carlo, plain};
pub use crate::pass::{Pass, lift};
pub use crate::spec::Filling;
pub use burn;
pub use damper_macros::model_impl;
