//! How much is dropped: one rate, several in a row, rates that grow.

use super::super::{Cx, percent};
use super::{Written, acts, dropouts, rate, written};
use crate::catalogue::names;
use crate::graph::{Graph, Kind, Node};
use crate::walk::at;
use crate::{OpKind, Shape, Stochastic, Value};
use std::collections::HashSet;

pub(super) fn ranges<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        for written in written(node) {
            let Some(rate) = written
                .value
                .known
                .filter(|rate| !(0.0..1.0).contains(rate))
            else {
                continue;
            };
            // From 2 on, somebody wrote per cent.
            let help = if (2.0..100.0).contains(&rate) {
                format!("did you mean `{}`?", written.with(rate / 100.0))
            } else {
                written.usual()
            };
            cx.at(
                written.levels,
                node.scope,
                node.place(),
                at(written.value, written.id),
                names::dropout_rate_out_of_range,
                format!("{} is not a rate in [0, 1)", Value::known(rate)),
            )
            .and_help(help)
            .and_note("the rate is the probability of zeroing, in [0, 1); at 1 nothing is left");
        }
    }
}

pub(super) fn high_rates<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, on_input: &HashSet<usize>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        // Stochastic depth has rules of its own.
        for written in written(node)
            .into_iter()
            .filter(|written| written.word != "drop_path")
        {
            let text = node
                .dropout()
                .map_or_else(|| written.text(), ToString::to_string);
            if written.value.known == Some(0.0) && written.value.hole.is_none() {
                cx.at(
                    written.levels,
                    node.scope,
                    node.place(),
                    written.id,
                    names::dropout_rate_zero,
                    format!("`{text}` does nothing"),
                )
                .and_help(format!("remove `{text}`"))
                .and_note("a rate is the fraction that is dropped: 0 keeps everything");
            }
            let own = matches!(written.word, "spatial_dropout" | "attention_dropout");
            let Some(rate) = written
                .value
                .known
                .filter(|rate| *rate > 0.0 && *rate < 1.0)
                .filter(|_| !own && !on_input.contains(&index))
            else {
                continue;
            };
            let max = cx.limit(written.levels, node.scope, names::high_dropout_rate, "max");
            if rate <= max.value {
                continue;
            }
            cx.at(
                written.levels,
                node.scope,
                node.place(),
                written.id,
                names::high_dropout_rate,
                if written.word == "zoneout" {
                    format!("`{text}` holds {} of the state still", percent(rate))
                } else {
                    format!(
                        "`{text}` drops {} (it is the rate dropped, not kept)",
                        percent(rate)
                    )
                },
            )
            .and_limit(max)
            .and_help(kept(&written, rate, max.value))
            .and_note("0.5 is the usual maximum for hidden layers (Srivastava et al., JMLR 15)");
        }
    }
}

/// The rate that was meant if this one is the share that is kept, and the usual one.
fn kept(written: &Written<'_>, rate: f64, most: f64) -> String {
    let (rest, usual) = (
        written.with(((1.0 - rate) * 1e6).round() / 1e6),
        written.usual(),
    );
    if 1.0 - rate > most || rest == usual {
        return usual;
    }
    format!(
        "`{rest}` if {} are to be kept, else `{usual}`",
        percent(rate)
    )
}

/// What a node leaves of the signal paths, and what the least of its dropouts leaves alone; rates below `counted` do
/// not count. Attention drops weights that other steps make up for.
fn leaves(node: &Node<'_>, counted: f64) -> (f64, f64) {
    let high = |value: &Value| {
        value
            .known
            .filter(|rate| *rate >= counted && *rate > 0.0 && *rate < 1.0)
    };
    if let Some(dropout) = node.dropout() {
        let left = high(dropout.rate()).map_or(1.0, |rate| 1.0 - rate);
        return (left, left);
    }
    let layers = match node.op().map(|op| &op.kind) {
        Some(OpKind::Recurrent(recurrent)) => recurrent.layers.size().unwrap_or(1),
        _ => 1,
    };
    let mut all = (1.0_f64, 1.0_f64);
    for (word, rate) in node.rates() {
        let times = match word {
            "dropout" => layers.saturating_sub(1),
            "variational_dropout" => layers,
            "embedding_dropout" => 1,
            _ => 0,
        };
        if let Some(rate) = high(&rate.rate).filter(|_| times > 0) {
            all = (
                all.0 * (1.0 - rate).powf(times as f64),
                all.1.min(1.0 - rate),
            );
        }
    }
    all
}

