//! The optimizer, weight decay and the training settings.

use super::Cx;
use super::levels::InForce;
use crate::catalogue::names;
use crate::graph::{Graph, MODEL, Node, TRAIN};
use crate::grouped;
use crate::op;
use crate::walk::at;
use crate::{
    Id, Level, LintLevel, LossKind, OpKind, Optimizer, OptimizerKind, Reach, Role, RuleKind, Train,
    Value, WeightDecay, WeightRule,
};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let train = graph.model.train.as_ref();
    if let Some(optimizer) = train.and_then(|train| train.optimizer.as_ref()) {
        coupled_decay(cx, optimizer);
        learning_rate(cx, optimizer);
        epsilon(cx, optimizer);
        default_decay(cx, optimizer);
    }
    weights(cx, graph);
    over_regularized(cx, graph);
    if let Some(train) = train {
        settings(cx, graph, train);
        no_regularization(cx, graph, train);
    }
}

fn training() -> String {
    "the training".to_owned()
}

fn above_zero(value: Option<&Value>) -> Option<f64> {
    value
        .and_then(|value| value.known)
        .filter(|number| *number > 0.0)
}

fn coupled_decay<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer) {
    let Some((value, _)) = optimizer
        .weight_decay
        .as_ref()
        .and_then(|value| Some((value, above_zero(Some(value))?)))
    else {
        return;
    };
    let word = optimizer.kind.word();
    let (level, instead) = match optimizer.kind.facts().weight_decay {
        WeightDecay::Rescaled(Some(other)) => (
            Level::Deny,
            format!(
                "`{other}(lr = {}, weight_decay = {value})`, or ",
                optimizer.learning_rate
            ),
        ),
        WeightDecay::Rescaled(None) => (Level::Warn, String::new()),
        WeightDecay::Coupled | WeightDecay::Decoupled => return,
    };
    cx.at(
        &[],
        TRAIN,
        training(),
        at(value, optimizer.id),
        names::adam_coupled_weight_decay,
        format!("`{word}` divides the decay by the size of the gradients"),
    )
    .at_level(level)
    .and_help(format!(
        "{instead}`decay(l2 = {value})` on the layers; coupled on purpose: `penalty(l2 = {})`",
        half(value)
    ))
    .and_note(
        "weights with large gradients are decayed least (Loshchilov and Hutter, arXiv 1711.05101)",
    );
}

/// `weight_decay = x` adds `x * w` to the gradient, `penalty(l2 = y)` adds `2 * y * w`.
fn half(value: &Value) -> Value {
    value
        .known
        .map_or(Value::unknown(), |number| Value::known(number / 2.0))
}

fn learning_rate<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer) {
    let value = &optimizer.learning_rate;
    let Some(rate) = value.known else { return };
    let word = optimizer.kind.word();
    let facts = optimizer.kind.facts();
    let (usual, source) = (facts.usual_rate, facts.rate_source);
    let most = if facts.takes_large_rates {
        "max_sgd"
    } else {
        "max"
    };
    let limit = |name| cx.limit(&[], TRAIN, names::learning_rate_out_of_range, name);
    let (least, most) = (limit("min"), limit(most));
    let id = at(value, optimizer.id);
    let usual = Value::known(usual);
    if rate.is_nan() || rate <= 0.0 || rate.is_infinite() {
        cx.at(
            &[],
            TRAIN,
            training(),
            id,
            names::learning_rate_out_of_range,
            format!("a learning rate of {value} trains nothing"),
        )
        .and_help(format!("{word}(lr = {usual})"))
        .and_note(source);
    } else if rate > most.value {
        let times = rate / usual.known.unwrap_or(1.0);
        cx.at(
            &[],
            TRAIN,
            training(),
            id,
            names::learning_rate_out_of_range,
            format!(
                "a learning rate of {value} is {} times the usual {usual} of `{word}`",
                grouped(times.round() as usize)
            ),
        )
        .at_level(Level::Warn)
        .and_limit(most)
        .and_help(format!("{word}(lr = {usual})"))
        .and_note(source);
    } else if rate < least.value {
        cx.at(
            &[],
            TRAIN,
            training(),
            id,
            names::learning_rate_out_of_range,
            format!("a learning rate of {value} hardly moves a weight"),
        )
        .at_level(Level::Warn)
        .and_limit(least)
        .and_help(format!("{word}(lr = {usual})"))
        .and_note(source);
    }
}

