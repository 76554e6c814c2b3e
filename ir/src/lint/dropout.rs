//! Dropout and its relatives: where they stand and how much they drop.

use super::convolution::window;
use super::{Cx, allow, percent};
use crate::catalogue::names;
use crate::graph::{Graph, Kind, Node};
use crate::walk::at;
use crate::{
    ActivationKind, Id, Layout, Level, LintLevel, OpKind, Reduction, RuleKind, Shape, Stochastic,
    Value,
};
use std::collections::HashSet;

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    ranges(cx, graph);
    let before_output = before_output(cx, graph);
    feeding_head(cx, graph);
    batch_norm(cx, graph);
    before_activation(cx, graph, &before_output);
    before_max_pool(cx, graph);
    maps(cx, graph);
    time(cx, graph);
    attention(cx, graph);
    let on_input = on_input(cx, graph);
    high_rates(cx, graph, &on_input);
    stacked(cx, graph);
    consecutive(cx, graph);
    tiny_layer(cx, graph);
    order_of_rates(cx, graph);
    selu(cx, graph);
    drop_path(cx, graph);
}

const VARIANCE: &str = "dropout raises the variance that batch norm learns; at inference the variance is another (Li et al., arXiv 1801.05134)";

/// A rate in (0, 1), if it is known.
fn rate(stochastic: &Stochastic) -> Option<f64> {
    stochastic
        .rate()
        .known
        .filter(|rate| *rate > 0.0 && *rate < 1.0)
}

/// Whether it does anything, as far as known.
fn acts(stochastic: &Stochastic) -> bool {
    stochastic.rate().known != Some(0.0)
}

fn dropouts<'g, 'm>(
    graph: &'g Graph<'m>,
) -> impl Iterator<Item = (usize, &'g Node<'m>, &'m Stochastic)> {
    let nodes = graph.nodes.iter().enumerate();
    nodes.filter_map(|(index, node)| {
        Some((index, node, node.dropout().filter(|dropout| acts(dropout))?))
    })
}

/// A rate as it was written.
struct Written<'m> {
    word: &'static str,
    value: &'m Value,
    id: Id,
    levels: &'m [LintLevel],
}

impl Written<'_> {
    /// The annotation with another rate.
    fn with(&self, rate: f64) -> String {
        let rate = Value::known(rate);
        match self.word {
            "recurrent" => format!("recurrent = {rate}"),
            "drop_block" => format!("drop_block({rate}, size = 7)"),
            word => format!("{word}({rate})"),
        }
    }

    /// As it stands there.
    fn text(&self) -> String {
        match self.word {
            "recurrent" => format!("recurrent = {}", self.value),
            word => format!("{word}({})", self.value),
        }
    }

    /// The annotation with a rate that is usual for it.
    fn usual(&self) -> String {
        self.with(match self.word {
            "dropout" | "alpha_dropout" | "gaussian_dropout" | "drop_connect" => 0.5,
            "variational_dropout" | "recurrent" => 0.25,
            _ => 0.1,
        })
    }
}

/// Every rate that acts at a node, in the order of the source.
fn written<'m>(node: &Node<'m>) -> Vec<Written<'m>> {
    let mut all = Vec::new();
    let mut add = |word, value, id: Id, levels| {
        let id = if id.is_none() { node.id } else { id };
        all.push(Written {
            word,
            value,
            id,
            levels,
        });
    };
    match node.kind {
        Kind::Op(op) => {
            match node.stochastic() {
                None | Some(Stochastic::Noise { .. }) => {}
                Some(stochastic) => {
                    if let Stochastic::DropBlock {
                        first: Some(first), ..
                    } = stochastic
                    {
                        add("drop_block", first, node.id, &[]);
                    }
                    add(stochastic.word(), stochastic.rate(), node.id, &[]);
                }
            }
            for (word, rate) in node.rates() {
                add(word, &rate.rate, rate.id, rate.levels.as_slice());
            }
            for rule in &op.rules {
                if let RuleKind::DropConnect { rate } = &rule.kind {
                    add("drop_connect", rate, rule.id, &rule.levels);
                }
            }
        }
        Kind::DropPath(path) => {
            for value in [&path.first, &path.last] {
                add("drop_path", value, node.id, &[]);
            }
        }
        _ => {}
    }
    all
}

