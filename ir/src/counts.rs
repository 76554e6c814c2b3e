//! How much a model holds and how much it computes.

use crate::infer::{DEEPEST, LONGEST_PATH};
use crate::parameters::{has_lengths, lengths, of_op};
use crate::walk::SHORTCUT;
use crate::{Id, Inferred, Model, Op, OpKind, Role, RuleKind, Shape, Statement};

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
    /// multiply-accumulate. Activations, normalisations and poolings are not counted.
    pub const fn flops(&self) -> usize {
        self.multiply_accumulates.saturating_mul(2)
    }

    /// Bytes of the weights and of what the operations give for one sample, in `f32`. Gradients, the optimiser's state
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

impl Model {
    /// The sizes of the whole model, all copies of every `repeat` included.
    pub fn counts(&self) -> Counts {
        of_block(&self.layers, &self.shapes(0), 0)
    }

    /// The sizes of one operation (a block with all that is inside); `None` if there is no such operation.
    pub fn counts_of(&self, op: Id) -> Option<Counts> {
        let inferred = self.shapes(0);
        let mut found = None;
        crate::walk::each_op(&self.layers, &mut |_, other| {
            if other.id == op {
                found = Some(of(other, &inferred, 0));
            }
        });
        found
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
            match &op.kind {
                OpKind::Residual { body, shortcut, .. } => {
                    each_layer(body, inferred, path, copies, all);
                    path.push(SHORTCUT);
                    each_layer(shortcut, inferred, path, copies, all);
                    path.pop();
                }
                OpKind::Repeat { times, body } => {
                    let copies = copies.saturating_mul(times.size().unwrap_or(1));
                    each_layer(body, inferred, path, copies, all);
                }
                OpKind::Parallel { body, .. } => each_layer(body, inferred, path, copies, all),
                _ => {}
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
    match &op.kind {
        OpKind::Residual { body, shortcut, .. } => {
            counts.add(of_block(body, inferred, depth + 1), 1);
            counts.add(of_block(shortcut, inferred, depth + 1), 1);
        }
        OpKind::Repeat { times, body } => {
            let copies = times.size().unwrap_or(1);
            counts.add(of_block(body, inferred, depth + 1), copies);
        }
        OpKind::Parallel { body, .. } => counts.add(of_block(body, inferred, depth + 1), 1),
        _ => {}
    }
    counts
}

/// An operation without what stands inside its block.
fn of_itself(op: &Op, inferred: &Inferred, depth: usize) -> Counts {
    let mut counts = Counts::default();
    if depth > DEEPEST {
        return Counts {
            incomplete: true,
            ..counts
        };
    }
    let (input, output) = (inferred.input_of(op.id), inferred.output_of(op.id));
    let given = output.and_then(Shape::elements);
    match &op.kind {
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
        kind => match products(kind, input, output) {
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
    let mut inside = of_op(op, input, output);
    if has_lengths(op.rules.iter()) {
        let lengths = lengths(op, &inside);
        inside.extend(lengths);
    }
    for (_, role, shape) in inside {
        if role == Role::Running {
            continue;
        }
        match Shape(shape).elements() {
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

/// The multiplications with an addition of one operation, per sample; `None` if a size is not known.
fn products(kind: &OpKind, input: Option<&Shape>, output: Option<&Shape>) -> Option<usize> {
    let times = |factors: &[usize]| {
        factors
            .iter()
            .fold(1_usize, |product, factor| product.saturating_mul(*factor))
    };
    let features = || input.and_then(Shape::features);
    match kind {
        OpKind::Linear { .. } => Some(times(&[features()?, output?.elements()?])),
        OpKind::Swiglu { .. } => Some(times(&[2, features()?, output?.elements()?])),
        OpKind::Conv(conv) => {
            let window = Shape(conv.kernel_sizes()).elements()?;
            let (taken, given) = (input?, output?);
            // Every number that comes out (transposed: that comes in) meets one kernel for each channel of its
            // group on the other side.
            let (here, other) = if conv.transposed {
                (taken.elements()?, given.channels()?)
            } else {
                (given.elements()?, taken.channels()?)
            };
            let group = if conv.depthwise {
                1
            } else {
                other / conv.groups.size().filter(|groups| *groups > 0)?
            };
            Some(times(&[here, group, window]))
        }
        OpKind::Recurrent(layer) => {
            let (time, hidden) = (input?.channels()?, layer.hidden.size()?);
            let directions = if layer.bidirectional.is_true()? { 2 } else { 1 };
            let width = hidden.saturating_mul(layer.cell.gates());
            let first = features()?.saturating_add(hidden);
            let other = hidden.saturating_mul(directions).saturating_add(hidden);
            let others = layer.layers.size()?.saturating_sub(1);
            let rows = first.saturating_add(other.saturating_mul(others));
            Some(times(&[time, directions, width, rows]))
        }
        OpKind::Attention { .. } => {
            let (time, features) = (input?.channels()?, features()?);
            let projections = times(&[4, time, features, features]);
            Some(projections.saturating_add(times(&[2, time, time, features])))
        }
        // A look-up in a table multiplies nothing.
        OpKind::Embedding { .. }
        | OpKind::Positional { .. }
        | OpKind::ClassToken
        | OpKind::Activation(_)
        | OpKind::BatchNorm { .. }
        | OpKind::LayerNorm { .. }
        | OpKind::GroupNorm { .. }
        | OpKind::InstanceNorm { .. }
        | OpKind::RmsNorm { .. }
        | OpKind::Pool(_)
        | OpKind::GlobalPool(_)
        | OpKind::Flatten
        | OpKind::Reshape { .. }
        | OpKind::ToSequence
        | OpKind::Transpose
        | OpKind::Step { .. }
        | OpKind::Reduce { .. }
        | OpKind::Stochastic(_)
        | OpKind::Activity { .. }
        | OpKind::Custom { .. }
        | OpKind::Model { .. }
        | OpKind::Residual { .. }
        | OpKind::Repeat { .. }
        | OpKind::Parallel { .. } => Some(0),
    }
}
