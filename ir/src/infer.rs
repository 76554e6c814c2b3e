//! The walk that gives every value its shape.

use crate::op::blocks::SHORTCUT;
use crate::op::{Embedding, Incoming, Linear, Operation};
use crate::shape::{self, Layout, Misfit};
use crate::walk::{DEEPEST, MOST_OPS, at, place};
use crate::{Finding, Id, InputKind, Model, Op, OpKind, Shape, Source, Statement, Value, suggest};
use std::collections::HashMap;

/// Unknown names for which others are suggested.
const MOST_EXPLAINED: usize = 64;

/// What [`Model::infer`] found out.
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    /// What does not fit, in the order of the walk.
    pub findings: Vec<Finding>,
    ops: HashMap<Id, Around>,
    statements: HashMap<Id, Shape>,
    paths: HashMap<String, Shape>,
    axes: HashMap<Id, usize>,
    output: Option<Shape>,
    output_layout: Layout,
    statements_like: HashMap<Id, Id>,
    output_like: Option<Id>,
}

/// What is known of the values before and behind an operation.
#[derive(Clone, Debug, Default)]
struct Around {
    input: Option<Shape>,
    output: Option<Shape>,
    layout: Layout,
    padding: Option<(String, usize)>,
    input_like: Option<Id>,
    output_like: Option<Id>,
}

impl Inferred {
    /// The shape that an operation gives; `None` if it is not known. All copies of a `repeat` are one.
    pub fn output_of(&self, op: Id) -> Option<&Shape> {
        self.ops.get(&op).and_then(|around| around.output.as_ref())
    }

    /// The shape that an operation takes; `None` if it is not known.
    pub fn input_of(&self, op: Id) -> Option<&Shape> {
        self.ops.get(&op).and_then(|around| around.input.as_ref())
    }

    /// The other model whose output has as many axes as what the operation takes, where only the compiler knows how
    /// many those are.
    pub fn input_like(&self, op: Id) -> Option<Id> {
        self.ops.get(&op).and_then(|around| around.input_like)
    }

    /// As [`Inferred::input_like`], for what the operation gives.
    pub fn output_of_like(&self, op: Id) -> Option<Id> {
        self.ops.get(&op).and_then(|around| around.output_like)
    }

    /// As [`Inferred::input_like`], for the value of a statement.
    pub fn statement_like(&self, statement: Id) -> Option<Id> {
        self.statements_like.get(&statement).copied()
    }

    /// As [`Inferred::input_like`], for the model's output.
    pub fn output_like(&self) -> Option<Id> {
        self.output_like
    }

    /// What the axes of the value mean that an operation takes.
    pub fn layout_of(&self, op: Id) -> Layout {
        self.ops
            .get(&op)
            .map_or(Layout::Features, |around| around.layout)
    }

    /// What the axes of the model's output mean.
    pub fn output_layout(&self) -> Layout {
        self.output_layout
    }

    /// The axis of one sample along which a `concat` joins its values: the channels of feature maps, else the last.
    /// `id` is that of the statement (or its source) that begins with `concat(..)`, or of the `parallel` that ends
    /// with it; `None` for all others.
    pub fn concat_axis(&self, id: Id) -> Option<usize> {
        self.axes.get(&id).copied()
    }

    /// Where the steps that an operation takes come from, if some of them are padding: the name of the input
    /// `of int(pad = ..)`, and how many steps were put before its own (`class_token`).
    ///
    /// Known for recurrent layers, `attention`, steps and reductions over time, as far as only operations that keep
    /// the time axis stand between: not behind `transpose`, `reshape` or another model.
    pub fn padding_of(&self, op: Id) -> Option<(&str, usize)> {
        let (name, before) = self.ops.get(&op)?.padding.as_ref()?;
        Some((name, *before))
    }

    /// The shape of a statement's value. Statements have ids in the macro only; at run time ask for its path.
    pub fn statement(&self, statement: Id) -> Option<&Shape> {
        self.statements
            .get(&statement)
            .filter(|_| !statement.is_none())
    }

    /// The shape of the value of a statement, by its path: `stage1.block`, `stage1.block.shortcut.linear`.
    pub fn value_of(&self, path: &str) -> Option<&Shape> {
        self.paths.get(path)
    }

