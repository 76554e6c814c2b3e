//! Behaviour through the public API, and parity with PyTorch.
//!
//! On flex by default; with the feature `ndarray` or `wgpu` on that backend.

mod common;
mod data;
mod parity;
mod regularisers;
mod training;
mod storage;
