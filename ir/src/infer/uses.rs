//! What is written once and is something else at each place: declared blocks, the copies of a `repeat`, `if`.

use super::Walk;
use super::value_info::ValueInfo;
use crate::formula::Names;
use crate::instance::{Arena, Broken};
use crate::op::{Copy, Use};
use crate::shape;
use crate::walk::{MOST_OPS, operations};
use crate::{Block, BlockAxis, Finding, Id, Op, OpKind, Shape, Statement, Value};
use std::collections::{BTreeMap, HashMap};

const OTHER_AXES: &str = "a value with these axes, or another block";

/// What a walk made of an operation.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// The statements of a declared block for one use, and the name of its input.
    Body(Vec<Statement>, String),
    /// The copies of a `repeat`.
    Copies(Vec<Copy>),
}

/// What the walk made, to be put into the model.
pub(super) type AllMade = HashMap<Id, Made>;

/// Puts what a walk made into its operation.
pub(super) fn put(op: &mut Op, made: &mut AllMade) {
    match (&mut op.kind, made.remove(&op.id)) {
        (OpKind::Use(one), Some(Made::Body(body, input))) => {
            (one.body, one.input) = (body, input);
        }
        (OpKind::Repeat { copies, .. }, Some(Made::Copies(all))) => *copies = all,
        _ => {}
    }
}

