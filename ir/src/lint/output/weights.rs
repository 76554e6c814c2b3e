//! Label smoothing and the weights of classes and labels.

use super::{classes, output};
use crate::catalogue::names;
use crate::graph::{Graph, LOSS};
use crate::lint::{Cx, allow, percent};
use crate::walk::at;
use crate::{Id, Level, Loss, LossKind, Value};

pub(super) fn check<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, loss: &'m Loss) {
    let (LossKind::CrossEntropy {
        label_smoothing,
        weights,
        ..
    }
    | LossKind::BinaryCrossEntropy {
        label_smoothing,
        weights,
        ..
    }) = &loss.kind
    else {
        return;
    };
    let place = || "the loss".to_owned();
    if let Some((value, share)) = label_smoothing
        .as_ref()
        .and_then(|value| Some((value, value.known?)))
    {
        let id = at(value, loss.id);
        let max = cx.limit(&[], LOSS, names::label_smoothing_out_of_range, "max");
        if !(0.0..1.0).contains(&share) {
            cx.at(&[], LOSS, place(), id, names::label_smoothing_out_of_range, format!("`label_smoothing = {value}` is not in [0, 1)"))
                .and_help("label_smoothing = 0.1")
                .and_note("at 1 every target is flat, beyond it the right class is the least likely (arXiv 1512.00567)");
        } else if share > max.value {
            cx.at(
                &[],
                LOSS,
                place(),
                id,
                names::label_smoothing_out_of_range,
                format!(
                    "`label_smoothing = {value}` takes {} from the right class",
                    percent(share)
                ),
            )
            .at_level(Level::Warn)
            .and_limit(max)
            .and_help("label_smoothing = 0.1")
            .and_note("0.05 to 0.1 is usual (arXiv 1512.00567)");
        }
    }
    for weight in weights {
        if weight
            .known
            .is_some_and(|weight| weight < 0.0 || !weight.is_finite())
        {
            cx.at(
                &[],
                LOSS,
                place(),
                at(weight, loss.id),
                names::class_weights_len_mismatch,
                format!("class weight {weight} is not a number from 0"),
            )
            .and_help("a weight from 0; 1 changes nothing")
            .and_note("a negative weight would reward mistakes");
        }
    }
    let units = output(graph).and_then(|output| classes(graph, &output));
    if let Some(units) = units.filter(|units| !weights.is_empty() && *units != weights.len()) {
        let weight = if weights.len() == 1 {
            "weight"
        } else {
            "weights"
        };
        let class = if units == 1 { "class" } else { "classes" };
        cx.at(
            &[],
            LOSS,
            place(),
            loss.id,
            names::class_weights_len_mismatch,
            format!("{} {weight}, {units} {class}", weights.len()),
        )
        .and_help(resized(weights, units))
.and_note("the weight of a class multiplies the loss of its samples (King and Zeng, 2001), so each class has one");
    }
    if !weights.is_empty() && units == Some(weights.len()) {
        uneven(cx, graph, loss, weights);
    }
}

/// The weights with one for each unit: 1 where none was written.
fn resized(weights: &[Value], units: usize) -> String {
    let written = weights.iter().map(ToString::to_string);
    let ones = std::iter::repeat_with(|| "1".to_owned());
    let all: Vec<String> = written.chain(ones).take(units.min(1000)).collect();
    format!("weights = [{}]", all.join(", "))
}

/// Weights of 0, and weights of yes/no answers: they do not do what class weights are for.
fn uneven<'m>(cx: &mut Cx<'m>, graph: &Graph<'m>, loss: &'m Loss, weights: &'m [Value]) {
    let word = loss.kind.word();
    let is_answers = matches!(loss.kind, LossKind::BinaryCrossEntropy { .. });
    let what = if is_answers { "label" } else { "class" };
    if let Some((index, weight)) = weights
        .iter()
        .enumerate()
        .find(|(_, weight)| weight.known == Some(0.0))
    {
        cx.at(&[], LOSS, "the loss".to_owned(), at(weight, loss.id), names::zero_class_weight, format!("{what} {index} weighs 0: nothing is learned of it"))
            .and_help("1.0")
            .and_note("its samples have no gradient; what should not count is not declared, or left out of the data");
        return;
    }
    let known: Option<Vec<f64>> = weights.iter().map(|weight| weight.known).collect();
    let uneven =
        known.is_some_and(|known| known.iter().any(|weight| known.first() != Some(weight)));
    if !is_answers || !uneven || weights.len() < 2 {
        return;
    }
    let labels = graph.model.task.as_ref();
    let help = format!("`{word}(positive_weight = 5.0)` for answers that are rarely yes");
    cx.at(&[], LOSS, "the loss".to_owned(), loss.id, names::label_weights_scale_the_loss, "`weights` scale the loss of each label: its yes and its no weigh as before")
        .and_other(labels.map_or(Id::NONE, |task| task.id), "labels that are independent")
        .and_help(format!("{help}; labels that matter more than others: {}", allow(names::label_weights_scale_the_loss, "some labels matter more")))
        .and_note("a rare yes stays as rare: the weight of a label multiplies both of its answers (King and Zeng 2001 weigh the answers)");
}
