//! Which axis means what: channels, positions, time, and the order of steps.

use super::{Cx, allow};
use crate::catalogue::names;
use crate::graph::{Graph, Kind, MODEL, Node};
use crate::op::{self, Operation};
use crate::{Inferred, Input, InputKind, Layout, LossKind, Model, OpKind, Shape, Value};
use std::collections::HashSet;

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    order(cx, graph);
    next_token(cx, graph);
    each_step(cx, graph);
    sequences_joined(cx, graph);
}

/// Inputs that are written channels last, and read by what wants channels first. Looked for also where shapes do not
/// fit, as this is then the reason.
pub(super) fn channels_last<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let reads_maps = |node: &Node<'_>| {
        let operation = node.op().and_then(|op| op.kind.operation());
        operation.is_some_and(Operation::reads_channels)
    };
    for (index, node) in graph.nodes.iter().enumerate() {
        let Kind::Input(input) = node.kind else {
            continue;
        };
        let Some(sizes) = channels_behind(input) else {
            continue;
        };
        let Some(reader) = first_reader(graph, index, reads_maps) else {
            continue;
        };
        let Some((channels, positions)) = sizes.split_last() else {
            continue;
        };
        let first = positions.first().copied().unwrap_or(1);
        let mut right = vec![*channels];
        right.extend(positions);
        let right = Shape::known(right);
        let rest: Vec<String> = sizes.iter().skip(1).map(ToString::to_string).collect();
        let maps = if rest.len() == 1 {
            format!("of length {}", rest.join(""))
        } else {
            format!("of {}", rest.join(" x "))
        };
        let word = reader.op().map_or("conv2d", |op| op.kind.word());
        cx.at(
            &[],
            MODEL,
            node.place(),
            input.id,
            names::channels_last,
            format!("{first} channels {maps}? `{word}` reads the first axis as the channels"),
        )
        .and_other(reader.id, "channels are read here")
        .and_help(format!(
            "`input {}: {right}`, and the samples in that order",
            input.name
        ))
        .and_note("channels stand first, as in PyTorch; Keras and image files have them last");
    }
}

/// The sizes of an input whose last axis looks like channels: 1, 3 or 4 behind larger axes.
fn channels_behind(input: &Input) -> Option<Vec<usize>> {
    if !matches!(input.kind, InputKind::Float) {
        return None;
    }
    let sizes: Option<Vec<usize>> = input.shape.iter().map(Value::size).collect();
    let sizes = sizes?;
    let (last, positions) = sizes.split_last()?;
    let is_last = match positions {
        // `[time, features]` may be channels first as well: only what is clear.
        [length] => *last == 1 && *length >= 8,
        _ => matches!(last, 1 | 3 | 4) && positions.iter().all(|size| *size >= 8),
    };
    is_last.then_some(sizes)
}

