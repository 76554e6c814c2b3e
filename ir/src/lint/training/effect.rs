//! What is declared does something: rules that reach no trained weight, settings that change nothing.

use super::strength::{id_of, is_frozen};
use super::{above_zero, place};
use crate::catalogue::names;
use crate::graph::{Graph, MODEL, Node, TRAIN};
use crate::lint::Cx;
use crate::walk::at;
use crate::{
    Id, Level, OptimizerKind, RuleKind, Schedule, ScheduleKind, Train, Value, WeightRule, grouped,
};
use std::collections::HashMap;

pub(super) fn rules<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    on_frozen(cx, graph);
    projections(cx, graph);
    all_frozen(cx, graph);
}

/// Rules on weights that are not trained. A default on `layers` or on a block also reaches others.
fn on_frozen<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let acts = |rule: &WeightRule| {
        matches!(
            rule.kind,
            RuleKind::Decay { .. }
                | RuleKind::Penalty { .. }
                | RuleKind::MaxNorm { .. }
                | RuleKind::UnitNorm
                | RuleKind::NonNegative
                | RuleKind::Orthogonal { .. }
        )
    };
    // Whether a written annotation acts on something that is trained.
    let mut trains: HashMap<Id, bool> = HashMap::new();
    for op in graph.nodes.iter().filter_map(Node::op) {
        for rule in op.rules.iter().filter(|rule| !rule.id.is_none()) {
            *trains.entry(rule.id).or_default() |= !is_frozen(op);
        }
    }
    for node in &graph.nodes {
        let Some(op) = node.op().filter(|op| is_frozen(op)) else {
            continue;
        };
        let freeze = op
            .rules
            .iter()
            .find(|rule| matches!(rule.kind, RuleKind::Freeze));
        let rules = op.rules.iter().filter(|rule| acts(rule));
        for rule in rules.filter(|rule| trains.get(&rule.id) != Some(&true)) {
            cx.at(
                &rule.levels,
                node.scope,
                node.place(),
                id_of(rule, node),
                names::rule_without_effect,
                format!(
                    "`{rule}` does nothing: the weights of `{}` are frozen",
                    node.name()
                ),
            )
            .and_other(
                freeze.map_or(Id::NONE, |freeze| freeze.id),
                "they are frozen here",
            )
            .and_help(format!("remove `{rule}`"))
            .and_note("a rule acts in the step of the optimizer, and frozen weights have none");
        }
    }
}

/// Two rules of which the second undoes the first in every step.
fn projections<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for node in &graph.nodes {
        let Some(op) = node.op().filter(|op| !is_frozen(op)) else {
            continue;
        };
        let find = |word| op.rules.iter().find(|rule| rule.kind.word() == word);
        let Some(unit) = find("unit_norm") else {
            continue;
        };
        let shrinks = |rule: &&WeightRule| match &rule.kind {
            RuleKind::MaxNorm { .. } => true,
            RuleKind::Decay { l2, .. } | RuleKind::Penalty { l2, .. } => {
                above_zero(l2.as_ref()).is_some()
            }
            _ => false,
        };
        for rule in op.rules.iter().filter(shrinks) {
            cx.at(
                &rule.levels,
                node.scope,
                node.place(),
                id_of(rule, node),
                names::rule_without_effect,
                format!("`{rule}` does nothing: `unit_norm` sets every norm to 1 after each step"),
            )
            .and_other(unit.id, "the norms are set here")
            .and_help(format!("remove `{rule}`"))
            .and_note(
                "both act on the length of the weights into a unit, and the last one decides it",
            );
        }
    }
}

/// A model of which nothing is trained.
fn all_frozen<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let model = graph.model;
    if model.train.is_none() && model.loss.is_none() || model.has_custom() {
        return;
    }
    let parameters = crate::parameters::of(model, graph.inferred);
    let mut frozen = parameters.iter().filter(|one| one.frozen).peekable();
    if frozen.peek().is_none() || parameters.iter().any(crate::Parameter::trained) {
        return;
    }
    let last = graph.nodes.iter().rev().find_map(|node| {
        let mut rules = node.op()?.rules.iter();
        Some((
            node,
            rules.find(|rule| matches!(rule.kind, RuleKind::Freeze))?,
        ))
    });
    let Some((node, rule)) = last else { return };
    cx.at(
        &rule.levels,
        MODEL,
        node.place(),
        id_of(rule, node),
        names::rule_without_effect,
        "nothing is trained: every parameter of the model is frozen",
    )
    .and_help("remove `freeze`")
    .and_note("the loss cannot fall where no weight moves");
}

pub(super) fn settings<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, train: &'m Train) {
    momentum(cx, train);
    if let Some(schedule) = &train.schedule {
        schedule_that_rests(cx, graph, schedule);
        runaway(cx, graph, schedule);
    }
    let epochs = graph.model.training().epochs;
    if let Some(factor) = train.layer_decay.filter(|factor| factor.known == Some(1.0)) {
        without_effect(
            cx,
            at(&factor, train.id),
            "`layer_decay(1)` leaves all rates as they are".to_owned(),
            "layer_decay(0.75)".to_owned(),
        );
    }
    let epochs_known = train.epochs.is_none_or(|epochs| epochs.size().is_some());
    if let Some(from) = train
        .swa
        .filter(|from| epochs_known && from.size() == Some(epochs) && epochs > 1)
    {
        let message = format!("`swa({from})` averages the weights of one epoch: the last one");
        without_effect(
            cx,
            at(&from, train.id),
            message,
            format!("swa({})", (epochs * 3 / 4).max(1)),
        );
    }
}

