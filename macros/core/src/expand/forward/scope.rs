//! The values of a block in the generated body: who uses them, when they are moved, when cloned.

use super::super::context::Context;
use super::merge::{arithmetic, cat, concat_axis, local};

use super::super::names;
use damper_ir::{Op, Source, Statement};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The values of the surroundings that a block uses.
pub(super) fn free(statements: &[Statement]) -> BTreeSet<&str> {
    let (mut found, mut bound) = (BTreeSet::new(), BTreeSet::new());
    for statement in statements {
        let used = statement.source.names().iter().map(String::as_str);
        let inside = statement.ops.iter().flat_map(free_of);
        found.extend(used.chain(inside).filter(|name| !bound.contains(name)));
        bound.insert(statement.name.as_str());
    }
    found
}

/// The values of the surroundings that an operation uses.
pub(super) fn free_of(op: &Op) -> BTreeSet<&str> {
    let blocks = op.kind.templates().flat_map(|(_, block)| free(block));
    blocks.chain(op.kind.reads()).collect()
}

/// The indices of the statements that use a value by its name, one for each use, the first one first.
type Uses<'s> = HashMap<&'s str, Vec<usize>>;

/// Counted once: to look after every statement would take the square of their number.
fn uses(statements: &[Statement]) -> Uses<'_> {
    let mut uses = Uses::new();
    for (index, statement) in statements.iter().enumerate() {
        let inside = statement.ops.iter().flat_map(free_of);
        for name in statement
            .source
            .names()
            .iter()
            .map(String::as_str)
            .chain(inside)
        {
            uses.entry(name).or_default().push(index);
        }
    }
    uses
}

/// A function being written.
pub(super) struct Body<'c> {
    pub(super) cx: &'c Context<'c>,
    pub(super) krate: &'c TokenStream,
    /// Every statement without a source takes the input.
    parallel: bool,
    pub(super) pass: Ident,
    values: BTreeMap<String, Local>,
    /// The uses that are still to come, by name.
    ahead: Vec<String>,
    names: BTreeSet<String>,
    /// Uses of the input by `Previous`: by the first statement, in a `parallel` by any.
    pub(super) leading: usize,
}

/// A value in scope.
struct Local {
    name: Ident,
    /// Of the surroundings.
    borrowed: bool,
    left: usize,
}

impl<'c> Body<'c> {
    /// A body with these statements; `after` are the values used after them.
    pub(super) fn new(
        cx: &'c Context<'c>,
        pass: Ident,
        statements: &[Statement],
        after: &[&str],
        parallel: bool,
    ) -> Self {
        let mut ahead = Vec::new();
        let mut leading = 0;
        let mut previous: Option<&str> = None;
        for statement in statements {
            match (&statement.source, previous) {
                (Source::Previous, Some(previous)) if !parallel => ahead.push(previous.to_owned()),
                (Source::Previous, _) => leading += 1,
                _ => ahead.extend_from_slice(statement.source.names()),
            }
            ahead.extend(statement.ops.iter().flat_map(free_of).map(str::to_owned));
            previous = Some(&statement.name);
        }
        ahead.extend(after.iter().map(|name| (*name).to_owned()));
        let names = statements
            .iter()
            .map(|statement| statement.name.clone())
            .collect();
        Self {
            cx,
            krate: cx.krate,
            parallel,
            pass,
            values: BTreeMap::new(),
            ahead,
            names,
            leading,
        }
    }

    /// Adds a parameter.
    pub(super) fn define(&mut self, name: &str, local: Ident, borrowed: bool) {
        self.names.insert(local.to_string());
        self.values.insert(
            name.to_owned(),
            Local {
                name: local,
                borrowed,
                left: 0,
            },
        );
    }

    /// Counts how often every parameter will be used; the first statement begins with `first`.
    pub(super) fn recount(&mut self, first: &str) {
        for _ in 0..self.leading {
            self.ahead.insert(0, first.to_owned());
        }
        for (name, value) in &mut self.values {
            value.left = self.ahead.iter().filter(|used| *used == name).count();
        }
    }

    pub(super) fn fresh(&self, wanted: &str) -> Ident {
        let taken: Vec<&str> = self.names.iter().map(String::as_str).collect();
        names::fresh(wanted, &taken)
    }