fn epsilon<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer) {
    let (OptimizerKind::Adam { epsilon, .. }
    | OptimizerKind::Adamw { epsilon, .. }
    | OptimizerKind::RmsProp { epsilon, .. }
    | OptimizerKind::Adagrad { epsilon, .. }) = &optimizer.kind
    else {
        return;
    };
    let Some(number) = epsilon.known else { return };
    let limit = |name| cx.limit(&[], TRAIN, names::adam_epsilon_out_of_range, name);
    let (least, most) = (limit("min"), limit("max"));
    let (level, limit, message) = if number.is_nan() || number <= 0.0 {
        (
            Level::Deny,
            None,
            format!("`epsilon = {epsilon}` does not keep the step finite"),
        )
    } else if number < least.value {
        (
            Level::Warn,
            Some(least),
            format!("`epsilon = {epsilon}` hardly bounds the step where gradients vanish"),
        )
    } else if number > most.value {
        (
            Level::Warn,
            Some(most),
            format!(
                "`epsilon = {epsilon}` outweighs the size of the gradients: the step is no longer adaptive"
            ),
        )
    } else {
        return;
    };
    cx.at(
        &[],
        TRAIN,
        training(),
        at(epsilon, optimizer.id),
        names::adam_epsilon_out_of_range,
        message,
    )
    .at_level(level)
    .and_limit(limit)
    .and_help("epsilon = 1e-8")
    .and_note("1e-8 to 1e-5 is usual; too small a value shows as sudden jumps of the loss");
}

/// The level and words for a decay of `strength` at a learning rate.
fn strong_decay(
    strength: f64,
    rate: Option<f64>,
    limit: InForce,
) -> Option<(Level, Option<InForce>, String)> {
    let step = rate.map(|rate| rate * strength);
    if let Some(step) = step.filter(|step| *step >= 1.0) {
        let text = if step > 1.0 {
            format!(
                "each step turns the sign of every weight (1 - lr * decay = {})",
                round(1.0 - step)
            )
        } else {
            "each step sets every weight to 0".to_owned()
        };
        return Some((Level::Deny, None, text));
    }
    (strength > limit.value).then(|| {
        let text = match step {
            Some(step) => format!(
                "a decay of {} removes {} of every weight in each step",
                Value::known(strength),
                super::percent(step)
            ),
            None => format!(
                "a decay of {} is far above the usual",
                Value::known(strength)
            ),
        };
        (Level::Warn, Some(limit), text)
    })
}

/// The largest decay without a warning.
fn most_decay<'m>(
    cx: &Cx<'m>,
    own: &'m [LintLevel],
    scope: usize,
    kind: Option<&OptimizerKind>,
) -> InForce {
    let name = if matches!(kind, Some(OptimizerKind::Sgd { .. })) {
        "max_sgd"
    } else {
        "max"
    };
    cx.limit(own, scope, names::weight_decay_out_of_range, name)
}

fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

const USUAL_DECAY: &str = "0.01 to 0.3 is usual with adamw, 1e-5 to 5e-4 with sgd";

fn default_decay<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer) {
    let Some((value, strength)) = optimizer
        .weight_decay
        .as_ref()
        .and_then(|value| Some((value, above_zero(Some(value))?)))
    else {
        return;
    };
    let most = most_decay(cx, &[], TRAIN, Some(&optimizer.kind));
    if let Some((level, limit, message)) =
        strong_decay(strength, optimizer.learning_rate.known, most)
    {
        cx.at(
            &[],
            TRAIN,
            training(),
            at(value, optimizer.id),
            names::weight_decay_out_of_range,
            message,
        )
        .at_level(level)
        .and_limit(limit)
        .and_help("weight_decay = 0.01")
        .and_note(USUAL_DECAY);
    }
}

