//! One way through all operations of a description, blocks included; a `repeat`'s block once.

use crate::op::Operation;
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

    /// Whether a layer is the user's own, here or in a nested model: what such a layer does is not known.
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

/// How many operations a block has after all repeats are written out: those of nested models, and each of stacked
/// recurrent layers, count too.
pub(crate) fn unrolled(statements: &[Statement], depth: usize) -> usize {
    operations(statements, depth, true)
}

/// The same, or with one copy of each `repeat`.
pub(crate) fn operations(statements: &[Statement], depth: usize, copies: bool) -> usize {
    let inside = |block: &[Statement]| operations(block, depth + 1, copies);
    let ops = statements.iter().flat_map(|statement| &statement.ops);
    ops.fold(0, |sum: usize, op| {
        sum.saturating_add(match &op.kind {
            _ if depth > DEEPEST => 1,
            OpKind::Residual { .. }
            | OpKind::Parallel { .. }
            | OpKind::Use(_)
            | OpKind::When { .. } => {
                let blocks = op.kind.blocks().map(|(_, block)| inside(block));
                blocks.fold(1, usize::saturating_add)
            }
            OpKind::Repeat { copies: differ, .. } if copies && !differ.is_empty() => {
                let all = differ.iter().map(|copy| inside(&copy.body).max(1));
                all.fold(0, usize::saturating_add)
            }
            OpKind::Repeat { times, body, .. } => {
                let copies = times.size().filter(|_| copies).unwrap_or(1);
                inside(body).max(1).saturating_mul(copies)
            }
            OpKind::Model {
                model: Some(model), ..
            } => inside(&model.layers).max(1),
            kind => kind.operation().map_or(1, Operation::operations),
        })
    })
}

/// Calls `edit` with every operation, blocks included.
pub(crate) fn each_op_mut(
    statements: &mut [Statement],
    depth: usize,
    edit: &mut dyn FnMut(&mut Op),
) {
    if depth > DEEPEST {
        return;
    }
    for op in statements
        .iter_mut()
        .flat_map(|statement| &mut statement.ops)
    {
        edit(op);
        for block in op.kind.blocks_mut() {
            each_op_mut(block, depth + 1, edit);
        }
    }
}

/// The `repeat` that makes the most operations: of those at one place the largest, also inside the largest block.
pub(crate) fn largest_repeat(statements: &[Statement]) -> Option<Id> {
    let ops = statements.iter().flat_map(|statement| &statement.ops);
    let largest = ops.max_by_key(|op| {
        let blocks = op.kind.blocks().map(|(_, block)| unrolled(block, 1));
        let all = blocks.fold(0, usize::saturating_add).max(1);
        all.saturating_mul(op.kind.copies())
    })?;
    if matches!(largest.kind, OpKind::Repeat { .. }) {
        return Some(largest.id);
    }
    let mut blocks = largest.kind.blocks();
    blocks.find_map(|(_, block)| largest_repeat(block))
}
