//! The walk that gives every value its shape.

mod blocks;
mod inferred;
mod source;
mod steps;
mod uses;
mod value_info;

pub use inferred::Inferred;

use inferred::OpInfo;
use uses::{AllMade, put};
use value_info::ValueInfo;

use crate::instance::{Arena, Copier, largest_id};
use crate::op::{Embedding, Incoming, Linear, Operation};
use crate::shape::{self, Layout, ShapeError};
use crate::walk::{
    DEEPEST, MOST_OPS, at, each_op_mut, largest_repeat, operations, place, unrolled,
};
use crate::{Finding, Id, InputKind, Model, Op, OpKind, Shape, Statement, Value, suggest};
use std::collections::HashMap;

struct Walk<'m> {
    model: &'m Model,
    out: Inferred,
    /// Holds the statements that the walk makes.
    arena: &'m Arena<Vec<Statement>>,
    /// Owns the copy indices as text, for paths.
    numbers: &'m Arena<String>,
    copier: Copier,
    grown: AllMade,
    /// How many operations were made.
    operations: usize,
    scopes: Vec<HashMap<&'m str, ValueInfo<'m>>>,
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
            open |= matches!(
                op.kind,
                OpKind::Linear(Linear { same: true, .. }) | OpKind::Use(_) | OpKind::Repeat { .. }
            );
        });
        if !open {
            return;
        }
        let (inferred, mut made, origins) =
            self.walk(depth, (&Arena::default(), &Arena::default()));
        self.origins.extend(origins);
        each_op_mut(&mut self.layers, 0, &mut |op| {
            put(op, &mut made);
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
        self.walk(depth, (&Arena::default(), &Arena::default())).0
    }

    /// The shapes, what was made of blocks, and what each made thing is a copy of.
    fn walk<'m>(
        &'m self,
        depth: usize,
        (arena, numbers): (&'m Arena<Vec<Statement>>, &'m Arena<String>),
    ) -> (Inferred, AllMade, HashMap<Id, Id>) {
        let blocks = self.blocks.iter();
        let declared = blocks.map(|block| largest_id(&block.layers)).max();
        let last = largest_id(&self.layers).max(declared.unwrap_or_default());
        let mut walk = Walk {
            model: self,
            arena,
            numbers,
            copier: Copier::new(last),
            grown: AllMade::new(),
            operations: 0,
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
            let mut flow = ValueInfo {
                layout: shape.as_ref().map_or(Layout::Features, Layout::of),
                shape,
                ..ValueInfo::unknown(&input.name)
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
        (walk.out, walk.grown, walk.copier.origins)
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

    fn shape_error(&mut self, id: Id, shape_error: ShapeError, from: Option<&ValueInfo<'m>>) {
        let mut finding = Finding::lint(
            shape_error.lint,
            crate::Level::Deny,
            id,
            shape_error.message,
        );
        if let Some(from) = from {
            finding.message = format!("{} (from `{}`)", finding.message, from.name);
        }
        finding.help = shape_error.help;
        self.error(finding);
    }

    /// Walks a block; its last value, named after its last statement. In a `parallel` every statement takes the
    /// block's input.
    fn statements(
        &mut self,
        statements: &'m [Statement],
        input: &ValueInfo<'m>,
        parallel: bool,
    ) -> ValueInfo<'m> {
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

    fn statement(&mut self, statement: &'m Statement, previous: ValueInfo<'m>) -> ValueInfo<'m> {
        self.path.push(&statement.name);
        let mut flow = self.source(statement, previous);
        for op in &statement.ops {
            let before = flow.clone();
            flow = self.op(op, &before);
            flow.name = &statement.name;
            let reads = op.kind.operation().is_some_and(Operation::reads_padding);
            let memory = op.kind.reads().and_then(|name| self.known(name));
            let steps = memory
                .as_ref()
                .map_or(before.padding, |memory| memory.padding);
            let padding = steps.filter(|_| reads);
            let around = OpInfo {
                input: before.shape,
                output: flow.shape.clone(),
                layout: before.layout,
                padding: padding.map(|(name, before)| (name.to_owned(), before)),
                input_like: before.like,
                output_like: flow.like,
                memory: memory.and_then(|memory| memory.shape),
            };
            self.remember(op.id, Some(&around), None);
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
        for id in [statement.id, statement.source_id] {
            self.remember(id, None, flow.shape.as_ref());
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(&statement.name, flow.clone());
        }
        self.path.pop();
        flow
    }

    /// What a thing is a copy of.
    fn origin(&self, id: Id) -> Option<Id> {
        let made = self.copier.origins.get(&id);
        made.or_else(|| self.model.origins.get(&id)).copied()
    }

    /// The first copy speaks for what was written: how many axes its values have, and along which they are merged.
    fn remember(&mut self, id: Id, around: Option<&OpInfo>, shape: Option<&Shape>) {
        let axis = self.out.axes.get(&id).copied();
        let spread = self.out.spread.get(&id).cloned();
        let mut origin = self.origin(id);
        while let Some(of) = origin {
            if let Some(around) = around {
                self.out.ops.entry(of).or_insert_with(|| around.clone());
            }
            if let Some(shape) = shape {
                let statements = &mut self.out.statements;
                statements.entry(of).or_insert_with(|| shape.clone());
            }
            if let Some(axis) = axis {
                self.out.axes.entry(of).or_insert(axis);
            }
            if let Some(spread) = &spread {
                let all = &mut self.out.spread;
                all.entry(of).or_insert_with(|| spread.clone());
            }
            origin = self.origin(of);
        }
    }

    fn op(&mut self, op: &'m Op, from: &ValueInfo<'m>) -> ValueInfo<'m> {
        let id = op.id;
        let unknown = ValueInfo::unknown(from.name);
        match &op.kind {
            OpKind::Residual { .. }
            | OpKind::Repeat { .. }
            | OpKind::Parallel { .. }
            | OpKind::Use(_)
            | OpKind::When { .. } => {
                return self.blocks_of(op, from).unwrap_or(unknown);
            }
            OpKind::Model { path, model } => {
                let nested = model
                    .as_deref()
                    .and_then(|model| self.nested(id, path, model, from));
                if model.is_none() {
                    let like = Some(id);
                    return ValueInfo { like, ..unknown };
                }
                return nested.map_or(unknown, |(shape, layout)| ValueInfo {
                    shape: Some(shape),
                    layout,
                    ..ValueInfo::unknown(from.name)
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
        let turned = matches!(op.kind, OpKind::Transpose) && from.layout != Layout::Channels;
        let kept = from.transposed && operation.keeps_axes();
        ValueInfo {
            shape,
            like,
            layout,
            transposed: layout == Layout::Channels && (turned || kept),
            padding: padding.map(|(name, steps)| (name, steps + before)),
            flat: self.flattened(op, operation, from),
            ..unknown
        }
    }

    /// Class indices where numbers are wanted.
    fn indices(&mut self, op: &Op, from: &ValueInfo<'m>) {
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
    fn not_indices(&mut self, op: &Op, from: &ValueInfo<'m>) {
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
    fn value(
        &mut self,
        op: &'m Op,
        operation: &dyn Operation,
        from: &ValueInfo<'m>,
    ) -> Option<Shape> {
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
        let memory = match operation.reads() {
            Some(name) => Some(self.memory(op, name)?),
            None => None,
        };
        // What does not fit may be the other value.
        let named = memory.is_none().then_some(from);
        let memory = memory.as_ref().and_then(|memory| {
            let shape = memory.shape.as_ref()?;
            Some((shape, memory.layout))
        });
        let incoming = Incoming {
            memory,
            shape,
            layout: from.layout,
            transposed: from.transposed,
            name: from.name,
            vocab: from.vocab,
            units: self.units.last().copied().flatten(),
            table,
        };
        operation
            .shape(&incoming)
            .map_err(
                |shape_error| match self.without_steps(op, operation, from) {
                    Some(finding) => self.error(finding),
                    None => self.shape_error(id, shape_error, named),
                },
            )
            .ok()
    }

    /// The other value that an operation reads.
    fn memory(&mut self, op: &'m Op, name: &str) -> Option<ValueInfo<'m>> {
        let memory = self.named(name, op.id)?;
        if memory.indices {
            self.indices(op, &memory);
            return None;
        }
        Some(memory)
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
                    .help("write both in `layers` itself"),
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

    fn nested(
        &mut self,
        id: Id,
        path: &str,
        model: &Model,
        from: &ValueInfo<'m>,
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
        if let Some(shape_error) = from
            .shape
            .as_ref()
            .and_then(|shape| shape::fits(path, &wanted, shape).err())
        {
            self.shape_error(id, shape_error, Some(from));
        }
        let layout = inferred.output_layout;
        inferred.output.map(|shape| (shape, layout))
    }
}
