//! The tests are in `tests/all.rs`, one binary: every further one would link all of burn again.
