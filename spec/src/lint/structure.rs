//! Activations and the ways between layers.

use super::{Cx, allow};
use crate::graph::{Graph, Kind, LAYERS};
use crate::{Level, OpKind, Shape, Value};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    missing_nonlinearity(cx, graph);
    redundant_activation(cx, graph);
    softmax_in_hidden_layer(cx, graph);
    saturating_hidden_stack(cx, graph);
    widths(cx, graph);
    unused(cx, graph);
    branches(cx, graph);
}

/// Two linear layers with nothing but affine maps between them.
fn missing_nonlinearity<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node) in graph
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.is_linear())
    {
        let mut first = None;
        for (_, before) in graph.before(index) {
            let bends =
                before.activation().is_some() || (before.is_norm() && !before.is_batch_norm());
            // A value with a second reader is a shared projection, not a wasted layer.
            if bends || before.to.len() != 1 {
                break;
            }
            first = before.is_linear().then_some(before);
        }
        let Some(first) = first else { continue };
        let axis = |shape: &Option<Shape>| shape.as_ref().and_then(Shape::features);
        let sizes = axis(&first.input)
            .zip(axis(&first.output))
            .zip(axis(&node.output));
        let low_rank = sizes.is_none_or(|((a, m), b)| m < a.min(b));
        let (a, b) = (first.name(), node.name());
        let message = if first.id == node.id {
            format!("the copies of `{a}` together are one linear layer")
        } else {
            format!("`{a}` and `{b}` together are one linear layer")
        };
        let written = first
            .op()
            .map_or_else(String::new, |op| op.kind.to_string());
        let finding = cx.node(node, "missing_nonlinearity", message);
        if low_rank {
            finding.at_level(Level::Warn);
        }
        finding
            .and_other(first.id, "nothing nonlinear follows this layer")
            .and_help(if low_rank {
                format!("`{written} -> relu`; for a map of low rank on purpose {}", allow("missing_nonlinearity", "low rank"))
            } else {
                format!("{written} -> relu")
            })
            .and_note("a linear map of a linear map is linear; batch norm and dropout do not change that at inference");
    }
}

fn redundant_activation<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let classifies = graph
        .model
        .loss
        .as_ref()
        .is_some_and(|loss| super::output::is_classification(&loss.kind));
    let (output, _) = graph.output_segment();
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(second) = node.activation() else {
            continue;
        };
        if classifies && output.iter().any(|(other, _)| *other == index) {
            continue;
        }
        let mut before = graph
            .before(index)
            .map(|(_, node)| node)
            .take_while(|node| !node.is_norm());
        let Some((first, kind)) = before.find_map(|node| Some((node, node.activation()?.kind)))
        else {
            continue;
        };
        let name = second.kind.word();
        let message = if kind == second.kind && kind.is_idempotent() {
            format!("the second `{name}` has no effect")
        } else {
            format!("`{name}` behind `{}` in one segment", kind.word())
        };
        cx.node(node, "redundant_activation", message)
            .and_other(first.id, "the first activation")
            .and_help(format!("remove `{name}` or `{}`", kind.word()))
            .and_note(
                "one activation makes the segment nonlinear; a second one only loses information",
            );
    }
}

fn softmax_in_hidden_layer<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(activation) = node.activation() else {
            continue;
        };
        if !(activation.kind.is_softmax() || activation.kind.word() == "log_softmax") {
            continue;
        }
        let behind = graph.behind(index);
        let gates = behind
            .iter()
            .any(|(_, node)| matches!(node.kind, Kind::Gate));
        if let Some((_, next)) = behind
            .iter()
            .find(|(_, node)| node.is_weight())
            .filter(|_| !gates)
        {
            let name = activation.kind.word();
            cx.node(node, "softmax_in_hidden_layer", format!("`{name}` in front of further weights"))
                .and_other(next.id, "these weights read it")
                .and_help("relu")
                .and_note("features compete for a sum of 1, and gradients shrink; gates (`mul`) are the exception");
        }
    }
}