/// The first of the nodes that read a value, looking through what leaves the axes as they are; `None` if they differ in
/// whether they read maps.
fn first_reader<'g, 'm>(
    graph: &'g Graph<'m>,
    index: usize,
    wanted: impl Fn(&Node<'_>) -> bool,
) -> Option<&'g Node<'m>> {
    let mut open: Vec<usize> = graph.node(index)?.to.clone();
    let mut first: Option<(usize, &Node<'m>)> = None;
    while let Some(at) = open.pop() {
        let node = graph.node(at)?;
        // The shortcut of a residual reads nothing of its own.
        if node.stochastic().is_some() || node.activation().is_some() || node.is_merge() {
            if !node.is_merge() {
                open.extend(&node.to);
            }
            continue;
        }
        if !wanted(node) {
            return None;
        }
        if first.is_none_or(|(earlier, _)| at < earlier) {
            first = Some((at, node));
        }
    }
    first.map(|(_, node)| node)
}

fn is_attention(node: &Node<'_>) -> bool {
    matches!(node.op().map(|op| &op.kind), Some(OpKind::Attention(_)))
}

/// What tells the steps of a sequence apart: their place, a state, a window, or what the lints do not see.
fn tells_order(node: &Node<'_>) -> bool {
    match node.op().map(|op| &op.kind) {
        Some(OpKind::Attention(op::Attention { rope, causal, .. })) => {
            *rope || causal.is_true() != Some(false)
        }
        Some(
            OpKind::Positional(_) | OpKind::Recurrent(_) | OpKind::Custom(_) | OpKind::Model { .. },
        ) => true,
        // Patches, one window for each step, do not overlap: they know nothing of their place.
        Some(OpKind::Conv(conv)) => {
            conv.kernel
                .iter()
                .zip(&conv.stride)
                .any(|(kernel, stride)| kernel != stride)
                && window(conv) > 1
        }
        // The place in a row that was cut anew is in the weights.
        Some(OpKind::Reshape(_) | OpKind::Linear(_) | OpKind::Swiglu(_)) => {
            node.layout == Layout::Channels
                || node.input.as_ref().is_some_and(|shape| shape.rank() < 2)
        }
        _ => false,
    }
}

fn window(conv: &crate::Conv) -> usize {
    super::convolution::window(&conv.kernel, conv.axes).unwrap_or(2)
}

/// Attention, whose result is the same whatever the order of the steps, on steps that carry no order.
fn order<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    if graph.model.loss.is_none() {
        // The input of a model inside another one may carry positions.
        return;
    }
    // For each node, whether an order has come in.
    let mut ordered = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = node
            .from
            .iter()
            .any(|from| ordered.get(*from) == Some(&true));
        if let Some(slot) = ordered.get_mut(index) {
            *slot = before || tells_order(node);
        }
    }
    let first = graph
        .nodes
        .iter()
        .enumerate()
        .find(|(index, node)| is_attention(node) && ordered.get(*index) == Some(&false));
    let Some((index, attention)) = first else {
        return;
    };
    // Pooled or not, the answer is that of a set; one input that is a set is a matter of its page.
    let Some(source) = source_of_steps(graph, index) else {
        return;
    };
    let written = source
        .op()
        .map_or_else(String::new, |op| op.kind.to_string());
    let help = if written.is_empty() {
        "`positional(learned)` before it".to_owned()
    } else {
        format!("{written} -> positional(learned)")
    };
    cx.node(source, names::attention_without_order, "nothing tells the attention the order of these steps")
        .and_other(attention.id, "it gives the same for every order")
        .and_help(help)
        .and_note("attention is a mean over the steps: without positions it reads a set (Vaswani et al., arXiv 1706.03762, section 3.5)");
}

/// Where the steps come from that an attention reads: the embedding, the patches, else what is before it.
fn source_of_steps<'g, 'm>(graph: &'g Graph<'m>, index: usize) -> Option<&'g Node<'m>> {
    let mut at = graph.node(index)?.from.first().copied()?;
    let mut seen = HashSet::new();
    loop {
        let node = graph.node(at).filter(|_| seen.insert(at))?;
        let begins = match node.op().map(|op| &op.kind) {
            Some(
                OpKind::Embedding(_) | OpKind::ToSequence | OpKind::ClassToken | OpKind::Transpose,
            ) => true,
            Some(OpKind::Linear(_)) => node
                .from
                .first()
                .and_then(|from| graph.node(*from))
                .is_some_and(|from| matches!(from.kind, Kind::Input(_))),
            _ => false,
        };
        if begins || matches!(node.kind, Kind::Input(_)) {
            return Some(node);
        }
        // The branch of a residual ends in the shortcut's other half: both come from the same value.
        at = *node.from.last()?;
    }
}

/// One score for each class of the tokens at each step, from layers that see the steps that are asked for.
fn next_token<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let Some(loss) = &graph.model.loss else {
        return;
    };
    if !matches!(
        loss.kind,
        LossKind::CrossEntropy { .. } | LossKind::Focal { .. }
    ) {
        return;
    }
    let [input] = graph.model.inputs.as_slice() else {
        return;
    };
    let InputKind::Int {
        vocab: Some(vocab), ..
    } = &input.kind
    else {
        return;
    };
    let (Some(output), Some(vocab), [time]) = (
        graph.inferred.output(),
        vocab.size(),
        input.shape.as_slice(),
    ) else {
        return;
    };
    if *output != Shape::known([time.size().unwrap_or(0), vocab]) {
        return;
    }
    let sees = |node: &&Node<'_>| match node.op().map(|op| &op.kind) {
        Some(OpKind::Attention(op::Attention { causal, .. })) => causal.is_true() == Some(false),
        Some(OpKind::Recurrent(recurrent)) => recurrent.bidirectional.is_true() == Some(true),
        _ => false,
    };
    let Some(node) = graph.nodes.iter().find(sees) else {
        return;
    };
    let Some(op) = node.op() else { return };
    let mut masked = op.kind.clone();
    let why = match &mut masked {
        OpKind::Attention(op::Attention { causal, rope, .. }) => {
            *causal = Value::truth(true);
            // It is written before the attention.
            *rope = false;
            "this `attention` reads the steps behind it"
        }
        OpKind::Recurrent(recurrent) => {
            recurrent.bidirectional = Value::truth(false);
            "this layer reads from the end as well"
        }
        _ => return,
    };
    cx.node(node, names::target_in_sight, format!("each step is asked for one of the {vocab} tokens, and {why}"))
        .and_other(loss.id, "where the target is the next token, the answer is among what is read")
        .and_help(format!(
            "`{masked}`; for tokens that are masked in the input {}",
            allow(names::target_in_sight, "masked tokens")
        ))
        .and_note("the loss falls to 0 by copying the next step, and nothing is learned (Radford et al. 2018; masked tokens: arXiv 1810.04805)");
}

