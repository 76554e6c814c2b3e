//! Activations and the ways between layers.

use super::convolution::window;
use super::{Cx, allow};
use crate::catalogue::names;
use crate::graph::{Graph, Kind, LAYERS, Node};
use crate::op;
use crate::{ActivationKind, Id, Level, OpKind, Reduction, Shape, Value};
use std::collections::HashMap;

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    missing_nonlinearity(cx, graph);
    redundant_activation(cx, graph);
    rectified_sum(cx, graph);
    softmax_in_hidden_layer(cx, graph);
    saturating_hidden_stack(cx, graph);
    widths(cx, graph);
    unused(cx, graph);
    branches(cx, graph);
}

/// Two layers with nothing but affine maps, or a maximum, between them.
fn missing_nonlinearity<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node) in graph
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.is_affine() && !is_tied(node))
    {
        let (mut first, mut maximum, mut rearranged) = (None, None, false);
        for (_, before) in graph.before(index) {
            let bends =
                before.activation().is_some() || (before.is_norm() && !before.is_batch_norm());
            // A value with a second reader is a shared projection, not a wasted layer.
            if bends || before.to.len() != 1 {
                break;
            }
            if before.pooling() == Some(Reduction::Max) {
                maximum = Some(before);
            }
            rearranged |= before.op().is_some_and(|op| {
                matches!(
                    op.kind,
                    OpKind::Flatten | OpKind::Reshape(_) | OpKind::Transpose
                )
            });
            first = before.is_affine().then_some(before);
            if matches!(before.kind, Kind::Merge) {
                merged_affine(cx, graph, before, node);
            }
        }
        let Some(first) = first else { continue };
        let written = first
            .op()
            .map_or_else(String::new, |op| op.kind.to_string());
        if let Some(maximum) = maximum {
            let word = maximum.op().map_or("max_pool2d", |op| op.kind.word());
            cx.node(
                first,
                names::pool_as_only_nonlinearity,
                format!(
                    "between `{}` and `{}` only `{word}` is nonlinear",
                    first.name(),
                    node.name()
                ),
            )
            .and_other(maximum.id, "this pooling")
            .and_help(format!("{written} -> relu"))
            .and_note(
                "a maximum bends little: where one position of a window wins, everything is linear",
            );
            continue;
        }
        let Some(level) = collapse(first, node, rearranged) else {
            continue;
        };
        let (a, b) = (first.name(), node.name());
        let one = match (first.conv(), node.conv()) {
            (None, None) => "one linear layer",
            (Some(_), Some(_)) => "one convolution",
            _ => "one linear map",
        };
        let message = if first.id == node.id {
            format!("the copies of `{a}` together are {one}")
        } else {
            format!("`{a}` and `{b}` together are {one}")
        };
        let reason = if first.conv().is_some() {
            "a factorized kernel, or a linear bottleneck"
        } else {
            "low rank"
        };
        cx.node(first, names::missing_nonlinearity, message)
            .at_level(level)
            .and_other(node.id, "this layer reads it as it is")
            .and_help(if level == Level::Warn {
                format!("`{written} -> relu`; for fewer weights on purpose {}", allow(names::missing_nonlinearity, reason))
            } else {
                format!("{written} -> relu")
            })
            .and_note("a linear map of a linear map is linear; batch norm and dropout do not change that at inference");
    }
}

/// Values joined or added of which each is an affine map, read by a layer that is one as well.
fn merged_affine<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, merge: &Node<'m>, reader: &Node<'m>) {
    let branch = |from: &usize| {
        let mut at = *from;
        loop {
            let node = graph.node(at).filter(|node| node.to.len() == 1)?;
            let bends = node.activation().is_some()
                || node.pooling() == Some(Reduction::Max)
                || (node.is_norm() && !node.is_batch_norm());
            if bends || is_tied(node) {
                return None;
            }
            if node.ends_segment() {
                return node.is_affine().then_some(node);
            }
            at = node.from.first().copied()?;
        }
    };
    let branches: Option<Vec<&Node<'m>>> = merge.from.iter().map(branch).collect();
    let Some(branches) = branches.filter(|branches| branches.len() > 1) else {
        return;
    };
    let Some(first) = branches.first() else {
        return;
    };
    let written = first
        .op()
        .map_or_else(String::new, |op| op.kind.to_string());
    let mut layers: Vec<String> = branches.iter().map(|node| node.name()).collect();
    layers.push(reader.name());
    layers.dedup();
    cx.node(
        first,
        names::missing_nonlinearity,
        format!(
            "{} together are one linear map",
            crate::words::list(&layers)
        ),
    )
    .at_level(Level::Warn)
    .and_other(reader.id, "this layer reads them side by side")
    .and_help(format!("{written} -> relu"))
    .and_note("linear maps side by side are one linear map, and a linear map of it is one again");
}

