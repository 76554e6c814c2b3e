//! Numbers far outside their usual range. The ranges are part of the words' entries.

use super::Cx;
use crate::catalogue::names;
use crate::graph::{Graph, LOSS, TRAIN};
use crate::walk::at;
use crate::words::{Argument, Usual};
use crate::{Id, LintLevel, Model, Setting, Train, Value, WeightRule};
use std::collections::HashSet;

/// Where a number is: the levels on it, the scope around it, the words for its place.
struct Spot<'m> {
    own: &'m [LintLevel],
    scope: usize,
    place: String,
    id: Id,
}

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let mut seen = HashSet::new();
    for node in &graph.nodes {
        let Some(op) = node.op().filter(|_| seen.insert(node.id)) else {
            continue;
        };
        let spot = |own, id: Id| Spot {
            own,
            scope: node.scope,
            place: node.place(),
            id: if id.is_none() { node.id } else { id },
        };
        let word = op.kind.word();
        op.kind.each_value(&mut |argument, value| {
            number(cx, spot(&[], node.id), word, argument, value);
        });
        // A penalty has lints of its own, which judge what it does.
        let penalty = super::training::judges_penalties(graph.model);
        let is_judged = |rule: &&WeightRule| penalty(&rule.kind);
        for rule in op.rules.iter().filter(|rule| !is_judged(rule)) {
            let word = rule.kind.word();
            rule.kind.each_value(&mut |argument, value| {
                number(cx, spot(&rule.levels, rule.id), word, argument, value);
            });
        }
    }
    loss(cx, graph.model);
    metrics(cx, graph.model);
    if let Some(train) = &graph.model.train {
        training(cx, train);
    }
}

fn loss<'m>(cx: &mut Cx<'m>, model: &'m Model) {
    let Some(loss) = &model.loss else { return };
    let word = loss.kind.word();
    // A distance in the units of the target is judged by the target's range, where that is declared.
    let measured = loss.target.is_some() && matches!(word, "huber" | "smooth_l1");
    loss.kind.each_value(&mut |argument, value| {
        let spot = Spot {
            own: &[],
            scope: LOSS,
            place: "the loss".to_owned(),
            id: loss.id,
        };
        if !measured {
            number(cx, spot, word, argument, value);
        }
    });
}

fn metrics<'m>(cx: &mut Cx<'m>, model: &'m Model) {
    for metric in &model.metrics {
        let spot = || Spot {
            own: &[],
            scope: crate::graph::MODEL,
            place: "the metrics".to_owned(),
            id: metric.id,
        };
        metric.kind.each_value(&mut |argument, value| {
            number(cx, spot(), metric.kind.word(), argument, value);
        });
    }
}

fn training<'m>(cx: &mut Cx<'m>, train: &'m Train) {
    let spot = |id: Id| Spot {
        own: &[],
        scope: TRAIN,
        place: super::training::place(),
        id: if id.is_none() { train.id } else { id },
    };
    train.each_argument(&mut |setting, argument, value, id| {
        number(cx, spot(id), setting.word(), argument, value);
    });
    if let (Some(value), Some(usual)) = (&train.accumulate, Setting::Accumulate.usual()) {
        let written = |number: Value| format!("accumulate: {number}");
        judge(
            cx,
            spot(train.id),
            "`accumulate`",
            usual,
            value,
            false,
            &written,
        );
    }
    if let Some(optimizer) = &train.optimizer {
        let word = optimizer.kind.word();
        let swapped = super::training::swapped_betas(&optimizer.kind);
        optimizer.kind.each_value(&mut |argument, value| {
            if !(swapped && argument.name.starts_with("beta")) {
                number(cx, spot(optimizer.id), word, argument, value);
            }
        });
    }
    if let Some(schedule) = &train.schedule {
        let word = schedule.kind.word();
        schedule.kind.each_value(&mut |argument, value| {
            // A factor above 1 is `runaway_schedule`.
            // And what ends where it begins, `setting_without_effect`.
            let judged = match argument.name {
                "factor" => value.known.is_some_and(|x| x > 1.0),
                "end" => value.known == Some(1.0),
                _ => false,
            };
            if !judged {
                number(cx, spot(schedule.id), word, argument, value);
            }
        });
        let argument = crate::words::of(crate::train::schedule::WORDS, word).argument("warmup");
        // From 1 on it is `warmup_longer_than_training`.
        let warmup = schedule.warmup.as_ref();
        let warmup = warmup.filter(|warmup| warmup.known.is_none_or(|share| share < 1.0));
        if let (Some(warmup), Some(argument)) = (warmup, argument) {
            number(cx, spot(schedule.id), word, argument, warmup);
        }
    }
}

fn number<'m>(
    cx: &mut Cx<'m>,
    spot: Spot<'m>,
    word: &str,
    argument: &'static Argument,
    value: &Value,
) {
    let Some(usual) = argument.usual else { return };
    let is_off = value.known == Some(0.0) && argument.number().is_none_or(|default| default == 0.0);
    if is_off
        || value
            .known
            .is_some_and(|number| !argument.range.holds(number))
    {
        return;
    }
    let written = |number: Value| {
        if argument.bare {
            format!("{word}({number})")
        } else {
            format!("{} = {number}", argument.name)
        }
    };
    let mirrored = argument.range.is_share();
    judge(
        cx,
        spot,
        &argument.of(word),
        usual,
        value,
        mirrored,
        &written,
    );
}

/// `mirrored`: another convention counts the rest to 1.
fn judge<'m>(
    cx: &mut Cx<'m>,
    spot: Spot<'m>,
    what: &str,
    usual: Usual,
    value: &Value,
    mirrored: bool,
    written: &dyn Fn(Value) -> String,
) {
    let Some(number) = value.known.filter(|number| number.is_finite()) else {
        return;
    };
    let wider = cx.limit(spot.own, spot.scope, names::unusual_value, "wider");
    if usual.holds(number, wider.value) {
        return;
    }
    // Without the noise of the subtraction: 1 - 0.999 is 0.001.
    let rest = ((1.0 - number) * 1e9).round() / 1e9;
    let (help, other) = if mirrored && usual.holds(rest, 1.0) {
        (
            written(Value::known(rest)),
            format!(
                "{} is the rest to 1, which another convention counts; ",
                Value::known(rest)
            ),
        )
    } else {
        (written(Value::known(usual.example)), String::new())
    };
    let shown = Value::known(number);
    let message = if number > usual.high {
        format!(
            "{what} is {shown}, usual is at most {}",
            Value::known(usual.high)
        )
    } else if number < usual.low {
        format!(
            "{what} is {shown}, usual is at least {}",
            Value::known(usual.low)
        )
    } else {
        let (low, high) = (Value::known(usual.low), Value::known(usual.high));
        format!("{what} is {shown}, in the usual {low} to {high}")
    };
    let id = at(value, spot.id);
    cx.at(
        spot.own,
        spot.scope,
        spot.place,
        id,
        names::unusual_value,
        message,
    )
    .and_limit(wider)
    .and_help(help)
    .and_note(format!("{other}{}", usual.source));
}
