//! The loops of damper over plain slices of `f32`, vectorised for the processor found at run time.
//!
//! Without burn and without tensors: a backend hands its memory in. Nothing here allocates in a loop, starts a
//! thread or panics; slices that do not fit each other are [`Lengths`].
//!
//! - [`Activation`]: exp, tanh, sigmoid, silu, gelu and mish, forward and backward in one pass each;
//! - [`dropout`]: a bit mask from a counter-based generator, [`philox`].

// Only what is inlined into the dispatched function gets its instructions.
#![allow(clippy::inline_always)]

mod activation;
pub mod dropout;
mod math;
pub mod philox;

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
