//! The fused loops of damper over slices of `f32`, vectorized for the processor that is found at run time.
//!
//! This crate knows neither burn nor tensors: a backend passes slices of its memory. It starts no threads and does not
//! panic. If the lengths of slices do not fit, the result is the error [`LengthMismatch`], and nothing is written.
//!
//! - [`Activation`]: relu, exp, tanh, sigmoid, silu, gelu and mish, forward and backward;
//! - [`bias`]: the bias of a linear layer and its gradient;
//! - [`cross_entropy`](mod@cross_entropy): the loss of rows of logits and its gradient;
//! - [`dropout`]: a bit mask from a counter-based generator, [`philox`];
//! - [`noise`]: normal numbers from the same generator, added or multiplied;
//! - [`norm`]: layer and batch normalization;
//! - [`optimizer`]: a fused step of Adam and of stochastic gradient descent;
//! - [`pool`]: max pooling;
//! - [`recurrent`]: the gates of a step of an RNN, a GRU or an LSTM;
//! - [`softmax`](mod@softmax): softmax and log-softmax of the rows of a matrix;
//! - [`uniform`]: uniform numbers from the generator, for initial weights.

// Only functions that are inlined into the dispatched one are compiled for its instruction set.
#![allow(clippy::inline_always)]

#[macro_use]
mod vectorized;

mod activation;
pub mod bias;
pub mod cross_entropy;
pub mod dropout;
mod math;
pub mod noise;
pub mod norm;
pub mod optimizer;
pub mod philox;
pub mod pool;
pub mod recurrent;
mod row_groups;
pub mod softmax;
mod sum;
pub mod uniform;

pub use activation::{Activation, Saved};

/// A slice has another length than its operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` has length {found}, but length {expected} is needed")]
pub struct LengthMismatch {
    /// The argument that does not fit.
    pub name: &'static str,
    /// The number of values it needs.
    pub expected: usize,
    /// The number of values it has.
    pub found: usize,
}

impl LengthMismatch {
    /// Checks several arguments that need the same number of values.
    fn check_all<const N: usize>(
        expected: usize,
        arguments: [(&'static str, usize); N],
    ) -> Result<(), Self> {
        arguments
            .into_iter()
            .try_for_each(|(name, found)| Self::check(name, found, expected))
    }

    /// Checks that an argument is whole rows. Returns the width, or 1 for a width of 0, which fits only an empty argument.
    fn check_rows(name: &'static str, found: usize, width: usize) -> Result<usize, Self> {
        let not_zero = width.max(1);
        let expected = found.div_ceil(not_zero).saturating_mul(width);
        Self::check(name, found, expected)?;
        Ok(not_zero)
    }

    /// Checks the number of values of an argument.
    ///
    /// # Errors
    /// `found` is not `expected`.
    pub const fn check(name: &'static str, found: usize, expected: usize) -> Result<(), Self> {
        if found == expected {
            Ok(())
        } else {
            Err(Self {
                name,
                expected,
                found,
            })
        }
    }
}