    /// The shape of the model's output, without the batch axis.
    pub fn output(&self) -> Option<&Shape> {
        self.output.as_ref()
    }

    /// Which axis of one sample's output holds the classes or values of one target.
    pub fn class_axis(&self) -> usize {
        self.output
            .as_ref()
            .map_or(0, |shape| self.output_layout.class_axis(shape.rank()))
    }

    /// How many classes or values one target has.
    pub(crate) fn output_units(&self) -> Option<usize> {
        let axes = &self.output.as_ref()?.0;
        axes.get(self.class_axis()).copied().flatten()
    }

    pub(crate) fn failed(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.level == crate::Level::Deny)
    }
}

/// A value on its way: its shape, if it is known, and the name it has in messages.
#[derive(Clone, Debug)]
struct Flow<'m> {
    shape: Option<Shape>,
    name: &'m str,
    /// What the axes mean.
    layout: Layout,
    /// Class indices, which only an embedding reads.
    indices: bool,
    /// How many classes the indices are of, if that was declared.
    vocab: Option<usize>,
    /// The input whose padded steps these are, and the steps before them.
    padding: Option<(&'m str, usize)>,
    /// Where the shape is unknown because of another model: it has as many axes as that one's output.
    like: Option<Id>,
}

impl<'m> Flow<'m> {
    /// Its shape; behind another model, the one that is assumed of it.
    fn assumed(&self, shape: Option<Shape>) -> Option<Shape> {
        self.shape
            .clone()
            .or_else(|| shape.filter(|_| self.like.is_some()))
    }

    fn unknown(name: &'m str) -> Self {
        Self {
            shape: None,
            name,
            layout: Layout::Features,
            indices: false,
            vocab: None,
            padding: None,
            like: None,
        }
    }

    /// The size of the axis that `linear(same)` restores.
    fn units(&self) -> Option<usize> {
        let shape = self.shape.as_ref()?;
        let axis = self.layout.class_axis(shape.rank());
        shape.0.get(axis).copied().flatten()
    }
}

/// The padding of values that become one.
fn merged<'m>(flows: &[Flow<'m>]) -> Option<(&'m str, usize)> {
    let mut all = flows.iter().filter_map(|flow| flow.padding);
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

struct Walk<'m> {
    out: Inferred,
    scopes: Vec<HashMap<&'m str, Flow<'m>>>,
    /// The blocks around the place, for what is declared too late.
    blocks: Vec<&'m [Statement]>,
    /// What the blocks around the place take in: the units of `linear(same)`.
    units: Vec<Option<usize>>,
    path: Vec<&'m str>,
    depth: usize,
}

impl Model {
    /// Fills in what follows from shapes: the units of `linear(same)`. The macro calls it on the declared defaults,
    /// the run time on the values of the program; what it filled in is not saved.
    pub fn resolve(&mut self) {
        self.resolve_inside(0);
    }

    fn resolve_inside(&mut self, depth: usize) {
        if depth > DEEPEST || unrolled(&self.layers, 0) > MOST_OPS {
            return;
        }
        each_op_mut(&mut self.layers, 0, &mut |op| {
            if let OpKind::Model {
                model: Some(model), ..
            } = &mut op.kind
            {
                model.resolve_inside(depth + 1);
            }
        });
        let mut open = false;
        each_op_mut(&mut self.layers, 0, &mut |op| {
            open |= matches!(op.kind, OpKind::Linear(Linear { same: true, .. }));
        });
        if !open {
            return;
        }
        let inferred = self.shapes(depth);
        each_op_mut(&mut self.layers, 0, &mut |op| {
            if let OpKind::Linear(Linear {
                out, same: true, ..
            }) = &mut op.kind
            {
                out.known = inferred
                    .output_of(op.id)
                    .and_then(Shape::features)
                    .map(|units| units as f64);
            }
        });
    }

    /// Gives every value its shape, and says what does not fit.
    ///
    /// An unknown size passes through every rule. Behind a mistake the shape is unknown, so that one mistake
    /// gives one finding.
    pub fn infer(&self) -> Inferred {
        self.infer_inside(0)
    }