fn without_effect(cx: &mut Cx<'_>, id: Id, message: String, help: String) {
    cx.at(
        &[],
        TRAIN,
        place(),
        id,
        names::setting_without_effect,
        message,
    )
    .and_help(help)
    .and_note("a number that changes nothing is read as one that does");
}

/// What needs a momentum under `sgd`, and has none.
fn momentum(cx: &mut Cx<'_>, train: &Train) {
    let Some(optimizer) = &train.optimizer else {
        return;
    };
    let OptimizerKind::Sgd {
        momentum,
        dampening,
        nesterov,
    } = &optimizer.kind
    else {
        return;
    };
    if momentum.known != Some(0.0) {
        return;
    }
    let rate = optimizer.learning_rate;
    let instead = |rest: &str| format!("sgd(lr = {rate}, momentum = 0.9{rest})");
    if nesterov.is_true() == Some(true) {
        let message = "`nesterov` does nothing without `momentum`".to_owned();
        without_effect(
            cx,
            at(nesterov, optimizer.id),
            message,
            instead(", nesterov = true"),
        );
    }
    if above_zero(Some(dampening)).is_some() {
        let message = "`dampening` does nothing without `momentum`".to_owned();
        without_effect(
            cx,
            at(dampening, optimizer.id),
            message,
            instead(&format!(", dampening = {dampening}")),
        );
    }
}

/// A schedule after which the rate is what it was before.
fn schedule_that_rests<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, schedule: &'m Schedule) {
    let train = graph.model.train.as_ref();
    let known =
        train.is_some_and(|train| train.epochs.is_none_or(|epochs| epochs.size().is_some()));
    let epochs = graph.model.training().epochs;
    let (value, message, help) = match &schedule.kind {
        ScheduleKind::Cosine { end } | ScheduleKind::Linear { end } if end.known == Some(1.0) => (
            end,
            format!("`{}(end = 1)` ends where it begins", schedule.kind.word()),
            "end = 0".to_owned(),
        ),
        ScheduleKind::Step { factor, .. } if factor.known == Some(1.0) => (
            factor,
            "a `factor` of 1 leaves the rate as it is".to_owned(),
            "factor = 0.1".to_owned(),
        ),
        ScheduleKind::Exponential { factor } if factor.known == Some(1.0) => (
            factor,
            "a `factor` of 1 leaves the rate as it is".to_owned(),
            "exponential(0.95)".to_owned(),
        ),
        ScheduleKind::Step { every, factor }
            if known && every.size().is_some_and(|every| every >= epochs) =>
        {
            let mut shorter = schedule.kind.clone();
            if let ScheduleKind::Step { every, .. } = &mut shorter {
                *every = Value::known((epochs / 3).max(1) as f64);
            }
            let (message, help) = if epochs < 2 {
                (
                    "one epoch has no end at which the rate could fall".to_owned(),
                    "constant".to_owned(),
                )
            } else {
                let times = if epochs == 1 { "epoch" } else { "epochs" };
                (
                    format!(
                        "`step({every})` never multiplies by {factor}: the training has {epochs} {times}"
                    ),
                    shorter.to_string(),
                )
            };
            (every, message, help)
        }
        _ => return,
    };
    let id = at(value, schedule.id);
    without_effect(cx, id, message, help);
}

/// A rate that grows from epoch to epoch, or is next to nothing long before the end.
fn runaway<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, schedule: &'m Schedule) {
    let epochs = graph.model.training().epochs;
    let known = graph
        .model
        .train
        .as_ref()
        .is_some_and(|train| train.epochs.is_some_and(|epochs| epochs.size().is_some()));
    let (factor, every) = match &schedule.kind {
        ScheduleKind::Step { factor, every } => (factor, every.size().unwrap_or(1).max(1)),
        ScheduleKind::Exponential { factor } => (factor, 1),
        _ => return,
    };
    let Some(number) = factor
        .known
        .filter(|number| *number > 0.0 && number.is_finite())
    else {
        return;
    };
    let word = schedule.kind.word();
    let least = cx.limit(&[], TRAIN, names::runaway_schedule, "least");
    let half = (epochs / 2 / every).min(1 << 20) as i32;
    let (level, limit, message) = if number > 1.0 {
        let times = number.powi((epochs.saturating_sub(1) / every).min(1 << 20) as i32);
        let message = if (1.5..1e12).contains(&times) {
            format!(
                "`{word}` with a factor of {factor} raises the rate: {} times after {epochs} epochs",
                grouped(times.round() as usize)
            )
        } else {
            format!("`{word}` with a factor of {factor} raises the rate, without end")
        };
        (Level::Deny, None, message)
    } else if known && number.powi(half) < least.value && number < 1.0 {
        let message = format!(
            "`{word}` with a factor of {factor} leaves 1e{} of the rate after half of the {epochs} epochs",
            (number.log10() * f64::from(half)).round()
        );
        (Level::Warn, Some(least), message)
    } else {
        return;
    };
    let help = if number > 1.0 {
        format!(
            "factor = {}",
            if every == 1 && word == "exponential" {
                0.95
            } else {
                0.1
            }
        )
    } else {
        // A thousandth is left at the end.
        let steps = (epochs / every).max(1) as f64;
        let gentle = (1e-3_f64).powf(1.0 / steps);
        format!(
            "factor = {}",
            Value::known(((gentle * 1e4).ceil() / 1e4).min(0.9999))
        )
    };
    cx.at(
        &[],
        TRAIN,
        place(),
        at(factor, schedule.id),
        names::runaway_schedule,
        message,
    )
    .at_level(level)
    .and_limit(limit)
    .and_help(help)
    .and_note(
        "the rate is multiplied again and again: it should fall, and be of use until the end",
    );
}