fn ranges<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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

/// Everything random on the way from the last weights to the output; the branches of residuals are exempt.
fn before_output<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) -> HashSet<usize> {
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
        let (what, produced) = if super::output::is_classification(&loss.kind) {
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
            .and_help(format!("drop the features that feed it: `-> relu -> {stochastic}; {head}: {written};`"))
            .and_note("in training the loss compares targets with corrupted values; no weights follow that could make up for it");
    }
    found
}

/// Opt-in: dropout on the features that the last weights read.
fn feeding_head<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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

fn batch_norm<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let here = graph.leads_within(Node::is_batch_norm);
    let downstream = graph.leads_to(Node::is_batch_norm);
    let first =
        |found: &[Option<usize>], index: usize| graph.node(found.get(index).copied().flatten()?);
    for (index, node, dropout) in dropouts(graph) {
        if let Some(norm) = first(&here, index) {
            let name = norm.name();
            cx.node(node, names::dropout_before_batch_norm, format!("the batch norm `{name}` learns statistics that this `{dropout}` has inflated"))
                .and_other(norm.id, "this batch norm")
                .and_help(format!("move `{dropout}` behind the `batch_norm` and its activation, or use `decay(l2 = 1e-4)` instead"))
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
                .and_help(format!(
                    "use `decay(l2 = 1e-4)` instead of `{dropout}`; behind the last batch norm of a network it does little harm: {}",
                    allow(names::dropout_with_batch_norm, "behind the last batch norm")
                ))
                .and_note(if regions {
                    "the next batch norm sees a shifted variance (Li et al., arXiv 1801.05134); DropBlock was published with batch norm, and gains (arXiv 1810.12890)"
                } else {
                    "the next batch norm sees a shifted variance (Li et al., arXiv 1801.05134); Wide-ResNet does this and gains (arXiv 1605.07146)"
                });
            continue;
        }
        if let Some(norm) = first(&downstream, index) {
            let name = norm.name();
            cx.node(node, names::dropout_upstream_of_batch_norm, format!("`{dropout}` shifts the variance that the batch norm `{name}` sees at inference"))
                .and_other(norm.id, "this batch norm")
                .and_help(format!(
                    "use `decay(l2 = 1e-4)`, or place the only dropout behind the last batch norm; or {}",
                    allow(names::dropout_upstream_of_batch_norm, "Wide-ResNet, section 2.4")
                ))
                .and_note(VARIANCE);
        }
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(norm) = first(&downstream, index) else {
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

fn before_activation<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, before_output: &HashSet<usize>) {
    let next = graph.leads_within(|node| node.activation().is_some());
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
            format!("`{dropout}` in front of `{name}`: a dropped score of 0 still takes part")
        } else if breaks {
            format!("`{dropout}` in front of `{name}`: a dropped unit does not send 0")
        } else if activation.kind.is_homogeneous() {
            format!("`{dropout}` in front of `{name}`: the result is the same as behind it")
        } else {
            format!(
                "`{dropout}` in front of `{name}`: the survivors are scaled before they are bent"
            )
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

/// Dropout before any weights.
fn on_input<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) -> HashSet<usize> {
    let mut raw = vec![false; graph.nodes.len()];
    let mut found = HashSet::new();
    if graph.model.loss.is_none() {
        // The input of a model inside another one may be features.
        return found;
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let is_raw = matches!(node.kind, Kind::Input(_))
            || (!node.is_weight() && node.from.iter().any(|from| raw.get(*from) == Some(&true)));
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

fn high_rates<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, on_input: &HashSet<usize>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        // Stochastic depth has rules of its own.
        for written in written(node)
            .into_iter()
            .filter(|written| !matches!(written.word, "drop_path" | "drop_connect"))
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
                .and_note("a rate is the share that is dropped: 0 keeps everything");
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
                format!(
                    "`{text}` drops {} (it is the rate dropped, not kept)",
                    percent(rate)
                ),
            )
            .and_limit(max)
            .and_help(written.usual())
            .and_note("0.5 is the usual most for hidden layers (Srivastava et al., JMLR 15)");
        }
    }
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
fn stacked<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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

