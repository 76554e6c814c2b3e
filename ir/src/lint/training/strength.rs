//! How strongly weights are pulled toward 0: by what a step does to them, not by the number alone.

use super::{above_zero, gain, place, reach};
use crate::catalogue::names;
use crate::graph::{Graph, Node, TRAIN};
use crate::lint::levels::InForce;
use crate::lint::{Cx, allow, percent};
use crate::walk::at;
use crate::words::Usual;
use crate::{
    Id, Level, LintLevel, Model, Optimizer, OptimizerFacts, RuleKind, Value, WeightDecay,
    WeightRule, grouped,
};

/// What trains the weights, as far as it decides about strengths.
#[derive(Clone, Copy)]
struct Trainer<'m> {
    optimizer: Option<&'m Optimizer>,
    /// The learning rate; `None` if it is not known, or nothing trains.
    rate: Option<f64>,
    facts: OptimizerFacts,
    /// Steps that add up by momentum, for what goes through the gradient.
    gain: f64,
    /// Whether gradients are divided by their size.
    adaptive: bool,
    word: &'static str,
}

impl<'m> Trainer<'m> {
    fn of(graph: &Graph<'m>) -> Self {
        let model = graph.model;
        let trains = model.train.is_some() || model.loss.is_some();
        let optimizer = model
            .train
            .as_ref()
            .and_then(|train| train.optimizer.as_ref());
        let default = Optimizer::default();
        let used = optimizer.unwrap_or(&default);
        Self {
            optimizer,
            rate: used
                .learning_rate
                .known
                .filter(|rate| trains && *rate > 0.0 && rate.is_finite()),
            facts: used.kind.facts(),
            gain: gain(&used.kind),
            adaptive: trains && used.kind.is_adaptive(),
            word: used.kind.word(),
        }
    }

    /// The usual strength, or less where the learning rate makes more of it.
    fn usual(&self, most_in_a_step: f64) -> Value {
        let usual = self.facts.usual_decay;
        let most = self.rate.map_or(usual, |rate| most_in_a_step / rate);
        if usual <= most {
            return Value::known(usual);
        }
        Value::known(10_f64.powf(most.log10().floor()))
    }
}

/// A strength: where it is written, and what it is called there.
struct Strength<'m> {
    own: &'m [LintLevel],
    scope: usize,
    place: String,
    id: Id,
    number: f64,
    /// Steps that add up by momentum, for what goes through the gradient.
    gain: f64,
    /// The argument: `decay(l2 = ..)`.
    written: fn(Value) -> String,
}

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let trainer = Trainer::of(graph);
    if let Some(optimizer) = trainer.optimizer {
        default_decay(cx, optimizer, trainer);
    }
    let mut noted = false;
    for node in &graph.nodes {
        let Some(op) = node.op() else { continue };
        if is_frozen(op) {
            continue;
        }
        for rule in &op.rules {
            match &rule.kind {
                RuleKind::Penalty { l1, l2 } => {
                    penalty_l2(cx, node, rule, l2.as_ref(), trainer);
                    penalty_l1(cx, node, rule, l1.as_ref(), trainer, &mut noted);
                }
                RuleKind::Decay { l1, l2 } => decay(cx, node, rule, [l1, l2], trainer),
                _ => {}
            }
            reach::on_norm_and_bias(cx, node, rule);
        }
        reach::decay_on_embedding(cx, graph, node);
        reach::double_l2(cx, node, trainer.optimizer);
    }
}

pub(super) fn is_frozen(op: &crate::Op) -> bool {
    op.rules
        .iter()
        .any(|rule| matches!(rule.kind, RuleKind::Freeze))
}

/// The rule's own place, else that of what it is on.
pub(super) fn id_of(rule: &WeightRule, node: &Node<'_>) -> Id {
    if rule.id.is_none() { node.id } else { rule.id }
}

/// `weight_decay` of the optimizer: a default decay of every weight, or a part of the gradient.
fn default_decay<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer, trainer: Trainer<'m>) {
    let Some((value, number)) = optimizer
        .weight_decay
        .as_ref()
        .and_then(|value| Some((value, above_zero(Some(value))?)))
    else {
        return;
    };
    let gain = match trainer.facts.weight_decay {
        WeightDecay::Decoupled => 1.0,
        WeightDecay::Coupled => trainer.gain,
        // `adam_coupled_weight_decay` says that its strength is not what it seems.
        WeightDecay::Rescaled(_) => return,
    };
    let strength = Strength {
        own: &[],
        scope: TRAIN,
        place: place(),
        id: at(value, optimizer.id),
        number,
        gain,
        written: |number| format!("weight_decay = {number}"),
    };
    shrinks(cx, strength, trainer);
}