    fn infer_inside(&self, depth: usize) -> Inferred {
        let mut inferred = self.shapes(depth);
        let units = inferred.output_units();
        let rank = inferred.output.as_ref().map(Shape::rank);
        crate::values::check(self, units, rank, &mut inferred.findings);
        inferred
    }

    /// The shapes alone, without the checks of other values.
    pub(crate) fn shapes(&self, depth: usize) -> Inferred {
        let mut walk = Walk {
            out: Inferred::default(),
            scopes: vec![HashMap::new()],
            blocks: Vec::new(),
            units: Vec::new(),
            path: Vec::new(),
            depth,
        };
        let mut first = None;
        for input in &self.inputs {
            let axes = input
                .shape
                .iter()
                .map(|axis| walk.size(axis, input.id, "an axis of an input"))
                .collect();
            if input.shape.is_empty() {
                walk.error(
                    Finding::error(input.id, format!("input `{}` has no axes", input.name))
                        .help(format!("input {}: [64]", input.name)),
                );
            }
            let shape = (!input.shape.is_empty()).then_some(Shape(axes));
            let mut flow = Flow {
                layout: shape.as_ref().map_or(Layout::Features, Layout::of),
                shape,
                ..Flow::unknown(&input.name)
            };
            if let InputKind::Int { vocab, pad } = &input.kind {
                flow.indices = true;
                flow.vocab = vocab.and_then(|vocab| vocab.size());
                flow.padding = pad.is_some().then_some((input.name.as_str(), 0));
            }
            first.get_or_insert_with(|| flow.clone());
            if let Some(scope) = walk.scopes.last_mut() {
                scope.insert(&input.name, flow);
            }
        }
        match first {
            None => walk.error(
                Finding::error(self.id, "a model has at least one input")
                    .help("input features: [64]"),
            ),
            Some(_) if self.layers.is_empty() => walk.error(
                Finding::error(self.id, "a model has at least one layer")
                    .help("layers { head: linear(10); }"),
            ),
            Some(_) if unrolled(&self.layers, 0) > MOST_OPS => {
                walk.error(self.too_large());
            }
            Some(first) => {
                walk.units.push(first.units());
                let last = walk.statements(&self.layers, &first, false);
                walk.out.output = last.shape;
                walk.out.output_layout = last.layout;
                walk.out.output_like = last.like;
            }
        }
        walk.out
    }

    /// More operations than any rule looks at: a `repeat` is blamed if the model were small enough with one copy.
    fn too_large(&self) -> Finding {
        let written = operations(&self.layers, 0, false);
        match largest_repeat(&self.layers).filter(|_| written <= MOST_OPS) {
            Some(at) => Finding::error(
                at,
                format!("this `repeat` makes more than {MOST_OPS} operations of the model"),
            )
            .help("fewer copies"),
            None => Finding::error(
                self.id,
                format!("the model has {written} operations, it may have {MOST_OPS}"),
            )
            .help("fewer layers"),
        }
    }
}

/// How many operations a block has after all repeats are written out: those of nested models, and each of stacked
/// recurrent layers, count too.
pub(crate) fn unrolled(statements: &[Statement], depth: usize) -> usize {
    operations(statements, depth, true)
}

