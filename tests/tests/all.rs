//! Behavior through the public API, and parity with PyTorch.
//!
//! On flex by default; with the feature `ndarray` or `wgpu` on that backend.

#![allow(
    clippy::float_cmp,
    clippy::type_complexity,
    clippy::format_collect,
    reason = "exact numbers are what is tested; tables of closures and of text are read once"
)]

mod beginnings;
mod blocks;
mod budget;
mod common;
mod data;
mod data_faults;
mod device;
mod hostile;
mod large;
mod loaded;
mod masks;
mod one_pass;
mod parity;
mod recurrent;
mod regularizers;
mod storage;
mod structured_regularizers;
mod training;
