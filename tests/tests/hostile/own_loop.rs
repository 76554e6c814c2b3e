//! Loops of one's own.