/// Whether its weight is an embedding's, which fixes what it reads.
fn is_tied(node: &Node<'_>) -> bool {
    matches!(
        node.op().map(|op| &op.kind),
        Some(OpKind::Linear(op::Linear { tied: Some(_), .. }))
    )
}

/// How bad it is that two layers are one: an error if the first adds nothing at all, a warning if the two have
/// fewer weights than the one (a low rank, a kernel in two factors), nothing for depthwise separable convolutions.
fn collapse(first: &Node<'_>, second: &Node<'_>, rearranged: bool) -> Option<Level> {
    let channels = |node: &Node<'_>, shape: &Option<Shape>| {
        let shape = shape.as_ref()?;
        if node.conv().is_some() {
            shape.channels()
        } else {
            shape.features()
        }
    };
    // Windows and channels that see one another: everything for `linear`.
    let window = |node: &Node<'_>| match node.conv() {
        Some(conv) => window(&conv.kernel, conv.axes),
        None => Some(1),
    };
    let groups = |node: &Node<'_>| match node.conv() {
        Some(conv) if conv.depthwise => channels(node, &node.input),
        Some(conv) => conv.groups.size(),
        None => Some(1),
    };
    let depthwise = |node: &Node<'_>| {
        let groups = groups(node);
        groups.is_some_and(|groups| groups > 1) && groups == channels(node, &node.input)
    };
    let (k1, k2) = (window(first), window(second));
    let separable = (depthwise(first) && k2 == Some(1)) || (k1 == Some(1) && depthwise(second));
    if separable {
        return None;
    }
    let free = |node: &Node<'_>| {
        groups(node) == Some(1) && node.conv().is_none_or(|conv| !conv.transposed)
    };
    let sizes = channels(first, &first.input)
        .zip(channels(first, &first.output))
        .zip(channels(second, &second.output))
        .zip(k1.zip(k2));
    let whole = sizes.is_some_and(|(((a, m), b), (k1, k2))| {
        (k1 == 1 || k2 == 1) && m >= a.saturating_mul(k1).min(b.saturating_mul(k2))
    });
    Some(if whole && !rearranged && free(first) && free(second) {
        Level::Deny
    } else {
        Level::Warn
    })
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
            format!("`{name}` after `{}` in one segment", kind.word())
        };
        cx.node(node, names::redundant_activation, message)
            .and_other(first.id, "the first activation")
            .and_help(format!("remove `{name}` or `{}`", kind.word()))
            .and_note(
                "one activation makes the segment nonlinear; a second one only loses information",
            );
    }
}

/// A rectifier behind a sum of values that are not negative.
fn rectified_sum<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        let is_rectifier = node
            .activation()
            .is_some_and(|it| it.kind == ActivationKind::Relu);
        let before = graph.before(index).next().filter(|_| is_rectifier);
        // A concatenation, and a residual, which has a rule of its own, are no such sums.
        let Some((_, merge)) = before.filter(|(_, merge)| {
            matches!(merge.kind, Kind::Merge) && graph.inferred.concat_axis(merge.id).is_none()
        }) else {
            continue;
        };
        let rectified = merge.from.iter().all(|from| {
            let part = graph.node(*from).and_then(Node::activation);
            part.is_some_and(|it| it.range().0 >= 0.0)
        });
        if rectified && merge.from.len() > 1 {
            cx.node(node, names::redundant_activation, "this `relu` has no effect: no part of the sum is negative")
                .and_other(merge.id, "the sum")
                .and_help("remove `relu`")
                .and_note("where each part ends in a `relu`, the sum is not negative; the activation after the sum alone is usual (He et al., arXiv 1512.03385)");
        }
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
        let after = graph.after(index);
        let gates = after
            .iter()
            .any(|(_, node)| matches!(node.kind, Kind::Gate));
        if let Some((_, next)) = after
            .iter()
            .find(|(_, node)| node.is_weight())
            .filter(|_| !gates)
        {
            let name = activation.kind.word();
            cx.node(node, names::softmax_in_hidden_layer, format!("`{name}` before further weights"))
                .and_other(next.id, "these weights read it")
                .and_help("relu")
                .and_note("features compete for a sum of 1, and gradients shrink; gates (`mul`) are the exception");
        }
    }
}

