//! The model as nodes and edges, for the lints.
//!
//! Blocks are flattened. A `repeat` becomes at most two copies, so that rules see what follows what across the
//! boundary. Edges lead from earlier nodes to later ones only.

use crate::op::blocks::SHORTCUT;
use crate::op::{self, Operation};
use crate::walk::LONGEST_PATH;
use crate::{
    Activation, Conv, DropPath, Id, Inferred, Input, Layout, LintLevel, Merge, Model, Op, OpKind,
    Rate, Reduction, Shape, Source, Statement, Stochastic, Value,
};
use std::collections::{HashMap, HashSet};

/// No more second copies beyond this many nodes.
const MANY: usize = 50_000;

/// Lint levels of one thing, inside those of what stands around it.
pub(crate) struct Scope<'m> {
    pub(crate) levels: &'m [LintLevel],
    pub(crate) parent: Option<usize>,
}

/// The scopes that every graph has.
pub(crate) const MODEL: usize = 0;
pub(crate) const LAYERS: usize = 1;
pub(crate) const LOSS: usize = 2;
pub(crate) const TRAIN: usize = 3;
const CRATE: usize = 4;

/// What a node does.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'m> {
    Input(&'m Input),
    Op(&'m Op),
    /// The `drop_path` of a residual, at the end of its branch.
    DropPath(&'m DropPath),
    /// `add` or `concat`, also of the branches of a `parallel`.
    Merge,
    /// `mul`: what gates do.
    Gate,
    /// The sum at the end of a residual.
    Sum,
}

pub(crate) struct Node<'m> {
    pub(crate) kind: Kind<'m>,
    pub(crate) id: Id,
    /// The statement's path: `stage1.block`.
    pub(crate) path: String,
    pub(crate) input: Option<Shape>,
    pub(crate) output: Option<Shape>,
    /// What the axes of `input` mean.
    pub(crate) layout: Layout,
    pub(crate) from: Vec<usize>,
    pub(crate) to: Vec<usize>,
    pub(crate) scope: usize,
    /// How many copies of the written model this node stands for.
    pub(crate) times: usize,
    /// Inside the branch of a residual.
    pub(crate) in_branch: bool,
    /// The branch's last node (or its `drop_path`) of a `Sum`.
    pub(crate) branch: Option<usize>,
}

/// A value that nobody reads.
pub(crate) struct Unused {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) scope: usize,
    pub(crate) input: bool,
}

pub(crate) struct Graph<'m> {
    pub(crate) model: &'m Model,
    pub(crate) nodes: Vec<Node<'m>>,
    pub(crate) scopes: Vec<Scope<'m>>,
    pub(crate) unused: Vec<Unused>,
    /// The node whose value is the model's output.
    pub(crate) output: Option<usize>,
    pub(crate) inferred: &'m Inferred,
}

struct Named {
    node: usize,
    used: bool,
    id: Id,
    scope: usize,
    input: bool,
    order: usize,
}

struct Builder<'m, 'i> {
    graph: Graph<'m>,
    inferred: &'i Inferred,
    names: Vec<HashMap<&'m str, Named>>,
    path: Vec<&'m str>,
    branches: usize,
    times: usize,
}