    /// One use of a value as an owned one.
    pub(super) fn take(&mut self, name: &str) -> TokenStream {
        let Some(value) = self.values.get_mut(name) else {
            let local = local(name);
            return quote!(#local);
        };
        value.left = value.left.saturating_sub(1);
        let local = &value.name;
        if value.borrowed || value.left > 0 {
            quote!(#local.clone())
        } else {
            quote!(#local)
        }
    }

    /// One use of each value as a borrowed one.
    pub(super) fn borrow(&mut self, names: &BTreeSet<&str>) -> Vec<TokenStream> {
        let mut lent = Vec::new();
        for name in names {
            let Some(value) = self.values.get_mut(*name) else {
                continue;
            };
            value.left = value.left.saturating_sub(1);
            let local = &value.name;
            lent.push(if value.borrowed {
                quote!(#local)
            } else {
                quote!(&#local)
            });
        }
        lent
    }

    /// All statements: the lines, the last value as an expression, and the local it may be put in.
    pub(super) fn statements(
        &mut self,
        statements: &[Statement],
        first: &str,
    ) -> (TokenStream, TokenStream, Ident) {
        let pass = self.pass.clone();
        let mut lines = TokenStream::new();
        let mut previous = first.to_owned();
        let uses = uses(statements);
        for (index, statement) in statements.iter().enumerate() {
            let name = statement.name.as_str();
            let local = local(name);
            let mut value = self.source(statement, &previous);
            // It borrows the pass, which is borrowed again below.
            if let Source::SampleNormal(_) = &statement.source {
                lines.extend(quote!(let #local = #value;));
                value = quote!(#local);
            }
            let mut ops = statement.ops.as_slice();
            while let Some((line, rest)) = self.next(ops, &local, &value) {
                lines.extend(line);
                value = quote!(#local);
                ops = rest;
            }
            let seen = if self.cx.is_indices(statement.id) {
                value
            } else {
                quote!(#pass.see(#name, #value))
            };
            if index + 1 == statements.len() && !self.parallel {
                return (lines, seen, local);
            }
            lines.extend(quote!(let #local = #seen;));
            let left = self.ahead_of(statements, index, &uses);
            self.values.insert(
                name.to_owned(),
                Local {
                    name: local,
                    borrowed: false,
                    left,
                },
            );
            if !self.parallel {
                name.clone_into(&mut previous);
            }
        }
        if self.parallel {
            return (lines, TokenStream::new(), self.fresh("output"));
        }
        let input = self.take(first);
        (lines, input, self.fresh("output"))
    }

    /// How often the value of statement `index` is used after it.
    pub(super) fn ahead_of(
        &self,
        statements: &[Statement],
        index: usize,
        uses: &Uses<'_>,
    ) -> usize {
        // In a `parallel`, the merge takes every value once.
        let as_previous = self.parallel
            || statements
                .get(index + 1)
                .is_some_and(|next| matches!(next.source, Source::Previous));
        let named = statements
            .get(index)
            .and_then(|statement| uses.get(statement.name.as_str()))
            .map_or(0, |places| {
                places.len() - places.partition_point(|place| *place <= index)
            });
        usize::from(as_previous) + named
    }

    /// What a statement begins with.
    pub(super) fn source(&mut self, statement: &Statement, previous: &str) -> TokenStream {
        let names = statement.source.names();
        let values: Vec<TokenStream> = names.iter().map(|name| self.take(name)).collect();
        let operator = match &statement.source {
            Source::Previous => return self.take(previous),
            Source::From(_) => return values.into_iter().collect(),
            Source::Concat(_) | Source::ConcatTime(_) => {
                return cat(&values, concat_axis(self.cx, statement.id));
            }
            Source::Matmul(_) => {
                let [first, second] = values.as_slice() else {
                    return TokenStream::new();
                };
                return quote!(#first.matmul(#second));
            }
            Source::SampleNormal(_) => {
                let (krate, pass) = (self.krate, &self.pass);
                return quote!(#krate::layer::sample_normal(#(#values,)* #pass));
            }
            Source::Add(_) => '+',
            Source::Sub(_) => '-',
            Source::Mul(_) => '*',
            Source::Div(_) => '/',
        };
        arithmetic(self.cx, statement.id, operator, &values)
    }
}
