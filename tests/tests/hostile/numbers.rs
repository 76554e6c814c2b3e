//! Numbers that are none.
