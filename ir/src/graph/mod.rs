//! The model as nodes and edges, for the lints.
//!
//! Blocks are flattened. A `repeat` becomes at most two copies, so that rules see what follows what across the
//! boundary. Edges lead from earlier nodes to later ones only.

mod build;
mod node;

pub(crate) use node::{Kind, Node};

use crate::{Id, Inferred, LintLevel, Model};
use std::collections::HashSet;

/// Lint levels of one thing, inside those of what contains it.
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

/// A value that is never read.
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

impl<'m> Graph<'m> {
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

    /// The nodes after `index` in its segment, on all ways; weight ops and merges end each way and are
    /// included.
    pub(crate) fn after(&self, index: usize) -> Vec<(usize, &Node<'m>)> {
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

    /// For each node, the first later node that satisfies `wanted`, whatever is between.
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
