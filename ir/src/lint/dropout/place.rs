//! Where dropout is: before the output, a batch norm, an activation; on the input; outside a residual.

use super::super::convolution::window;
use super::super::{Cx, allow, percent};
use super::{acts, dropouts, rate, written};
use crate::catalogue::names;
use crate::graph::{Graph, Kind, Node};
use crate::{ActivationKind, Id, Level, OpKind, Reduction, Stochastic};
use std::collections::HashSet;

const VARIANCE: &str = "dropout raises the variance that batch norm learns; at inference the variance is another (Li et al., arXiv 1801.05134)";

/// Everything random on the way from the last weights to the output; the branches of residuals are exempt.
pub(super) fn before_output<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) -> HashSet<usize> {
    let mut found = HashSet::new();
    let mut seen = HashSet::new();
    let mut open: Vec<usize> = graph.output.into_iter().collect();
    let mut heads = Vec::new();
    while let Some(index) = open.pop() {
        let Some(node) = graph.node(index).filter(|_| seen.insert(index)) else {
            continue;
        };
        if node.is_weight() {
            heads.push(node);
            continue;
        }
        if node.stochastic().is_some_and(acts)
            && !matches!(node.stochastic(), Some(Stochastic::DropPath { .. }))
        {
            found.insert(index);
        }
        if !matches!(node.kind, Kind::Sum) {
            open.extend(&node.from);
        }
    }
    let Some(loss) = &graph.model.loss else {
        return HashSet::new();
    };
    for index in &found {
        let Some(node) = graph.node(*index) else {
            continue;
        };
        let Some(stochastic) = node.stochastic() else {
            continue;
        };
        let (what, produced) = if super::super::output::is_classification(&loss.kind) {
            ("the class scores", "the scores are produced here")
        } else {
            ("the model's output", "the output is produced here")
        };
        let source = graph
            .before(*index)
            .last()
            .map(|(_, node)| node)
            .filter(|node| node.is_weight());
        let source = source.or(heads.first().copied());
        let head = source.map_or_else(|| "head".to_owned(), Node::name);
        let written = source
            .and_then(Node::op)
            .map_or_else(|| "linear(10)".to_owned(), |op| op.kind.to_string());
        cx.node(node, names::dropout_before_output, format!("`{}` on {what}", OpKind::Stochastic(stochastic.clone())))
            .and_other(source.map_or(Id::NONE, |source| source.id), produced)
            .and_help(format!("remove `{stochastic}`, or drop the features that feed it: `-> relu -> {stochastic}; {head}: {written};`"))
            .and_note("in training the loss compares targets with corrupted values; no weights follow that could make up for it");
    }
    found
}

/// Opt-in: dropout on the features that the last weights read.
pub(super) fn feeding_head<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    if graph.model.loss.is_none() {
        return;
    }
    let (_, Some(head)) = graph.output_segment() else {
        return;
    };
    let Some(mut at) = head
        .is_weight()
        .then(|| head.from.first().copied())
        .flatten()
    else {
        return;
    };
    while let Some(node) = graph.node(at).filter(|node| !node.ends_segment()) {
        if node.dropout().is_some_and(acts) {
            cx.node(node, names::dropout_feeding_head, "dropout on the features that the last layer reads")
                .and_other(head.id, "the last layer")
                .and_help("remove it, or drop earlier")
                .and_note("most published classifiers do this and gain; the lint is for those who do not want it");
        }
        let Some(next) = node.from.first() else {
            return;
        };
        at = *next;
    }
}

