//! The result of the walk.

use crate::shape::Layout;
use crate::{Finding, Id, Shape};
use std::collections::HashMap;

/// The result of [`crate::Model::infer`].
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    /// What does not fit, in the order of the walk.
    pub findings: Vec<Finding>,
    pub(super) ops: HashMap<Id, OpInfo>,
    pub(super) statements: HashMap<Id, Shape>,
    pub(super) paths: HashMap<String, Shape>,
    pub(super) axes: HashMap<Id, usize>,
    pub(super) spread: HashMap<Id, (usize, Vec<bool>)>,
    pub(super) output: Option<Shape>,
    pub(super) output_layout: Layout,
    pub(super) statements_like: HashMap<Id, Id>,
    pub(super) output_like: Option<Id>,
}

/// The values before and after an operation.
#[derive(Clone, Debug, Default)]
pub(super) struct OpInfo {
    pub(super) input: Option<Shape>,
    pub(super) output: Option<Shape>,
    pub(super) layout: Layout,
    pub(super) padding: Option<(String, usize)>,
    pub(super) input_like: Option<Id>,
    pub(super) output_like: Option<Id>,
    pub(super) memory: Option<Shape>,
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

    /// The shape of the other value that an operation reads; `None` if there is none, or it is not known.
    pub fn memory_of(&self, op: Id) -> Option<&Shape> {
        self.ops.get(&op).and_then(|around| around.memory.as_ref())
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

    /// For `add`, `mul` and other arithmetic on values of different ranks: the rank of the result, and which of the
    /// values have a lower rank. Those are broadcast: `[channels]` is used as `[channels, 1, ..]`. `id` is as for
    /// [`Inferred::concat_axis`].
    pub fn spread(&self, id: Id) -> Option<(usize, &[bool])> {
        let (rank, lower) = self.spread.get(&id)?;
        Some((*rank, lower))
    }

    /// Where the steps that an operation takes come from, if some of them are padding: the name of the input
    /// `of int(pad = ..)`, and how many steps were put before its own (`class_token`).
    ///
    /// For an operation that reads another value, the steps of that one.
    ///
    /// Known for recurrent layers, `attention`, steps and reductions over time, as far as only operations that keep
    /// the time axis are between: not after `transpose`, `reshape` or another model.
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
