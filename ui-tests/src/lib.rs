//! damper: ui-tests.
