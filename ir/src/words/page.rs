//! The type of the items that an editor shows for words.

/// A word of the language; it has no meaning for Rust.
#[derive(Clone, Copy, Debug)]
pub struct Word;
