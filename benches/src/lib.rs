//! damper: benches.
