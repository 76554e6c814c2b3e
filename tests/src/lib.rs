//! damper: tests.