/// One source of L2 on a weight: where it is written and what it is.
struct Source<'m> {
    id: Id,
    text: String,
    rule: Option<&'m WeightRule>,
}

/// Everything that concerns a layer's own annotations.
fn weights<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let model = graph.model;
    let trains = model.train.is_some() || model.loss.is_some();
    let optimizer = model
        .train
        .as_ref()
        .and_then(|train| train.optimizer.as_ref());
    let adaptive = trains && optimizer.is_none_or(|optimizer| optimizer.kind.is_adaptive());
    let word = optimizer.map_or("adamw", |optimizer| optimizer.kind.word());
    for node in &graph.nodes {
        let Some(op) = node.op() else { continue };
        if op
            .rules
            .iter()
            .any(|rule| matches!(rule.kind, RuleKind::Freeze))
        {
            continue;
        }
        for rule in &op.rules {
            let id = if rule.id.is_none() { node.id } else { rule.id };
            match &rule.kind {
                RuleKind::Penalty { l2, .. } if adaptive && above_zero(l2.as_ref()).is_some() => {
                    let strength = l2.map_or(Value::unknown(), |l2| l2);
                    cx.at(&rule.levels, node.scope, node.place(), id, names::l2_penalty_under_adaptive_optimizer, format!("`{word}` divides the gradient of `{rule}` by the size of the gradients"))
                        .and_other(optimizer.map_or(Id::NONE, |optimizer| optimizer.id), "the optimizer")
                        .and_help(format!(
                            "`decay(l2 = {})` (decoupled), or {}",
                            strength,
                            super::allow(names::l2_penalty_under_adaptive_optimizer, "coupled on purpose")
                        ))
                        .and_note("an L2 penalty is weight decay under plain sgd only (Loshchilov and Hutter, arXiv 1711.05101)");
                }
                RuleKind::Decay { l2, .. } => {
                    let rate = match optimizer {
                        Some(optimizer) => optimizer.learning_rate.known,
                        None => trains.then_some(1e-3),
                    };
                    let kind = optimizer.map(|optimizer| &optimizer.kind);
                    let most = most_decay(cx, &rule.levels, node.scope, kind);
                    let strong = above_zero(l2.as_ref())
                        .and_then(|strength| strong_decay(strength, rate, most));
                    if let Some((level, limit, message)) = strong {
                        let id = l2.as_ref().map_or(id, |value| at(value, id));
                        cx.at(
                            &rule.levels,
                            node.scope,
                            node.place(),
                            id,
                            names::weight_decay_out_of_range,
                            message,
                        )
                        .at_level(level)
                        .and_limit(limit)
                        .and_help("decay(l2 = 0.01)")
                        .and_note(USUAL_DECAY);
                    }
                }
                _ => {}
            }
            let strength = match &rule.kind {
                RuleKind::Decay { l1, l2 } | RuleKind::Penalty { l1, l2 } => {
                    above_zero(l1.as_ref()).or(above_zero(l2.as_ref()))
                }
                _ => None,
            };
            if rule.on == Reach::All && strength.is_some() {
                cx.at(
                    &rule.levels,
                    node.scope,
                    node.place(),
                    id,
                    names::weight_decay_on_norm_and_bias,
                    format!("`{rule}` shrinks biases and gains too"),
                )
                .and_help(rule.kind.to_string())
                .and_note("decay of weight matrices alone is usual (He et al., arXiv 1812.01187)");
            }
        }
        decay_on_embedding(cx, graph, node);
        double_l2(cx, node, optimizer);
    }
}

