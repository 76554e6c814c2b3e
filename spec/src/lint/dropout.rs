//! Dropout and its relatives: where they stand and how much they drop.

use super::{Cx, allow, percent};
use crate::graph::{Graph, Kind, Node};
use crate::infer::at;
use crate::{ActivationKind, Finding, Id, Level, OpKind, RuleKind, Shape, Stochastic, Value};
use std::collections::HashSet;

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    ranges(cx, graph);
    let before_output = before_output(cx, graph);
    feeding_head(cx, graph);
    batch_norm(cx, graph);
    before_activation(cx, graph, &before_output);
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

fn ranges<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        let bad = |value: &Value| value.known.filter(|rate| !(0.0..1.0).contains(rate));
        let explain = |finding: &mut Finding, word: &str, rate: f64| {
            if rate > 1.0 && rate < 100.0 {
                finding.and_help(format!(
                    "did you mean `{word}({})`?",
                    Value::known(rate / 100.0)
                ));
            } else {
                finding.and_help(format!("{word}(0.5)"));
            }
            finding.and_note(
                "the rate is the probability of zeroing, in [0, 1); at 1 nothing is left",
            );
        };
        match node.kind {
            Kind::Op(op) => {
                if let Some(stochastic) = node.stochastic()
                    && !matches!(stochastic, Stochastic::Noise { .. })
                    && let Some(rate) = bad(stochastic.rate())
                {
                    let word = stochastic.word();
                    let id = at(stochastic.rate(), node.id);
                    let message = format!("{} is not a rate in [0, 1)", Value::known(rate));
                    explain(
                        cx.at(
                            &[],
                            node.scope,
                            node.place(),
                            id,
                            "dropout_rate_out_of_range",
                            message,
                        ),
                        word,
                        rate,
                    );
                }
                for rule in &op.rules {
                    if let RuleKind::DropConnect { rate: value } = &rule.kind
                        && let Some(rate) = bad(value)
                    {
                        let id = at(value, if rule.id.is_none() { node.id } else { rule.id });
                        let message = format!("{} is not a rate in [0, 1)", Value::known(rate));
                        explain(
                            cx.at(
                                &rule.levels,
                                node.scope,
                                node.place(),
                                id,
                                "dropout_rate_out_of_range",
                                message,
                            ),
                            "drop_connect",
                            rate,
                        );
                    }
                }
            }
            Kind::DropPath(path) => {
                for value in [&path.first, &path.last] {
                    if let Some(rate) = bad(value) {
                        let message = format!("{} is not a rate in [0, 1)", Value::known(rate));
                        let id = at(value, node.id);
                        explain(
                            cx.at(
                                &[],
                                node.scope,
                                node.place(),
                                id,
                                "dropout_rate_out_of_range",
                                message,
                            ),
                            "drop_path",
                            rate,
                        );
                    }
                }
            }
            _ => {}
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
        cx.node(node, "dropout_before_output", format!("`{}` on {what}", OpKind::Stochastic(stochastic.clone())))
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
            cx.node(node, "dropout_feeding_head", "dropout on the features that the last layer reads")
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
    for (index, node, dropout) in dropouts(graph) {
        let first = |found: &[Option<usize>]| graph.node(found.get(index).copied().flatten()?);
        if let Some(norm) = first(&here) {
            let name = norm.name();
            cx.node(node, "dropout_before_batch_norm", format!("the batch norm `{name}` learns statistics that this `{dropout}` has inflated"))
                .and_other(norm.id, "this batch norm")
                .and_help(format!("move `{dropout}` behind the `batch_norm` and its activation, or use `decay(l2 = 1e-4)` instead"))
                .and_note(VARIANCE);
            continue;
        }
        if let Some((_, norm)) = graph.before(index).find(|(_, node)| node.is_batch_norm()) {
            let name = norm.name();
            let finding = cx.node(
                node,
                "dropout_with_batch_norm",
                format!("`{dropout}` alongside the batch norm `{name}`"),
            );
            if dropout.rate().known.is_none_or(|rate| rate <= 0.1) {
                finding.at_level(Level::Warn);
            }
            finding
                .and_other(norm.id, "this batch norm regularises the segment already")
                .and_help(format!(
                    "use `decay(l2 = 1e-4)` instead of `{dropout}`; behind the last batch norm of a network it does little harm: {}",
                    allow("dropout_with_batch_norm", "behind the last batch norm")
                ))
                .and_note("the next batch norm sees a shifted variance (Li et al., arXiv 1801.05134); Wide-ResNet does this and gains (arXiv 1605.07146)");
            continue;
        }
        if let Some(norm) = first(&downstream) {
            let name = norm.name();
            cx.node(node, "dropout_upstream_of_batch_norm", format!("`{dropout}` shifts the variance that the batch norm `{name}` sees at inference"))
                .and_other(norm.id, "this batch norm")
                .and_help(format!(
                    "use `decay(l2 = 1e-4)`, or place the only dropout behind the last batch norm; or {}",
                    allow("dropout_upstream_of_batch_norm", "Wide-ResNet, section 2.4")
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
            .any(|(_, node)| node.activation().is_some())
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
        let finding = cx.node(node, "dropout_before_activation", message);
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
        if let Some(rate) = rate(dropout).filter(|rate| *rate > 0.2) {
            found.insert(index);
            cx.node(
                node,
                "dropout_on_input",
                format!("`{dropout}` throws away {} of the input", percent(rate)),
            )
            .and_help(format!(
                "`dropout(0.1)` or `noise(0.1)`; for input masking {}",
                allow("dropout_on_input", "denoising")
            ))
            .and_note("Srivastava et al. (JMLR 15) keep at least 80 % of the input");
        }
    }
    found
}

fn high_rates<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, on_input: &HashSet<usize>) {
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(dropout) = node.dropout() else {
            continue;
        };
        if dropout.rate().known == Some(0.0) && dropout.rate().hole.is_none() {
            cx.node(
                node,
                "dropout_rate_zero",
                format!("`{dropout}` does nothing"),
            )
            .and_help(format!("remove `{dropout}`"));
        }
        let Some(rate) = rate(dropout).filter(|rate| *rate > 0.5 && !on_input.contains(&index))
        else {
            continue;
        };
        cx.node(
            node,
            "high_dropout_rate",
            format!(
                "`{dropout}` drops {} (it is the rate dropped, not kept)",
                percent(rate)
            ),
        )
        .and_help(format!("{}(0.5)", dropout.word()))
        .and_note("0.5 is the usual most for hidden layers (Srivastava et al., JMLR 15)");
    }
}

/// What share of the signal paths is left, on the worst way to each node; rates below 0.3 do not count.
fn stacked<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let mut left = vec![1.0_f64; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let before = node
            .from
            .iter()
            .filter_map(|from| left.get(*from))
            .fold(1.0_f64, |least, share| least.min(*share));
        let mut share = before;
        if let Some((dropout, rate)) = node
            .dropout()
            .and_then(|dropout| Some((dropout, rate(dropout)?)))
            && rate >= 0.3
        {
            share *= (1.0 - rate).powf(node.times as f64);
            if share < 0.1 && before >= 0.1 && share < 1.0 - rate - 1e-9 {
                cx.node(
                    node,
                    "stacked_high_dropout",
                    format!(
                        "with this `{dropout}` only {} of the signal paths survive one step",
                        percent(share)
                    ),
                )
                .and_help("lower rates: `dropout(0.2)`")
                .and_note("the rates of 0.3 and above along one path multiply; VGG keeps 25 %");
            }
        }
        if let Some(slot) = left.get_mut(index) {
            *slot = share;
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
        cx.node(node, "consecutive_dropout", message)
            .and_other(first.id, "the first")
            .and_help(help);
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
        if nothing >= 0.01 {
            let units = if width == 1 { "unit" } else { "units" };
            cx.node(
                node,
                "dropout_on_tiny_layer",
                format!(
                    "with {width} {units} and `{dropout}`, {} of the samples pass nothing",
                    percent(nothing)
                ),
            )
            .and_help("a wider layer, or no dropout here");
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
                "dropout_rate_increases",
                format!("`{dropout}` is more than the earlier `{before}`"),
            )
            .and_other(first.id, "the earlier one")
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
            "uniform_dropout_rate",
            format!(
                "all {} dropouts have the rate {}",
                all.len(),
                dropout.rate()
            ),
        )
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
                    "plain_dropout_with_selu",
                    format!("`{dropout}` breaks the self-normalisation of `selu`"),
                )
                .and_other(id, "this `selu`")
                .and_help(format!("alpha_dropout({rate})"))
                .and_note(
                    "alpha dropout keeps mean and variance (Klambauer et al., arXiv 1706.02515)",
                );
            }
            (Stochastic::AlphaDropout { .. }, Some((_, ActivationKind::Selu))) => {}
            (Stochastic::AlphaDropout { rate }, Some((id, kind))) => {
                cx.node(node, "alpha_dropout_without_selu", format!("`alpha_dropout` behind `{}`", kind.word()))
                    .and_other(id, "this activation")
                    .and_help(format!("dropout({rate})"))
                    .and_note("it sets values to the negative limit of `selu`, which means nothing elsewhere (arXiv 1706.02515)");
            }
            (Stochastic::AlphaDropout { rate }, None)
                if end.is_some_and(|end| {
                    end.is_linear()
                        || (matches!(end.kind, Kind::Input(_)) && graph.model.loss.is_some())
                }) =>
            {
                cx.node(node, "alpha_dropout_without_selu", "`alpha_dropout` without `selu` in front of it")
                    .and_help(format!("dropout({rate})"))
                    .and_note("it sets values to the negative limit of `selu`, which means nothing elsewhere (arXiv 1706.02515)");
            }
            _ => {}
        }
    }
}

fn drop_path<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        if let Some(Stochastic::DropPath { rate }) = node.stochastic() {
            if !node.in_branch {
                cx.node(node, "drop_path_outside_residual", format!("`drop_path({rate})` where no shortcut carries the sample: dropped samples become 0"))
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
            cx.node(node, "drop_path_rate_high", format!("the rates fall with depth, from {first} to {last}"))
                .and_help(format!("drop_path({last}..{first})"))
                .and_note("early layers are needed by all later ones: the linear rule rises (Huang et al., arXiv 1603.09382)");
        } else {
            high_drop_path(cx, node, first, last);
        }
    }
}

fn high_drop_path(cx: &mut Cx<'_>, node: &Node<'_>, first: &Value, rate: &Value) {
    if let Some(share) = rate.known.filter(|rate| *rate > 0.5 && *rate < 1.0) {
        cx.node(
            node,
            "drop_path_rate_high",
            format!(
                "stochastic depth drops {} of the samples' branch",
                percent(share)
            ),
        )
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
