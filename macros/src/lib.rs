//! damper-macros
