//! Ends a training from outside: by Ctrl-C or by a handle.

use burn::train::Interrupter;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

/// A handle that ends a training from another thread. Like Ctrl-C, it ends after the current batch and keeps the best
/// weights.
///
/// One handle can end several trainings.
#[derive(Clone, Debug, Default)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    /// A new handle, for [`crate::Training::stopper`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the training after the current batch. A training that starts later ends after its first batch.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The trainings that a signal ends.
static RUNNING: Mutex<Vec<(u64, Interrupter)>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);
static INSTALLED: Once = Once::new();

/// While this lives, Ctrl-C ends the training instead of the process.
#[derive(Debug)]
pub(super) struct Guard(u64);

/// Makes Ctrl-C, SIGTERM and SIGHUP end the training; a second one ends the process. A signal is left alone if the program
/// handles it, or if it is ignored (SIGHUP under `nohup`, SIGINT of a background job).
pub(super) fn listen(interrupter: &Interrupter) -> Guard {
    INSTALLED.call_once(signals::install);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    running().push((number, interrupter.clone()));
    Guard(number)
}

impl Drop for Guard {
    fn drop(&mut self) {
        running().retain(|(number, _)| *number != self.0);
    }
}

fn running() -> MutexGuard<'static, Vec<(u64, Interrupter)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all running trainings. Returns whether there was one.
fn stop_all() -> bool {
    let running = std::mem::take(&mut *running());
    for (_, interrupter) in &running {
        interrupter.stop(Some("interrupted"));
    }
    !running.is_empty()
}

#[cfg(unix)]
mod signals {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;
    use std::thread::Builder;

    pub(super) fn install() {
        let untouched = [SIGINT, SIGTERM, SIGHUP]
            .into_iter()
            .filter(|signal| is_default(*signal));
        // If that fails, signals end the process as usual.
        let Ok(mut signals) = Signals::new(untouched) else {
            return;
        };
        let wait = move || {
            for signal in signals.forever() {
                if !super::stop_all() {
                    let _ = emulate_default_handler(signal);
                }
            }
        };
        let _ = Builder::new().name("damper-signals".to_owned()).spawn(wait);
    }

    /// Whether the signal has its default action: it is neither ignored nor handled.
    fn is_default(signal: i32) -> bool {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: without a new action, `sigaction` only writes the current one to the given place, which has its type. If
        // it returns 0, it has written it.
        #[allow(unsafe_code)]
        unsafe {
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == libc::SIG_DFL
        }
    }
}

#[cfg(not(unix))]
mod signals {
    /// The conventional exit code after Ctrl-C.
    const INTERRUPTED: i32 = 130;

    pub(super) fn install() {
        // A handler of the program stays.
        let _ = ctrlc::try_set_handler(|| {
            if !super::stop_all() {
                std::process::exit(INTERRUPTED);
            }
        });
    }
}