/// Asked for with `on embedding` or `on all`; a table that is also the head's weight is one like others.
fn decay_on_embedding<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, node: &Node<'m>) {
    let Some(op) = node
        .op()
        .filter(|op| matches!(op.kind, OpKind::Embedding(_)))
    else {
        return;
    };
    let tied = graph.nodes.iter().filter_map(Node::op).any(
        |op| matches!(&op.kind, OpKind::Linear(op::Linear { tied: Some(name), .. }) if *name == node.path),
    );
    for rule in op
        .rules
        .iter()
        .filter(|rule| !tied && rule.on != Reach::Weights)
    {
        let (RuleKind::Decay { l1, l2 } | RuleKind::Penalty { l1, l2 }) = &rule.kind else {
            continue;
        };
        if above_zero(l1.as_ref())
            .or(above_zero(l2.as_ref()))
            .is_none()
        {
            continue;
        }
        let id = if rule.id.is_none() { node.id } else { rule.id };
        cx.at(
            &rule.levels,
            node.scope,
            node.place(),
            id,
            names::weight_decay_on_embedding,
            format!("`{rule}` shrinks the vectors of all classes in every step, a batch reads few"),
        )
        .and_help(format!("`{}`, which leaves the embedding alone", rule.kind))
        .and_note("classes that are rare are shrunk as often as the common ones, and trained less");
    }
}

fn double_l2<'m>(cx: &mut Cx<'m>, node: &Node<'m>, optimizer: Option<&'m Optimizer>) {
    let Some(op) = node.op() else { return };
    if !op.kind.roles().contains(&Role::Weight) {
        return;
    }
    let l2 = |rule: &WeightRule| match &rule.kind {
        RuleKind::Decay { l2, .. } | RuleKind::Penalty { l2, .. } => {
            above_zero(l2.as_ref()).is_some()
        }
        _ => false,
    };
    let mut sources: Vec<Source<'m>> = Vec::new();
    for word in ["decay", "penalty"] {
        // The last one of a word is the one that acts.
        if let Some(rule) = op
            .rules
            .iter()
            .rev()
            .find(|rule| rule.kind.word() == word && l2(rule))
        {
            let id = if rule.id.is_none() { node.id } else { rule.id };
            sources.push(Source {
                id,
                text: rule.to_string(),
                rule: Some(rule),
            });
        }
    }
    let own_decay = op
        .rules
        .iter()
        .any(|rule| matches!(rule.kind, RuleKind::Decay { .. }));
    if let Some((optimizer, value)) =
        optimizer.and_then(|optimizer| Some((optimizer, optimizer.weight_decay.as_ref()?)))
        && above_zero(Some(value)).is_some()
        && !(optimizer.kind.decouples_decay() && own_decay)
    {
        let text = format!("{}(weight_decay = {value})", optimizer.kind.word());
        sources.push(Source {
            id: at(value, optimizer.id),
            text,
            rule: None,
        });
    }
    if let [first, .., second] = sources.as_slice() {
        // An attribute on either annotation holds.
        let named = |rule: &&WeightRule| super::levels::name(&rule.levels, names::double_l2);
        let own = [first, second]
            .into_iter()
            .filter_map(|source| source.rule)
            .find(named);
        let own = own.map_or(&[][..], |rule| &rule.levels);
        cx.at(
            own,
            node.scope,
            node.place(),
            first.id,
            names::double_l2,
            format!(
                "the weights of `{}` are decayed twice: by `{}` and by `{}`",
                node.name(),
                first.text,
                second.text
            ),
        )
        .and_other(second.id, "the second one")
        .and_help(format!("keep one of them, such as `{}`", first.text))
        .and_note("two strengths for one effect: neither number means what it says");
    }
}

