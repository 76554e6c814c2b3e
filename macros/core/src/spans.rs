//! The table from ids of the description to tokens.

use crate::ast::Ends;
use damper_ir::Id;
use proc_macro2::Span;

/// Where the things of a description are written.
#[derive(Default)]
pub struct Spans(Vec<Ends>);

impl Spans {
    /// A new id for these tokens.
    pub(crate) fn add(&mut self, ends: Ends) -> Id {
        self.0.push(ends);
        Id(u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }

    /// A new id for the tokens of another one.
    pub(crate) fn again(&mut self, id: Id) -> Id {
        self.add(self.get(id))
    }

    fn place(&self, id: Id) -> Option<Ends> {
        self.0.get((id.0 as usize).checked_sub(1)?).copied()
    }

    /// The first and the last span; the whole invocation for what was not written.
    pub fn get(&self, id: Id) -> Ends {
        self.place(id)
            .unwrap_or_else(|| (Span::call_site(), Span::call_site()))
    }

    /// The line on which it begins, if somebody wrote it.
    pub fn line(&self, id: Id) -> Option<usize> {
        self.place(id).map(|(first, _)| first.start().line)
    }
}
