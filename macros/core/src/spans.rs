//! The table from ids of the description to tokens.

use crate::ast::Ends;
use damper_spec::{Id, Level};
use proc_macro2::Span;

/// Where the things of a description stand, and which lint attributes surround them.
#[derive(Default)]
pub struct Spans {
    places: Vec<Place>,
    scopes: Vec<Scope>,
    scope: Option<usize>,
}

struct Place {
    ends: Ends,
    scope: Option<usize>,
}

struct Scope {
    parent: Option<usize>,
    lint: String,
    level: Level,
    line: usize,
}

impl Spans {
    /// A new id for these tokens.
    pub(crate) fn add(&mut self, ends: Ends) -> Id {
        self.places.push(Place {
            ends,
            scope: self.scope,
        });
        Id(u32::try_from(self.places.len()).unwrap_or(u32::MAX))
    }

    /// A new id for the tokens and the scope of another one.
    pub(crate) fn again(&mut self, id: Id) -> Id {
        let scope = self.place(id).map_or(self.scope, |place| place.scope);
        self.places.push(Place {
            ends: self.get(id),
            scope,
        });
        Id(u32::try_from(self.places.len()).unwrap_or(u32::MAX))
    }

    /// Enters the scope of a lint attribute; [`Spans::leave`] takes what [`Spans::scope`] gave before.
    pub(crate) fn enter(&mut self, lint: String, level: Level, at: Span) {
        self.scopes.push(Scope {
            parent: self.scope,
            lint,
            level,
            line: at.start().line,
        });
        self.scope = Some(self.scopes.len() - 1);
    }

    /// The innermost scope.
    pub(crate) fn scope(&self) -> Option<usize> {
        self.scope
    }

    /// Goes back to an outer scope.
    pub(crate) fn leave(&mut self, scope: Option<usize>) {
        self.scope = scope;
    }

    fn place(&self, id: Id) -> Option<&Place> {
        self.places.get((id.0 as usize).checked_sub(1)?)
    }

    /// The first and the last span; the whole invocation for what nobody wrote.
    pub fn get(&self, id: Id) -> Ends {
        self.place(id).map_or_else(
            || (Span::call_site(), Span::call_site()),
            |place| place.ends,
        )
    }

    /// The line on which it begins, if somebody wrote it.
    pub fn line(&self, id: Id) -> Option<usize> {
        self.place(id).map(|place| place.ends.0.start().line)
    }

    /// The innermost attribute around `id` that sets `lint` to `level`: its line.
    pub fn attribute(&self, id: Id, lint: &str, level: Level) -> Option<usize> {
        let mut scope = self.place(id)?.scope;
        while let Some(found) = scope.and_then(|at| self.scopes.get(at)) {
            if found.lint == lint {
                return (found.level == level).then_some(found.line);
            }
            scope = found.parent;
        }
        None
    }
}