fn decay<'m>(
    cx: &mut Cx<'m>,
    node: &Node<'m>,
    rule: &'m WeightRule,
    [l1, l2]: [&'m Option<Value>; 2],
    trainer: Trainer<'m>,
) {
    let strength = |value: &Option<Value>, written| {
        let value = value.as_ref()?;
        Some(Strength {
            own: &rule.levels,
            scope: node.scope,
            place: node.place(),
            id: at(value, id_of(rule, node)),
            number: above_zero(Some(value))?,
            gain: 1.0,
            written,
        })
    };
    if let Some(l2) = strength(l2, |number| format!("decay(l2 = {number})")) {
        shrinks(cx, l2, trainer);
    }
    if let Some(l1) = strength(l1, |number| format!("decay(l1 = {number})")) {
        takes(cx, l1, trainer);
    }
}

/// A strength that takes a share of every weight in each step.
fn shrinks<'m>(cx: &mut Cx<'m>, strength: Strength<'m>, trainer: Trainer<'m>) -> bool {
    let gain = strength.gain;
    let limit = |name| {
        cx.limit(
            strength.own,
            strength.scope,
            names::weight_decay_out_of_range,
            name,
        )
    };
    let (max, min) = (limit("max"), limit("min"));
    let Some(rate) = trainer.rate else {
        return false;
    };
    let (alone, step) = (rate * strength.number, rate * strength.number * gain);
    let shown = Value::known(strength.number);
    let (level, limit, message) = if alone > 1.0 {
        let factor = Value::known(round(1.0 - alone));
        let message =
            format!("each step turns the sign of every weight (1 - lr * decay = {factor})");
        (Level::Deny, None, message)
    } else if alone >= 1.0 {
        (
            Level::Deny,
            None,
            "each step sets every weight to 0".to_owned(),
        )
    } else if step > max.value {
        let how = if gain > 1.0 {
            ", with the momentum,"
        } else {
            ""
        };
        let half = (0.5_f64.ln() / (1.0 - step.min(0.999)).ln())
            .ceil()
            .max(1.0);
        let message = format!(
            "a decay of {shown} at a learning rate of {}{how} removes {} of every weight in each step: half of it in {}",
            Value::known(rate),
            percent(step),
            counted(half)
        );
        (Level::Warn, Some(max), message)
    } else if step < min.value {
        let message = format!(
            "a decay of {shown} at a learning rate of {} does nothing: a step removes {} of a weight",
            Value::known(rate),
            Value::known(step)
        );
        (Level::Warn, Some(min), message)
    } else {
        return false;
    };
    say(cx, strength, trainer, (level, limit, message), max);
    true
}

/// A strength that takes the same amount from every weight in each step.
fn takes<'m>(cx: &mut Cx<'m>, strength: Strength<'m>, trainer: Trainer<'m>) -> bool {
    let gain = strength.gain;
    let limit = |name| {
        cx.limit(
            strength.own,
            strength.scope,
            names::weight_decay_out_of_range,
            name,
        )
    };
    let (max, max_l1) = (limit("max"), limit("max_l1"));
    let Some(step) = trainer.rate.map(|rate| rate * strength.number * gain) else {
        return false;
    };
    if step <= max_l1.value {
        return false;
    }
    let message = format!(
        "an `l1` of {} takes {} from every weight in each step: smaller weights are gone after one",
        Value::known(strength.number),
        Value::known(round(step))
    );
    say(
        cx,
        strength,
        trainer,
        (Level::Warn, Some(max_l1), message),
        max,
    );
    true
}

fn say<'m>(
    cx: &mut Cx<'m>,
    strength: Strength<'m>,
    trainer: Trainer<'m>,
    (level, limit, message): (Level, Option<InForce>, String),
    max: InForce,
) {
    let usual = trainer.usual(max.value.max(1e-6) / strength.gain);
    cx.at(
        strength.own,
        strength.scope,
        strength.place,
        strength.id,
        names::weight_decay_out_of_range,
        message,
    )
    .at_level(level)
    .and_limit(limit)
    .and_help((strength.written)(usual))
    .and_note(trainer.facts.decay_source);
}

fn counted(steps: f64) -> String {
    if steps <= 1.0 {
        "one".to_owned()
    } else {
        format!("{} steps", grouped(steps as usize))
    }
}

fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn penalty_l2<'m>(
    cx: &mut Cx<'m>,
    node: &Node<'m>,
    rule: &'m WeightRule,
    l2: Option<&Value>,
    trainer: Trainer<'m>,
) {
    let Some((value, number)) = l2.and_then(|value| Some((value, above_zero(Some(value))?))) else {
        return;
    };
    if !trainer.adaptive {
        // The gradient is 2 * l2 * w. What is unusual as it stands is said there.
        let strength = Strength {
            own: &rule.levels,
            scope: node.scope,
            place: node.place(),
            id: at(value, id_of(rule, node)),
            number: 2.0 * number,
            gain: trainer.gain,
            written: |number| {
                let half = number
                    .known
                    .map_or(number, |known| Value::known(known / 2.0));
                format!("penalty(l2 = {half})")
            },
        };
        if is_usual("l2", number) && trainer.optimizer.is_some() {
            shrinks(cx, strength, trainer);
        }
        return;
    }
    let strong = if is_usual("l2", number) {
        String::new()
    } else {
        far("l2", value)
    };
    let most = cx.limit(
        &rule.levels,
        node.scope,
        names::weight_decay_out_of_range,
        "max",
    );
    let usual = trainer.usual(most.value);
    // A usual strength stays what it is.
    let instead = match usual.known {
        Some(usual) if number > usual || !is_usual("l2", number) => Value::known(usual),
        _ => Value::known(number),
    };
    let word = trainer.word;
    cx.at(
        &rule.levels,
        node.scope,
        node.place(),
        id_of(rule, node),
        names::l2_penalty_under_adaptive_optimizer,
        format!("`{word}` divides the gradient of `{rule}` by the size of the gradients{strong}"),
    )
    .and_other(
        trainer.optimizer.map_or(Id::NONE, |optimizer| optimizer.id),
        "the optimizer",
    )
    .and_help(format!(
        "`decay(l2 = {instead})` (decoupled), or {}",
        allow(
            names::l2_penalty_under_adaptive_optimizer,
            "coupled on purpose"
        )
    ))
    .and_note(
        "an L2 penalty is weight decay under plain sgd only (Loshchilov and Hutter, arXiv 1711.05101)",
    );
}

/// The range of an argument of `penalty` in its entry.
fn usual(name: &str) -> Option<Usual> {
    let penalty = crate::words::of(crate::rule::WORDS, "penalty");
    penalty.argument(name).and_then(|argument| argument.usual)
}

fn is_usual(name: &str, number: f64) -> bool {
    usual(name).is_none_or(|usual| usual.holds(number, 1.0))
}

/// That a strength of `penalty` is not usual either.
fn far(name: &str, value: &Value) -> String {
    usual(name).map_or_else(String::new, |usual| {
        let high = Value::known(usual.high);
        if value.number() > usual.high {
            format!(", and {value} is more than the usual {high}")
        } else {
            format!(", and {value} is next to nothing")
        }
    })
}

/// Whether a penalty is said to be too strong by the lints about penalties.
pub(in crate::lint) fn judges_penalties(model: &Model) -> impl Fn(&RuleKind) -> bool {
    let trains = model.train.is_some() || model.loss.is_some();
    let optimizer = model
        .train
        .as_ref()
        .and_then(|train| train.optimizer.as_ref());
    let adaptive = optimizer.is_none_or(|optimizer| optimizer.kind.is_adaptive());
    move |rule| match rule {
        RuleKind::Penalty { l1, l2 } => {
            let (l1, l2) = (above_zero(l1.as_ref()), above_zero(l2.as_ref()));
            trains && (l1.is_some() || (l2.is_some() && adaptive))
        }
        _ => false,
    }
}

/// The subgradient of the absolute value moves a weight past 0 and back: it is never exactly 0. Said once.
fn penalty_l1<'m>(
    cx: &mut Cx<'m>,
    node: &Node<'m>,
    rule: &'m WeightRule,
    l1: Option<&Value>,
    trainer: Trainer<'m>,
    noted: &mut bool,
) {
    let Some((value, number)) = l1.and_then(|value| Some((value, above_zero(Some(value))?))) else {
        return;
    };
    let Some(rate) = trainer.rate else { return };
    let strength = Strength {
        own: &rule.levels,
        scope: node.scope,
        place: node.place(),
        id: at(value, id_of(rule, node)),
        number,
        gain: trainer.gain,
        written: |number| format!("decay(l1 = {number})"),
    };
    let is_usual = is_usual("l1", number);
    if is_usual && !trainer.adaptive && trainer.optimizer.is_some() && takes(cx, strength, trainer)
    {
        return;
    }
    if std::mem::replace(noted, true) {
        return;
    }
    let limit = |name| {
        cx.limit(
            &rule.levels,
            node.scope,
            names::weight_decay_out_of_range,
            name,
        )
    };
    let instead = if is_usual && rate * number <= limit("max_l1").value {
        *value
    } else {
        trainer.usual(limit("max").value)
    };
    let strong = if is_usual {
        String::new()
    } else {
        far("l1", value)
    };
    cx.at(
        &rule.levels,
        node.scope,
        node.place(),
        id_of(rule, node),
        names::l1_penalty_leaves_no_zeros,
        format!("`{rule}` leaves no weight at exactly 0{strong}"),
    )
    .and_help(format!(
        "`decay(l1 = {instead})`, a soft threshold that sets weights to 0; if small weights are enough {}",
        allow(names::l1_penalty_leaves_no_zeros, "small weights are enough")
    ))
    .and_note(
        "a gradient step carries a weight past 0 and back; only a proximal step ends there (Parikh and Boyd 2014, section 4.2)",
    );
}
