//! What a loss of numbers can be given: ranges of the output and of the target, units that can die.

use super::{Ops, interval, is_regression};
use crate::catalogue::names;
use crate::graph::{Graph, LOSS, Node};
use crate::lint::Cx;
use crate::{Activation, Level, Loss, LossKind, OutputActivation, Shape, TaskKind};

pub(super) fn check<'m>(
    cx: &mut Cx<'m>,
    graph: &Graph<'m>,
    loss: &'m Loss,
    ops: &Ops<'_, 'm>,
    head: Option<&Node<'m>>,
) {
    percentage(cx, loss);
    never_linear(cx, loss);
    let Some((node, activation, (low, high))) = bounded(ops, head) else {
        return;
    };
    let word = loss.kind.word();
    match loss.kind.facts().activation {
        OutputActivation::Exp => {
            let effect = if low >= 0.0 {
                "no rate is below 1".to_owned()
            } else {
                format!("rates lie in {}", interval(low.exp(), high.exp()))
            };
            logarithm(
                cx,
                loss,
                node,
                &format!(
                    "`{word}` reads the logarithm of the rate: {effect} behind this `{}`",
                    name(node)
                ),
            );
        }
        OutputActivation::MeanAndVariance => {
            let effect = if low >= 0.0 {
                "no variance is below 1, no mean below 0".to_owned()
            } else {
                format!("means and log variances lie in {}", interval(low, high))
            };
            logarithm(
                cx,
                loss,
                node,
                &format!(
                    "`{word}` reads means and logarithms of variances: {effect} behind this `{}`",
                    name(node)
                ),
            );
        }
        OutputActivation::Identity
        | OutputActivation::Softmax
        | OutputActivation::Sigmoid
        | OutputActivation::Quantiles(_) => {
            let declared = graph.model.task.as_ref().map(|task| &task.kind);
            if is_regression(&loss.kind)
                && declared.is_none_or(|kind| *kind == TaskKind::Regression)
            {
                numbers(cx, loss, node, activation, (low, high));
            }
        }
    }
}

/// What bounds the output: the last activation, or a recurrent layer; with the range.
fn bounded<'g, 'm>(
    ops: &Ops<'g, 'm>,
    head: Option<&'g Node<'m>>,
) -> Option<(&'g Node<'m>, Option<&'m Activation>, (f64, f64))> {
    let last = ops
        .iter()
        .find(|(_, node)| node.stochastic().is_none() && !node.keeps_range());
    let (node, activation, range) = match last {
        Some((_, node)) => {
            let activation = node.activation()?;
            (*node, Some(activation), activation.range())
        }
        None => (head.filter(|head| head.is_recurrent())?, None, (-1.0, 1.0)),
    };
    (range.0.is_finite() || range.1.is_finite()).then_some((node, activation, range))
}

fn name(node: &Node<'_>) -> String {
    node.op()
        .map_or_else(String::new, |op| op.kind.word().to_owned())
}