/// What share of the signal paths is left, on the worst way to each node, but the better one of a residual.
pub(super) fn stacked<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    // And whether it has been said on that way.
    let mut left = vec![(1.0_f64, false); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let ways = node.from.iter().filter_map(|from| left.get(*from).copied());
        // The shortcut of a residual drops nothing.
        let way = if matches!(node.kind, Kind::Sum) {
            ways.max_by(|a, b| a.0.total_cmp(&b.0))
        } else {
            ways.min_by(|a, b| a.0.total_cmp(&b.0))
        };
        let (before, mut said) = way.unwrap_or((1.0, false));
        let limit = |name| cx.limit(&[], node.scope, names::stacked_high_dropout, name);
        let (min, counted) = (limit("min"), limit("counted"));
        let (leaves, alone) = leaves(node, counted.value);
        let share = before * leaves.powf(node.times as f64);
        // What drops nothing itself is not the one to name, and one high rate alone is `high_dropout_rate`.
        let stacks = leaves < 1.0 && share < alone - 1e-9;
        if share < min.value && !said && stacks {
            said = true;
            let inner = node.rates();
            let (text, id, levels) = match (node.dropout(), inner.first()) {
                (None, Some((word, rate))) => (
                    format!("{word}({})", rate.rate),
                    rate.id,
                    rate.levels.as_slice(),
                ),
                (dropout, _) => (
                    dropout.map_or_else(String::new, ToString::to_string),
                    node.id,
                    &[][..],
                ),
            };
            let id = if id.is_none() { node.id } else { id };
            cx.at(
                levels,
                node.scope,
                node.place(),
                id,
                names::stacked_high_dropout,
                format!(
                    "with this `{text}` only {} of the signal paths survive one step",
                    percent(share)
                ),
            )
            .and_limit(min)
            .and_limit(counted)
            .and_help("lower rates: `dropout(0.2)`")
            .and_note(format!(
                "the rates of {} and above along one path multiply; VGG keeps 25 %",
                Value::known(counted.value)
            ));
        }
        if let Some(slot) = left.get_mut(index) {
            *slot = (share, said);
        }
    }
}

pub(super) fn consecutive<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node, dropout) in dropouts(graph) {
        let Some((_, first)) = graph
            .before(index)
            .find(|(_, node)| node.dropout().is_some_and(acts))
        else {
            continue;
        };
        let together = first
            .dropout()
            .and_then(rate)
            .zip(rate(dropout))
            .map(|(a, b)| 1.0 - (1.0 - a) * (1.0 - b));
        let message = match together {
            Some(share) => format!(
                "a second dropout in one segment: together they drop {}",
                percent(share)
            ),
            None => "a second dropout in one segment".to_owned(),
        };
        let help = match together {
            Some(_) => format!("remove `{}`", smaller(first.dropout(), dropout)),
            None => "remove one of them".to_owned(),
        };
        cx.node(node, names::consecutive_dropout, message)
            .and_other(first.id, "the first")
            .and_help(help)
            .and_note("two independent masks of rates p and q are one of rate 1 - (1 - p)(1 - q)");
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let own = node
            .rates()
            .into_iter()
            .find(|(word, rate)| *word == "variational_dropout" && rate.rate.known != Some(0.0));
        let Some((_, own)) = own else { continue };
        let mut before = graph
            .before(index)
            .filter_map(|(_, node)| Some((node, node.dropout().filter(|dropout| acts(dropout))?)));
        if let Some((first, dropout)) = before.next() {
            let id = if own.id.is_none() { node.id } else { own.id };
            cx.at(&own.levels, node.scope, node.place(), id, names::consecutive_dropout, format!("`variational_dropout` drops the input of `{}`, which `{dropout}` has dropped already", node.name()))
                .and_other(first.id, "the first")
                .and_help(format!("remove `{dropout}`"))
.and_note("two masks over one value drop more than either rate says");
        }
    }
}