pub(super) fn batch_norm<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let here = graph.leads_within(Node::is_batch_norm);
    let downstream = graph.leads_to(Node::is_batch_norm);
    let first =
        |found: &[Option<usize>], index: usize| graph.node(found.get(index).copied().flatten()?);
    for (index, node, dropout) in dropouts(graph) {
        if let Some(norm) = first(&here, index) {
            let name = norm.name();
            cx.node(
                node,
                names::dropout_before_batch_norm,
                format!(
                    "the batch norm `{name}` learns statistics that this `{dropout}` has inflated"
                ),
            )
            .and_other(norm.id, "this batch norm")
            .and_help(format!(
                "remove `{dropout}`; against overfitting `decay(l2 = 1e-4)` on the weights"
            ))
            .and_note(VARIANCE);
            continue;
        }
        // A pooling averages the variance away (EfficientNet's and MobileNet's heads).
        let alongside = graph
            .before(index)
            .take_while(|(_, node)| node.pooling().is_none())
            .find(|(_, node)| node.is_batch_norm());
        if let Some((_, norm)) = alongside {
            let name = norm.name();
            let is_last = first(&downstream, index).is_none();
            let regions = matches!(dropout, Stochastic::DropBlock { .. });
            let light = cx.limit(&[], node.scope, names::dropout_with_batch_norm, "light");
            let finding = cx.node(
                node,
                names::dropout_with_batch_norm,
                format!("`{dropout}` alongside the batch norm `{name}`"),
            );
            if regions || dropout.rate().known.is_none_or(|rate| rate <= light.value) {
                finding.at_level(Level::Warn);
            }
            finding
                .and_limit(light)
                .and_other(norm.id, "this batch norm regularizes the segment already")
                .and_help(if is_last {
                    format!(
                        "remove `{dropout}`; behind the last batch norm it does little harm: {}",
                        allow(names::dropout_with_batch_norm, "after the last batch norm")
                    )
                } else {
                    format!("remove `{dropout}`; against overfitting `decay(l2 = 1e-4)` on the weights")
                })
                .and_note(if is_last {
                    "batch norm regularizes as well, and no batch norm follows that would see a shifted variance (Li et al., arXiv 1801.05134)"
                } else if regions {
                    "the next batch norm sees a shifted variance (Li et al., arXiv 1801.05134); DropBlock was published with batch norm, and gains (arXiv 1810.12890)"
                } else {
                    "the next batch norm sees a shifted variance (Li et al., arXiv 1801.05134); Wide-ResNet does this and gains (arXiv 1605.07146)"
                });
            continue;
        }
        if let Some(norm) = first(&downstream, index) {
            let name = norm.name();
            cx.node(
                node,
                names::dropout_upstream_of_batch_norm,
                format!(
                    "`{dropout}` shifts the variance that the batch norm `{name}` sees at inference"
                ),
            )
            .and_other(norm.id, "this batch norm")
            .and_help(format!(
                "remove `{dropout}`; against overfitting `decay(l2 = 1e-4)` on the weights; or {}",
                allow(
                    names::dropout_upstream_of_batch_norm,
                    "Wide-ResNet, section 2.4"
                )
            ))
            .and_note(VARIANCE);
        }
    }
    inside_upstream(cx, graph, &downstream);
}

/// Rates inside of layers before a batch norm.
fn inside_upstream<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, downstream: &[Option<usize>]) {
    for (index, node) in graph.nodes.iter().enumerate() {
        let norm = downstream.get(index).copied().flatten();
        let Some(norm) = norm.and_then(|index| graph.node(index)) else {
            continue;
        };
        for written in written(node) {
            let drops = matches!(
                written.word,
                "dropout" | "variational_dropout" | "embedding_dropout"
            );
            if node.stochastic().is_some() || !drops || written.value.known == Some(0.0) {
                continue;
            }
            let text = written.text();
            cx.at(
                written.levels,
                node.scope,
                node.place(),
                written.id,
                names::dropout_upstream_of_batch_norm,
                format!(
                    "`{text}` shifts the variance that the batch norm `{}` sees at inference",
                    norm.name()
                ),
            )
            .and_other(norm.id, "this batch norm")
            .and_help(format!(
                "`layer_norm` instead of the `batch_norm`, or {}",
                allow(names::dropout_upstream_of_batch_norm, "measured")
            ))
            .and_note(VARIANCE);
        }
    }
}

