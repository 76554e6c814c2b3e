//! A node of the graph: an operation, a source, a block's end.

use crate::op::{self, Operation};
use crate::{
    Activation, Conv, DropPath, Id, Input, Layout, Op, OpKind, Rate, Reduction, Shape, Stochastic,
};

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
    /// How many copies of the written node this one represents.
    pub(crate) times: usize,
    /// Inside the branch of a residual.
    pub(crate) in_branch: bool,
    /// The branch's last node (or its `drop_path`) of a `Sum`.
    pub(crate) branch: Option<usize>,
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
            OpKind::GlobalPool(op::GlobalPool(reduction)) => Some(*reduction),
            OpKind::Reduce(op::Reduce { reduction, .. }) => reduction.pooling(),
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
                        | OpKind::ToImage(_)
                        | OpKind::Permute(_)
                        | OpKind::Slice(_)
                        | OpKind::PixelShuffle(_)
                        | OpKind::ChannelShuffle(_)
                        | OpKind::Upsample(_)
                        | OpKind::Resize(_)
                        | OpKind::Elementwise(op::Elementwise::Identity)
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
        self.kind_is(|kind| kind.operation().is_some_and(Operation::normalizes))
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