fn consecutive<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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
            Some(share) => format!(
                "one of them: `dropout({})`",
                (share * 100.0).round() / 100.0
            ),
            None => "one of them".to_owned(),
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

fn tiny_layer<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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
            .and_help("a wider layer, or no dropout here")
.and_note("n units are all dropped with probability rate^n; the gradient of such a sample is 0");
        }
    }
}

/// Opt-in: how the rates change from input to output.
fn order_of_rates<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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

fn selu<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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
                cx.node(node, names::alpha_dropout_without_selu, format!("`alpha_dropout` behind `{}`", kind.word()))
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
                cx.node(node, names::alpha_dropout_without_selu, "`alpha_dropout` without `selu` in front of it")
                    .and_help(format!("dropout({rate})"))
                    .and_note("it sets values to the negative limit of `selu`, which means nothing elsewhere (arXiv 1706.02515)");
            }
            _ => {}
        }
    }
}

/// Elementwise dropout in front of a maximum: the survivors win.
fn before_max_pool<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
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
            format!("`{word}` picks what `{dropout}` has left{rest}"),
        )
        .and_other(pool.id, "this pooling")
        .and_help(format!("-> {written} -> {dropout}"))
        .and_note("the maximum of the survivors, scaled up, is another number than the maximum of all: drop behind the pooling (Wu and Gu, arXiv 1512.00242, do it on purpose)");
    }
}

/// What drops on feature maps, and what drops maps.
fn maps<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (_, node, dropout) in dropouts(graph) {
        let Some(input) = &node.input else { continue };
        let vector = input.rank() == 1 || node.layout == Layout::Sequence;
        match dropout {
            Stochastic::Dropout { rate } if node.takes_maps() => {
                cx.node(node, names::elementwise_dropout_on_feature_maps, format!("`{dropout}` drops single positions of feature maps {input}"))
                    .and_help(match rate.known {
                        Some(rate) if rate > 0.0 && rate < 0.2 => format!("spatial_dropout({rate})"),
                        _ => "spatial_dropout(0.1)".to_owned(),
                    })
                    .and_note("neighbors say nearly the same, so little is hidden: it acts like a lower learning rate (Tompson et al., arXiv 1411.4280)");
            }
            Stochastic::SpatialDropout { rate } => {
                let single = node
                    .map()
                    .is_some_and(|axes| axes.iter().all(|size| *size == 1));
                if vector {
                    let (help, why) = if node.layout == Layout::Sequence {
                        (
                            format!("variational_dropout({rate})"),
                            "a sequence has steps, no channels; one mask of features for all steps is `variational_dropout`",
                        )
                    } else {
                        (
                            format!("dropout({rate})"),
                            "it drops whole feature maps; here is none",
                        )
                    };
                    cx.node(
                        node,
                        names::spatial_dropout_on_vector,
                        format!("`{dropout}` on a value without feature maps: {input}"),
                    )
                    .and_help(help)
                    .and_note(why);
                } else if single {
                    cx.node(
                        node,
                        names::spatial_dropout_on_vector,
                        format!("`{dropout}` on maps of one position, {input}, is plain dropout"),
                    )
                    .at_level(Level::Warn)
                    .and_help(format!("dropout({rate})"))
                    .and_note("it drops whole feature maps; these are single numbers");
                }
                let max = cx.limit(&[], node.scope, names::spatial_dropout_rate_high, "max");
                if let Some(share) = rate.known.filter(|rate| *rate > max.value && *rate < 1.0) {
                    cx.node(node, names::spatial_dropout_rate_high, format!("`{dropout}` drops {} of the feature maps", percent(share)))
                        .and_limit(max)
                        .and_help("spatial_dropout(0.1)")
                        .and_note("a channel takes all its positions with it: 0.1 to 0.2 is usual (Tompson et al., arXiv 1411.4280)");
                }
            }
            Stochastic::DropBlock { size, .. } => {
                let least = node
                    .map()
                    .and_then(|axes| axes.into_iter().filter(|axis| *axis > 1).min());
                let help = |least: usize| {
                    let mut smaller = dropout.clone();
                    if let Stochastic::DropBlock { size, .. } = &mut smaller {
                        *size = Value::known(least as f64);
                    }
                    smaller.to_string()
                };
                if vector
                    || node
                        .map()
                        .is_some_and(|axes| axes.iter().all(|axis| *axis == 1))
                {
                    cx.node(node, names::drop_block_too_large, format!("`{dropout}` on a value without positions: {input}"))
                        .and_help(format!("dropout({})", dropout.rate()))
                        .and_note("a region of a feature map is all of it or nothing here (Ghiasi et al., arXiv 1810.12890)");
                } else if let Some((least, wanted)) =
                    least.zip(size.size()).filter(|(least, size)| size > least)
                {
                    cx.at(&[], node.scope, node.place(), at(size, node.id), names::drop_block_too_large, format!("regions of {wanted} do not fit into feature maps {input}"))
                        .and_help(help((least / 2).max(1)))
                        .and_note("a region larger than the map drops all of it or nothing (Ghiasi et al., arXiv 1810.12890: 7 on maps of 14 and more)");
                }
            }
            _ => {}
        }
    }
}

