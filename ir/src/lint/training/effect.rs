//! What is declared does something: rules that reach no trained weight, settings that change nothing.

use super::strength::{id_of, is_frozen};
use super::{above_zero, place};
use crate::catalogue::names;
use crate::graph::{Graph, MODEL, Node, TRAIN};
use crate::lint::Cx;
use crate::walk::at;
use crate::{
    Finding, Id, Level, Op, OptimizerKind, RuleKind, Schedule, ScheduleKind, Train, Value,
    WeightRule, grouped,
};
use std::collections::HashSet;

pub(super) fn rules<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    idle(cx, graph);
    all_frozen(cx, graph);
}

/// Whether a rule would change weights in a step.
fn acts(rule: &WeightRule) -> bool {
    let any = |values: [&Option<Value>; 2]| {
        // What is written as 0 is switched off on purpose.
        values
            .into_iter()
            .any(|value| above_zero(value.as_ref()).is_some())
    };
    match &rule.kind {
        RuleKind::Decay { l1, l2 } | RuleKind::Penalty { l1, l2 } => any([l1, l2]),
        RuleKind::Orthogonal { strength } => above_zero(Some(strength)).is_some(),
        RuleKind::MaxNorm { .. } | RuleKind::UnitNorm | RuleKind::NonNegative => true,
        RuleKind::DropConnect { .. }
        | RuleKind::WeightNorm
        | RuleKind::SpectralNorm
        | RuleKind::Freeze => false,
    }
}

/// Whether a rule does nothing on an operation: its weights are frozen, or `unit_norm` undoes it.
fn is_idle(op: &Op, rule: &WeightRule) -> bool {
    is_frozen(op) || (has_unit_norm(op) && is_undone(rule))
}

fn has_unit_norm(op: &Op) -> bool {
    op.rules
        .iter()
        .any(|rule| matches!(rule.kind, RuleKind::UnitNorm))
}

/// Whether `unit_norm` sets back what the rule does: it acts on the length of the weights into a unit.
fn is_undone(rule: &WeightRule) -> bool {
    match &rule.kind {
        RuleKind::MaxNorm { .. } => true,
        RuleKind::Decay { l1, l2 } | RuleKind::Penalty { l1, l2 } => {
            above_zero(l2.as_ref()).is_some() && above_zero(l1.as_ref()).is_none()
        }
        _ => false,
    }
}

/// Rules on weights that are not trained, or that another rule undoes. A default on `layers` or on a block also reaches
/// others.
fn idle<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let mut acting: HashSet<Id> = HashSet::new();
    // A saved description has no ids of annotations: there, equal rules are one default.
    let mut without_id: Vec<&WeightRule> = Vec::new();
    for op in graph.nodes.iter().filter_map(Node::op) {
        for rule in op.rules.iter().filter(|rule| !is_idle(op, rule)) {
            if !rule.id.is_none() {
                acting.insert(rule.id);
            } else if !without_id.contains(&rule) {
                without_id.push(rule);
            }
        }
    }
    let acts_elsewhere = |rule: &WeightRule| {
        if rule.id.is_none() {
            without_id.contains(&rule)
        } else {
            acting.contains(&rule.id)
        }
    };
    for node in &graph.nodes {
        let Some(op) = node.op() else { continue };
        let find = |word| op.rules.iter().find(|rule| rule.kind.word() == word);
        let idle = op
            .rules
            .iter()
            .filter(|rule| acts(rule) && is_idle(op, rule) && !acts_elsewhere(rule));
        for rule in idle {
            let (message, other, what, why) = match find("freeze") {
                Some(freeze) => (
                    format!(
                        "`{rule}` does nothing: the weights of `{}` are frozen",
                        node.name()
                    ),
                    freeze.id,
                    "they are frozen here",
                    "a rule acts in the step of the optimizer, and frozen weights have none",
                ),
                None => (
                    format!(
                        "`{rule}` does nothing: `unit_norm` sets every norm to 1 after each step"
                    ),
                    find("unit_norm").map_or(Id::NONE, |unit| unit.id),
                    "the norms are set here",
                    "both act on the length of the weights into a unit, and the last one decides it",
                ),
            };
            cx.at(
                &rule.levels,
                node.scope,
                node.place(),
                id_of(rule, node),
                names::rule_without_effect,
                message,
            )
            .and_other(other, what)
            .and_help(format!("remove `{rule}`"))
            .and_note(why);
        }
    }
}

/// A model of which nothing is trained.
fn all_frozen<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let model = graph.model;
    if model.train.is_none() && model.loss.is_none() || model.has_custom() {
        return;
    }
    // Most models freeze nothing: their parameters need not be listed.
    let trains = |node: &Node<'_>| node.is_weight() && !node.op().is_some_and(is_frozen);
    if graph.nodes.iter().any(trains) {
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

/// What a program may set before it trains is a warning.
fn without_effect<'c>(
    cx: &'c mut Cx<'_>,
    id: Id,
    message: String,
    help: String,
) -> &'c mut Finding {
    cx.at(
        &[],
        TRAIN,
        place(),
        id,
        names::setting_without_effect,
        message,
    )
    .at_level(Level::Warn)
    .and_help(help)
    .and_note("a number that changes nothing is read as one that does")
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
        )
        .at_level(Level::Deny);
    }
    if above_zero(Some(dampening)).is_some() {
        let message = "`dampening` does nothing without `momentum`".to_owned();
        without_effect(
            cx,
            at(dampening, optimizer.id),
            message,
            instead(&format!(", dampening = {dampening}")),
        )
        .at_level(Level::Deny);
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
