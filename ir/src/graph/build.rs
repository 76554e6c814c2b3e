//! From the statements to the graph.

use super::node::{Kind, Node};
use super::{CRATE, Graph, LAYERS, MODEL, Scope, Unused};
use crate::op::blocks::SHORTCUT;
use crate::walk::LONGEST_PATH;
use crate::{
    Id, Inferred, Layout, LintLevel, Merge, Model, Op, OpKind, Shape, Source, Statement, Value,
};
use std::collections::HashMap;

/// No more second copies beyond this many nodes.
const MANY: usize = 50_000;

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

    /// Ends a block: what was not read is unused.
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
            Source::Add(names)
            | Source::Sub(names)
            | Source::Concat(names)
            | Source::ConcatTime(names)
            | Source::SampleNormal(names) => (Kind::Merge, names),
            Source::Mul(names) | Source::Div(names) | Source::Matmul(names) => (Kind::Gate, names),
        };
        let from: Vec<usize> = names.iter().filter_map(|name| self.used(name)).collect();
        self.node(kind, id, from, scope)
    }

    /// The value of a block whose names are its own.
    fn inside(&mut self, body: &'m [Statement], input: usize, scope: usize) -> usize {
        self.names.push(HashMap::new());
        let last = self.block(body, input, None, scope);
        self.close();
        last
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
            OpKind::Repeat { copies, .. } if !copies.is_empty() => {
                let mut at = input;
                for copy in copies {
                    self.path.push(&copy.name);
                    at = self.inside(&copy.body, at, scope);
                    self.path.pop();
                }
                at
            }
            OpKind::Use(one) => {
                let value = Named {
                    node: input,
                    used: true,
                    id: op.id,
                    scope,
                    input: false,
                    order: 0,
                };
                self.names
                    .push(HashMap::from([(one.input.as_str(), value)]));
                let last = self.block(&one.body, input, None, scope);
                self.close();
                last
            }
            OpKind::When { condition, body } => match condition.is_true() {
                Some(false) => input,
                _ => self.inside(body, input, scope),
            },
            OpKind::Repeat { times, body, .. } => {
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
                    at = self.inside(body, at, scope);
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
            kind => {
                let other = kind.reads().and_then(|name| self.used(name));
                let from = std::iter::once(input).chain(other).collect();
                self.node(Kind::Op(op), op.id, from, scope)
            }
        }
    }
}
