//! The walk that gives every value its shape.

use crate::shape::Layout;
use crate::shape::{self, Misfit};
use crate::walk::SHORTCUT;
use crate::{Finding, Id, InputKind, Model, Op, OpKind, Shape, Source, Statement, Value, suggest};
use std::collections::HashMap;

/// Blocks and models inside one another, at most.
pub(crate) const DEEPEST: usize = 48;
/// Operations after all repeats are written out, at most.
pub(crate) const MOST_OPS: usize = 100_000;

/// What [`Model::infer`] found out.
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    /// What does not fit, in the order of the walk.
    pub findings: Vec<Finding>,
    ops: HashMap<Id, (Option<Shape>, Option<Shape>)>,
    statements: HashMap<Id, Shape>,
    paths: HashMap<String, Shape>,
    output: Option<Shape>,
}

impl Inferred {
    /// The shape that an operation gives; `None` if it is not known. All copies of a `repeat` are one.
    pub fn output_of(&self, op: Id) -> Option<&Shape> {
        self.ops.get(&op).and_then(|(_, output)| output.as_ref())
    }

    /// The shape that an operation takes; `None` if it is not known.
    pub fn input_of(&self, op: Id) -> Option<&Shape> {
        self.ops.get(&op).and_then(|(input, _)| input.as_ref())
    }

    /// What the axes of the value mean that an operation takes.
    pub fn layout_of(&self, _op: Id) -> Layout {
        Layout::Features
    }

    /// What the axes of the model's output mean.
    pub fn output_layout(&self) -> Layout {
        Layout::Features
    }

    /// Where the steps that an operation takes come from, if some of them are padding: the name of the input
    /// `of int(pad = ..)`, and how many steps were put before its own (`class_token`).
    pub fn padding_of(&self, _op: Id) -> Option<(&str, usize)> {
        None
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
    /// Class indices, which only an embedding reads.
    indices: bool,
}

struct Walk<'m> {
    out: Inferred,
    scopes: Vec<HashMap<&'m str, Flow<'m>>>,
    /// The blocks around the place, for what is declared too late.
    blocks: Vec<&'m [Statement]>,
    path: Vec<&'m str>,
    depth: usize,
}

impl Model {
    /// Fills in what follows from shapes: the units of `linear(same)`. The macro calls it on the declared defaults,
    /// the run time on the values of the program; what it filled in is not saved.
    pub fn resolve(&mut self) {}

    /// Which axis of one sample's output holds the classes or values of one target: the last, but the channels of
    /// feature maps.
    pub fn class_axis(&self) -> usize {
        0
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
        crate::values::check(self, inferred.output.as_ref(), &mut inferred.findings);
        inferred
    }

    /// The shapes alone, without the checks of other values.
    pub(crate) fn shapes(&self, depth: usize) -> Inferred {
        let mut walk = Walk {
            out: Inferred::default(),
            scopes: vec![HashMap::new()],
            blocks: Vec::new(),
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
            let flow = Flow {
                shape,
                name: &input.name,
                indices: matches!(input.kind, InputKind::Int { .. }),
            };
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
            Some(first) if unrolled(&self.layers, 0) > MOST_OPS => {
                let at = largest_repeat(&self.layers).unwrap_or(self.id);
                walk.error(
                    Finding::error(
                        at,
                        format!("this `repeat` makes more than {MOST_OPS} operations of the model"),
                    )
                    .help("fewer copies"),
                );
                drop(first);
            }
            Some(first) => {
                let last = walk.statements(&self.layers, first);
                walk.out.output = last.shape;
            }
        }
        walk.out
    }
}

/// How many operations a block has after all repeats are written out.
pub(crate) fn unrolled(statements: &[Statement], depth: usize) -> usize {
    let ops = statements.iter().flat_map(|statement| &statement.ops);
    ops.fold(0, |sum: usize, op| {
        sum.saturating_add(match &op.kind {
            _ if depth > DEEPEST => 1,
            OpKind::Residual { body, shortcut, .. } => unrolled(body, depth + 1)
                .saturating_add(unrolled(shortcut, depth + 1))
                .saturating_add(1),
            OpKind::Repeat { times, body } => unrolled(body, depth + 1)
                .max(1)
                .saturating_mul(times.size().unwrap_or(1)),
            _ => 1,
        })
    })
}

