//! Threads with a stack for large models.

use super::error::{Kept, TrainError};
use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// The number of copies of a model that fit on the stack of a training. Without optimizations, each function that takes
/// and returns a model has its own copies: space for 87 copies was too small, space for 175 was enough.
const COPIES: usize = 256;

/// The stack for everything else: the default stack size of the standard library.
const BASE: usize = 2 << 20;

/// Models below this size in bytes fit on the stack of any thread.
const SMALL: usize = 4 << 10;

/// Runs a training of a model of type `M`. A large model would overflow the stack, so its training runs on a thread with a
/// larger one.
///
/// # Errors
///
/// [`TrainError::Burn`] if there is no memory for the stack.
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
            reason: format!(
                "cannot start a thread with a stack for a model of {size} bytes: {error}"
            ),
            kept: Kept::default(),
        })?;
        Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}
