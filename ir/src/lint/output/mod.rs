//! The output, the loss and the task.

mod regression;
mod weights;

use super::Cx;
use crate::catalogue::names;
use crate::graph::{Graph, LOSS, Node};
use crate::{
    Activation, Id, Layout, Level, Loss, LossKind, OpKind, OutputActivation, Reads, Shape,
    TargetKind, TaskKind, Value,
};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let Some(loss) = &graph.model.loss else {
        softmax_of_one(cx, graph);
        return;
    };
    let (ops, head) = graph.output_segment();
    activations(cx, loss, &ops, head);
    softmax_of_one(cx, graph);
    probabilities(cx, loss, &ops, head);
    regression::check(cx, graph, loss, &ops, head);
    task(cx, graph, loss);
    units(cx, graph, loss, head);
    weights::check(cx, graph, loss);
}

type Ops<'g, 'm> = [(usize, &'g Node<'m>)];

/// What the loss applies to the output by itself: `Some(true)` a softmax, `Some(false)` a sigmoid.
fn own_softmax(loss: &LossKind) -> Option<bool> {
    match loss.own_activation() {
        OutputActivation::Softmax => Some(true),
        OutputActivation::Sigmoid => Some(false),
        OutputActivation::Identity
        | OutputActivation::Exp
        | OutputActivation::MeanAndVariance
        | OutputActivation::Quantiles(_) => None,
    }
}

fn reads(loss: &LossKind) -> Option<Reads> {
    loss.facts().reads
}

/// Whether the loss reads classes.
pub(super) fn is_classification(loss: &LossKind) -> bool {
    reads(loss).is_some()
}

/// Whether the loss is for exclusive classes.
fn is_exclusive(loss: &LossKind) -> bool {
    loss.facts().activation == OutputActivation::Softmax
}

/// Whether the loss measures the distance of two numbers.
fn is_regression(loss: &LossKind) -> bool {
    let facts = loss.facts();
    facts.target == TargetKind::Number && facts.activation == OutputActivation::Identity
}

fn single(node: &Node<'_>) -> bool {
    node.input.as_ref().and_then(Shape::features) == Some(1)
}

