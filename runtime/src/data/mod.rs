//! Data in memory.
