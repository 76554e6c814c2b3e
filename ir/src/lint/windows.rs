//! Windows of convolutions and pools, and rows that are cut anew.

use super::Cx;
use crate::catalogue::names;
use crate::graph::{Graph, Node};
use crate::walk::at;
use crate::{OpKind, Padding, Reduction, Shape, Value};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        rearranged(cx, node);
        enlarged(cx, node);
        skipped(cx, node);
        padded(cx, node);
    }
}

/// A `reshape` that cuts rows anew where axes should change places.
fn rearranged<'m>(cx: &mut Cx<'m>, node: &Node<'m>) {
    let Some(OpKind::Reshape(_)) = node.op().map(|op| &op.kind) else {
        return;
    };
    let known = |shape: &Option<Shape>| -> Option<Vec<usize>> {
        shape.as_ref()?.0.iter().copied().collect()
    };
    let Some((from, to)) = known(&node.input).zip(known(&node.output)) else {
        return;
    };
    let (mut a, mut b) = (from.clone(), to.clone());
    a.sort_unstable();
    b.sort_unstable();
    let help = if a == b && from != to && from.iter().filter(|size| **size > 1).count() > 1 {
        let ones = |sizes: &[usize]| {
            sizes
                .iter()
                .copied()
                .filter(|size| *size > 1)
                .collect::<Vec<_>>()
        };
        if ones(&from) == ones(&to) {
            return;
        }
        match from.len() {
            2 => "transpose".to_owned(),
            _ => format!(
                "declare the input as {}, and give its samples in that order",
                Shape::known(to.clone())
            ),
        }
    } else if let ([channels, height, width], [time, features]) = (from.as_slice(), to.as_slice())
        && channels == features
        && *time == height * width
        && *time > 1
        && *channels > 1
    {
        "to_sequence".to_owned()
    } else {
        return;
    };
    cx.node(node, names::reshape_mixes_axes, format!("`reshape` cuts the numbers of {} anew: no axis of {} is what it was", Shape::known(from), Shape::known(to)))
        .and_help(help)
        .and_note("`reshape` keeps the order of the numbers; where axes change places, channels and positions are mixed");
}

/// An adaptive pooling to more positions than there are.
fn enlarged<'m>(cx: &mut Cx<'m>, node: &Node<'m>) {
    let Some(OpKind::Pool(pool)) = node
        .op()
        .map(|op| &op.kind)
        .filter(|kind| matches!(kind, OpKind::Pool(pool) if pool.adaptive))
    else {
        return;
    };
    let sizes = |shape: &Option<Shape>| -> Option<Vec<usize>> {
        shape.as_ref()?.0.iter().skip(1).copied().collect()
    };
    let Some((from, to)) = sizes(&node.input).zip(sizes(&node.output)) else {
        return;
    };
    if !from.iter().zip(&to).any(|(from, to)| to > from) {
        return;
    }
    let fitting: Vec<usize> = from
        .iter()
        .zip(&to)
        .map(|(from, to)| *from.min(to))
        .collect();
    let first = fitting.first().copied().unwrap_or(1);
    let word = node.op().map_or("adaptive_avg_pool2d", |op| op.kind.word());
    let help = if fitting.iter().all(|size| *size == first) {
        format!("{word}({first})")
    } else {
        format!("{word}({fitting:?})")
    };
    let show = |sizes: &[usize]| {
        sizes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" x ")
    };
    let what = if pool.reduction == Reduction::Max {
        "the largest values"
    } else {
        "the means"
    };
    cx.node(
        node,
        names::pooling_enlarges,
        format!(
            "`{word}` to {} of maps of {}: {what} are repeated",
            show(&to),
            show(&from)
        ),
    )
    .and_help(help)
    .and_note("pooling makes maps smaller; each window here is one position, which is copied");
}

/// A size that is written once for all axes, or for each.
fn along(sizes: &[Value], axis: usize) -> Option<usize> {
    match sizes {
        [one] => one.size(),
        all => all.get(axis).and_then(Value::size),
    }
}

/// Windows that are farther apart than they are wide.
fn skipped<'m>(cx: &mut Cx<'m>, node: &Node<'m>) {
    let (kernel, stride, transposed) = match node.op().map(|op| &op.kind) {
        Some(OpKind::Conv(conv)) => (&conv.kernel, &conv.stride, conv.transposed),
        Some(OpKind::Pool(pool)) if !pool.adaptive => (&pool.kernel, &pool.stride, false),
        _ => return,
    };
    for axis in 0..kernel.len().max(stride.len()) {
        let (Some(wide), Some(step)) = (along(kernel, axis), along(stride, axis)) else {
            continue;
        };
        // A pointwise layer of stride 2 is the shortcut of a residual network.
        let least = if wide == 1 { 2 } else { wide };
        let shape = node.input.as_ref();
        let positions = shape.and_then(|shape| shape.0.get(axis + 1).copied().flatten());
        // One window: nothing is stepped over that a next window would see.
        let is_one =
            positions.is_some_and(|positions| positions <= if transposed { 1 } else { wide });
        if step <= least || is_one {
            continue;
        }
        let lost = step - wide;
        let effect = if transposed {
            format!("{lost} of {step} positions that come out are the bias alone")
        } else {
            format!("{lost} of {step} positions are never seen")
        };
        let written = stride.get(axis).or_else(|| stride.first());
        let id = written.map_or(node.id, |value| at(value, node.id));
        cx.at(
            &[],
            node.scope,
            node.place(),
            id,
            names::stride_skips_positions,
            format!("windows of {wide} at steps of {step}: {effect}"),
        )
        .and_help(format!("stride = {}", wide.max(2)))
        .and_note("what lies between two windows has no influence and no gradient; a shortcut of `kernel = 1, stride = 2` is published (arXiv 1512.03385)");
        return;
    }
}

/// Zeros at the borders that fill whole windows.
fn padded<'m>(cx: &mut Cx<'m>, node: &Node<'m>) {
    let Some(conv) = node.conv().filter(|conv| !conv.transposed) else {
        return;
    };
    let Padding::Zeros(zeros) = &conv.padding else {
        return;
    };
    for axis in 0..usize::from(conv.axes) {
        let (Some(wide), Some(apart)) = (along(&conv.kernel, axis), along(&conv.dilation, axis))
        else {
            continue;
        };
        let Some(added) = along(zeros, axis) else {
            continue;
        };
        let reach = wide.saturating_sub(1).saturating_mul(apart);
        if added <= reach {
            continue;
        }
        let written = zeros.get(axis).or_else(|| zeros.first());
        let id = written.map_or(node.id, |value| at(value, node.id));
        cx.at(
            &[],
            node.scope,
            node.place(),
            id,
            names::windows_of_padding,
            format!("{added} zeros before a window that reaches {reach} positions on: the first windows see zeros alone"),
        )
        .and_help(format!("padding = {}", reach / 2))
        .and_note("such positions hold the bias whatever the sample; half of the window at each border keeps the size");
        return;
    }
}