pub(super) fn before_activation<'m>(
    cx: &mut Cx<'m>,
    graph: &Graph<'m>,
    before_output: &HashSet<usize>,
) {
    // A normalization between the two mixes what is dropped with what is not.
    let next = graph.leads_within(|node| node.activation().is_some() || node.is_norm());
    for (index, node, dropout) in
        dropouts(graph).filter(|(index, ..)| !before_output.contains(index))
    {
        if graph
            .before(index)
            .any(|(_, node)| node.activation().is_some() || node.is_recurrent())
        {
            continue;
        }
        let next = graph.node(next.get(index).copied().flatten().unwrap_or(index));
        let Some((next, activation)) = next.and_then(|next| Some((next, next.activation()?)))
        else {
            continue;
        };
        let name = activation.kind.word();
        let breaks = activation.keeps_zero() == Some(false);
        let message = if breaks && activation.kind.is_softmax() {
            format!("`{dropout}` before `{name}`: a dropped score of 0 still takes part")
        } else if breaks {
            format!("`{dropout}` before `{name}`: a dropped unit does not send 0")
        } else if activation.kind.is_homogeneous() {
            format!("`{dropout}` before `{name}`: the result is the same as after it")
        } else {
            format!("`{dropout}` before `{name}`: the kept values are scaled before the activation")
        };
        let finding = cx.node(node, names::dropout_before_activation, message);
        if breaks {
            finding.at_level(Level::Deny);
        }
        finding
            .and_other(next.id, "the activation")
            .and_help(format!("-> {activation} -> {dropout}"))
            .and_note("inverted dropout keeps the mean of what it is applied to: apply it to what the next layer reads (Srivastava et al., JMLR 15)");
    }
}

/// Elementwise dropout before a maximum: the survivors win.
pub(super) fn before_max_pool<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let next = graph.leads_within(|node| node.pooling() == Some(Reduction::Max));
    for (index, node, dropout) in dropouts(graph) {
        if !matches!(
            dropout,
            Stochastic::Dropout { .. }
                | Stochastic::AlphaDropout { .. }
                | Stochastic::GaussianDropout { .. }
        ) {
            continue;
        }
        let Some(pool) = graph.node(next.get(index).copied().flatten().unwrap_or(index)) else {
            continue;
        };
        if pool.pooling() != Some(Reduction::Max) {
            continue;
        }
        let word = pool.op().map_or("max_pool2d", |op| op.kind.word());
        let written = pool
            .op()
            .map_or_else(|| word.to_owned(), |op| op.kind.to_string());
        let window = match pool.op().map(|op| &op.kind) {
            Some(OpKind::Pool(pool)) => window(&pool.kernel, pool.axes),
            _ => None,
        };
        let rest = window
            .zip(rate(dropout))
            .map_or_else(String::new, |(window, rate)| {
                format!(": a window of {window} values is empty with probability {rate}^{window}")
            });
        cx.node(
            node,
            names::dropout_before_max_pool,
            format!("`{word}` picks among what `{dropout}` has kept{rest}"),
        )
        .and_other(pool.id, "this pooling")
        .and_help(format!("-> {written} -> {dropout}"))
        .and_note("the maximum of the kept values, scaled up, differs from the maximum of all: drop after the pooling (Wu and Gu, arXiv 1512.00242, do it on purpose)");
    }
}