fn numbers<'m>(
    cx: &mut Cx<'m>,
    loss: &'m Loss,
    node: &Node<'m>,
    activation: Option<&Activation>,
    (low, high): (f64, f64),
) {
    let name = name(node);
    let target = loss
        .target
        .as_ref()
        .and_then(|target| Some((target, target.low.known?, target.high.known?)));
    let softmax = activation
        .is_some_and(|it| it.kind.is_softmax() || it.kind.word() == "log_softmax")
        && node.input.as_ref().and_then(Shape::features) != Some(1);
    if softmax && target.is_none() {
        let (from, range) = if high <= 0.0 {
            ("log_probabilities", "")
        } else {
            (
                "probabilities",
                "; for shares of a whole `target in [0, 1]`",
            )
        };
        let word = loss.kind.word();
        cx.at(
            &[],
            LOSS,
            "the loss".to_owned(),
            loss.id,
            names::mse_for_classification,
            format!("`{word}` measures distances, and this `{name}` scores exclusive classes"),
        )
        .and_other(node.id, "classes are scored here")
        .and_help(format!("`loss cross_entropy(from = {from})`{range}"))
        .and_note(
            "through a softmax the gradient of a distance vanishes where the answer is most wrong",
        );
        return;
    }
    let outside = target.filter(|(_, from, to)| !(*from >= low && *to <= high));
    // What is out of reach says more than how a unit dies.
    let beyond = outside.is_some_and(|(_, from, to)| from < low || to > high);
    if activation.is_some_and(|activation| activation.kind.is_rectifier()) && !beyond {
        cx.node(node, names::dying_output, format!("where this `{name}` gives 0 its gradient is 0: the output can die, and predict 0 for good"))
            .and_other(loss.id, "this loss then changes nothing")
            .and_help(match target {
                Some((_, from, _)) if from >= 0.0 => format!("`softplus`, whose gradient is never 0, or remove `{name}`"),
                _ => format!("remove `{name}`"),
            })
            .and_note("a hidden unit that dies is one of many, the output is the only one (Lu et al., arXiv 1903.06733)");
        return;
    }
    match target {
        Some(_) if outside.is_none() => {}
        Some((target, from, to)) => {
            cx.node(
                node,
                names::bounded_regression_output,
                format!(
                    "the output lies in {}, the target in {}",
                    interval(low, high),
                    interval(from, to)
                ),
            )
            .at_level(Level::Deny)
            .and_other(target.id, "the target's range")
            .and_help(format!(
                "remove `{name}`, or rescale the target into {}",
                interval(low, high)
            ))
            .and_note("targets outside the output's range cannot be reached");
        }
        None => {
            let range = if low.is_finite() && high.is_finite() {
                interval(low, high)
            } else {
                "[0, 1]".to_owned()
            };
            let declare = format!(
                "declare the target's range: `loss {} target in {range}`",
                loss.kind
            );
            let help = if activation.is_some() {
                format!("remove `{name}`, or {declare}")
            } else {
                format!("`-> linear(1)` behind `{name}`, or {declare}")
            };
            cx.node(
                node,
                names::bounded_regression_output,
                format!(
                    "the output of this regression lies in {}",
                    interval(low, high)
                ),
            )
            .and_other(loss.id, "this loss compares it with any number")
            .and_help(help)
            .and_note("targets outside the output's range cannot be reached");
        }
    }
}

fn logarithm<'m>(cx: &mut Cx<'m>, loss: &'m Loss, node: &Node<'m>, message: &str) {
    let help = if node.activation().is_some() {
        format!("remove `{}`", name(node))
    } else {
        format!("`-> linear(1)` behind `{}`", name(node))
    };
    cx.node(node, names::bounded_log_rate, message)
        .and_other(loss.id, "this loss applies the exponential itself")
        .and_help(help)
        .and_note("`predict` gives the rate, or the mean and the variance; the model gives their logarithms, which may be any number");
}

/// A relative error where the target may be 0.
fn percentage<'m>(cx: &mut Cx<'m>, loss: &'m Loss) {
    let (LossKind::Mape, Some(target)) = (&loss.kind, &loss.target) else {
        return;
    };
    let (Some(from), Some(to)) = (target.low.known, target.high.known) else {
        return;
    };
    if from <= 0.0 && to >= 0.0 && from < to {
        cx.at(&[], LOSS, "the loss".to_owned(), if target.id.is_none() { loss.id } else { target.id }, names::mape_over_zero, format!("`mape` divides by the target, and 0 lies in {}", interval(from, to)))
            .and_other(loss.id, "this loss is relative")
            .and_help(format!("loss mae target in {}", interval(from, to)))
            .and_note("near 0 a small error is an infinite percentage, and all others stop to count (Hyndman and Koehler 2006)");
    }
}

/// A corner that no error reaches.
fn never_linear<'m>(cx: &mut Cx<'m>, loss: &'m Loss) {
    let (LossKind::Huber { delta: corner } | LossKind::SmoothL1 { beta: corner }) = &loss.kind
    else {
        return;
    };
    let Some(target) = &loss.target else { return };
    let (Some(from), Some(to), Some(number)) = (target.low.known, target.high.known, corner.known)
    else {
        return;
    };
    if from < to && number >= to - from {
        let word = loss.kind.word();
        let tenth = crate::Value::known((to - from) / 10.0);
        cx.at(
            &[],
            LOSS,
            "the loss".to_owned(),
            crate::walk::at(corner, loss.id),
            names::unusual_value,
            format!(
                "`{word}({corner})` is `mse`: no error within {} is as large",
                interval(from, to)
            ),
        )
        .and_other(target.id, "the target's range")
        .and_help(format!("{word}({tenth})"))
        .and_note("errors beyond it count linearly, so that outliers weigh less (Huber 1964)");
    }
}
