//! A value on its way through the model.

use crate::shape::Layout;
use crate::{Id, OpKind, Shape};

/// A value on its way: its shape, if it is known, and the name it has in messages.
#[derive(Clone, Debug)]
pub(super) struct ValueInfo<'m> {
    pub(super) shape: Option<Shape>,
    pub(super) name: &'m str,
    /// What the axes mean.
    pub(super) layout: Layout,
    /// Class indices, which only an embedding reads.
    pub(super) indices: bool,
    /// How many classes the indices are of, if that was declared.
    pub(super) vocab: Option<usize>,
    /// The input whose padded steps these are, and the steps before them.
    pub(super) padding: Option<(&'m str, usize)>,
    /// What took its steps or positions away: the operation, its text, and the statement that it is in.
    pub(super) flat: Option<(Id, &'m OpKind, &'m str)>,
    /// Channels first because a sequence was transposed: its steps are the last axis.
    pub(super) transposed: bool,
    /// Where the shape is unknown because of another model: it has as many axes as that one's output.
    pub(super) like: Option<Id>,
}

impl<'m> ValueInfo<'m> {
    /// Its shape; after another model, the one that is assumed of it.
    pub(super) fn assumed(&self, shape: Option<Shape>) -> Option<Shape> {
        self.shape
            .clone()
            .or_else(|| shape.filter(|_| self.like.is_some()))
    }

    pub(super) fn unknown(name: &'m str) -> Self {
        Self {
            shape: None,
            name,
            layout: Layout::Features,
            indices: false,
            vocab: None,
            padding: None,
            flat: None,
            transposed: false,
            like: None,
        }
    }

    /// The size of the axis that `linear(same)` restores.
    pub(super) fn units(&self) -> Option<usize> {
        let shape = self.shape.as_ref()?;
        let axis = self.layout.class_axis(shape.rank());
        shape.0.get(axis).copied().flatten()
    }
}

/// The padding of values that become one.
pub(super) fn merged<'m>(flows: &[ValueInfo<'m>]) -> Option<(&'m str, usize)> {
    let mut all = flows.iter().filter_map(|flow| flow.padding);
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}
