//! Boxes, frames and arrows: what every form of drawing shows.

use crate::op::blocks::SHORTCUT;
use crate::walk::LONGEST_PATH;
use crate::{Checked, Inferred, InputKind, Model, Op, OpKind, Shape, Source, Statement, Value};
use std::collections::HashMap;

/// What a node looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A box with text.
    Box,
    /// The point where a block's value goes several ways.
    Split,
    /// The sum at the end of a residual.
    Sum,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The name of its input or statement; empty for what follows a block in one statement.
    pub(super) title: String,
    /// Operations in their order, each with whether it acts while training only; then rules of weights.
    pub(super) operations: Vec<(String, bool)>,
    /// The shape that comes out.
    pub(super) shape: String,
}

/// A block with what is inside. Its nodes follow each other in the list of nodes.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) label: String,
    pub(super) parent: usize,
    pub(super) nodes: Vec<usize>,
    pub(super) groups: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Picture {
    /// The model's name.
    pub(super) name: String,
    pub(super) nodes: Vec<Node>,
    /// The first one is the model itself; a block comes after the one that contains it.
    pub(super) groups: Vec<Group>,
    /// From an earlier node to a later one, each once, sorted.
    pub(super) edges: Vec<(usize, usize)>,
}

impl Node {
    /// All its text.
    pub(super) fn lines(&self) -> Vec<String> {
        let title = (!self.title.is_empty()).then(|| self.title.clone());
        let operations = self.operations.iter().map(|(text, _)| text.clone());
        let shape = (!self.shape.is_empty()).then(|| self.shape.clone());
        title.into_iter().chain(operations).chain(shape).collect()
    }
}

impl Picture {
    /// The picture with blocks opened as deep as the number of nodes allows.
    pub(super) fn of_at_most(checked: &Checked, most: usize) -> Self {
        let (model, shapes) = (checked.model(), checked.shapes());
        let mut sizes = vec![0];
        count(&model.layers, 0, &mut sizes);
        let around = model.inputs.len() + usize::from(model.loss.is_some());
        // Blocks that are opened down to depth `open` add their nodes to those outside.
        let mut total = around + sizes.first().copied().unwrap_or(0);
        let mut open = 0;
        for more in sizes.iter().skip(1) {
            if total + more > most {
                break;
            }
            total += more;
            open += 1;
        }
        let mut builder = Builder {
            inferred: shapes,
            open,
            left_out: left_out(&model.layers, total, most),
            picture: Self {
                name: model.name.clone(),
                nodes: Vec::new(),
                groups: vec![Group::default()],
                edges: Vec::new(),
            },
            names: vec![HashMap::new()],
            path: Vec::new(),
            gap: None,
        };
        builder.model(model);
        let mut picture = builder.picture;
        picture.edges.retain(|(from, to)| from != to);
        picture.edges.sort_unstable();
        picture.edges.dedup();
        picture
    }
}

/// How many nodes there are outside of blocks, in blocks, in blocks of blocks ..: about, as each statement has one.
fn count(statements: &[Statement], depth: usize, sizes: &mut Vec<usize>) {
    if depth > LONGEST_PATH {
        return;
    }
    if sizes.len() <= depth {
        sizes.push(0);
    }
    sizes[depth] += statements.len();
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        for (_, block) in op.kind.blocks() {
            count(block, depth + 1, sizes);
        }
        // What splits and joins the branches.
        if matches!(op.kind, OpKind::Residual { .. } | OpKind::Parallel { .. }) {
            sizes[depth + 1] += 2;
        }
    }
}

/// The statements of the model that are not drawn: those in the middle, where there are too many.
fn left_out(layers: &[Statement], total: usize, most: usize) -> std::ops::Range<usize> {
    let shown = layers.len().saturating_sub(total.saturating_sub(most));
    if total <= most || layers.len() < 3 {
        return 0..0;
    }
    // One more makes room for the box that replaces them.
    let shown = shown.saturating_sub(1).clamp(2, layers.len() - 1);
    let first = shown.div_ceil(2);
    first..layers.len() - (shown - first)
}

struct Builder<'m, 'i> {
    inferred: &'i Inferred,
    /// Blocks are opened above this depth.
    open: usize,
    left_out: std::ops::Range<usize>,
    picture: Picture,
    names: Vec<HashMap<&'m str, usize>>,
    path: Vec<&'m str>,
    /// The box in the place of what is left out.
    gap: Option<usize>,
}