impl<'m> Graph<'m> {
    pub(crate) fn new(model: &'m Model, inferred: &'m Inferred) -> Self {
        let root = |levels, parent| Scope { levels, parent };
        let scopes = vec![
            root(model.levels.as_slice(), Some(CRATE)),
            root(model.layer_levels.as_slice(), Some(MODEL)),
            root(
                model.loss.as_ref().map_or(&[], |loss| &loss.levels),
                Some(MODEL),
            ),
            root(
                model.train.as_ref().map_or(&[], |train| &train.levels),
                Some(MODEL),
            ),
            root(model.crate_levels.as_slice(), None),
        ];
        let graph = Graph {
            model,
            nodes: Vec::new(),
            scopes,
            unused: Vec::new(),
            output: None,
            inferred,
        };
        let mut builder = Builder {
            graph,
            inferred,
            names: vec![HashMap::new()],
            path: Vec::new(),
            branches: 0,
            times: 1,
        };
        let mut first = None;
        for (order, input) in model.inputs.iter().enumerate() {
            let shape = Some(Shape(input.shape.iter().map(Value::size).collect()));
            let node = builder.node(Kind::Input(input), input.id, Vec::new(), MODEL);
            if let Some(node) = builder.graph.nodes.get_mut(node) {
                node.output = shape;
            }
            first.get_or_insert(node);
            if let Some(names) = builder.names.last_mut() {
                names.insert(
                    &input.name,
                    Named {
                        node,
                        used: false,
                        id: input.id,
                        scope: MODEL,
                        input: true,
                        order,
                    },
                );
            }
        }
        if let Some(first) = first {
            let last = builder.block(
                &model.layers,
                first,
                model.inputs.first().map(|input| input.name.as_str()),
                LAYERS,
            );
            builder.close();
            builder.graph.output = (!model.layers.is_empty()).then_some(last);
        }
        builder.graph
    }

