//! The loops of damper over plain slices of `f32`, vectorised for the processor found at run time.
//!
//! Without burn and without tensors: a backend hands its memory in. Nothing here allocates in a loop, starts a
//! thread or panics; slices that do not fit each other are [`Lengths`].
//!
//! - [`Activation`]: exp, tanh, sigmoid, silu, gelu and mish, forward and backward in one pass each;
//! - [`columns`]: the bias of a linear layer and its gradient;
//! - [`dropout`]: a bit mask from a counter-based generator, [`philox`];
//! - [`noise`]: normal numbers from the same generator, added or multiplied;
//! - [`norm`]: layer and batch normalisation;
//! - [`optimizer`]: a step of Adam and of stochastic gradient descent in one pass each;
//! - [`recurrent`]: the gates of a step of an RNN, a GRU or an LSTM;
//! - [`rows`]: softmax and cross entropy of the rows of a matrix;
//! - [`uniform`]: uniform numbers from the generator, for initial weights.

// Only what is inlined into the dispatched function gets its instructions.
#![allow(clippy::inline_always)]

#[macro_use]
mod vectorised;

mod activation;
pub mod columns;
pub mod dropout;
mod math;
pub mod noise;
pub mod norm;
pub mod optimizer;
pub mod philox;
pub mod pool;
pub mod recurrent;
pub mod rows;
mod sum;
pub mod uniform;

pub use activation::{Activation, Saved};

/// Slices that belong together have different lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` has {found} numbers, where {expected} are needed")]
pub struct Lengths {
    /// The argument that does not fit.
    pub name: &'static str,
    /// How many numbers it needs.
    pub expected: usize,
    /// How many it has.
    pub found: usize,
}

impl Lengths {
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

    fn check(name: &'static str, found: usize, expected: usize) -> Result<(), Self> {
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
