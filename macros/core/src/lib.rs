//! damper-macros-core