/// The activations after the head, seen with the loss.
fn activations<'m>(cx: &mut Cx<'m>, loss: &'m Loss, ops: &Ops<'_, 'm>, head: Option<&Node<'m>>) {
    let Some(from) = reads(&loss.kind) else {
        return;
    };
    let word = loss.kind.word();
    let scores = head
        .filter(|head| head.is_weight())
        .map_or(Id::NONE, |head| head.id);
    let mut pooled = None;
    for (_, node) in ops {
        if node.pooling().is_some() {
            pooled = Some(*node);
        }
        let Some(activation) = node.activation() else {
            continue;
        };
        let (kind, own) = (activation.kind, own_softmax(&loss.kind));
        let name = kind.word();
        let exclusive = is_exclusive(&loss.kind);
        if kind.is_softmax() && single(node) {
            // `softmax_single_unit` says it.
        } else if kind.is_softmax() && own == Some(true) {
            cx.node(
                node,
                names::softmax_before_logits_loss,
                format!("`{word}` applies log-softmax itself; this `{name}` makes it two"),
            )
            .and_other(loss.id, "this loss reads logits")
            .and_help(format!("remove `{name}`; `predict` gives probabilities"))
            .and_note("softmax of a softmax is nearly flat, and so are its gradients");
        } else if kind.word() == "log_softmax" && own == Some(true) {
            cx.node(
                node,
                names::log_softmax_before_logits_loss,
                format!("`log_softmax` has no effect here: `{word}` applies it itself"),
            )
            .and_other(loss.id, "this loss reads logits")
            .and_help(format!(
                "remove `log_softmax`, or write `{word}(from = log_probabilities)`"
            ))
            .and_note("log-softmax is idempotent: the value is the same, the work is done twice");
        } else if (kind.is_sigmoid() || kind.is_softmax() || kind.word() == "log_sigmoid")
            && own == Some(false)
        {
            cx.node(node, names::sigmoid_before_bce_logits, format!("`{word}` applies a sigmoid itself; this `{name}` comes before it"))
                .and_other(loss.id, "this loss reads logits")
                .and_help(format!("remove `{name}`, or write `{word}(from = probabilities)`"))
                .and_note("the sigmoid of a number in [0, 1] lies in [0.5, 0.73]: no answer can be a clear no");
        } else if kind.is_sigmoid() && exclusive && single(node) {
            // `output_units_mismatch` says it.
        } else if kind.is_sigmoid() && exclusive {
            cx.node(
                node,
                names::sigmoid_into_cross_entropy,
                format!("classes compete in `{word}`; `{name}` scores each on its own"),
            )
            .and_other(loss.id, "this loss is for exclusive classes")
            .and_help(format!(
                "remove `{name}`; or `loss binary_cross_entropy(from = probabilities)` if several labels may hold at once"
            ))
            .and_note("scores that do not sum to 1 are no distribution over the classes, and their cross-entropy no likelihood");
        } else if kind.is_softmax() && matches!(loss.kind, LossKind::BinaryCrossEntropy { .. }) {
            cx.node(node, names::softmax_into_bce, format!("`{name}` lets the outputs compete, `{word}` takes each on its own"))
                .and_other(loss.id, "this loss is for independent answers")
                .and_help("`loss cross_entropy(from = probabilities)` for exclusive classes, `sigmoid` for independent ones")
.and_note("softmax makes the outputs sum to 1, so that one label's answer lowers the others");
        } else if !kind.is_link() && (from == Reads::Logits || !is_probability(activation)) {
            let effect = match activation.range() {
                (0.0, _) => "class scores are clipped at 0".to_owned(),
                (low, high) if low.is_finite() || high.is_finite() => {
                    format!("class scores are confined to {}", interval(low, high))
                }
                _ => "class scores are distorted".to_owned(),
            };
            let last = head
                .and_then(Node::op)
                .filter(|_| !scores.is_none())
                .map_or("linear", |op| op.kind.word());
            let finding = cx.node(
                node,
                names::relu_on_logits,
                format!("{effect} by this `{name}`"),
            );
            if pooled.is_some() {
                finding.at_level(Level::Warn);
            }
            finding
                .and_other(scores, "the scores are produced here")
                .and_help(format!("remove `{name}` after the last `{last}`"))
                .and_note(match from {
                    Reads::Logits if pooled.is_some() => "a loss on logits needs scores of both signs; SqueezeNet pools what its relu has clipped (arXiv 1602.07360)",
                    Reads::Logits => "a loss on logits needs scores of both signs; pytorch/examples removed such a relu",
                    _ => "the output activation that follows needs scores of both signs",
                });
        }
    }
}

fn softmax_of_one<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>) {
    let (output, _) = graph.output_segment();
    let loss = graph.model.loss.as_ref();
    let link = loss.and_then(|loss| match (loss.kind.facts().target, reads(&loss.kind)) {
        (TargetKind::YesNo, Some(Reads::Probabilities)) => Some("sigmoid"),
        (TargetKind::YesNo, Some(Reads::LogProbabilities)) => Some("log_sigmoid"),
        _ => None,
    });
    let reads_classes = loss.is_some_and(|loss| loss.kind.facts().target == TargetKind::Class);
    for (index, node) in graph.nodes.iter().enumerate() {
        let scores_classes = reads_classes && output.iter().any(|(other, _)| *other == index);
        let Some(activation) = node.activation() else {
            continue;
        };
        let name = activation.kind.word();
        let constant = match name {
            "softmax" | "softmin" => "1",
            "log_softmax" => "0",
            _ => continue,
        };
        if single(node) {
            cx.node(
                node,
                names::softmax_single_unit,
                format!("`{name}` over one value is always {constant}"),
            )
            .and_help(if scores_classes {
                format!("`loss binary_cross_entropy`, and remove `{name}`")
            } else if let Some(link) =
                link.filter(|_| output.iter().any(|(other, _)| *other == index))
            {
                link.to_owned()
            } else {
                format!("remove `{name}`")
            })
            .and_note("a constant has no gradient: nothing before it is trained");
        }
    }
}

