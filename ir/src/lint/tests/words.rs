//! Words for feature maps and sequences, as a test writes them.

use crate::op;
use crate::tests::builder::*;
use crate::{
    Axis, Cell, Conv, Id, InputKind, Merge, Model, OpKind, Padding, Pool, Rate, Recurrent,
    Reduction, Statement, Stochastic, Value,
};

/// `conv2d(out, kernel = k, padding = k / 2, bias = false)`
pub(super) fn conv(out: usize, kernel: usize) -> OpKind {
    conv_with(out, kernel, |_| ())
}

pub(super) fn conv_with(out: usize, kernel: usize, edit: impl FnOnce(&mut Conv)) -> OpKind {
    let mut conv = Conv {
        axes: 2,
        transposed: false,
        depthwise: false,
        out: value(out as f64),
        kernel: vec![value(kernel as f64)],
        stride: vec![value(1.0)],
        padding: Padding::Zeros(vec![value((kernel / 2) as f64)]),
        dilation: vec![value(1.0)],
        groups: value(1.0),
        output_padding: vec![],
        bias: Value::truth(false),
    };
    edit(&mut conv);
    OpKind::Conv(conv)
}

pub(super) fn biased(out: usize, kernel: usize) -> OpKind {
    conv_with(out, kernel, |conv| conv.bias = Value::truth(true))
}

pub(super) fn strided(out: usize, kernel: usize, stride: usize) -> OpKind {
    conv_with(out, kernel, |conv| conv.stride = vec![value(stride as f64)])
}

/// `conv2d(out, kernel = [a, b], padding = [a / 2, b / 2])`
pub(super) fn flat(out: usize, a: usize, b: usize) -> OpKind {
    conv_with(out, a, |conv| {
        conv.kernel = vec![value(a as f64), value(b as f64)];
        conv.padding = Padding::Zeros(vec![value((a / 2) as f64), value((b / 2) as f64)]);
    })
}

pub(super) fn depthwise(kernel: usize, stride: usize) -> OpKind {
    conv_with(1, kernel, |conv| {
        conv.depthwise = true;
        conv.stride = vec![value(stride as f64)];
    })
}

/// `conv_transpose2d(out, kernel = 2, stride = 2)`
pub(super) fn up(out: usize) -> OpKind {
    conv_with(out, 2, |conv| {
        conv.transposed = true;
        conv.stride = vec![value(2.0)];
        conv.padding = Padding::Valid;
        conv.output_padding = vec![value(0.0)];
        conv.bias = Value::truth(true);
    })
}

pub(super) fn pool(reduction: Reduction, kernel: usize) -> OpKind {
    OpKind::Pool(Pool::new(2, reduction, kernel))
}

pub(super) fn max_pool(kernel: usize) -> OpKind {
    pool(Reduction::Max, kernel)
}

pub(super) fn avg_pool(kernel: usize) -> OpKind {
    pool(Reduction::Mean, kernel)
}

pub(super) fn global_avg_pool() -> OpKind {
    OpKind::GlobalPool(op::GlobalPool(Reduction::Mean))
}

pub(super) fn instance_norm() -> OpKind {
    OpKind::InstanceNorm(op::InstanceNorm {
        epsilon: value(1e-5),
    })
}

pub(super) fn group_norm(groups: usize) -> OpKind {
    OpKind::GroupNorm(op::GroupNorm {
        groups: value(groups as f64),
        epsilon: value(1e-5),
    })
}

pub(super) fn spatial_dropout(rate: f64) -> OpKind {
    OpKind::Stochastic(Stochastic::SpatialDropout { rate: value(rate) })
}

pub(super) fn variational_dropout(rate: f64) -> OpKind {
    OpKind::Stochastic(Stochastic::VariationalDropout { rate: value(rate) })
}

pub(super) fn drop_block(rate: f64, size: usize) -> OpKind {
    OpKind::Stochastic(Stochastic::DropBlock {
        rate: value(rate),
        first: None,
        size: value(size as f64),
    })
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "it fills a field that may be empty"
)]
pub(super) fn rate(number: f64) -> Option<Rate> {
    Some(Rate {
        id: Id::NONE,
        rate: value(number),
        levels: vec![],
    })
}

pub(super) fn embedding(vocab: usize, dim: usize, dropout: f64) -> OpKind {
    OpKind::Embedding(op::Embedding {
        vocab: value(vocab as f64),
        dim: value(dim as f64),
        dropout: (dropout > 0.0).then(|| rate(dropout)).flatten(),
    })
}

pub(super) fn recurrent(
    cell: Cell,
    hidden: usize,
    layers: usize,
    edit: impl FnOnce(&mut Recurrent),
) -> OpKind {
    let mut recurrent = Recurrent {
        cell,
        hidden: value(hidden as f64),
        layers: value(layers as f64),
        bidirectional: Value::truth(false),
        merge: crate::op::recurrent::Directions::Concat,
        activation: crate::op::recurrent::StateFunction::Tanh,
        between: None,
        variational: None,
        recurrent: None,
        zoneout: None,
    };
    edit(&mut recurrent);
    OpKind::Recurrent(recurrent)
}

pub(super) fn lstm(hidden: usize, layers: usize) -> OpKind {
    recurrent(Cell::Lstm, hidden, layers, |_| ())
}

pub(super) fn attention(heads: usize, causal: bool, dropout: f64) -> OpKind {
    OpKind::Attention(op::Attention {
        causal: Value::truth(causal),
        dropout: (dropout > 0.0).then(|| rate(dropout)).flatten(),
        ..op::Attention::new(value(heads as f64))
    })
}

pub(super) fn positional() -> OpKind {
    OpKind::Positional(op::Positional { learned: true })
}

pub(super) fn last_step() -> OpKind {
    OpKind::Step(op::Step { last: true })
}

pub(super) fn first_step() -> OpKind {
    OpKind::Step(op::Step { last: false })
}

pub(super) fn mean_over_time() -> OpKind {
    OpKind::Reduce(op::Reduce {
        reduction: op::reduce::Total::Mean,
        axis: Axis::Time,
    })
}

pub(super) fn tied(units: usize, embedding: &str) -> OpKind {
    let OpKind::Linear(op::Linear { out, bias, .. }) = linear(units) else {
        unreachable!()
    };
    OpKind::Linear(op::Linear {
        out,
        bias,
        same: false,
        tied: Some(embedding.to_owned()),
    })
}

pub(super) fn parallel(body: Vec<Statement>, merge: Merge) -> OpKind {
    OpKind::Parallel { body, merge }
}

/// A model of pictures `[3, side, side]`.
pub(super) fn pictures(side: usize, layers: Vec<Statement>) -> Model {
    model_of(&[3, side, side], layers)
}

/// A classifier of pictures: the layers, then `head: global_avg_pool -> linear(10)`.
pub(super) fn seeing(layers: Vec<Statement>) -> Model {
    let mut layers = layers;
    layers.push(layer("head", [global_avg_pool(), linear(10)]));
    pictures(32, layers).loss(cross_entropy())
}

/// A model of sequences of `steps` class indices.
pub(super) fn reading(steps: usize, vocab: usize, layers: Vec<Statement>) -> Model {
    let mut model = model_of(&[steps], layers);
    model.inputs[0].kind = InputKind::Int {
        vocab: Some(value(vocab as f64)),
        pad: None,
    };
    model
}
