//! Opt-in: shapes of convolutional networks that a textbook would draw otherwise (`NeuraLint`, arXiv 2105.08095).

use super::Cx;
use crate::catalogue::names;
use crate::graph::{Graph, Node};
use crate::op::Written;
use crate::{Conv, OpKind, Reduction, Value};
use std::collections::HashSet;

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let convs = convolutions(graph);
    pool_after_every(cx, graph, &convs);
    against_the_previous(cx, graph);
    average_pool(cx, graph);
    down_sampling(cx, graph, &convs);
    even_kernel(cx, graph);
}

/// A size that is written once for all axes, or for each.
fn along(sizes: &[Value], axis: usize) -> Option<usize> {
    match sizes {
        [one] => one.size(),
        all => all.get(axis)?.size(),
    }
}

/// How many values a window of these sizes has.
pub(super) fn window(sizes: &[Value], axes: u8) -> Option<usize> {
    (0..usize::from(axes)).try_fold(1_usize, |product, axis| {
        product.checked_mul(along(sizes, axis)?)
    })
}

/// The convolutions in the order of the source, the copies of a `repeat` as one.
fn convolutions<'g, 'm>(graph: &'g Graph<'m>) -> Vec<(usize, &'g Node<'m>, &'m Conv)> {
    let mut seen = HashSet::new();
    let nodes = graph.nodes.iter().enumerate();
    nodes
        .filter_map(|(index, node)| Some((index, node, node.conv()?)))
        .filter(|(_, node, _)| seen.insert(node.id))
        .collect()
}

/// A pooling over windows: it makes maps smaller.
fn windowed(node: &Node<'_>) -> bool {
    node.op()
        .is_some_and(|op| matches!(op.kind, OpKind::Pool(_)))
}

fn pool_after_every<'m>(
    cx: &mut Cx<'m>,
    graph: &Graph<'m>,
    convs: &[(usize, &Node<'m>, &'m Conv)],
) {
    let pooled = graph.leads_within(windowed);
    let all = convs
        .iter()
        .all(|(index, ..)| pooled.get(*index).is_some_and(Option::is_some));
    let Some((_, node, _)) = convs.last().filter(|_| all) else {
        return;
    };
    let least = cx.limit(
        &[],
        node.scope,
        names::pool_after_every_conv,
        "convolutions",
    );
    if convs.len() as f64 >= least.value {
        cx.node(
            node,
            names::pool_after_every_conv,
            format!("each of the {} convolutions is followed by a pooling", convs.len()),
        )
        .and_limit(least)
        .and_help("two convolutions of `kernel = 3` before each pooling")
        .and_note("small kernels in series see as much as a large one, with fewer weights and one more activation (Simonyan and Zisserman, arXiv 1409.1556)");
    }
}

/// Each convolution against the one that feeds it, whatever is between.
fn against_the_previous<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let mut nearest: Vec<Option<usize>> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = node
            .from
            .iter()
            .filter_map(|from| nearest.get(*from).copied().flatten())
            .max();
        nearest.push(if node.conv().is_some() {
            Some(index)
        } else {
            before
        });
        let previous = before
            .and_then(|index| graph.node(index))
            .and_then(|node| Some((node, node.conv()?)));
        if let (Some((first, earlier)), Some(conv)) = (previous, node.conv())
            && first.id != node.id
        {
            pair(cx, (first, earlier), (node, conv));
        }
    }
}