/// The same, or with one copy of each `repeat`.
fn operations(statements: &[Statement], depth: usize, copies: bool) -> usize {
    let inside = |block: &[Statement]| operations(block, depth + 1, copies);
    let ops = statements.iter().flat_map(|statement| &statement.ops);
    ops.fold(0, |sum: usize, op| {
        sum.saturating_add(match &op.kind {
            _ if depth > DEEPEST => 1,
            OpKind::Residual { .. } | OpKind::Parallel { .. } => {
                let blocks = op.kind.blocks().map(|(_, block)| inside(block));
                blocks.fold(1, usize::saturating_add)
            }
            OpKind::Repeat { times, body } => {
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
fn each_op_mut(statements: &mut [Statement], depth: usize, edit: &mut dyn FnMut(&mut Op)) {
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
fn largest_repeat(statements: &[Statement]) -> Option<Id> {
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

impl<'m> Walk<'m> {
    fn error(&mut self, mut finding: Finding) {
        finding.place = place(&self.path);
        self.out.findings.push(finding);
    }

    /// A size that must be whole and above zero.
    fn size(&mut self, value: &Value, or: Id, what: &str) -> Option<usize> {
        let number = value.known?;
        match value.size() {
            Some(size) if size > 0 => return Some(size),
            Some(_) => {
                self.error(
                    Finding::error(at(value, or), format!("{what} is 0")).help("at least 1"),
                );
            }
            None => self.error(
                Finding::error(
                    at(value, or),
                    format!("{what} is a whole number, not {number}"),
                )
                .help("a size, such as 64"),
            ),
        }
        None
    }

    fn misfit(&mut self, id: Id, misfit: Misfit, from: Option<&Flow<'m>>) {
        let mut finding = Finding::lint(misfit.lint, crate::Level::Deny, id, misfit.message);
        if let Some(from) = from {
            finding.message = format!("{} (from `{}`)", finding.message, from.name);
        }
        finding.help = misfit.help;
        self.error(finding);
    }

    /// Walks a block; its last value, named after its last statement. In a `parallel` every statement takes the
    /// block's input.
    fn statements(
        &mut self,
        statements: &'m [Statement],
        input: &Flow<'m>,
        parallel: bool,
    ) -> Flow<'m> {
        self.depth += 1;
        let mut previous = input.clone();
        // The first level is that of `layers`.
        if self.depth > DEEPEST + 1
            && let Some(first) = statements.first()
        {
            self.error(Finding::error(
                first.id,
                format!("more than {DEEPEST} blocks inside one another"),
            ));
            previous.shape = None;
        } else {
            self.blocks.push(statements);
            for statement in statements {
                let takes = if parallel { input.clone() } else { previous };
                previous = self.statement(statement, takes);
            }
            self.blocks.pop();
        }
        self.depth -= 1;
        previous
    }

    fn statement(&mut self, statement: &'m Statement, previous: Flow<'m>) -> Flow<'m> {
        self.path.push(&statement.name);
        let mut flow = self.source(statement, previous);
        for op in &statement.ops {
            let before = flow.clone();
            flow = self.op(op, &before);
            flow.name = &statement.name;
            let reads = op.kind.operation().is_some_and(Operation::reads_padding);
            let padding = before.padding.filter(|_| reads);
            let around = Around {
                input: before.shape,
                output: flow.shape.clone(),
                layout: before.layout,
                padding: padding.map(|(name, before)| (name.to_owned(), before)),
                input_like: before.like,
                output_like: flow.like,
            };
            self.out.ops.insert(op.id, around);
        }
        flow.name = &statement.name;
        if let Some(shape) = &flow.shape {
            self.out.statements.insert(statement.id, shape.clone());
            self.out.paths.insert(self.path.join("."), shape.clone());
        }
        if let Some(like) = flow.like {
            self.out.statements_like.insert(statement.id, like);
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(&statement.name, flow.clone());
        }
        self.path.pop();
        flow
    }

    fn source(&mut self, statement: &'m Statement, previous: Flow<'m>) -> Flow<'m> {
        let id = if statement.source_id.is_none() {
            statement.id
        } else {
            statement.source_id
        };
        let (word, names) = match &statement.source {
            Source::Previous => return previous,
            Source::From(name) => ("from", std::slice::from_ref(name)),
            Source::Add(names) => ("add", names.as_slice()),
            Source::Mul(names) => ("mul", names.as_slice()),
            Source::Concat(names) => ("concat", names.as_slice()),
        };
        let unknown = Flow::unknown(&statement.name);
        let flows: Vec<Flow<'m>> = names
            .iter()
            .filter_map(|name| self.named(name, id))
            .collect();
        if flows.len() < names.len() {
            return unknown;
        }
        if word == "from" {
            return flows.into_iter().next().unwrap_or(unknown);
        }
        if flows.len() < 2 {
            self.error(
                Finding::error(
                    id,
                    format!(
                        "`{word}` wants at least two values, here is {}",
                        flows.len()
                    ),
                )
                .help(format!("{word}(a, b)")),
            );
            return unknown;
        }
        let merged = self.merge(id, word, &flows);
        if let Some(axis) = self.out.axes.get(&id).copied() {
            self.out.axes.insert(statement.id, axis);
        }
        Flow {
            name: &statement.name,
            ..merged
        }
    }

    /// `add`, `mul` or `concat` of values, at `id`.
    fn merge(&mut self, id: Id, word: &str, flows: &[Flow<'m>]) -> Flow<'m> {
        let unknown = Flow::unknown(flows.first().map_or("", |flow| flow.name));
        if let Some(tokens) = flows.iter().find(|flow| flow.indices) {
            let message = format!(
                "`{word}` wants numbers, `{}` holds class indices",
                tokens.name
            );
            self.error(Finding::error(id, message));
            return unknown;
        }
        let mut layout = Layout::Features;
        for flow in flows {
            let Some(both) = layout.unify(flow.layout) else {
                let of = |layout| flows.iter().find(|flow| flow.layout == layout);
                let name = |layout| of(layout).map_or("", |flow| flow.name);
                let (sequence, channels) = (name(Layout::Sequence), name(Layout::Channels));
                let message = format!(
                    "`{word}` wants values of one layout: `{sequence}` is [time, features], `{channels}` has its channels first"
                );
                let end = match of(Layout::Channels).and_then(|flow| flow.shape.as_ref()) {
                    Some(shape) if shape.rank() > 2 => "to_sequence",
                    _ => "transpose",
                };
                self.error(
                    Finding::error(id, message).help(format!("end `{channels}` with `{end}`")),
                );
                return unknown;
            };
            layout = both;
        }
        let known = flows.iter().find_map(|flow| flow.shape.as_ref());
        let assumed: Vec<Option<Shape>> = flows
            .iter()
            .map(|flow| flow.assumed(known.map(|shape| Shape(vec![None; shape.rank()]))))
            .collect();
        let Some(shapes) = flows
            .iter()
            .zip(&assumed)
            .map(|(flow, shape)| shape.as_ref().map(|shape| (flow.name, shape)))
            .collect::<Option<Vec<_>>>()
        else {
            if flows
                .iter()
                .all(|flow| flow.shape.is_some() || flow.like.is_some())
            {
                if word == "concat" {
                    self.out.axes.insert(id, 0);
                }
                let like = flows.iter().find_map(|flow| flow.like);
                return Flow { like, ..unknown };
            }
            return unknown;
        };
        let result = if word == "concat" {
            shape::concat(&shapes, layout)
        } else {
            shape::same(word, &shapes, layout)
        };
        let shape = result.map_err(|misfit| self.misfit(id, misfit, None)).ok();
        if let (Some(shape), "concat") = (&shape, word) {
            self.out.axes.insert(id, layout.class_axis(shape.rank()));
        }
        Flow {
            shape,
            layout,
            padding: merged(flows),
            ..unknown
        }
    }

    fn named(&mut self, name: &str, id: Id) -> Option<Flow<'m>> {
        if let Some(flow) = self.scopes.iter().rev().find_map(|scope| scope.get(name)) {
            return Some(flow.clone());
        }
        // More mistakes than these nobody reads at once: the others are named without what might have been meant.
        if self.out.findings.len() >= MOST_EXPLAINED {
            self.error(Finding::error(
                id,
                format!("no value is called `{name}` here"),
            ));
            return None;
        }
        let mut known: Vec<&str> = self
            .scopes
            .iter()
            .flat_map(|scope| scope.keys().copied())
            .collect();
        known.sort_unstable();
        known.dedup();
        let finding = Finding::error(id, format!("no value is called `{name}` here"));
        let mut later = self.blocks.iter().rev().flat_map(|block| block.iter());
        let finding = match (
            later.find(|statement| statement.name == name),
            suggest(name, known.iter().copied()),
        ) {
            (Some(later), _) => finding.other(later.id, format!("`{name}` is declared too late")),
            (None, Some(near)) => finding.help(format!("did you mean `{near}`?")),
            (None, None) => finding,
        };
        let names: Vec<String> = known
            .iter()
            .take(16)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = if known.len() > 16 { ", .." } else { "" };
        let list = if names.is_empty() {
            "no value".to_owned()
        } else {
            names.join(", ")
        };
        self.error(finding.note(format!(
            "inputs and earlier statements may stand here: {list}{more}"
        )));
        None
    }

    fn op(&mut self, op: &'m Op, from: &Flow<'m>) -> Flow<'m> {
        let id = op.id;
        let unknown = Flow::unknown(from.name);
        match &op.kind {
            OpKind::Residual { .. } | OpKind::Repeat { .. } | OpKind::Parallel { .. } => {
                return self.blocks_of(op, from).unwrap_or(unknown);
            }
            OpKind::Model { path, model } => {
                let nested = model
                    .as_deref()
                    .and_then(|model| self.nested(id, path, model, from));
                if model.is_none() {
                    let like = Some(id);
                    return Flow { like, ..unknown };
                }
                return nested.map_or(unknown, |(shape, layout)| Flow {
                    shape: Some(shape),
                    layout,
                    ..Flow::unknown(from.name)
                });
            }
            _ => {}
        }
        let Some(operation) = op.kind.operation() else {
            return unknown;
        };
        if from.indices && !operation.takes_indices() && !matches!(op.kind, OpKind::Custom { .. }) {
            self.indices(op, from);
            return unknown;
        }
        if operation.takes_indices() && !from.indices && from.shape.is_some() {
            self.not_indices(op, from);
            return unknown;
        }
        let shape = self.value(op, operation, from);
        let layout = match &shape {
            None => from.layout,
            Some(shape) if shape.rank() < 2 => Layout::Features,
            Some(shape) => operation.gives(from.layout, shape),
        };
        let padding = from.padding.filter(|_| operation.keeps_time());
        let before = operation.steps_before();
        let like = from
            .like
            .filter(|_| shape.is_none() && operation.keeps_axes());
        Flow {
            shape,
            like,
            layout,
            padding: padding.map(|(name, steps)| (name, steps + before)),
            ..unknown
        }
    }

    /// Class indices where numbers are wanted.
    fn indices(&mut self, op: &Op, from: &Flow<'m>) {
        let word = op.kind.word();
        let vocab = from.vocab.unwrap_or(1000);
        let message = format!(
            "`{word}` wants numbers, `{}` holds class indices",
            from.name
        );
        let finding = Finding::error(op.id, message);
        self.error(finding.help(format!("`embedding({vocab}, 64)` before `{word}`")));
    }

    /// Numbers where class indices are wanted.
    fn not_indices(&mut self, op: &Op, from: &Flow<'m>) {
        let finding = Finding::error(
            op.id,
            format!(
                "`embedding` wants class indices, `{}` holds numbers",
                from.name
            ),
        );
        let mut scopes = self.scopes.iter().rev().flat_map(HashMap::values);
        let finding = match (scopes.find(|flow| flow.indices), &op.kind) {
            (Some(tokens), kind) => finding.help(format!("from({}) -> {kind}", tokens.name)),
            (None, OpKind::Embedding(Embedding { vocab, .. })) => {
                let time = from.shape.as_ref().map_or(1, Shape::rank);
                let axes = from.shape.clone().filter(|_| time == 1);
                let axes = axes.unwrap_or_else(|| Shape::known([128]));
                finding.help(format!(
                    "input {}: {axes} of int(vocab = {vocab})",
                    from.name
                ))
            }
            (None, _) => finding,
        };
        self.error(finding);
    }

    /// The shape that an operation without a block gives.
    fn value(&mut self, op: &'m Op, operation: &dyn Operation, from: &Flow<'m>) -> Option<Shape> {
        let id = op.id;
        let fine = self.sizes(op, operation);
        // What a `custom` layer takes is not known, so that its output is known even after a mistake.
        if !fine && !matches!(op.kind, OpKind::Custom { .. }) {
            return None;
        }
        let assumed = from.assumed(operation.takes_axes().map(|axes| Shape(vec![None; axes])));
        let Some(shape) = &assumed else {
            let axes = from.like.and(operation.gives_axes());
            let open = axes.map(|axes| Shape(vec![None; axes]));
            return operation.given().or(open);
        };
        let table = match &op.kind {
            OpKind::Linear(Linear {
                tied: Some(name), ..
            }) => self.table(name, id)?,
            _ => (None, None),
        };
        let incoming = Incoming {
            shape,
            layout: from.layout,
            name: from.name,
            vocab: from.vocab,
            units: self.units.last().copied().flatten(),
            table,
        };
        operation
            .shape(&incoming)
            .map_err(|misfit| self.misfit(id, misfit, Some(from)))
            .ok()
    }

    /// Checks every size that an operation is given; whether all are fine.
    fn sizes(&mut self, op: &Op, operation: &dyn Operation) -> bool {
        let before = self.out.findings.len();
        let (id, word) = (op.id, op.kind.word());
        operation.each_value(&mut |argument, value| {
            if argument.kind.is_size() {
                self.size(value, id, &argument.of(word));
            } else if argument.kind.is_whole() {
                self.not_negative(value, id, &argument.of(word));
            }
        });
        if let Some(finding) = operation.refused(id) {
            self.error(finding);
        }
        self.out.findings.len() == before
    }

    /// A size that may be zero.
    fn not_negative(&mut self, value: &Value, or: Id, what: &str) {
        if let (Some(number), None) = (value.known, value.size()) {
            let message = format!(
                "{what} is a whole number from 0, not {}",
                Value::known(number)
            );
            self.error(Finding::error(at(value, or), message).help("0 for none"));
        }
    }

    /// The classes and the length of a vector of the embedding that a `linear(.., tied = name)` in this block
    /// reads.
    fn table(&mut self, name: &str, id: Id) -> Option<(Option<usize>, Option<usize>)> {
        let block = self.blocks.last().copied().unwrap_or_default();
        let top = self.blocks.len() == 1;
        let is = |op: &&Op| op.field.as_deref() == Some(name);
        let of = |statements: &'m [Statement]| statements.iter().flat_map(|one| &one.ops);
        let found = of(block).find(is).filter(|_| top);
        if let Some(OpKind::Embedding(Embedding { vocab, dim, .. })) = found.map(|op| &op.kind) {
            return Some((vocab.size(), dim.size()));
        }
        if let Some(other) = found {
            let message = format!(
                "`tied = {name}` wants the name of an `embedding`, `{name}` is `{}`",
                other.kind
            );
            self.error(Finding::error(id, message).other(other.id, "this is no embedding"));
            return None;
        }
        if let Some(far) = self.blocks.iter().rev().copied().flat_map(of).find(is) {
            let message = format!(
                "`tied = {name}` wants an embedding of the same block, outside of all others"
            );
            self.error(
                Finding::error(id, message)
                    .other(far.id, format!("`{name}` is declared here"))
                    .help("let both stand in `layers` itself"),
            );
            return None;
        }
        let embeddings: Vec<&str> = of(block)
            .filter(|op| matches!(op.kind, OpKind::Embedding(_)))
            .filter_map(|op| op.field.as_deref())
            .collect();
        let finding = Finding::error(id, format!("no embedding is called `{name}` here"));
        self.error(match suggest(name, embeddings.iter().copied()) {
            Some(near) => finding.help(format!("tied = {near}")),
            None => match embeddings.first() {
                Some(first) => finding.help(format!("tied = {first}")),
                None => finding.help(format!("{name}: embedding(8000, 128);")),
            },
        });
        None
    }

    /// The value of an operation that holds blocks; `None` if it is not known.
    fn blocks_of(&mut self, op: &'m Op, from: &Flow<'m>) -> Option<Flow<'m>> {
        let id = op.id;
        if from.indices && !matches!(op.kind, OpKind::Parallel { .. }) {
            self.indices(op, from);
            return None;
        }
        match &op.kind {
            OpKind::Residual { body, shortcut, .. } => {
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
                    return Some(Flow {
                        like: Some(like),
                        ..Flow::unknown(from.name)
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
                    .map_err(|misfit| self.misfit(id, misfit, None))
                    .ok();
                let padding = merged(&[branch, other]);
                Some(Flow {
                    shape,
                    layout,
                    padding,
                    ..Flow::unknown(from.name)
                })
            }
            OpKind::Repeat { times, body } => {
                self.size(times, id, "the number of copies of `repeat`");
                if body.is_empty() {
                    self.error(
                        Finding::error(id, "this `repeat` has an empty block")
                            .help("repeat(2) { linear(64) -> relu; }"),
                    );
                    return None;
                }
                let before = self.out.findings.len();
                let mut last = self.block(body, from);
                if last.shape.is_some() && last.layout != from.layout {
                    if from.layout == Layout::Features {
                        // The second copy takes what the first one gives: it says what an open input was.
                        self.out.findings.truncate(before);
                        let read = Flow {
                            layout: last.layout,
                            ..from.clone()
                        };
                        last = self.block(body, &read);
                    } else {
                        self.error(
                            Finding::error(id, "`repeat` wants a block that keeps the layout: the second copy takes the axes in another order")
                                .help("end the block with `transpose`, or write its copies out"),
                        );
                        return None;
                    }
                }
                let taken = from.assumed(last.shape.clone());
                let given = last.assumed(taken.clone());
                let (Some(taken), Some(given)) = (&taken, &given) else {
                    let like = from.like.or(last.like)?;
                    return Some(Flow {
                        like: Some(like),
                        ..Flow::unknown(from.name)
                    });
                };
                let shape = shape::repeat(taken, given, last.layout)
                    .map_err(|misfit| self.misfit(id, misfit, None))
                    .ok();
                Some(Flow { shape, ..last })
            }
            OpKind::Parallel { body, merge } => {
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
                let merged = self.merge(id, merge.word(), &last);
                (merged.shape.is_some() || merged.like.is_some()).then_some(merged)
            }
            _ => None,
        }
    }

    /// The values of the branches of a `parallel`.
    fn branches(&mut self, body: &'m [Statement], from: &Flow<'m>) -> Vec<Flow<'m>> {
        self.scopes.push(HashMap::new());
        self.units.push(from.units());
        self.statements(body, from, true);
        self.units.pop();
        let scope = self.scopes.pop().unwrap_or_default();
        body.iter()
            .filter_map(|statement| scope.get(statement.name.as_str()).cloned())
            .collect()
    }

    fn block(&mut self, statements: &'m [Statement], from: &Flow<'m>) -> Flow<'m> {
        self.scopes.push(HashMap::new());
        self.units.push(from.units());
        let last = self.statements(statements, from, false);
        self.units.pop();
        self.scopes.pop();
        last
    }

    fn nested(
        &mut self,
        id: Id,
        path: &str,
        model: &Model,
        from: &Flow<'m>,
    ) -> Option<(Shape, Layout)> {
        if self.depth >= DEEPEST {
            let message = format!("more than {DEEPEST} blocks inside one another");
            self.error(Finding::error(id, message));
            return None;
        }
        let [input] = model.inputs.as_slice() else {
            let message = format!(
                "`{path}` takes {} inputs, a chain gives it one",
                model.inputs.len()
            );
            self.error(Finding::error(id, message).help("a layer is a model with one input"));
            return None;
        };
        let inferred = model.infer_inside(self.depth + 1);
        if let Some(finding) = inferred
            .findings
            .iter()
            .find(|finding| finding.level == crate::Level::Deny)
        {
            self.error(Finding::error(id, format!("`{path}`: {}", finding.message)));
            return None;
        }
        let wants_indices = matches!(input.kind, InputKind::Int { .. });
        if from.shape.is_some() && wants_indices != from.indices {
            let what = |indices| {
                if indices { "class indices" } else { "numbers" }
            };
            let message = format!(
                "`{path}` wants {}, `{}` holds {}",
                what(wants_indices),
                from.name,
                what(from.indices)
            );
            self.error(Finding::error(id, message));
        }
        let wanted = Shape(input.shape.iter().map(Value::size).collect());
        if let Some(misfit) = from
            .shape
            .as_ref()
            .and_then(|shape| shape::fits(path, &wanted, shape).err())
        {
            self.misfit(id, misfit, Some(from));
        }
        let layout = inferred.output_layout;
        inferred.output.map(|shape| (shape, layout))
    }
}
