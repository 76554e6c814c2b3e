//! damper: examples.