/// The one of two dropouts that drops less.
fn smaller<'d>(first: Option<&'d Stochastic>, second: &'d Stochastic) -> &'d Stochastic {
    let rate = |one: &Stochastic| one.rate().number();
    first
        .filter(|first| rate(first) < rate(second))
        .unwrap_or(second)
}

pub(super) fn tiny_layer<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (_, node, dropout) in dropouts(graph) {
        if !matches!(dropout, Stochastic::Dropout { .. }) {
            continue;
        }
        let width = node
            .input
            .as_ref()
            .filter(|shape| shape.rank() == 1)
            .and_then(Shape::features);
        let Some((rate, width)) = rate(dropout).zip(width) else {
            continue;
        };
        let nothing = rate.powf(width as f64);
        let max = cx.limit(&[], node.scope, names::dropout_on_tiny_layer, "max");
        if nothing >= max.value {
            let units = if width == 1 { "unit" } else { "units" };
            cx.node(
                node,
                names::dropout_on_tiny_layer,
                format!(
                    "with {width} {units} and `{dropout}`, {} of the samples pass nothing",
                    percent(nothing)
                ),
            )
            .and_limit(max)
            .and_help(format!("remove `{dropout}`, or a wider layer"))
.and_note("n units are all dropped with probability rate^n; the gradient of such a sample is 0");
        }
    }
}

/// Opt-in: how the rates change from input to output.
pub(super) fn order_of_rates<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let mut seen = HashSet::new();
    let all: Vec<(&Node<'_>, &Stochastic, f64)> = dropouts(graph)
        .filter_map(|(_, node, dropout)| Some((node, dropout, rate(dropout)?)))
        .filter(|(node, ..)| seen.insert(node.id))
        .collect();
    for pair in all.windows(2) {
        let [(first, before, low), (node, dropout, high)] = pair else {
            continue;
        };
        if high > low {
            cx.node(
                node,
                names::dropout_rate_increases,
                format!("`{dropout}` is more than the earlier `{before}`"),
            )
            .and_other(first.id, "the earlier one")
            .and_help(format!("`{before}` or less here, or the higher rate there"))
            .and_note(
                "some prefer falling rates; Srivastava et al. (JMLR 15) drop least at the input",
            );
        }
    }
    if let [(_, _, first), .., (node, dropout, _)] = all.as_slice()
        && all
            .iter()
            .all(|(_, _, rate)| rate.to_bits() == first.to_bits())
    {
        cx.node(
            node,
            names::uniform_dropout_rate,
            format!(
                "all {} dropouts have the rate {}",
                all.len(),
                dropout.rate()
            ),
        )
        .and_help("a lower rate near the input: `dropout(0.1)`")
        .and_note("the best rate differs from layer to layer");
    }
}

pub(super) fn high_drop_path(cx: &mut Cx<'_>, node: &Node<'_>, first: &Value, rate: &Value) {
    let max = cx.limit(&[], node.scope, names::drop_path_rate_high, "max");
    if let Some(share) = rate.known.filter(|rate| *rate > max.value && *rate < 1.0) {
        cx.node(
            node,
            names::drop_path_rate_high,
            format!(
                "stochastic depth drops {} of the samples' branch",
                percent(share)
            ),
        )
        .and_limit(max)
        .and_help(if first.known == rate.known {
            "drop_path(0.2)"
        } else {
            "drop_path(0.0..0.2)"
        })
        .and_note(
            "the linear rule of Huang et al. (arXiv 1603.09382) ends at 0.5; 0.1 to 0.2 is usual",
        );
    }
}
