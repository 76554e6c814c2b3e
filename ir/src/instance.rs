//! Blocks as they are used: their statements with numbers in the place of formulas.
//!
//! A declared block, and a `repeat` whose copies differ, are written once and become what each use makes of them. The description
//! that is saved has them as they were written.

use crate::formula::{Names, NoResult, Outcome};
use crate::{Formula, Id, OpKind, Statement, Value};
use std::cell::OnceCell;
use std::collections::HashMap;

/// Makes copies of statements, each with ids of its own.
#[derive(Debug, Default)]
pub(crate) struct Copier {
    /// The last id that was given.
    last: u32,
    /// What each thing is a copy of.
    pub(crate) origins: HashMap<Id, Id>,
}

/// A formula that has no number: where it is written, and why.
pub(crate) type Broken = (Id, NoResult);

impl Copier {
    /// A copier for statements with ids up to `last`.
    pub(crate) fn new(last: u32) -> Self {
        Self {
            last,
            origins: HashMap::new(),
        }
    }

    fn fresh(&mut self, of: Id) -> Id {
        if of.is_none() {
            return of;
        }
        self.last = self.last.saturating_add(1);
        let id = Id(self.last);
        self.origins.insert(id, of);
        id
    }

    /// The statements with what the names mean. Formulas that have other names are left for the `repeat` that binds them.
    pub(crate) fn copy(
        &mut self,
        statements: &[Statement],
        names: &Names,
        formulas: &[Formula],
        broken: &mut Vec<Broken>,
    ) -> Vec<Statement> {
        let mut made = statements.to_vec();
        self.settle(&mut made, names, formulas, broken);
        made
    }

    fn settle(
        &mut self,
        statements: &mut [Statement],
        names: &Names,
        formulas: &[Formula],
        broken: &mut Vec<Broken>,
    ) {
        for statement in statements {
            statement.id = self.fresh(statement.id);
            statement.source_id = self.fresh(statement.source_id);
            for op in &mut statement.ops {
                op.id = self.fresh(op.id);
                let mut value = |value: &mut Value| settle(value, names, formulas, broken);
                op.kind.each_value_mut(&mut value);
                for rule in &mut op.rules {
                    rule.kind.each_value_mut(&mut value);
                }
                if let OpKind::Repeat { bound, .. } = &mut op.kind {
                    for (name, number) in names {
                        bound.entry(name.clone()).or_insert(*number);
                    }
                }
                for block in op.kind.blocks_mut() {
                    self.settle(block, names, formulas, broken);
                }
            }
        }
    }
}

fn settle(value: &mut Value, names: &Names, formulas: &[Formula], broken: &mut Vec<Broken>) {
    let Some(formula) = value.formula else { return };
    let formula = formulas.get(formula as usize);
    match formula.map_or(Outcome::Unknown, |formula| formula.of(names)) {
        Outcome::Number(number) => value.known = Some(number),
        Outcome::Open => return,
        Outcome::Unknown => {}
        Outcome::Broken(why) => broken.push((value.id, why)),
    }
    value.formula = None;
}

/// Holds what a walk makes as long as the walk lasts.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    here: [OnceCell<T>; 16],
    more: OnceCell<Box<Self>>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            here: Default::default(),
            more: OnceCell::new(),
        }
    }
}

impl<T> Arena<T> {
    /// Keeps a value; `at` moves on to where there is room.
    pub(crate) fn keep<'a>(at: &mut &'a Self, value: T) -> &'a T {
        loop {
            let arena = *at;
            for cell in &arena.here {
                if cell.get().is_none() {
                    return cell.get_or_init(|| value);
                }
            }
            *at = arena.more.get_or_init(Box::default);
        }
    }
}

/// The largest id in the statements.
pub(crate) fn largest_id(statements: &[Statement]) -> u32 {
    let mut largest = 0;
    for statement in statements {
        largest = largest.max(statement.id.0).max(statement.source_id.0);
        for op in &statement.ops {
            largest = largest.max(op.id.0);
            for block in op.kind.all_blocks() {
                largest = largest.max(largest_id(block));
            }
        }
    }
    largest
}
