//! One way through all operations of a description, blocks included; a `repeat`'s block once.

use crate::{Id, Model, Op, OpKind, Statement, Value};
use std::fmt;

/// Blocks and models inside one another, at most.
///
/// A description is read again as JSON, of which `serde_json` reads 128 levels: a block takes six of them.
pub(crate) const DEEPEST: usize = 16;

/// Names in a path, at most: a block's statement, and `shortcut` where it is one.
pub(crate) const LONGEST_PATH: usize = 2 * DEEPEST;

/// Operations after all repeats are written out, at most.
pub(crate) const MOST_OPS: usize = 100_000;

/// The names of the statements around an operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place<'m> {
    pub(crate) names: Vec<&'m str>,
}

impl Place<'_> {
    /// `stage1.block`
    pub(crate) fn path(&self) -> String {
        self.names.join(".")
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&place(&self.names))
    }
}

/// Calls `visit` with every statement.
pub(crate) fn each_statement<'m>(
    statements: &'m [Statement],
    visit: &mut dyn FnMut(&Place<'m>, &'m Statement),
) {
    inside(statements, &mut Place::default(), visit);
}

fn inside<'m>(
    statements: &'m [Statement],
    place: &mut Place<'m>,
    visit: &mut dyn FnMut(&Place<'m>, &'m Statement),
) {
    if place.names.len() > LONGEST_PATH {
        return;
    }
    for statement in statements {
        place.names.push(&statement.name);
        visit(place, statement);
        for op in &statement.ops {
            for (name, block) in op.kind.blocks() {
                place.names.extend(name);
                inside(block, place, visit);
                if name.is_some() {
                    place.names.pop();
                }
            }
        }
        place.names.pop();
    }
}

impl Model {
    /// Calls `visit` with the path and the statement of every statement, those of blocks included (of a `repeat` once):
    /// `stage1.block.shortcut.linear_1`.
    pub fn each_statement<'m>(&'m self, visit: &mut dyn FnMut(&str, &'m Statement)) {
        each_statement(&self.layers, &mut |place, statement| {
            visit(&place.path(), statement);
        });
    }

    /// Whether a layer is the user's own, here or in a nested model: nobody knows what such a layer does.
    pub fn has_custom(&self) -> bool {
        let mut found = false;
        each_op(&self.layers, &mut |_, op| {
            found |= match &op.kind {
                OpKind::Custom(_) => true,
                OpKind::Model { model, .. } => {
                    model.as_ref().is_none_or(|model| model.has_custom())
                }
                _ => false,
            };
        });
        found
    }
}

/// Calls `visit` with every operation.
pub(crate) fn each_op<'m>(statements: &'m [Statement], visit: &mut dyn FnMut(&Place<'m>, &'m Op)) {
    each_statement(statements, &mut |place, statement| {
        for op in &statement.ops {
            visit(place, op);
        }
    });
}

/// Where a value was written; else the thing it belongs to.
pub(crate) fn at(value: &Value, or: Id) -> Id {
    if value.id.is_none() { or } else { value.id }
}

/// ``layer `stage1.block` ``, for messages without spans.
pub(crate) fn place(path: &[&str]) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("layer `{}`", path.join("."))
    }
}