fn largest_repeat(statements: &[Statement]) -> Option<Id> {
    let ops = statements.iter().flat_map(|statement| &statement.ops);
    let largest = ops.max_by_key(|op| match &op.kind {
        OpKind::Repeat { times, body } => unrolled(body, 1)
            .max(1)
            .saturating_mul(times.size().unwrap_or(1)),
        OpKind::Residual { body, shortcut, .. } => {
            unrolled(body, 1).saturating_add(unrolled(shortcut, 1))
        }
        _ => 1,
    })?;
    match &largest.kind {
        OpKind::Residual { body, .. } => largest_repeat(body).or(Some(largest.id)),
        _ => Some(largest.id),
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

    fn misfit(&mut self, id: Id, misfit: Misfit, from: Option<&Flow<'m>>) {
        let mut finding = Finding::lint(misfit.lint, crate::Level::Deny, id, misfit.message);
        if let Some(from) = from {
            finding.message = format!("{} (from `{}`)", finding.message, from.name);
        }
        finding.help = misfit.help;
        self.error(finding);
    }

    /// Walks a block; its last value, named after its last statement.
    fn statements(&mut self, statements: &'m [Statement], input: Flow<'m>) -> Flow<'m> {
        self.depth += 1;
        let mut previous = input;
        if self.depth > DEEPEST {
            let id = statements
                .first()
                .map_or(Id::NONE, |statement| statement.id);
            self.error(Finding::error(
                id,
                format!("more than {DEEPEST} blocks inside one another"),
            ));
            previous.shape = None;
        } else {
            self.blocks.push(statements);
            for statement in statements {
                previous = self.statement(statement, previous);
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
            let input = flow.shape.clone();
            flow.shape = self.op(op, &flow);
            flow.indices = false;
            flow.name = &statement.name;
            self.out.ops.insert(op.id, (input, flow.shape.clone()));
        }
        flow.name = &statement.name;
        if let Some(shape) = &flow.shape {
            self.out.statements.insert(statement.id, shape.clone());
            self.out.paths.insert(self.path.join("."), shape.clone());
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
        let unknown = Flow {
            shape: None,
            name: &statement.name,
            indices: false,
        };
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
        if let Some(tokens) = flows.iter().find(|flow| flow.indices) {
            let message = format!(
                "`{word}` wants numbers, `{}` holds class indices",
                tokens.name
            );
            self.error(Finding::error(id, message));
            return unknown;
        }
        let Some(shapes) = flows
            .iter()
            .map(|flow| flow.shape.as_ref().map(|shape| (flow.name, shape)))
            .collect::<Option<Vec<_>>>()
        else {
            return unknown;
        };
        let result = if word == "concat" {
            shape::concat(&shapes)
        } else {
            shape::same(word, &shapes)
        };
        let shape = result.map_err(|misfit| self.misfit(id, misfit, None)).ok();
        Flow { shape, ..unknown }
    }

    fn named(&mut self, name: &str, id: Id) -> Option<Flow<'m>> {
        if let Some(flow) = self.scopes.iter().rev().find_map(|scope| scope.get(name)) {
            return Some(flow.clone());
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

    fn op(&mut self, op: &'m Op, from: &Flow<'m>) -> Option<Shape> {
        let id = op.id;
        let word = op.kind.word();
        if from.indices && !matches!(op.kind, OpKind::Custom { .. } | OpKind::Model { .. }) {
            let message = format!(
                "`{word}` wants numbers, `{}` holds class indices",
                from.name
            );
            self.error(Finding::error(id, message));
            return None;
        }
        let input = from.shape.as_ref();
        let result = match &op.kind {
            OpKind::Linear { out, .. } | OpKind::Swiglu { out, .. } => {
                let before = self.out.findings.len();
                let out = self.size(out, id, &format!("the number of units of `{word}`"));
                if self.out.findings.len() > before {
                    return None;
                }
                match input {
                    // What `linear` gives does not depend on what it takes, if that has rank one.
                    None => return None,
                    Some(input) => shape::linear(word, input, out),
                }
            }
            OpKind::Activation(activation) => shape::activation(activation.kind, input?),
            OpKind::BatchNorm { .. } | OpKind::LayerNorm { .. } => shape::norm(word, input?),
            OpKind::Custom { output, .. } => {
                let axes = output
                    .iter()
                    .map(|axis| self.size(axis, id, "an axis of `output`"))
                    .collect();
                Ok(Shape(axes))
            }
            OpKind::Model { path, model } => return self.nested(id, path, model.as_deref()?, from),
            OpKind::Stochastic(_) | OpKind::Activity { .. } => Ok(input?.clone()),
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
                shape::residual(
                    branch.shape.as_ref()?,
                    other.shape.as_ref()?,
                    !shortcut.is_empty(),
                )
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
                let last = self.block(body, from);
                shape::repeat(input?, last.shape.as_ref()?)
            }
            _ => return None,
        };
        result
            .map_err(|misfit| self.misfit(id, misfit, op.kind.takes_value().then_some(from)))
            .ok()
    }

    fn block(&mut self, statements: &'m [Statement], from: &Flow<'m>) -> Flow<'m> {
        self.scopes.push(HashMap::new());
        let last = self.statements(statements, from.clone());
        self.scopes.pop();
        last
    }

    fn nested(&mut self, id: Id, path: &str, model: &Model, from: &Flow<'m>) -> Option<Shape> {
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
        let wanted = Shape(input.shape.iter().map(Value::size).collect());
        if let Some(misfit) = from
            .shape
            .as_ref()
            .and_then(|shape| shape::fits(path, &wanted, shape).err())
        {
            self.misfit(id, misfit, Some(from));
        }
        inferred.output
    }
}

impl OpKind {
    /// Whether a misfit is about the value that comes in (and not about what a block makes of it).
    const fn takes_value(&self) -> bool {
        !matches!(self, Self::Residual { .. } | Self::Repeat { .. })
    }
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