    pub(crate) fn node(&self, index: usize) -> Option<&Node<'m>> {
        self.nodes.get(index)
    }

    /// The nodes before `index` in its segment, nearest first. They end at a weight op, a merge or an input,
    /// which comes last.
    pub(crate) fn before(&self, index: usize) -> impl Iterator<Item = (usize, &Node<'m>)> {
        let mut at = self.node(index).and_then(|node| node.from.first().copied());
        let mut stop = self.node(index).is_none_or(|node| node.from.len() > 1);
        std::iter::from_fn(move || {
            if stop {
                return None;
            }
            let index = at?;
            let node = self.node(index)?;
            stop = node.ends_segment();
            at = node.from.first().copied();
            Some((index, node))
        })
    }

    /// The nodes behind `index` in its segment, on all ways; weight ops and merges end each way and are
    /// included.
    pub(crate) fn behind(&self, index: usize) -> Vec<(usize, &Node<'m>)> {
        let mut seen = Vec::new();
        let mut known = HashSet::new();
        let mut open: Vec<usize> = self
            .node(index)
            .map_or_else(Vec::new, |node| node.to.clone());
        while let Some(next) = open.pop() {
            let Some(node) = self.node(next).filter(|_| known.insert(next)) else {
                continue;
            };
            seen.push((next, node));
            if !node.ends_segment() {
                open.extend(&node.to);
            }
        }
        seen.sort_by_key(|(index, _)| *index);
        seen
    }

    /// The ops between the last weight op and the output, last first, without crossing a merge; then the node
    /// that ends them.
    pub(crate) fn output_segment(&self) -> (Vec<(usize, &Node<'m>)>, Option<&Node<'m>>) {
        let mut ops = Vec::new();
        let mut at = self.output;
        while let Some((index, node)) = at.and_then(|index| Some((index, self.node(index)?))) {
            if node.ends_segment() {
                return (ops, Some(node));
            }
            ops.push((index, node));
            at = node.from.first().copied();
        }
        (ops, None)
    }

    /// For each node, the first node behind it that satisfies `wanted`, whatever stands between.
    pub(crate) fn leads_to(&self, wanted: impl Fn(&Node<'m>) -> bool) -> Vec<Option<usize>> {
        self.nearest(wanted, |_| false)
    }

    /// As [`Graph::leads_to`], within the segment: no weights and no merge between.
    pub(crate) fn leads_within(&self, wanted: impl Fn(&Node<'m>) -> bool) -> Vec<Option<usize>> {
        self.nearest(wanted, Node::ends_segment)
    }

    fn nearest(
        &self,
        wanted: impl Fn(&Node<'m>) -> bool,
        ends: impl Fn(&Node<'m>) -> bool,
    ) -> Vec<Option<usize>> {
        let mut nearest: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let through = |next: &usize| match self.node(*next)? {
                node if wanted(node) => Some(*next),
                node if ends(node) => None,
                _ => nearest.get(*next).copied().flatten(),
            };
            let found = node.to.iter().filter_map(through).min();
            if let Some(slot) = nearest.get_mut(index) {
                *slot = found;
            }
        }
        nearest
    }
}

impl<'m> Node<'m> {
    pub(crate) fn op(&self) -> Option<&'m Op> {
        match self.kind {
            Kind::Op(op) => Some(op),
            _ => None,
        }
    }

    /// A module whose inside the lints do not see.
    pub(crate) fn is_opaque(&self) -> bool {
        self.op()
            .is_some_and(|op| matches!(op.kind, OpKind::Custom(_) | OpKind::Model { .. }))
    }

    fn kind_is(&self, is: impl Fn(&OpKind) -> bool) -> bool {
        self.op().is_some_and(|op| is(&op.kind))
    }

    /// A weight op: dense, convolution, recurrence, attention, embedding, or a module that may be one.
    pub(crate) fn is_weight(&self) -> bool {
        let is_weight = |kind: &OpKind| kind.operation().is_some_and(Operation::is_weight);
        self.is_opaque() || self.kind_is(is_weight)
    }

    /// A weight op that is nothing but a product and a sum: `linear` or a convolution.
    pub(crate) fn is_affine(&self) -> bool {
        self.kind_is(|kind| matches!(kind, OpKind::Linear(_) | OpKind::Conv(_)))
    }

    pub(crate) fn conv(&self) -> Option<&'m Conv> {
        match &self.op()?.kind {
            OpKind::Conv(conv) => Some(conv),
            _ => None,
        }
    }

    pub(crate) fn is_recurrent(&self) -> bool {
        self.kind_is(|kind| matches!(kind, OpKind::Recurrent(_)))
    }

    /// What takes a maximum or a mean of several positions or steps.
    pub(crate) fn pooling(&self) -> Option<Reduction> {
        match &self.op()?.kind {
            OpKind::Pool(pool) => Some(pool.reduction),
            OpKind::GlobalPool(op::GlobalPool(reduction))
            | OpKind::Reduce(op::Reduce { reduction, .. }) => Some(*reduction),
            _ => None,
        }
    }

    /// What gives no value that lies outside the range of those it takes.
    pub(crate) fn keeps_range(&self) -> bool {
        self.pooling().is_some()
            || self.kind_is(|kind| {
                matches!(
                    kind,
                    OpKind::Flatten
                        | OpKind::Reshape(_)
                        | OpKind::ToSequence
                        | OpKind::Transpose
                        | OpKind::Step(_)
                        | OpKind::Activity(_)
                )
            })
    }

    /// The spatial axes of the feature maps that come in; `None` if it takes none, or they are not known.
    pub(crate) fn map(&self) -> Option<Vec<usize>> {
        (self.layout == Layout::Channels).then_some(())?;
        self.input.as_ref()?.0.iter().skip(1).copied().collect()
    }

    /// Whether it takes feature maps of more than one position.
    pub(crate) fn takes_maps(&self) -> bool {
        self.map()
            .is_some_and(|axes| axes.iter().any(|size| *size > 1))
    }

    pub(crate) fn is_merge(&self) -> bool {
        matches!(self.kind, Kind::Merge | Kind::Gate | Kind::Sum)
    }

    pub(crate) fn ends_segment(&self) -> bool {
        self.is_weight() || self.is_merge() || matches!(self.kind, Kind::Input(_))
    }

    pub(crate) fn activation(&self) -> Option<&'m Activation> {
        match &self.op()?.kind {
            OpKind::Activation(activation) => Some(activation),
            _ => None,
        }
    }

    pub(crate) fn is_batch_norm(&self) -> bool {
        self.kind_is(|kind| matches!(kind, OpKind::BatchNorm(_)))
    }

    pub(crate) fn is_instance_norm(&self) -> bool {
        self.kind_is(|kind| matches!(kind, OpKind::InstanceNorm(_)))
    }

    pub(crate) fn is_norm(&self) -> bool {
        self.kind_is(|kind| {
            matches!(
                kind,
                OpKind::BatchNorm(_)
                    | OpKind::LayerNorm(_)
                    | OpKind::GroupNorm(_)
                    | OpKind::InstanceNorm(_)
                    | OpKind::RmsNorm(_)
            )
        })
    }

    pub(crate) fn stochastic(&self) -> Option<&'m Stochastic> {
        match &self.op()?.kind {
            OpKind::Stochastic(stochastic) => Some(stochastic),
            _ => None,
        }
    }

    /// Dropout of any kind: what multiplies values, channels or regions by something random.
    pub(crate) fn dropout(&self) -> Option<&'m Stochastic> {
        self.stochastic().filter(|stochastic| {
            !matches!(
                stochastic,
                Stochastic::Noise { .. } | Stochastic::DropPath { .. }
            )
        })
    }

    /// The rates inside its operation.
    pub(crate) fn rates(&self) -> Vec<(&'static str, &'m Rate)> {
        self.op().map_or_else(Vec::new, |op| op.kind.rates())
    }

    /// Its name in messages: the statement's path; with the operation where the statement has several.
    pub(crate) fn name(&self) -> String {
        match self.kind {
            Kind::Input(input) => input.name.clone(),
            Kind::Op(op) => match &op.field {
                Some(field) if !self.path.ends_with(field.as_str()) => field.clone(),
                _ => self.path.clone(),
            },
            _ => self.path.clone(),
        }
    }

    pub(crate) fn place(&self) -> String {
        match self.kind {
            Kind::Input(input) => format!("input `{}`", input.name),
            _ if self.path.is_empty() => String::new(),
            _ => format!("layer `{}`", self.path),
        }
    }
}

