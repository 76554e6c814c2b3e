//! A thread whose stack holds a large model.

use super::error::{Kept, TrainError};
use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// How many copies of a model a training may hold on its stack. Without optimizations every function that takes a model
/// and returns it has its own copies: a stack for 87 copies was too small, one for 175 was enough.
const COPIES: usize = 256;

/// Stack for everything else: the standard library's default stack size.
const BASE: usize = 2 << 20;

/// A smaller model, in bytes, fits on any thread's stack that many times.
const SMALL: usize = 4 << 10;

/// Runs a training of a model of type `M`: on this thread, or on one whose stack holds a large model, so that a model
/// of many layers does not end the process.
///
/// # Errors
///
/// [`TrainError::Burn`] if the system has no memory for the stack.
pub(super) fn with_large_stack<M, T: Send>(
    run: impl FnOnce() -> T + Send,
) -> Result<T, TrainError> {
    let size = size_of::<M>();
    if size < SMALL {
        return Ok(run());
    }
    scope(|threads| {
        let builder = Builder::new().stack_size(size.saturating_mul(COPIES).saturating_add(BASE));
        let thread = builder.spawn_scoped(threads, run);
        let thread = thread.map_err(|error| TrainError::Burn {
            reason: format!("no thread with a stack for a model of {size} bytes: {error}"),
            kept: Kept::default(),
        })?;
        Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}
