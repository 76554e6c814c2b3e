//! The optimizer, weight decay and the training settings.

mod effect;
mod reach;
mod strength;

pub(super) use strength::judges_penalties;

use super::Cx;
use crate::catalogue::names;
use crate::graph::{Graph, MODEL, Node, TRAIN};
use crate::grouped;
use crate::walk::at;
use crate::{Id, Level, LossKind, Optimizer, OptimizerKind, RuleKind, Train, Value, WeightDecay};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let train = graph.model.train.as_ref();
    if let Some((train, optimizer)) =
        train.and_then(|train| Some((train, train.optimizer.as_ref()?)))
    {
        coupled_decay(cx, optimizer);
        learning_rate(cx, train, optimizer);
        epsilon(cx, optimizer);
        betas(cx, optimizer);
    }
    strength::check(cx, graph);
    over_regularized(cx, graph);
    effect::rules(cx, graph);
    if let Some(train) = train {
        settings(cx, graph, train);
        effect::settings(cx, graph, train);
        no_regularization(cx, graph, train);
    }
}

/// Where findings about the section are.
pub(super) fn place() -> String {
    "the training".to_owned()
}

/// Whether the two shares of Adam are exchanged: the mean of the squares is forgotten sooner than that of the gradients.
pub(super) fn swapped_betas(kind: &OptimizerKind) -> bool {
    betas_of(kind).is_some_and(|(beta1, beta2)| {
        beta1.known.zip(beta2.known).is_some_and(|(one, two)| {
            one > two && one < 1.0 && beta_usual("beta1", two) && beta_usual("beta2", one)
        })
    })
}

fn betas_of(kind: &OptimizerKind) -> Option<(&Value, &Value)> {
    match kind {
        OptimizerKind::Adam { beta1, beta2, .. }
        | OptimizerKind::Adamw { beta1, beta2, .. }
        | OptimizerKind::Muon { beta1, beta2, .. }
        | OptimizerKind::Lion { beta1, beta2, .. } => Some((beta1, beta2)),
        OptimizerKind::Sgd { .. }
        | OptimizerKind::RmsProp { .. }
        | OptimizerKind::Adagrad { .. } => None,
    }
}

fn beta_usual(name: &str, number: f64) -> bool {
    let adam = crate::words::of(crate::train::optimizer::WORDS, "adam");
    let usual = adam.argument(name).and_then(|argument| argument.usual);
    usual.is_some_and(|usual| usual.holds(number, 1.0))
}

fn betas<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer) {
    let Some((beta1, beta2)) = betas_of(&optimizer.kind).filter(|_| swapped_betas(&optimizer.kind))
    else {
        return;
    };
    cx.at(
        &[],
        TRAIN,
        place(),
        at(beta1, optimizer.id),
        names::unusual_value,
        format!("`beta1` is {beta1} and `beta2` {beta2}: they are exchanged"),
    )
    .and_other(beta2.id, "the squares of the gradients are forgotten sooner than the gradients")
    .and_help(format!("beta1 = {beta2}, beta2 = {beta1}"))
    .and_note("0.9 for the mean of the gradients, 0.999 for that of their squares (Kingma and Ba, arXiv 1412.6980)");
}

fn above_zero(value: Option<&Value>) -> Option<f64> {
    value
        .and_then(|value| value.known)
        .filter(|number| *number > 0.0)
}

fn coupled_decay<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer) {
    let Some((value, number)) = optimizer
        .weight_decay
        .as_ref()
        .and_then(|value| Some((value, above_zero(Some(value))?)))
    else {
        return;
    };
    let word = optimizer.kind.word();
    // Decoupled, a strength acts at once: one that removes too much in a step is not passed on.
    let max = cx.limit(&[], TRAIN, names::weight_decay_out_of_range, "max");
    let step = above_zero(Some(&optimizer.learning_rate)).unwrap_or(1e-3) * number;
    let strength = if step <= max.value {
        *value
    } else {
        Value::known(optimizer.kind.facts().usual_decay)
    };
    let (level, instead) = match optimizer.kind.facts().weight_decay {
        WeightDecay::Rescaled(Some(other)) => (
            Level::Deny,
            format!(
                "`{other}(lr = {}, weight_decay = {strength})`",
                optimizer.learning_rate
            ),
        ),
        WeightDecay::Rescaled(None) => (
            Level::Warn,
            format!("`decay(l2 = {strength})` on the layers"),
        ),
        WeightDecay::Coupled | WeightDecay::Decoupled => return,
    };
    cx.at(
        &[],
        TRAIN,
        place(),
        at(value, optimizer.id),
        names::adam_coupled_weight_decay,
        format!("`{word}` divides the decay by the size of the gradients"),
    )
    .at_level(level)
    .and_help(format!(
        "{instead}; coupled on purpose: {}",
        super::allow(names::adam_coupled_weight_decay, "settings of the paper")
    ))
    .and_note(
        "weights with large gradients are decayed least (Loshchilov and Hutter, arXiv 1711.05101)",
    );
}