/// Whether the values that the loss reads are what it says they are.
fn probabilities<'m>(cx: &mut Cx<'m>, loss: &'m Loss, ops: &Ops<'_, 'm>, head: Option<&Node<'m>>) {
    let (wanted, low, high) = match reads(&loss.kind) {
        Some(Reads::Probabilities) => ("probabilities", 0.0, 1.0),
        Some(Reads::LogProbabilities) => ("logarithms of probabilities", f64::NEG_INFINITY, 0.0),
        _ => return,
    };
    let last = ops
        .iter()
        .find(|(_, node)| node.stochastic().is_none() && !node.keeps_range());
    let (node, range) = match (last, head) {
        (Some((_, node)), _) => (
            *node,
            node.activation()
                .map_or((f64::NEG_INFINITY, f64::INFINITY), Activation::range),
        ),
        (None, Some(head)) if head.is_recurrent() => (head, (-1.0, 1.0)),
        (None, Some(head)) if head.is_weight() && !head.is_opaque() => {
            (head, (f64::NEG_INFINITY, f64::INFINITY))
        }
        _ => return,
    };
    if node.activation().is_some_and(|activation| {
        activation
            .arguments
            .iter()
            .any(|value| value.known.is_none())
    }) {
        return;
    }
    let word = loss.kind.word();
    let exclusive = is_exclusive(&loss.kind);
    let over_features = node.activation().is_some_and(|activation| {
        activation.kind.is_softmax() || activation.kind.word() == "log_softmax"
    });
    if let (true, true, Some(shape)) = (
        exclusive && over_features,
        node.layout == Layout::Channels,
        node.input.as_ref().filter(|shape| shape.rank() > 1),
    ) {
        let name = node
            .activation()
            .map_or("softmax", |activation| activation.kind.word());
        cx.at(
            &[],
            LOSS,
            "the loss".to_owned(),
            loss.id,
            names::logits_into_probability_loss,
            format!("the classes of {shape} are the first axis, `{name}` acts along the last"),
        )
        .and_other(node.id, "it normalizes each row of the map")
        .and_help(format!("remove `{name}`, and write `loss {word}`"))
        .and_note("on logits the loss applies it along the classes");
    } else if range.0 < low || range.1 > high {
        let link = match (exclusive, reads(&loss.kind)) {
            (true, Some(Reads::Probabilities)) => "softmax",
            (true, _) => "log_softmax",
            (false, Some(Reads::Probabilities)) => "sigmoid",
            (false, _) => "log_sigmoid",
        };
        let spread = if range.0.is_infinite() && range.1.is_infinite() {
            "is unbounded".to_owned()
        } else {
            format!("lies in {}", interval(range.0, range.1))
        };
        cx.at(
            &[],
            LOSS,
            "the loss".to_owned(),
            loss.id,
            names::logits_into_probability_loss,
            format!("this loss reads {wanted}, the output {spread}"),
        )
        .and_other(node.id, "the output comes from here")
        .and_help(format!(
            "`loss {word}` (it reads logits), or end the model with `-> {link}`"
        ))
        .and_note("the logarithm of a number outside (0, 1) is NaN or gives a negative loss");
    }
}

/// Such as `hardtanh(0, 1)`.
fn is_probability(activation: &Activation) -> bool {
    let (low, high) = activation.range();
    low >= 0.0 && high <= 1.0
}

fn interval(low: f64, high: f64) -> String {
    let bound = |x: f64| Value::known(x).to_string();
    match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("[{}, {}]", bound(low), bound(high)),
        (true, false) => format!("[{}, inf)", bound(low)),
        (false, true) => format!("(-inf, {}]", bound(high)),
        (false, false) => "(-inf, inf)".to_owned(),
    }
}