impl<'m> Builder<'m, '_> {
    fn scope(&mut self, levels: &'m [LintLevel], parent: usize) -> usize {
        if levels.is_empty() {
            return parent;
        }
        self.graph.scopes.push(Scope {
            levels,
            parent: Some(parent),
        });
        self.graph.scopes.len() - 1
    }

    fn node(&mut self, kind: Kind<'m>, id: Id, from: Vec<usize>, scope: usize) -> usize {
        let index = self.graph.nodes.len();
        for previous in &from {
            if let Some(node) = self.graph.nodes.get_mut(*previous) {
                node.to.push(index);
            }
        }
        let (input, output, layout) = match kind {
            Kind::Op(op) => (
                self.inferred.input_of(op.id).cloned(),
                self.inferred.output_of(op.id).cloned(),
                self.inferred.layout_of(op.id),
            ),
            _ => (None, None, Layout::default()),
        };
        self.graph.nodes.push(Node {
            kind,
            id,
            path: self.path.join("."),
            input,
            output,
            layout,
            from,
            to: Vec::new(),
            scope,
            times: self.times,
            in_branch: self.branches > 0,
            branch: None,
        });
        index
    }

    /// The node that a block ends with.
    fn block(
        &mut self,
        statements: &'m [Statement],
        input: usize,
        input_name: Option<&'m str>,
        scope: usize,
    ) -> usize {
        if self.path.len() > LONGEST_PATH {
            return input;
        }
        let (mut previous, mut previous_name) = (input, input_name);
        for (order, statement) in statements.iter().enumerate() {
            let at = self.statement(statement, order, previous, previous_name, scope);
            (previous, previous_name) = (at, Some(statement.name.as_str()));
        }
        // The last value is the block's.
        if let Some(name) = previous_name {
            self.used(name);
        }
        previous
    }

    /// The node that a statement ends with.
    fn statement(
        &mut self,
        statement: &'m Statement,
        order: usize,
        previous: usize,
        previous_name: Option<&'m str>,
        scope: usize,
    ) -> usize {
        self.path.push(&statement.name);
        let scope = self.scope(&statement.levels, scope);
        let mut at = self.source(statement, previous, previous_name, scope);
        for op in &statement.ops {
            at = self.op(op, at, scope);
        }
        self.path.pop();
        if let Some(names) = self.names.last_mut() {
            let named = Named {
                node: at,
                used: false,
                id: statement.id,
                scope,
                input: false,
                order,
            };
            names.insert(&statement.name, named);
        }
        at
    }

    fn used(&mut self, name: &str) -> Option<usize> {
        let named = self
            .names
            .iter_mut()
            .rev()
            .find_map(|names| names.get_mut(name))?;
        named.used = true;
        Some(named.node)
    }

    /// Ends a block: what nobody read is unused.
    fn close(&mut self) {
        let names = self.names.pop().unwrap_or_default();
        let mut unused: Vec<(&str, Named)> =
            names.into_iter().filter(|(_, named)| !named.used).collect();
        unused.sort_by_key(|(_, named)| (!named.input, named.order));
        for (name, named) in unused {
            let mut path = self.path.clone();
            path.push(name);
            self.graph.unused.push(Unused {
                id: named.id,
                name: name.to_owned(),
                place: if named.input {
                    format!("input `{name}`")
                } else {
                    crate::walk::place(&path)
                },
                scope: named.scope,
                input: named.input,
            });
        }
    }

    fn source(
        &mut self,
        statement: &'m Statement,
        previous: usize,
        previous_name: Option<&'m str>,
        scope: usize,
    ) -> usize {
        let id = if statement.source_id.is_none() {
            statement.id
        } else {
            statement.source_id
        };
        let (kind, names) = match &statement.source {
            Source::Previous => {
                if let Some(name) = previous_name {
                    self.used(name);
                }
                return previous;
            }
            Source::From(name) => return self.used(name).unwrap_or(previous),
            Source::Add(names) | Source::Concat(names) => (Kind::Merge, names),
            Source::Mul(names) => (Kind::Gate, names),
        };
        let from: Vec<usize> = names.iter().filter_map(|name| self.used(name)).collect();
        self.node(kind, id, from, scope)
    }

    fn op(&mut self, op: &'m Op, input: usize, scope: usize) -> usize {
        let scope = self.scope(&op.levels, scope);
        match &op.kind {
            OpKind::Residual {
                body,
                shortcut,
                drop_path,
            } => {
                self.branches += 1;
                self.names.push(HashMap::new());
                let mut branch = self.block(body, input, None, scope);
                self.close();
                if let Some(path) = drop_path {
                    let scope = self.scope(&path.levels, scope);
                    let id = if path.id.is_none() { op.id } else { path.id };
                    branch = self.node(Kind::DropPath(path), id, vec![branch], scope);
                }
                self.branches -= 1;
                self.names.push(HashMap::new());
                self.path.push(SHORTCUT);
                let other = self.block(shortcut, input, None, scope);
                self.path.pop();
                self.close();
                let sum = self.node(Kind::Sum, op.id, vec![branch, other], scope);
                if let Some(node) = self.graph.nodes.get_mut(sum) {
                    node.branch = Some(branch);
                    node.output = self.inferred.output_of(op.id).cloned();
                }
                sum
            }
            OpKind::Repeat { times, body } => {
                let copies = times.size().unwrap_or(2);
                let mut at = input;
                for copy in 0..copies.min(2) {
                    if copy > 0 && self.graph.nodes.len() > MANY {
                        break;
                    }
                    let outer = self.times;
                    if copy == 1 {
                        self.times = outer.saturating_mul(copies - 1);
                    }
                    self.names.push(HashMap::new());
                    at = self.block(body, at, None, scope);
                    self.close();
                    self.times = outer;
                }
                at
            }
            OpKind::Parallel { body, merge } => {
                self.names.push(HashMap::new());
                let mut branches = Vec::with_capacity(body.len());
                if self.path.len() <= LONGEST_PATH {
                    for (order, statement) in body.iter().enumerate() {
                        let branch = self.statement(statement, order, input, None, scope);
                        self.used(&statement.name);
                        branches.push(branch);
                    }
                }
                self.close();
                let kind = match merge {
                    Merge::Add | Merge::Concat => Kind::Merge,
                    Merge::Mul => Kind::Gate,
                };
                let node = self.node(kind, op.id, branches, scope);
                if let Some(node) = self.graph.nodes.get_mut(node) {
                    node.output = self.inferred.output_of(op.id).cloned();
                }
                node
            }
            _ => self.node(Kind::Op(op), op.id, vec![input], scope),
        }
    }
}
