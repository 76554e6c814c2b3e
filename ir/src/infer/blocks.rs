//! The shapes of blocks: `residual`, `repeat`, `parallel`.

use super::Walk;
use super::source::Joint;
use super::value_info::{ValueInfo, merged};
use crate::op::blocks::{Merge, SHORTCUT};
use crate::shape::{self, Layout};
use crate::{Finding, Id, Op, OpKind, Statement};
use std::collections::HashMap;

impl<'m> Walk<'m> {
    /// The value of an operation that holds blocks; `None` if it is not known.
    pub(super) fn blocks_of(&mut self, op: &'m Op, from: &ValueInfo<'m>) -> Option<ValueInfo<'m>> {
        let id = op.id;
        if from.indices && !matches!(op.kind, OpKind::Parallel { .. } | OpKind::Use(_)) {
            self.indices(op, from);
            return None;
        }
        match &op.kind {
            OpKind::Residual { body, shortcut, .. } => self.residual(id, body, shortcut, from),
            OpKind::Repeat {
                times,
                index,
                body,
                copies,
                ..
            } => {
                self.size(times, id, "the number of copies of `repeat`");
                if body.is_empty() {
                    self.error(
                        Finding::error(id, "this `repeat` has an empty block")
                            .help("repeat(2) { linear(64) -> relu; }"),
                    );
                    return None;
                }
                if index.is_some() || !copies.is_empty() {
                    return self.grow(op, from);
                }
                self.repeat(op, body, from)
            }
            OpKind::Use(one) => self.used(op, one, from),
            OpKind::When { condition, body } => self.when(op, condition, body, from),
            OpKind::Parallel { body, merge } => self.parallel(id, body, *merge, from),
            _ => None,
        }
    }

    fn residual(
        &mut self,
        id: Id,
        body: &'m [Statement],
        shortcut: &'m [Statement],
        from: &ValueInfo<'m>,
    ) -> Option<ValueInfo<'m>> {
        if body.is_empty() {
            self.error(
                Finding::error(id, "this `residual` has an empty branch")
                    .help("residual { linear(64) -> relu -> linear(64); }"),
            );
            return None;
        }
        let branch = self.block(body, from);
        self.path.push(SHORTCUT);
        let other = self.block(shortcut, from);
        self.path.pop();
        let written = !shortcut.is_empty();
        let given = branch.assumed(other.shape.clone());
        let kept = other.assumed(given.clone());
        let (Some(given), Some(kept)) = (&given, &kept) else {
            let like = branch.like.or(other.like)?;
            return Some(ValueInfo {
                like: Some(like),
                ..ValueInfo::unknown(from.name)
            });
        };
        let Some(layout) = branch.layout.unify(other.layout) else {
            let what = |layout| match layout {
                Layout::Channels => "channels first",
                _ => "[time, features]",
            };
            let message = format!(
                "`residual` adds values of one layout: the branch gives {}, the {} {}",
                what(branch.layout),
                if written {
                    "shortcut gives"
                } else {
                    "input is"
                },
                what(other.layout)
            );
            self.error(Finding::error(id, message).help("end the branch with `transpose`"));
            return None;
        };
        let shape = shape::residual(given, kept, layout, written)
            .map_err(|shape_error| self.shape_error(id, shape_error, None))
            .ok();
        let padding = merged(&[branch, other]);
        Some(ValueInfo {
            shape,
            layout,
            padding,
            ..ValueInfo::unknown(from.name)
        })
    }

    /// The value of a `repeat` whose copies are alike; one whose block changes the shape has copies of their own.
    fn repeat(
        &mut self,
        op: &'m Op,
        body: &'m [Statement],
        from: &ValueInfo<'m>,
    ) -> Option<ValueInfo<'m>> {
        let before = self.out.findings.len();
        let mut last = self.block(body, from);
        if last.shape.is_some() && last.layout != from.layout {
            if from.layout == Layout::Features {
                // The second copy takes what the first one gives: it says what an open input was.
                self.out.findings.truncate(before);
                let read = ValueInfo {
                    layout: last.layout,
                    ..from.clone()
                };
                last = self.block(body, &read);
            } else {
                self.error(
                    Finding::error(op.id, "`repeat` wants a block that keeps the layout: the second copy takes the axes in another order")
                        .help("end the block with `transpose`, or write its copies out"),
                );
                return None;
            }
        }
        let taken = from.assumed(last.shape.clone());
        let given = last.assumed(taken.clone());
        let (Some(taken), Some(given)) = (&taken, &given) else {
            let like = from.like.or(last.like)?;
            return Some(ValueInfo {
                like: Some(like),
                ..ValueInfo::unknown(from.name)
            });
        };
        match shape::repeat(taken, given) {
            Ok(Some(shape)) => Some(ValueInfo {
                shape: Some(shape),
                ..last
            }),
            Ok(None) => {
                self.out.findings.truncate(before);
                self.grow(op, from)
            }
            Err(shape_error) => {
                self.shape_error(op.id, shape_error, None);
                None
            }
        }
    }

    fn parallel(
        &mut self,
        id: Id,
        body: &'m [Statement],
        merge: Merge,
        from: &ValueInfo<'m>,
    ) -> Option<ValueInfo<'m>> {
        if body.len() < 2 {
            self.error(
                Finding::error(
                    id,
                    format!(
                        "`parallel` wants at least two branches, here is {}",
                        body.len()
                    ),
                )
                .help("parallel { a: linear(32); b: linear(32); } -> concat"),
            );
        }
        let last = self.branches(body, from);
        if last.len() < 2 {
            return None;
        }
        let joint = match merge {
            Merge::Concat => Joint::Features,
            Merge::Add | Merge::Mul => Joint::Spread,
        };
        let merged = self.merge(id, merge.word(), joint, &last);
        (merged.shape.is_some() || merged.like.is_some()).then_some(merged)
    }

    /// The values of the branches of a `parallel`.
    fn branches(&mut self, body: &'m [Statement], from: &ValueInfo<'m>) -> Vec<ValueInfo<'m>> {
        self.scopes.push(HashMap::new());
        self.units.push(from.units());
        self.statements(body, from, true);
        self.units.pop();
        let scope = self.scopes.pop().unwrap_or_default();
        body.iter()
            .filter_map(|statement| scope.get(statement.name.as_str()).cloned())
            .collect()
    }

    pub(super) fn block(
        &mut self,
        statements: &'m [Statement],
        from: &ValueInfo<'m>,
    ) -> ValueInfo<'m> {
        self.scopes.push(HashMap::new());
        self.units.push(from.units());
        let last = self.statements(statements, from, false);
        self.units.pop();
        self.scopes.pop();
        last
    }
}