fn saturating_hidden_stack<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let (output, _) = graph.output_segment();
    let mut depth = vec![0_usize; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = node
            .from
            .iter()
            .filter_map(|from| depth.get(*from))
            .max()
            .copied()
            .unwrap_or(0);
        let hidden = !output.iter().any(|(other, _)| *other == index);
        let here = match node.activation() {
            _ if node.is_norm() || node.is_merge() || node.is_opaque() => 0,
            Some(activation) if activation.kind.is_saturating() && hidden => {
                before.saturating_add(node.times)
            }
            Some(activation) if !activation.kind.is_saturating() => 0,
            _ => before,
        };
        if here >= 3 && before < 3 {
            let name = node
                .activation()
                .map_or("sigmoid", |activation| activation.kind.word());
            cx.node(
                node,
                "saturating_hidden_stack",
                format!("this is the third `{name}` in series"),
            )
            .and_help("`relu`, or `tanh` with `layer_norm`")
            .and_note("its slope is at most 1/4: three shrink the gradient to 1/64 or less");
        }
        if let Some(slot) = depth.get_mut(index) {
            *slot = here;
        }
    }
}

fn widths<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(OpKind::Linear { out, .. } | OpKind::Swiglu { out, .. }) =
            node.op().map(|op| &op.kind)
        else {
            continue;
        };
        let units = out.size();
        let behind = graph.behind(index);
        if units == Some(1)
            && let Some((_, next)) = behind.iter().find(|(_, node)| node.is_weight())
            && !behind
                .iter()
                .any(|(_, node)| matches!(node.kind, Kind::Gate))
        {
            cx.node(
                node,
                "width_one_bottleneck",
                format!("`{}` passes a single number on", node.name()),
            )
            .and_other(next.id, "this layer sees nothing else")
            .and_help(format!(
                "a wider layer, or {}",
                allow("width_one_bottleneck", "one latent number")
            ));
        }
        let hidden = graph
            .before(index)
            .last()
            .is_some_and(|(_, node)| node.is_weight());
        let before = node.input.as_ref().and_then(Shape::features);
        if hidden
            && before
                .zip(units)
                .is_some_and(|(before, units)| units > before)
        {
            let before = Value::known(before.unwrap_or(0) as f64);
            cx.node(
                node,
                "dense_width_increases",
                format!("`{}` widens {before} units to {out}", node.name()),
            )
            .and_note(
                "a funnel is common in classifiers; autoencoders and transformers widen on purpose",
            );
        }
    }
}

fn unused<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for unused in &graph.unused {
        let (name, scope) = (
            &unused.name,
            if unused.input { LAYERS } else { unused.scope },
        );
        let what = if unused.input { "input" } else { "layer" };
        cx.at(&[], scope, unused.place.clone(), unused.id, "unused_layer", format!("nothing reads the {what} `{name}`"))
            .and_help(if unused.input {
                format!("`from({name})` or `concat(.., {name})` at the beginning of a statement, or remove it")
            } else {
                format!("`from({name})` or `add(.., {name})` at the beginning of a later statement, or remove it")
            })
            .and_note("the output does not depend on it, so nothing trains it");
    }
}

fn branches<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for sum in graph
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, Kind::Sum))
    {
        let mut at = sum.branch;
        while let Some(node) = at.and_then(|index| graph.node(index)) {
            let passes = matches!(node.kind, Kind::DropPath(_)) || node.stochastic().is_some();
            if let Some(activation) = node
                .activation()
                .filter(|activation| activation.range().0 >= 0.0)
            {
                cx.node(
                    node,
                    "relu_before_residual_add",
                    format!(
                        "the branch ends in `{}`: it can only add",
                        activation.kind.word()
                    ),
                )
                .and_other(sum.id, "this residual")
                .and_note("the activation behind the sum is usual (He et al., arXiv 1512.03385)");
            }
            at = if passes {
                node.from.first().copied()
            } else {
                None
            };
        }
    }
}