/// What drops along the time.
fn time<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (_, node, dropout) in dropouts(graph) {
        let (Stochastic::VariationalDropout { rate }, Some(input)) = (dropout, &node.input) else {
            continue;
        };
        // An input of two axes may be a sequence.
        if input.rank() == 1 || node.layout == Layout::Channels {
            let instead = if node.takes_maps() {
                "spatial_dropout"
            } else {
                "dropout"
            };
            cx.node(
                node,
                names::variational_dropout_on_non_rnn,
                format!("`{dropout}` on a value without a time axis: {input}"),
            )
            .and_help(format!("{instead}({rate})"))
            .and_note(
                "it is dropout with one mask for all steps (Gal and Ghahramani, arXiv 1512.05287)",
            );
        }
    }
    for node in &graph.nodes {
        let Some(OpKind::Recurrent(recurrent)) = node.op().map(|op| &op.kind) else {
            continue;
        };
        let Some(between) = recurrent
            .between
            .as_ref()
            .filter(|rate| rate.rate.known != Some(0.0))
        else {
            continue;
        };
        if recurrent.layers.size() == Some(1) {
            let id = if between.id.is_none() {
                node.id
            } else {
                between.id
            };
            let (word, rate) = (recurrent.cell.word(), &between.rate);
            cx.at(
                &between.levels,
                node.scope,
                node.place(),
                id,
                names::rnn_dropout_single_layer,
                format!("`dropout({rate})` acts between the layers of `{word}`, and it has one"),
            )
            .and_other(node.id, "this layer")
            .and_help(format!("variational_dropout({rate})"))
            .and_note("`dropout` on a recurrent layer is that of `nn.LSTM(dropout = ..)`, which only warns here; `variational_dropout` drops the input too, with one mask for all steps (arXiv 1512.05287)");
        }
    }
}

fn attention<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        for written in written(node)
            .into_iter()
            .filter(|written| written.word == "attention_dropout")
        {
            let max = cx.limit(
                written.levels,
                node.scope,
                names::attention_dropout_high,
                "max",
            );
            let Some(rate) = written
                .value
                .known
                .filter(|rate| *rate > max.value && *rate < 1.0)
            else {
                continue;
            };
            cx.at(
                written.levels,
                node.scope,
                node.place(),
                written.id,
                names::attention_dropout_high,
                format!("`{}` drops {} of the attention weights", written.text(), percent(rate)),
            )
            .and_limit(max)
            .and_help("attention_dropout(0.1)")
            .and_note("the weights of a step sum to 1 and are few: 0.1 is usual (Vaswani et al., arXiv 1706.03762)");
        }
    }
}

fn drop_path<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        if let Some(Stochastic::DropPath { rate }) = node.stochastic() {
            if !node.in_branch {
                cx.node(node, names::drop_path_outside_residual, format!("`drop_path({rate})` where no shortcut carries the sample: dropped samples become 0"))
                    .and_help(format!("residual {{ .. }} with drop_path({rate})"))
                    .and_note("stochastic depth drops the branch of a residual (Huang et al., arXiv 1603.09382)");
            }
            high_drop_path(cx, node, rate, rate);
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
            high_drop_path(cx, node, first, last);
        }
    }
}

fn high_drop_path(cx: &mut Cx<'_>, node: &Node<'_>, first: &Value, rate: &Value) {
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