fn saturating_hidden_stack<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let (output, _) = graph.output_segment();
    let mut depth = vec![0_usize; graph.nodes.len()];
    // The depth at the first copy of a node: what a copy adds is the difference.
    let mut first_copy: HashMap<Id, usize> = HashMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = node
            .from
            .iter()
            .filter_map(|from| depth.get(*from))
            .max()
            .copied()
            .unwrap_or(0);
        let hidden = !output.iter().any(|(other, _)| *other == index);
        // What a product takes is a gate: the other factor keeps its slope.
        let gates = node.to.iter().any(|next| {
            graph
                .node(*next)
                .is_some_and(|next| matches!(next.kind, Kind::Gate))
        });
        let here = match node.activation() {
            _ if node.is_norm() || node.is_merge() || node.is_opaque() || node.is_recurrent() => 0,
            Some(_) if gates => 0,
            Some(activation) if activation.kind.is_saturating() && hidden => {
                let here = before.saturating_add(1);
                let first = *first_copy.entry(node.id).or_insert(here);
                // A sum or a product inside the block begins anew in each copy.
                let added = here.saturating_sub(first);
                first
                    .max(here)
                    .saturating_add(added.saturating_mul(node.times.saturating_sub(1)))
            }
            Some(activation) if !activation.kind.is_saturating() => 0,
            _ => before,
        };
        let layers = cx.limit(&[], node.scope, names::saturating_hidden_stack, "layers");
        let found = |depth: usize| depth as f64 >= layers.value;
        if found(here) && !found(before) {
            let name = node
                .activation()
                .map_or("sigmoid", |activation| activation.kind.word());
            cx.node(
                node,
                names::saturating_hidden_stack,
                format!("{here} saturating activations in series, `{name}` the last of them"),
            )
            .and_limit(layers)
            .and_help("`relu`, or `tanh` with `layer_norm`")
            .and_note(
                "the slope of a sigmoid is at most 1/4: three shrink the gradient to 1/64 or less",
            );
        }
        if let Some(slot) = depth.get_mut(index) {
            *slot = here;
        }
    }
}

fn widths<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(OpKind::Linear(op::Linear { out, .. }) | OpKind::Swiglu(op::Swiglu { out, .. })) =
            node.op().map(|op| &op.kind)
        else {
            continue;
        };
        let units = out.size();
        let after = graph.after(index);
        if units == Some(1)
            && let Some((_, next)) = after.iter().find(|(_, node)| node.is_weight())
            && !after
                .iter()
                .any(|(_, node)| matches!(node.kind, Kind::Gate))
        {
            cx.node(
                node,
                names::width_one_bottleneck,
                format!("`{}` passes a single number on", node.name()),
            )
            .and_other(next.id, "this layer sees nothing else")
            .and_help(format!(
                "a wider layer, or {}",
                allow(names::width_one_bottleneck, "one latent number")
            ))
            .and_note("everything after it is a function of that one number");
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
                names::dense_width_increases,
                format!("`{}` widens {before} units to {out}", node.name()),
            )
            .and_help(format!("`linear({before})`, or fewer units"))
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
        cx.at(&[], scope, unused.place.clone(), unused.id, names::unused_layer, format!("nothing reads the {what} `{name}`"))
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
        // A rectifier directly behind the sum.
        let again = matches!(sum.to.as_slice(), [next] if graph.node(*next).and_then(Node::activation).is_some_and(|next| next.kind.is_rectifier()));
        let mut at = sum.branch;
        while let Some(node) = at.and_then(|index| graph.node(index)) {
            let passes = matches!(node.kind, Kind::DropPath(_)) || node.stochastic().is_some();
            if let Some(activation) = node
                .activation()
                .filter(|activation| activation.range().0 >= 0.0)
            {
                cx.node(
                    node,
                    names::relu_before_residual_add,
                    format!(
                        "the branch ends in `{}`: it can only add",
                        activation.kind.word()
                    ),
                )
                .at_level(if again { Level::Warn } else { Level::Allow })
                .and_other(
                    sum.id,
                    if again {
                        "the sum is rectified as well"
                    } else {
                        "this residual"
                    },
                )
                .and_help(if again {
                    format!("remove `{}` in the branch", activation.kind.word())
                } else {
                    format!("move it after the block: `-> {}`", activation.kind.word())
                })
                .and_note("the activation after the sum is usual (He et al., arXiv 1512.03385)");
            }
            at = if passes {
                node.from.first().copied()
            } else {
                None
            };
        }
    }
}