/// Dropout before any weights.
pub(super) fn on_input<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) -> HashSet<usize> {
    let mut raw = vec![false; graph.nodes.len()];
    let mut found = HashSet::new();
    if graph.model.loss.is_none() {
        // The input of a model inside another one may be features.
        return found;
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let is_raw = matches!(node.kind, Kind::Input(_))
            || (!node.is_weight()
                && !node.from.is_empty()
                && node.from.iter().all(|from| raw.get(*from) == Some(&true)));
        if let Some(slot) = raw.get_mut(index) {
            *slot = is_raw;
        }
        let Some(dropout) = node.dropout().filter(|_| is_raw) else {
            continue;
        };
        let Some(rate) = rate(dropout) else { continue };
        let max = cx.limit(&[], node.scope, names::dropout_on_input, "max");
        if rate > max.value {
            found.insert(index);
            cx.node(
                node,
                names::dropout_on_input,
                format!("`{dropout}` throws away {} of the input", percent(rate)),
            )
            .and_limit(max)
            .and_help(format!(
                "`dropout(0.1)` or `noise(0.1)`; for input masking {}",
                allow(names::dropout_on_input, "denoising")
            ))
            .and_note("Srivastava et al. (JMLR 15) keep at least 80 % of the input");
        }
    }
    found
}

pub(super) fn selu<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node, dropout) in dropouts(graph) {
        let mut activation = None;
        let mut end = None;
        for (_, before) in graph.before(index) {
            activation = activation.or(before
                .activation()
                .map(|activation| (before.id, activation.kind)));
            end = Some(before);
        }
        match (dropout, activation) {
            (
                Stochastic::Dropout { rate } | Stochastic::GaussianDropout { rate },
                Some((id, ActivationKind::Selu)),
            ) => {
                cx.node(
                    node,
                    names::plain_dropout_with_selu,
                    format!("`{dropout}` breaks the self-normalization of `selu`"),
                )
                .and_other(id, "this `selu`")
                .and_help(format!("alpha_dropout({rate})"))
                .and_note(
                    "alpha dropout keeps mean and variance (Klambauer et al., arXiv 1706.02515)",
                );
            }
            (Stochastic::AlphaDropout { .. }, Some((_, ActivationKind::Selu))) => {}
            (Stochastic::AlphaDropout { rate }, Some((id, kind))) => {
                cx.node(node, names::alpha_dropout_without_selu, format!("`alpha_dropout` after `{}`", kind.word()))
                    .and_other(id, "this activation")
                    .and_help(format!("dropout({rate})"))
                    .and_note("it sets values to the negative limit of `selu`, which means nothing elsewhere (arXiv 1706.02515)");
            }
            (Stochastic::AlphaDropout { rate }, None)
                if end.is_some_and(|end| {
                    end.is_affine()
                        || (matches!(end.kind, Kind::Input(_)) && graph.model.loss.is_some())
                }) =>
            {
                cx.node(node, names::alpha_dropout_without_selu, "`alpha_dropout` without `selu` before it")
                    .and_help(format!("dropout({rate})"))
                    .and_note("it sets values to the negative limit of `selu`, which means nothing elsewhere (arXiv 1706.02515)");
            }
            _ => {}
        }
    }
}

pub(super) fn drop_path<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        if let Some(Stochastic::DropPath { rate }) = node.stochastic() {
            if !node.in_branch {
                cx.node(node, names::drop_path_outside_residual, format!("`drop_path({rate})` where no shortcut carries the sample: dropped samples become 0"))
                    .and_help(format!("remove `drop_path({rate})`, or `residual {{ .. }} with drop_path({rate})`"))
                    .and_note("stochastic depth drops the branch of a residual (Huang et al., arXiv 1603.09382)");
            }
            super::rates::high_drop_path(cx, node, rate, rate);
        }
        let Kind::DropPath(path) = node.kind else {
            continue;
        };
        let (first, last) = (&path.first, &path.last);
        if first
            .known
            .zip(last.known)
            .is_some_and(|(first, last)| first > last && last >= 0.0)
        {
            cx.node(node, names::drop_path_rate_high, format!("the rates fall with depth, from {first} to {last}"))
                .and_help(format!("drop_path({last}..{first})"))
                .and_note("early layers are needed by all later ones: the linear rule rises (Huang et al., arXiv 1603.09382)");
        } else {
            super::rates::high_drop_path(cx, node, first, last);
        }
    }
}