fn task<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, loss: &'m Loss) {
    let Some(task) = &graph.model.task else {
        return;
    };
    let word = loss.kind.word();
    let push = |cx: &mut Cx<'m>, lint, message: String, help: &str, note: &str| {
        cx.at(&[], LOSS, "the loss".to_owned(), loss.id, lint, message)
            .and_other(task.id, "the task is declared here")
            .and_help(help)
            .and_note(note);
    };
    match (loss.kind.facts().target, &task.kind) {
        (_, TaskKind::Multiclass(classes))
            if matches!(loss.kind, LossKind::BinaryCrossEntropy { .. })
                && classes.known.is_none_or(|classes| classes > 2.0) =>
        {
            push(
                cx,
                names::bce_for_multiclass,
                format!("`{word}` takes the {classes} exclusive classes as independent answers"),
                "loss cross_entropy",
                "it trains one yes/no problem for each class, most of whose answers are no; recipes with mixup do it on purpose",
            );
        }
        (
            TargetKind::Number,
            TaskKind::Binary | TaskKind::Multiclass(_) | TaskKind::Multilabel(_),
        ) if is_regression(&loss.kind) => {
            let help = if matches!(task.kind, TaskKind::Multiclass(_)) {
                "loss cross_entropy"
            } else {
                "loss binary_cross_entropy"
            };
            push(
                cx,
                names::mse_for_classification,
                format!("`{word}` measures distances, the task is `{}`", task.kind),
                help,
                "through a softmax or sigmoid its gradient vanishes where the answer is most wrong; as the Brier score it is a proper loss",
            );
        }
        (TargetKind::Class, TaskKind::Multilabel(_)) => push(
            cx,
            names::loss_target_shape_mismatch,
            format!(
                "`{word}` reads one class per sample, the task `{}` has several labels",
                task.kind
            ),
            "loss binary_cross_entropy",
            "exclusive classes compete for one probability of 1",
        ),
        (TargetKind::Class | TargetKind::YesNo, TaskKind::Regression) => push(
            cx,
            names::loss_target_shape_mismatch,
            format!("`{word}` reads classes, the task is `regression`"),
            "loss mse",
            "numbers are not class indices",
        ),
        _ => {}
    }
}

/// The units are as many for each quantile. `at` is the last layer, its scope and its place, `more` what it should be.
fn quantile_units<'m>(
    cx: &mut Cx<'m>,
    loss: &'m Loss,
    (units, count): (usize, usize),
    (at, scope, place): (Id, usize, String),
    more: &str,
) {
    let kind = &loss.kind;
    let message = format!(
        "`{kind}` reads {count} quantiles of each value, {units} {} cannot be divided by {count}",
        if units == 1 { "unit" } else { "units" }
    );
    let name = names::output_units_mismatch;
    cx.at(&[], scope, place, at, name, message)
        .and_other(
            loss.id,
            "this loss reads one number for each quantile of each target",
        )
        .and_help(format!("end the model with `{more}`"));
}

/// The last layer with so many units.
fn resized(head: Option<&Node<'_>>, units: usize) -> String {
    match head.and_then(Node::op).map(|op| op.kind.clone()) {
        Some(OpKind::Conv(mut conv)) if !conv.depthwise => {
            conv.out = Value::known(units as f64);
            OpKind::Conv(conv).to_string()
        }
        _ => format!("linear({units})"),
    }
}

