//! Ending a training from outside: Ctrl-C, or a handle.

use burn::train::Interrupter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Ends a training from another thread, as Ctrl-C does: after the batch, keeping the best weights.
///
/// A handle given to several trainings ends them all.
#[derive(Clone, Debug, Default)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    /// A handle; give it to [`crate::Training::stopper`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the training to end after its batch. A training that begins later ends after its first batch.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The training that Ctrl-C ends. There is at most one: trainings hold a lock.
static RUNNING: Mutex<Option<Interrupter>> = Mutex::new(None);
static HANDLER: OnceLock<bool> = OnceLock::new();

/// While this lives, Ctrl-C ends the training instead of the process.
#[derive(Debug)]
pub(super) struct Guard(());

/// Lets Ctrl-C end the training; a second Ctrl-C ends the process. If the program has a handler of
/// its own, that one stays and this does nothing.
pub(super) fn listen(interrupter: &Interrupter) -> Guard {
    let is_installed = *HANDLER.get_or_init(|| ctrlc::try_set_handler(on_signal).is_ok());
    if is_installed {
        *running() = Some(interrupter.clone());
    }
    Guard(())
}

impl Drop for Guard {
    fn drop(&mut self) {
        running().take();
    }
}

fn running() -> std::sync::MutexGuard<'static, Option<Interrupter>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shell's convention for a process that a signal ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

fn on_signal() {
    match running().take() {
        Some(interrupter) => {
            interrupter.stop(Some("interrupted"));
        }
        None => std::process::exit(INTERRUPTED),
    }
}