/// A box that is being filled.
#[derive(Default)]
struct Run<'m> {
    title: &'m str,
    from: Vec<usize>,
    operations: Vec<(String, bool)>,
    rules: Vec<(String, bool)>,
    shape: String,
}

impl<'m> Builder<'m, '_> {
    fn model(&mut self, model: &'m Model) {
        let mut first = None;
        for input in &model.inputs {
            let shape = Shape(input.shape.iter().map(Value::size).collect());
            let kind = match &input.kind {
                InputKind::Float => "input".to_owned(),
                InputKind::Int { .. } => "input of int".to_owned(),
            };
            let run = Run {
                title: &input.name,
                operations: vec![(kind, false)],
                shape: shape.to_string(),
                ..Run::default()
            };
            let node = self.node(Kind::Box, run, 0);
            first.get_or_insert(node);
            self.name(&input.name, node);
        }
        let Some(first) = first else { return };
        let last = self.block(&model.layers, first, 0, 0);
        if let Some(loss) = &model.loss {
            let run = Run {
                title: "loss",
                from: vec![last],
                operations: vec![(loss.kind.to_string(), false)],
                ..Run::default()
            };
            self.node(Kind::Box, run, 0);
        }
    }

    fn name(&mut self, name: &'m str, node: usize) {
        if let Some(names) = self.names.last_mut() {
            names.insert(name, node);
        }
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .rev()
            .find_map(|names| names.get(name))
            .copied()
    }

    fn node(&mut self, kind: Kind, run: Run<'m>, group: usize) -> usize {
        let index = self.picture.nodes.len();
        let mut operations = run.operations;
        operations.extend(run.rules);
        self.picture.nodes.push(Node {
            kind,
            title: run.title.to_owned(),
            operations,
            shape: run.shape,
        });
        self.picture.groups[group].nodes.push(index);
        self.picture
            .edges
            .extend(run.from.into_iter().map(|from| (from, index)));
        index
    }

    fn split(&mut self, from: usize, group: usize) -> usize {
        let run = Run {
            from: vec![from],
            ..Run::default()
        };
        self.node(Kind::Split, run, group)
    }

    fn group(&mut self, label: String, parent: usize) -> usize {
        let index = self.picture.groups.len();
        self.picture.groups.push(Group {
            label,
            parent,
            ..Group::default()
        });
        self.picture.groups[parent].groups.push(index);
        index
    }

    /// The statements of a block; the node whose value is the block's.
    fn block(
        &mut self,
        statements: &'m [Statement],
        input: usize,
        group: usize,
        depth: usize,
    ) -> usize {
        let mut at = input;
        for (index, statement) in statements.iter().enumerate() {
            at = if depth == 0 && self.left_out.contains(&index) {
                self.leave_out(statement, at)
            } else {
                self.statement(statement, at, group, depth)
            };
            self.name(&statement.name, at);
        }
        at
    }

    fn leave_out(&mut self, statement: &'m Statement, previous: usize) -> usize {
        let gap = self.gap.unwrap_or_else(|| {
            let text = format!(".. {} statements ..", self.left_out.len());
            let run = Run {
                operations: vec![(text, false)],
                ..Run::default()
            };
            self.node(Kind::Box, run, 0)
        });
        self.gap = Some(gap);
        let from = self.sources(statement, previous);
        self.picture
            .edges
            .extend(from.into_iter().map(|from| (from, gap)));
        gap
    }

    fn sources(&self, statement: &Statement, previous: usize) -> Vec<usize> {
        let mut from: Vec<usize> = match &statement.source {
            Source::Previous => vec![previous],
            Source::From(name) => vec![self.named(name).unwrap_or(previous)],
            merge => {
                let names = merge.names().iter();
                names.filter_map(|name| self.named(name)).collect()
            }
        };
        let others = statement.ops.iter().filter_map(|op| op.kind.reads());
        from.extend(others.filter_map(|name| self.named(name)));
        from
    }

    fn statement(
        &mut self,
        statement: &'m Statement,
        previous: usize,
        group: usize,
        depth: usize,
    ) -> usize {
        self.path.push(&statement.name);
        let mut run = Run {
            title: &statement.name,
            from: self.sources(statement, previous),
            ..Run::default()
        };
        if !matches!(statement.source, Source::Previous | Source::From(_)) {
            let merge = crate::summary::source(&statement.source);
            run.operations.extend(merge.map(|merge| (merge, false)));
            let path = self.path.join(".");
            run.shape = shape(self.inferred.value_of(&path));
        }
        let mut title = statement.name.as_str();
        for op in &statement.ops {
            let opened = depth < self.open && depth < LONGEST_PATH && has_body(op);
            if !opened {
                run.add(op, self.inferred);
                continue;
            }
            let from = if run.operations.is_empty() {
                run.from.first().copied().unwrap_or(previous)
            } else {
                title = "";
                self.node(Kind::Box, std::mem::take(&mut run), group)
            };
            let after = self.opened(op, title, from, group, depth + 1);
            title = "";
            run = Run {
                from: vec![after],
                ..Run::default()
            };
        }
        self.path.pop();
        if run.operations.is_empty() && title.is_empty() {
            return run.from.first().copied().unwrap_or(previous);
        }
        if run.operations.is_empty() && matches!(statement.source, Source::From(_)) {
            run.operations
                .extend(crate::summary::source(&statement.source).map(|from| (from, false)));
        }
        self.node(Kind::Box, run, group)
    }

    /// A block as a frame around its boxes; the node whose value comes out.
    fn opened(
        &mut self,
        op: &'m Op,
        title: &str,
        from: usize,
        group: usize,
        depth: usize,
    ) -> usize {
        let mut label = match &op.kind {
            OpKind::Repeat { times, .. } => format!("repeat \u{d7} {times}"),
            OpKind::Parallel { .. } => "parallel".to_owned(),
            _ => op.kind.to_string(),
        };
        if !title.is_empty() {
            label = format!("{title}: {label}");
        }
        for text in op.kind.annotations() {
            label += ", ";
            label += &text;
        }
        let group = self.group(label, group);
        self.names.push(HashMap::new());
        let out = match &op.kind {
            OpKind::Residual { body, shortcut, .. } => {
                let input = self.split(from, group);
                let branch = self.block(body, input, group, depth);
                self.names.push(HashMap::new());
                self.path.push(SHORTCUT);
                let other = self.block(shortcut, input, group, depth);
                self.path.pop();
                self.names.pop();
                let run = Run {
                    from: vec![branch, other],
                    ..Run::default()
                };
                self.node(Kind::Sum, run, group)
            }
            OpKind::Parallel { body, merge } => {
                let input = self.split(from, group);
                let mut branches = Vec::with_capacity(body.len());
                for statement in body {
                    let branch = self.statement(statement, input, group, depth);
                    self.name(&statement.name, branch);
                    branches.push(branch);
                }
                let run = Run {
                    from: branches,
                    operations: vec![(merge.word().to_owned(), false)],
                    shape: shape(self.inferred.output_of(op.id)),
                    ..Run::default()
                };
                self.node(Kind::Box, run, group)
            }
            OpKind::Repeat { copies, .. } if !copies.is_empty() => {
                let mut at = from;
                for copy in copies {
                    self.path.push(&copy.name);
                    at = self.block(&copy.body, at, group, depth);
                    self.path.pop();
                }
                at
            }
            OpKind::Use(one) => {
                self.name(&one.input, from);
                self.block(&one.body, from, group, depth)
            }
            OpKind::When { .. } if !has_body(op) => from,
            OpKind::Repeat { body, .. } | OpKind::When { body, .. } => {
                self.block(body, from, group, depth)
            }
            _ => from,
        };
        self.names.pop();
        out
    }
}

fn has_body(op: &Op) -> bool {
    op.kind
        .blocks()
        .next()
        .is_some_and(|(_, body)| !body.is_empty())
}

fn shape(shape: Option<&Shape>) -> String {
    shape.map_or_else(|| "_".to_owned(), ToString::to_string)
}

impl Run<'_> {
    fn add(&mut self, op: &Op, inferred: &Inferred) {
        let training = matches!(op.kind, OpKind::Stochastic(_) | OpKind::Activity(_));
        self.operations.push((op.kind.to_string(), training));
        let inside = op.kind.annotations().into_iter();
        self.operations.extend(inside.map(|text| (text, true)));
        for rule in &op.rules {
            let text = (rule.to_string(), true);
            if !self.rules.contains(&text) {
                self.rules.push(text);
            }
        }
        self.shape = shape(inferred.output_of(op.id));
    }
}