/// The units that there are, those that the task asks for, and what those are, where the two differ.
fn wanted_units(
    loss: &Loss,
    task: Option<&TaskKind>,
    units: usize,
) -> Option<(usize, usize, String)> {
    match (loss.kind.facts().target, task) {
        (TargetKind::Class, Some(TaskKind::Binary)) => {
            (units != 2).then(|| (units, 2, "2 classes".to_owned()))
        }
        (_, Some(TaskKind::Multiclass(classes))) => classes
            .size()
            .filter(|classes| {
                *classes != units
                    && !(*classes == 2
                        && units == 1
                        && matches!(loss.kind, LossKind::BinaryCrossEntropy { .. }))
            })
            .map(|classes| (units, classes, format!("{classes} classes"))),
        (_, Some(TaskKind::Multilabel(labels))) => labels
            .size()
            .filter(|labels| *labels != units)
            .map(|labels| (units, labels, format!("{labels} labels"))),
        (TargetKind::YesNo, Some(TaskKind::Binary)) if units != 1 => {
            Some((units, 1, "one yes/no answer".to_owned()))
        }
        _ => None,
    }
}

fn units<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, loss: &'m Loss, head: Option<&Node<'m>>) {
    let Some(output) = output(graph) else { return };
    let Some(units) = classes(graph, &output) else {
        return;
    };
    let head_id = head
        .filter(|head| head.is_weight())
        .map_or(Id::NONE, |head| head.id);
    let task = graph.model.task.as_ref();
    let wanted = wanted_units(loss, task.map(|task| &task.kind), units);
    let place = || head.map_or_else(String::new, Node::place);
    let scope = head.map_or(LOSS, |head| head.scope);
    let at_head = if head_id.is_none() { loss.id } else { head_id };
    let resized = |units: usize| resized(head, units);
    let s = |n: usize| if n == 1 { "unit" } else { "units" };
    match (wanted, &loss.kind) {
        (Some((units, wanted, what)), _) => {
            cx.at(
                &[],
                scope,
                place(),
                at_head,
                names::output_units_mismatch,
                format!("{what}, {units} {}", s(units)),
            )
            .and_other(
                task.map_or(loss.id, |task| task.id),
                "the task is declared here",
            )
            .and_help(format!("end the model with `{}`", resized(wanted)))
            .and_note("a loss reads one unit for each class or value of the target");
        }
        (None, kind) if kind.facts().target == TargetKind::Class && units == 1 => {
            cx.at(
                &[],
                scope,
                place(),
                at_head,
                names::output_units_mismatch,
                format!("`{}` over 1 unit is always 0", loss.kind.word()),
            )
            .and_other(loss.id, "this loss is for two or more exclusive classes")
            .and_help(if ends_in_sigmoid(graph) {
                "loss binary_cross_entropy(from = probabilities)".to_owned()
            } else {
                format!(
                    "one unit for each class, such as `{}`; or `loss binary_cross_entropy`",
                    resized(2)
                )
            })
            .and_note("softmax over one value is 1 whatever the value");
        }
        (None, kind)
            if kind.facts().activation == OutputActivation::MeanAndVariance && units % 2 == 1 =>
        {
            cx.at(
                &[],
                scope,
                place(),
                at_head,
                names::output_units_mismatch,
                format!(
                    "`{}` reads means and log variances, {units} {} cannot be halved",
                    loss.kind.word(),
                    s(units)
                ),
            )
            .and_other(loss.id, "this loss reads two numbers for each target")
            .and_help(format!("end the model with `{}`", resized(units * 2)));
        }
        (None, LossKind::Quantile { levels }) if units % levels.len().max(1) != 0 => {
            let more = resized(units.next_multiple_of(levels.len()));
            quantile_units(
                cx,
                loss,
                (units, levels.len()),
                (at_head, scope, place()),
                &more,
            );
        }
        _ => {}
    }
}

fn ends_in_sigmoid(graph: &Graph<'_>) -> bool {
    let (ops, _) = graph.output_segment();
    let last = ops.iter().find_map(|(_, node)| node.activation());
    last.is_some_and(|last| last.kind.is_sigmoid())
}

/// How many classes, or values of one target, the output has.
fn classes(graph: &Graph<'_>, output: &Shape) -> Option<usize> {
    output.0.get(graph.inferred.class_axis()).copied().flatten()
}

fn output(graph: &Graph<'_>) -> Option<Shape> {
    graph.inferred.output().cloned()
}
