//! The fused loops of damper over plain slices of `f32`, vectorized for the processor found at run time.
//!
//! There is no burn here and no tensor: a backend passes its memory in. Nothing here starts a thread or panics. Slices
//! whose lengths do not fit are an error, [`LengthMismatch`], and then nothing is written.
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

// Only what is inlined into the dispatched function gets its instructions.
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

/// A slice does not have the length that its operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` has {found} numbers, where {expected} are needed")]
pub struct LengthMismatch {
    /// The argument that does not fit.
    pub name: &'static str,
    /// How many numbers it needs.
    pub expected: usize,
    /// How many it has.
    pub found: usize,
}

impl LengthMismatch {
    /// Several arguments that need as many numbers.
    fn check_all<const N: usize>(
        expected: usize,
        arguments: [(&'static str, usize); N],
    ) -> Result<(), Self> {
        arguments
            .into_iter()
            .try_for_each(|(name, found)| Self::check(name, found, expected))
    }

    /// Whole rows of so many numbers; the width again, but not 0, of which there can be only no numbers.
    fn check_rows(name: &'static str, found: usize, width: usize) -> Result<usize, Self> {
        let not_zero = width.max(1);
        let expected = found.div_ceil(not_zero).saturating_mul(width);
        Self::check(name, found, expected)?;
        Ok(not_zero)
    }

    /// Whether an argument has as many numbers as it needs.
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