impl<'m> Walk<'m> {
    /// The value of a declared block that is used.
    pub(super) fn used(
        &mut self,
        op: &'m Op,
        one: &'m Use,
        from: &ValueInfo<'m>,
    ) -> Option<ValueInfo<'m>> {
        let blocks = self.model.blocks.iter();
        // One that is not there was wrong, and has been reported.
        let block = blocks.into_iter().find(|block| block.name == one.block)?;
        if from.indices {
            self.indices(op, from);
            return None;
        }
        let mut names = self.sizes_of(op, block, from)?;
        for parameter in &block.parameters {
            let mut given = one.arguments.iter();
            let given = given.find(|(name, _)| *name == parameter.name);
            let value = given.map(|(_, value)| value).or(parameter.default.as_ref());
            names.insert(parameter.name.clone(), value.and_then(Value::float));
        }
        let body = if one.body.is_empty() {
            let body = self.made(op.id, &block.layers, &names)?;
            let made = Made::Body(body.to_vec(), block.input.clone());
            self.grown.insert(op.id, made);
            body
        } else {
            &one.body
        };
        let first = self.out.findings.len();
        // A block sees its input, and nothing of what is around its use.
        let scopes = std::mem::take(&mut self.scopes);
        let around = std::mem::take(&mut self.blocks);
        let input = ValueInfo {
            name: &block.input,
            ..from.clone()
        };
        self.scopes
            .push(HashMap::from([(block.input.as_str(), input.clone())]));
        self.units.push(from.units());
        let last = self.statements(body, &input, false);
        self.units.pop();
        self.scopes = scopes;
        self.blocks = around;
        let shape = from
            .shape
            .as_ref()
            .map_or_else(String::new, |shape| format!(" with {shape}"));
        for finding in &mut self.out.findings[first..] {
            if finding.other.is_none() {
                let text = format!("`{}` is used here{shape}", block.name);
                finding.other = Some((op.id, text));
            }
        }
        Some(ValueInfo {
            padding: None,
            ..last
        })
    }

    /// The sizes that arrive, by the names that the block has for them.
    fn sizes_of(&mut self, op: &Op, block: &Block, from: &ValueInfo<'m>) -> Option<Names> {
        let open = vec![None; block.axes.len()];
        let arrives = from.shape.as_ref().map_or(&open, |shape| &shape.0);
        if arrives.len() != block.axes.len() {
            let message = format!(
                "`{}` takes {}, this value is {} (from `{}`)",
                block.name,
                axes(block),
                Shape(arrives.clone()),
                from.name
            );
            let declared = (block.input_id, "its input is declared here");
            let finding = Finding::error(op.id, message).help(OTHER_AXES);
            self.error(finding.other(declared.0, declared.1));
            return None;
        }
        let mut names = BTreeMap::new();
        for (axis, size) in block.axes.iter().zip(arrives) {
            match axis {
                BlockAxis::Any(name) => {
                    names.insert(name.clone(), size.map(|size| size as f64));
                }
                BlockAxis::Size(value) => {
                    if let (Some(wanted), Some(size)) = (value.size(), size)
                        && wanted != *size
                    {
                        let message = format!(
                            "`{}` takes {}, this value is {} (from `{}`)",
                            block.name,
                            axes(block),
                            Shape(arrives.clone()),
                            from.name
                        );
                        let text = format!("its input is declared here with {wanted}");
                        let finding = Finding::error(op.id, message).help(OTHER_AXES);
                        self.error(finding.other(block.input_id, text));
                        return None;
                    }
                }
            }
        }
        Some(names)
    }

    /// A copy of the statements with what the names mean; `None` if one of its values is no number.
    fn made(
        &mut self,
        id: Id,
        statements: &'m [Statement],
        names: &Names,
    ) -> Option<&'m [Statement]> {
        self.operations = self
            .operations
            .saturating_add(operations(statements, 0, true).max(1));
        if self.operations > MOST_OPS {
            if self.operations != usize::MAX {
                self.operations = usize::MAX;
                let message = format!(
                    "the blocks and copies of the model come to more than {MOST_OPS} operations"
                );
                self.error(Finding::error(id, message).help("fewer copies"));
            }
            return None;
        }
        let mut broken: Vec<Broken> = Vec::new();
        let model = self.model;
        let made = self
            .copier
            .copy(statements, names, &model.formulas, &mut broken);
        let fine = broken.is_empty();
        for (at, why) in broken {
            let finding = Finding::error(at, why.why).help(why.help);
            self.error(finding.other(id, "with the values from here"));
        }
        fine.then(|| Arena::keep(&mut self.arena, made).as_slice())
    }

    /// The value of a `repeat` whose copies are made for what arrives at each.
    pub(super) fn grow(&mut self, op: &'m Op, from: &ValueInfo<'m>) -> Option<ValueInfo<'m>> {
        let OpKind::Repeat {
            times,
            index,
            body,
            copies,
            bound,
        } = &op.kind
        else {
            return None;
        };
        let known = times.size();
        let mut all: Vec<Copy> = Vec::new();
        let mut at = from.clone();
        for number in 0..known.unwrap_or(1) {
            let block = if let Some(copy) = copies.get(number) {
                copy.body.as_slice()
            } else {
                let mut names = bound.clone();
                if let Some(index) = index {
                    names.insert(index.clone(), known.map(|_| number as f64));
                }
                let made = self.made(op.id, body, &names)?;
                all.push(Copy {
                    name: number.to_string(),
                    body: made.to_vec(),
                });
                made
            };
            let first = self.out.findings.len();
            let name = Arena::keep(&mut self.numbers, number.to_string());
            self.path.push(name);
            let last = self.block(block, &at);
            self.path.pop();
            for finding in &mut self.out.findings[first..] {
                if finding.other.is_none() {
                    finding.other = Some((op.id, format!("in copy {number} of this `repeat`")));
                }
            }
            let ranks = (at.shape.as_ref(), last.shape.as_ref());
            if let (Some(before), Some(after)) = ranks
                && let Err(shape_error) = shape::repeat(before, after)
            {
                self.shape_error(op.id, shape_error, None);
                return None;
            }
            at = ValueInfo {
                name: from.name,
                ..last
            };
        }
        if copies.is_empty() {
            self.grown.insert(op.id, Made::Copies(all));
        }
        if known.is_none() {
            let rank = at.shape.as_ref().map(Shape::rank);
            at.shape = rank.map(|rank| Shape(vec![None; rank]));
        }
        Some(at)
    }

    /// The value of `if condition { .. }`.
    pub(super) fn when(
        &mut self,
        op: &'m Op,
        condition: &Value,
        body: &'m [Statement],
        from: &ValueInfo<'m>,
    ) -> Option<ValueInfo<'m>> {
        let first = self.out.findings.len();
        // Where the condition is false, the shapes inside are still asked for: how many axes they have is the same for all uses.
        let last = self.block(body, from);
        if condition.is_true() == Some(false) {
            self.out.findings.truncate(first);
            return Some(from.clone());
        }
        let (Some(before), Some(after)) = (&from.shape, &last.shape) else {
            return None;
        };
        if before.rank() != after.rank() {
            let message = format!(
                "`if` must keep the number of axes: what it holds makes {after} of {before}"
            );
            let help = "move what changes the number of axes out of the block";
            self.error(Finding::error(op.id, message).help(help));
            return None;
        }
        if condition.is_true().is_some() {
            return Some(last);
        }
        let axes = before.0.iter().zip(&after.0);
        let same = axes.map(|(one, other)| one.filter(|_| one == other));
        Some(ValueInfo {
            shape: Some(Shape(same.collect())),
            ..last
        })
    }
}

/// The input of a block as it is written.
fn axes(block: &Block) -> String {
    let axes: Vec<String> = block
        .axes
        .iter()
        .map(|axis| match axis {
            BlockAxis::Any(name) => name.clone(),
            BlockAxis::Size(value) => value.to_string(),
        })
        .collect();
    format!("[{}]", axes.join(", "))
}