/// Whether these inputs declare the same number of classes.
fn of_one_vocabulary(graph: &Graph<'_>, inputs: HashSet<usize>) -> bool {
    let sizes: HashSet<Option<usize>> = inputs
        .into_iter()
        .map(|index| match graph.node(index).map(|node| &node.kind) {
            Some(Kind::Input(Input {
                kind: InputKind::Int { vocab, .. },
                ..
            })) => vocab.and_then(|vocab| vocab.size()),
            _ => None,
        })
        .collect();
    sizes.len() == 1 && !sizes.contains(&None)
}

/// An answer at each step of a sequence of measurements: usually one for the whole is meant.
fn each_step<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let Some(loss) = &graph.model.loss else {
        return;
    };
    if matches!(loss.kind, LossKind::Custom { .. })
        || graph.inferred.output_layout() != Layout::Sequence
    {
        return;
    }
    let declared = graph.model.task.is_some();
    let float = graph
        .model
        .inputs
        .iter()
        .all(|input| matches!(input.kind, InputKind::Float));
    let Some(output) = graph.inferred.output().filter(|shape| shape.rank() == 2) else {
        return;
    };
    let (_, Some(head)) = graph.output_segment() else {
        return;
    };
    let Some(op) = head.op().filter(|_| head.is_affine()) else {
        return;
    };
    // The nearest recurrent layer or attention before the head gives the steps.
    let mut at = head.from.first().copied();
    let mut steps = None;
    while let Some(node) = at.and_then(|index| graph.node(index)) {
        if node.is_recurrent() {
            steps = Some(node);
            break;
        }
        at = (!node.is_weight() && !node.is_merge())
            .then(|| node.from.first().copied())
            .flatten();
    }
    let Some(layer) = steps.filter(|_| float && !declared) else {
        return;
    };
    let (Some(time), word) = (
        output.channels(),
        layer.op().map_or("lstm", |op| op.kind.word()),
    ) else {
        return;
    };
    cx.node(head, names::answer_at_each_step, format!("`{}` answers at each of the {time} steps", head.name()))
        .and_other(layer.id, format!("`{word}` gives all of its steps"))
        .and_help(format!(
            "`last_step -> {}` for one answer; for one at each step {}",
            op.kind,
            allow(names::answer_at_each_step, "one label for each step")
        ))
        .and_note("the data must have a target for each step; a label for the whole sequence needs the last one, or a mean over time");
}

/// Two texts joined step by step, where one after the other is meant.
fn sequences_joined<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    // The inputs of class indices that each node is made of.
    let mut tokens: Vec<HashSet<usize>> = vec![HashSet::new(); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let mut all: HashSet<usize> = HashSet::new();
        if let Kind::Input(input) = node.kind
            && matches!(input.kind, InputKind::Int { .. })
        {
            all.insert(index);
        }
        for from in &node.from {
            all.extend(tokens.get(*from).into_iter().flatten());
        }
        if let Some(slot) = tokens.get_mut(index) {
            *slot = all;
        }
    }
    for node in graph
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, Kind::Merge) && node.from.len() > 1)
    {
        if graph.inferred.concat_axis(node.id) != Some(1) {
            continue;
        }
        let mut seen = HashSet::new();
        let apart = node.from.iter().all(|from| {
            let own = tokens.get(*from).cloned().unwrap_or_default();
            own.len() == 1 && own.into_iter().all(|input| seen.insert(input))
        });
        // Words and their kinds belong together; two texts are of one vocabulary.
        if apart && of_one_vocabulary(graph, seen) {
            cx.node(node, names::concat_of_sequences, "`concat` puts the features of each step side by side; the two sequences are of different inputs")
                .and_help(format!("`-> last_step` or `-> mean(axis = time)` on each of them; or {}", allow(names::concat_of_sequences, "step i belongs to step i")))
                .and_note("step 5 of a question has nothing to do with step 5 of an answer; one after the other they would be one longer sequence");
        }
    }
}

/// Whether findings about shapes follow from inputs with their channels last.
pub(super) fn explains(model: &Model, inferred: &Inferred) -> bool {
    inferred.failed()
        && model
            .inputs
            .iter()
            .any(|input| channels_behind(input).is_some())
}