fn pair<'m>(cx: &mut Cx<'m>, first: (&Node<'m>, &'m Conv), second: (&Node<'m>, &'m Conv)) {
    let ((first, earlier), (node, conv)) = (first, second);
    if earlier.transposed || conv.transposed {
        return;
    }
    let (name, before) = (node.name(), first.name());
    let windows = window(&earlier.kernel, earlier.axes)
        .zip(window(&conv.kernel, conv.axes))
        .filter(|(a, b)| *a > 1 && *b > 1);
    if windows.is_some_and(|(a, b)| b < a) {
        cx.node(
            node,
            names::conv_window_shrinks,
            format!("the kernel of `{name}` is smaller than that of `{before}`"),
        )
        .and_other(first.id, "the larger one")
        .and_help(format!(
            "`{}`, or the smaller one twice",
            as_wide(earlier, conv)
        ))
        .and_note("a large first kernel is common: ResNet begins with 7, then 3");
    }
    let channels = |node: &Node<'_>| node.output.as_ref().and_then(crate::Shape::channels);
    let Some((a, b)) = channels(first).zip(channels(node)) else {
        return;
    };
    if b < a {
        cx.node(
            node,
            names::filters_not_increasing,
            format!("`{name}` gives {b} channels, `{before}` before it {a}"),
        )
        .and_other(first.id, "more channels")
        .and_help(with_channels(conv, a))
        .and_note("bottlenecks, decoders and transition layers narrow on purpose (He et al., arXiv 1512.03385)");
    }
    let map = |node: &Node<'_>| -> Option<Vec<usize>> {
        node.output.as_ref()?.0.iter().skip(1).copied().collect()
    };
    let size = map(first).zip(map(node)).filter(|(a, b)| a == b);
    if let Some((size, _)) = size.filter(|_| a != b && windows.is_some()) {
        let size: Vec<String> = size.iter().map(ToString::to_string).collect();
        cx.node(
            node,
            names::inhomogeneous_conv_block,
            format!(
                "on maps of {} positions `{before}` gives {a} channels, `{name}` {b}",
                size.join(" x ")
            ),
        )
        .and_other(first.id, "on maps of the same size")
        .and_help(format!(
            "`{}`, or `max_pool2d(2)` between them",
            with_channels(conv, a)
        ))
        .and_note("VGG and ResNet change the channels where they change the size of the maps");
    }
}

/// A convolution with the kernel of an earlier one, and as much padding as keeps what comes out.
fn as_wide(earlier: &Conv, conv: &Conv) -> OpKind {
    let mut wide = conv.clone();
    wide.kernel.clone_from(&earlier.kernel);
    if let crate::Padding::Zeros(zeros) = &mut wide.padding {
        let half = |size: &Value| {
            size.size()
                .map_or(*size, |size| Value::known((size / 2) as f64))
        };
        *zeros = wide.kernel.iter().map(half).collect();
    }
    OpKind::Conv(wide)
}

/// A convolution with so many channels.
fn with_channels(conv: &Conv, channels: usize) -> String {
    let mut wide = conv.clone();
    wide.out = Value::known(channels as f64);
    OpKind::Conv(wide).to_string()
}

fn average_pool<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let next = graph.leads_to(|node| node.conv().is_some());
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(OpKind::Pool(pool)) = node.op().map(|op| &op.kind) else {
            continue;
        };
        let next = next.get(index).copied().flatten();
        let next = next.and_then(|index| graph.node(index));
        if let Some(next) = next.filter(|_| pool.reduction == Reduction::Mean && !pool.adaptive) {
            let word = pool.word();
            let mut largest = pool.clone();
            largest.reduction = Reduction::Max;
            cx.node(
                node,
                names::avg_pool_instead_of_max,
                format!("`{word}` between convolutions"),
            )
            .and_other(next.id, "this convolution reads it")
            .and_help(OpKind::Pool(largest).to_string())
            .and_note("the mean weakens what one position has found; DenseNet's transitions do it on purpose (arXiv 1608.06993)");
        }
    }
}

fn down_sampling<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, convs: &[(usize, &Node<'m>, &'m Conv)]) {
    let Some((end, node, _)) = convs.last() else {
        return;
    };
    let least = cx.limit(
        &[],
        node.scope,
        names::missing_down_sampling,
        "convolutions",
    );
    let steps = convs.iter().all(|(_, _, conv)| {
        (0..usize::from(conv.axes)).all(|axis| along(&conv.stride, axis) == Some(1))
    });
    let pooled = graph.nodes.iter().take(*end).any(windowed);
    if steps && !pooled && convs.len() as f64 >= least.value {
        cx.node(
            node,
            names::missing_down_sampling,
            format!("{} convolutions and no smaller maps", convs.len()),
        )
        .and_limit(least)
        .and_help("`max_pool2d(2)` between them, or `stride = 2`")
        .and_note("what a kernel sees grows slowly on maps of full size, and costs most there");
    }
}

fn even_kernel<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        let Some(conv) = node.conv().filter(|conv| !conv.transposed) else {
            continue;
        };
        // Windows that do not overlap (patches) need no middle.
        let even = (0..usize::from(conv.axes)).find_map(|axis| {
            let size = along(&conv.kernel, axis)?;
            (size % 2 == 0 && along(&conv.stride, axis) != Some(size)).then_some(size)
        });
        if let Some(size) = even {
            cx.node(
                node,
                names::even_kernel_size,
                format!("a kernel of {size} has no middle"),
            )
            .and_help(format!("kernel = {}", size + 1))
            .and_note("its maps move by half a position");
        }
    }
}
