//! Normalization.

use super::Cx;
use crate::catalogue::names;
use crate::graph::{Graph, Node, TRAIN};
use crate::op;
use crate::walk::at;
use crate::{ActivationKind, Conv, Layout, OpKind, RuleKind, Shape, Value};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    redundant_bias(cx, graph);
    after_output(cx, graph);
    batch_size(cx, graph);
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.is_norm() {
            in_segment(cx, graph, index, node);
        }
    }
}

fn redundant_bias<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        let [next] = node.to.as_slice() else { continue };
        let Some(norm) = graph
            .node(*next)
            .filter(|next| next.is_batch_norm() || next.is_instance_norm())
        else {
            continue;
        };
        let (Some(op), word) = (
            node.op(),
            if norm.is_batch_norm() {
                "batch norm"
            } else {
                "instance norm"
            },
        ) else {
            continue;
        };
        if let Some(without) = without_bias(&op.kind) {
            cx.node(node, names::redundant_bias_before_norm, format!("the bias of `{}` is subtracted again by the {word}", node.name()))
                .and_other(norm.id, format!("this {word} subtracts the mean"))
                .and_help(without.to_string())
                .and_note(format!("{word} has a shift of its own (Ioffe and Szegedy, arXiv 1502.03167); the bias costs memory and does nothing"));
        }
    }
}

/// A layer without the bias that it has.
fn without_bias(kind: &OpKind) -> Option<OpKind> {
    let mut without = kind.clone();
    let (OpKind::Linear(op::Linear { bias, .. }) | OpKind::Conv(Conv { bias, .. })) = &mut without
    else {
        return None;
    };
    if bias.is_true() != Some(true) {
        return None;
    }
    *bias = Value::truth(false);
    Some(without)
}

fn after_output<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    if graph.model.loss.is_none() {
        return;
    }
    let (ops, head) = graph.output_segment();
    let Some(head) = head.filter(|head| head.is_weight()) else {
        return;
    };
    for (_, node) in ops.iter().filter(|(_, node)| node.is_norm()) {
        let word = node.op().map_or("norm", |op| op.kind.word());
        cx.node(node, names::norm_after_output, format!("`{word}` rescales the model's output"))
            .and_other(head.id, "the output is produced here")
            .and_help(format!("remove `{word}`"))
            .and_note("the scores then depend on the other samples or units, and the loss loses its calibration");
    }
}

fn batch_size<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let Some(train) = &graph.model.train else {
        return;
    };
    let Some((value, batch)) = train
        .batch
        .as_ref()
        .and_then(|value| Some((value, value.size()?)))
    else {
        return;
    };
    let norms = graph.nodes.iter().filter(|node| node.is_batch_norm());
    let least = norms
        .filter_map(|node| Some((node.input.as_ref().and_then(Shape::positions)?, node)))
        .min_by_key(|(n, _)| *n);
    let Some((positions, norm)) = least else {
        return;
    };
    let values = batch.saturating_mul(positions);
    let id = at(value, train.id);
    let name = norm.name();
    let instead = format!("`batch: 32`, or `{}`", alike(norm));
    if values == 1 {
        cx.at(&[], TRAIN, "the training".to_owned(), id, names::batch_norm_single_value, format!("with batches of {batch} the batch norm `{name}` normalizes a single value"))
            .and_other(norm.id, "this batch norm")
            .and_help(instead)
            .and_note("the mean of one value is the value: the output is always 0, and the running variance falls to 0");
        return;
    }
    let min = cx.limit(&[], TRAIN, names::batch_norm_tiny_batch, "min");
    if values > 1 && (values as f64) < min.value {
        cx.at(
            &[],
            TRAIN,
            "the training".to_owned(),
            id,
            names::batch_norm_tiny_batch,
            format!("the batch norm `{name}` estimates mean and variance from {values} values"),
        )
        .and_limit(min)
        .and_other(norm.id, "this batch norm")
        .and_help(instead)
        .and_note("statistics of a few values are noise (Wu and He, arXiv 1803.08494)");
    }
}

/// A normalization in its place that does not look at other samples.
fn alike(norm: &Node<'_>) -> String {
    let channels = norm.input.as_ref().and_then(Shape::channels);
    match channels.filter(|_| norm.layout == Layout::Channels) {
        Some(channels) => {
            let mut sizes = [32, 16, 8, 4, 2].into_iter();
            let groups = sizes.find(|groups| channels % groups == 0 && channels > *groups);
            format!("group_norm({})", groups.unwrap_or(1))
        }
        None => "layer_norm".to_owned(),
    }
}

fn in_segment<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, index: usize, node: &Node<'m>) {
    let word = node.op().map_or("norm", |op| op.kind.word());
    let written = node.op().map_or_else(String::new, |op| op.kind.to_string());
    let before: Vec<&Node<'m>> = graph.before(index).map(|(_, node)| node).collect();
    // An activation or a pooling changes what is normalized, and a norm with another reader is not only for this one.
    let untouched = before.iter().take_while(|node| {
        node.to.len() == 1 && node.activation().is_none() && node.pooling().is_none()
    });
    if let Some(first) = untouched.into_iter().find(|node| node.is_norm()) {
        cx.node(
            node,
            names::consecutive_norm,
            format!("`{word}` undoes the normalization before it"),
        )
        .and_other(first.id, "the first one")
        .and_help("remove one of them")
.and_note("what is normalized has mean 0 and variance 1 already: the second one only adds its scale and shift");
    }
    if let Some(activation) = before.iter().find(|node| node.activation().is_some()) {
        let kind = activation
            .op()
            .map_or_else(String::new, |op| op.kind.to_string());
        // A norm that takes the mean away leaves nothing of a bias before it.
        let centers = node.is_batch_norm() || node.is_instance_norm();
        let weight = before.last().and_then(|last| last.op()).filter(|_| centers);
        let weight = weight.and_then(|op| without_bias(&op.kind));
        cx.node(
            node,
            names::activation_before_norm,
            format!("`{word}` after an activation"),
        )
        .and_other(activation.id, "the activation")
        .and_help(match weight {
            Some(weight) => format!("{weight} -> {written} -> {kind}"),
            None => format!("-> {written} -> {kind}"),
        })
        .and_note("both orders are published");
        if activation
            .activation()
            .is_some_and(|activation| activation.kind == ActivationKind::Selu)
        {
            cx.node(
                node,
                names::norm_with_selu,
                format!("`{word}` after `selu`, which normalizes by itself"),
            )
            .and_other(activation.id, "this `selu`")
            .and_help(format!("remove `{word}`"))
            .and_note("Klambauer et al., arXiv 1706.02515");
        }
    } else if let Some(weight) = before
        .last()
        .filter(|last| node.is_batch_norm() && last.is_affine())
    {
        let rules = weight.op().map_or(&[][..], |op| &op.rules);
        let l2 = rules.iter().find(|rule| {
            matches!(&rule.kind, RuleKind::Decay { l2: Some(x), .. } | RuleKind::Penalty { l2: Some(x), .. } if x.known.is_some_and(|x| x > 0.0))
        });
        if let Some(rule) = l2 {
            let id = if rule.id.is_none() {
                weight.id
            } else {
                rule.id
            };
            cx.at(&rule.levels, weight.scope, weight.place(), id, names::l2_through_batch_norm, format!("batch norm undoes the shrinking of `{}`", weight.name()))
                .and_other(node.id, "this batch norm")
                .and_help("remove it, and keep it on layers that no norm follows")
                .and_note("L2 then only changes the effective learning rate (van Laarhoven, arXiv 1706.05350)");
        }
    }
}