fn over_regularized<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    for (index, node) in graph
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.is_weight())
    {
        let Some(op) = node.op() else { continue };
        let mut kinds: Vec<&str> = op
            .rules
            .iter()
            .filter(|rule| !matches!(rule.kind, RuleKind::Freeze | RuleKind::NonNegative))
            .map(|rule| rule.kind.word())
            .collect();
        kinds.extend(
            graph
                .after(index)
                .iter()
                .filter_map(|(_, node)| Some(node.stochastic()?.word())),
        );
        kinds.extend(node.rates().into_iter().map(|(word, _)| word));
        kinds.sort_unstable();
        kinds.dedup();
        let most = cx.limit(&[], node.scope, names::over_regularized, "kinds");
        if kinds.len() as f64 >= most.value {
            cx.node(
                node,
                names::over_regularized,
                format!(
                    "{} kinds of regularization on `{}`: {}",
                    kinds.len(),
                    node.name(),
                    kinds.join(", ")
                ),
            )
            .and_limit(most)
            .and_help("start with one or two")
            .and_note("each is a strength to be tuned");
        }
    }
}

fn settings<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, train: &'m Train) {
    if let Some((schedule, warmup)) = train
        .schedule
        .as_ref()
        .and_then(|schedule| Some((schedule, schedule.warmup.as_ref()?)))
        && warmup.known.is_some_and(|share| share >= 1.0)
    {
        cx.at(
            &[],
            TRAIN,
            training(),
            at(warmup, schedule.id),
            names::warmup_longer_than_training,
            format!("`warmup = {warmup}` is all of the training or more"),
        )
        .and_help("warmup = 0.05")
        .and_note(
            "`warmup` is a share of all steps; the learning rate would never reach its value",
        );
    }
    let settings = graph.model.training();
    if let Some((stop, patience)) = train
        .early_stop
        .as_ref()
        .and_then(|stop| Some((stop, stop.patience.size()?)))
        && train.epochs.is_none_or(|epochs| epochs.size().is_some())
        && patience >= settings.epochs
    {
        cx.at(
            &[],
            TRAIN,
            training(),
            at(&stop.patience, stop.id),
            names::early_stop_never_triggers,
            format!(
                "a patience of {patience} in {} epochs never stops",
                settings.epochs
            ),
        )
        .and_other(
            train.epochs.map_or(Id::NONE, |epochs| epochs.id),
            "the epochs",
        )
        .and_help(format!(
            "early_stop(patience = {})",
            (settings.epochs / 5).max(1)
        ))
        .and_note(
            "training stops after so many epochs in a row without improvement (Prechelt, 1998)",
        );
    }
}

fn no_regularization<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, train: &'m Train) {
    let random = graph
        .nodes
        .iter()
        .any(|node| node.stochastic().is_some() || node.is_opaque() || !node.rates().is_empty());
    let ruled = graph
        .nodes
        .iter()
        .filter_map(Node::op)
        .any(|op| !op.rules.is_empty());
    let decays = train
        .optimizer
        .as_ref()
        .is_some_and(|optimizer| above_zero(optimizer.weight_decay.as_ref()).is_some());
    let smooths = graph.model.loss.as_ref().is_some_and(|loss| {
        matches!(
            &loss.kind,
            LossKind::CrossEntropy {
                label_smoothing: Some(_),
                ..
            } | LossKind::BinaryCrossEntropy {
                label_smoothing: Some(_),
                ..
            }
        )
    });
    let varies = train.augment.is_some() || train.mixup.is_some() || train.cutmix.is_some();
    let averages = train.ema.is_some() || train.swa.is_some();
    let others = varies || averages || train.early_stop.is_some();
    if !(random || ruled || decays || smooths || others) {
        let counts = crate::counts::of_block(&graph.model.layers, graph.inferred, 0);
        cx.at(
            &[],
            MODEL,
            "the model".to_owned(),
            graph.model.id,
            names::no_regularization,
            format!(
                "nothing regularizes these {} parameters",
                grouped(counts.parameters)
            ),
        )
        .and_help("`layers with decay(l2 = 0.01) { .. }`")
        .and_note("whether that is wrong shows in the gap between training and validation");
    }
}
