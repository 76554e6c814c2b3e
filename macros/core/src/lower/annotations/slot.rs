//! Where a statement is, and the operations of its chain with what annotations put around each.

use damper_ir::Op;

/// The block that a statement is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::lower) enum Where {
    /// `layers`
    Top,
    /// `repeat`
    Repeat,
    /// `residual`
    Residual {
        /// Directly in a `repeat`.
        repeated: bool,
    },
    /// `shortcut`
    Shortcut,
    /// `parallel`
    Parallel,
    /// `if`
    When,
}

/// An operation of a chain, and what annotations put around it.
pub(in crate::lower) struct Slot {
    pub(in crate::lower) word: String,
    pub(in crate::lower) op: Op,
    pub(in crate::lower) before: Vec<Op>,
    pub(in crate::lower) after: Vec<Op>,
}

impl Slot {
    pub(in crate::lower) fn new(word: String, op: Op) -> Self {
        Self {
            word,
            op,
            before: Vec::new(),
            after: Vec::new(),
        }
    }
}
