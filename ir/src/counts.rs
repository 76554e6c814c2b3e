//! How much a model holds and how much it computes.

use crate::parameters::{has_lengths, lengths, of_op};
use crate::walk::{DEEPEST, LONGEST_PATH};
use crate::{Inferred, Model, Op, OpKind, Role, RuleKind, Shape, Statement};

/// Sizes of a model or of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Numbers in weights, biases, gains, shifts and slopes; running statistics are not counted.
    pub parameters: usize,
    /// Those of them that training changes.
    pub trained: usize,
    /// Multiplications with an addition in matrix products, per sample.
    pub multiply_accumulates: usize,
    /// Numbers that operations give, per sample: what a training step keeps for the backward pass.
    pub activations: usize,
    /// Whether something could not be counted (an unknown size, a `custom` module).
    pub incomplete: bool,
}

impl Counts {
    /// Floating-point operations of the matrix products, per sample: one multiplication and one addition for each
    /// multiply-accumulate. Activations, normalizations and poolings are not counted.
    pub const fn flops(&self) -> usize {
        self.multiply_accumulates.saturating_mul(2)
    }

    /// Bytes of the weights and of what the operations give for one sample, in `f32`. Gradients, the optimizer's state
    /// and running statistics are not counted.
    pub const fn memory(&self) -> usize {
        self.parameters
            .saturating_add(self.activations)
            .saturating_mul(4)
    }

    pub(crate) fn add(&mut self, other: Self, times: usize) {
        let more =
            |sum: &mut usize, value: usize| *sum = sum.saturating_add(value.saturating_mul(times));
        more(&mut self.parameters, other.parameters);
        more(&mut self.trained, other.trained);
        more(&mut self.multiply_accumulates, other.multiply_accumulates);
        more(&mut self.activations, other.activations);
        self.incomplete |= other.incomplete;
    }
}

/// The sizes of each statement by its path, without the blocks inside it, all copies included.
pub(crate) fn by_layer(model: &Model, inferred: &Inferred) -> Vec<(String, Counts)> {
    let mut all = Vec::new();
    each_layer(&model.layers, inferred, &mut Vec::new(), 1, &mut all);
    all
}

fn each_layer<'m>(
    statements: &'m [Statement],
    inferred: &Inferred,
    path: &mut Vec<&'m str>,
    copies: usize,
    all: &mut Vec<(String, Counts)>,
) {
    if path.len() > LONGEST_PATH {
        return;
    }
    for statement in statements {
        path.push(&statement.name);
        let mut own = Counts::default();
        for op in &statement.ops {
            own.add(of_itself(op, inferred, 0), copies);
        }
        all.push((path.join("."), own));
        for op in &statement.ops {
            let copies = copies.saturating_mul(op.kind.copies());
            for (name, block) in op.kind.blocks() {
                path.extend(name);
                each_layer(block, inferred, path, copies, all);
                if name.is_some() {
                    path.pop();
                }
            }
        }
        path.pop();
    }
}

pub(crate) fn of_block(statements: &[Statement], inferred: &Inferred, depth: usize) -> Counts {
    let mut counts = Counts::default();
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        counts.add(of(op, inferred, depth), 1);
    }
    counts
}

pub(crate) fn of(op: &Op, inferred: &Inferred, depth: usize) -> Counts {
    let mut counts = of_itself(op, inferred, depth);
    if depth > DEEPEST {
        return counts;
    }
    for (_, block) in op.kind.blocks() {
        counts.add(of_block(block, inferred, depth + 1), op.kind.copies());
    }
    counts
}

/// An operation without the contents of its blocks.
fn of_itself(op: &Op, inferred: &Inferred, depth: usize) -> Counts {
    let mut counts = Counts::default();
    if depth > DEEPEST {
        return Counts {
            incomplete: true,
            ..counts
        };
    }
    let (input, output) = (inferred.input_of(op.id), inferred.output_of(op.id));
    let memory = inferred.memory_of(op.id);
    let given = output.and_then(Shape::elements);
    match &op.kind {
        OpKind::Use(_) | OpKind::When { .. } => return counts,
        OpKind::Repeat { times, .. } => {
            counts.incomplete |= times.size().is_none();
            return counts;
        }
        OpKind::Model {
            model: Some(model), ..
        } => {
            counts.add(of_block(&model.layers, &model.shapes(depth), depth + 1), 1);
            return counts;
        }
        OpKind::Model { model: None, .. } | OpKind::Custom { .. } => counts.incomplete = true,
        kind => match kind
            .operation()
            .and_then(|operation| operation.products_with(input, output, memory))
            .or_else(|| kind.operation().is_none().then_some(0))
        {
            Some(products) => counts.multiply_accumulates = products,
            None => counts.incomplete = true,
        },
    }
    match given {
        Some(given) => counts.activations = counts.activations.saturating_add(given),
        None => counts.incomplete = true,
    }
    let frozen = op
        .rules
        .iter()
        .any(|rule| matches!(rule.kind, RuleKind::Freeze));
    let mut inside = of_op(op, inferred);
    if has_lengths(op.rules.iter()) {
        let lengths = lengths(op, &inside);
        inside.extend(lengths);
    }
    for one in inside {
        if one.role == Role::Running {
            continue;
        }
        match Shape(one.axes).elements() {
            Some(count) => {
                counts.parameters = counts.parameters.saturating_add(count);
                counts.trained = counts
                    .trained
                    .saturating_add(if frozen { 0 } else { count });
            }
            None => counts.incomplete = true,
        }
    }
    counts
}