/// How many steps in a row the optimizer adds up: `1 / (1 - momentum)`, 1 without momentum.
fn gain(kind: &OptimizerKind) -> f64 {
    let (OptimizerKind::Sgd { momentum, .. } | OptimizerKind::RmsProp { momentum, .. }) = kind
    else {
        return 1.0;
    };
    let kept = momentum.known.filter(|kept| (0.0..1.0).contains(kept));
    1.0 / (1.0 - kept.unwrap_or(0.0))
}

/// What a rate above the usual one is, once momentum and clipping count: the words for it, `None` if it is fine.
fn too_large(train: &Train, optimizer: &Optimizer, most: f64) -> Option<String> {
    let rate = optimizer.learning_rate.known?;
    let word = optimizer.kind.word();
    let usual = optimizer.kind.facts().usual_rate;
    let gain = gain(&optimizer.kind);
    // Published recipes with momentum 0.9 and the largest usual rate reach ten times that rate.
    let most_in_all = most * 10.0;
    let shown = Value::known(rate);
    let clip = train.clip_norm.and_then(|norm| norm.known);
    if let Some(norm) = clip.filter(|_| matches!(optimizer.kind, OptimizerKind::Sgd { .. })) {
        // The length of a step is bounded, whatever the rate alone is.
        let length = rate * norm * gain;
        return (rate > most && length > most_in_all).then(|| {
            format!(
                "with a learning rate of {shown} a step may be {} long, also behind `clip(norm = {})`",
                Value::known(length),
                Value::known(norm)
            )
        });
    }
    if rate > most {
        let times = grouped((rate / usual).round() as usize);
        return Some(format!(
            "a learning rate of {shown} is {times} times the usual {} of `{word}`",
            Value::known(usual)
        ));
    }
    (rate * gain > most_in_all).then(|| {
        format!(
            "with this momentum a learning rate of {shown} acts as {}: {} steps add up",
            Value::known((rate * gain * 1e6).round() / 1e6),
            grouped(gain.round() as usize)
        )
    })
}

fn learning_rate<'m>(cx: &mut Cx<'m>, train: &Train, optimizer: &'m Optimizer) {
    let value = &optimizer.learning_rate;
    let Some(rate) = value.known else { return };
    let facts = optimizer.kind.facts();
    let usual = Optimizer {
        learning_rate: Value::known(facts.usual_rate),
        ..optimizer.clone()
    };
    let limit = |name| cx.limit(&[], TRAIN, names::learning_rate_out_of_range, name);
    let (least, times) = (limit("min"), limit("times"));
    let (level, limit, message) = if rate.is_nan() || rate <= 0.0 || rate.is_infinite() {
        let message = format!("a learning rate of {value} trains nothing");
        (Level::Deny, None, message)
    } else if let Some(message) = too_large(train, optimizer, facts.usual_rate * times.value) {
        (Level::Warn, Some(times), message)
    } else if rate < least.value {
        let message = format!("a learning rate of {value} hardly moves a weight");
        (Level::Warn, Some(least), message)
    } else {
        return;
    };
    cx.at(
        &[],
        TRAIN,
        place(),
        at(value, optimizer.id),
        names::learning_rate_out_of_range,
        message,
    )
    .at_level(level)
    .and_limit(limit)
    .and_help(usual.to_string())
    .and_note(facts.rate_source);
}

fn epsilon<'m>(cx: &mut Cx<'m>, optimizer: &'m Optimizer) {
    let (OptimizerKind::Adam { epsilon, .. }
    | OptimizerKind::Adamw { epsilon, .. }
    | OptimizerKind::Muon { epsilon, .. }
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
        place(),
        at(epsilon, optimizer.id),
        names::adam_epsilon_out_of_range,
        message,
    )
    .at_level(level)
    .and_limit(limit)
    .and_help("epsilon = 1e-8")
    .and_note("1e-8 to 1e-5 is usual; too small a value shows as sudden jumps of the loss");
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
        // Other libraries count epochs.
        let epochs = graph.model.training().epochs as f64;
        let share = warmup.known.map_or(1.0, |number| number / epochs);
        let help = if share <= 0.5 { share } else { 0.05 };
        cx.at(
            &[],
            TRAIN,
            place(),
            at(warmup, schedule.id),
            names::warmup_longer_than_training,
            format!("`warmup = {warmup}` is all of the training or more"),
        )
        .and_help(format!("warmup = {}", Value::known((help * 1e4).round() / 1e4)))
        .and_note(
            "`warmup` is a share of all steps, not a number of epochs; the learning rate would never reach its value",
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
            place(),
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
        .and_help(if settings.epochs >= 10 {
            format!("early_stop(patience = {})", settings.epochs / 5)
        } else {
            format!("epochs: {}", room_for(patience))
        })
        .and_note(
            "training stops after so many epochs in a row without improvement (Prechelt, 1998)",
        );
    }
}

/// Epochs in which a patience can run out a few times.
fn room_for(patience: usize) -> usize {
    patience.saturating_mul(5)
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
