//! The operation on which an annotation acts.

use super::super::operations::range_needs_repeat;
use super::super::{Cx, arguments};
use super::slot::{Slot, Where};
use super::text::{sample, side_word};
use super::values::on_values;
use crate::ast::{Annotation, Side};
use crate::words::{self, Read};
use damper_ir::{DropPath, Id, LintLevel, Op, OpKind, Stochastic};

pub(in crate::lower) enum Target {
    At(Side, usize),
    Lost,
}

/// The operation on which an annotation acts: the named one, or after the last activation, or the end.
pub(in crate::lower) fn target(
    cx: &mut Cx,
    annotation: &Annotation,
    slots: &[Slot],
    statement: Id,
) -> Target {
    let Some((side, name)) = &annotation.place else {
        return Target::At(Side::After, natural(slots));
    };
    let found: Vec<usize> = (0..slots.len())
        .filter(|index| *name == slots[*index].word)
        .collect();
    let word = side_word(*side);
    match found.as_slice() {
        [index] => Target::At(*side, *index),
        [] => {
            if !cx.broken.contains(&statement) {
                let words: Vec<&str> = slots.iter().map(|slot| slot.word.as_str()).collect();
                let name_text = name.to_string();
                let suggestion = damper_ir::suggest(&name_text, words.iter().copied());
                let ending = suggestion.map_or(String::new(), |s| format!(": did you mean `{s}`?"));
                let report = cx.diagnostics.error(
                    name,
                    format!("there is no `{name}` in this statement{ending}"),
                );
                if words.is_empty() {
                    report.help(format!("without `{word} {name}`"));
                } else {
                    report.help(format!("its operations are {}", words::list(&words)));
                }
            }
            Target::Lost
        }
        several => {
            cx.diagnostics
                .error(name, format!("there are {} `{name}` in this statement", several.len()))
                .help(format!(
                    "split the statement, so that each has one `{name}`, or write the annotation in the chain: `-> {}`",
                    words::stochastic(&annotation.call.word.to_string())
                        .map_or_else(|| annotation.call.word.to_string(), sample)
                ));
            Target::Lost
        }
    }
}

pub(in crate::lower) fn natural(slots: &[Slot]) -> usize {
    slots
        .iter()
        .rposition(|slot| matches!(slot.op.kind, OpKind::Activation(_)))
        .unwrap_or(slots.len().saturating_sub(1))
}

/// `drop_path` without a place: on the residuals of the statement, or on those of its `repeat`.
pub(in crate::lower) fn drop_path(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: Vec<LintLevel>,
    slots: &mut [Slot],
    tail: &mut Vec<Op>,
    place: Where,
) {
    let Some(word) = words::stochastic("drop_path") else {
        return;
    };
    on_values(cx, annotation);
    let id = cx.id(annotation.call.ends());
    let arguments = arguments::read(cx, &annotation.call, word);
    let last = arguments.value("rate");
    let first = arguments.low("rate").unwrap_or(last);
    let path = DropPath {
        id,
        first,
        last,
        levels: levels.clone(),
    };
    let mut given = false;
    for slot in slots.iter_mut() {
        match &mut slot.op.kind {
            OpKind::Residual { drop_path, .. } => {
                given = true;
                if let Some(ends) = arguments
                    .range_ends("rate")
                    .filter(|_| place != Where::Repeat)
                {
                    range_needs_repeat(cx, ends);
                }
                if let Some(before) = drop_path {
                    let before = cx.spans.get(before.id).0;
                    cx.diagnostics
                        .error(
                            annotation.call.ends(),
                            "`drop_path` is written twice on one statement",
                        )
                        .other(before, "the first one is")
                        .help("keep one of them");
                } else {
                    *drop_path = Some(path.clone());
                }
            }
            OpKind::Repeat { body, .. } => {
                for op in body.iter_mut().flat_map(|statement| &mut statement.ops) {
                    if let OpKind::Residual { drop_path, .. } = &mut op.kind {
                        given = true;
                        drop_path.get_or_insert_with(|| path.clone());
                    }
                }
            }
            _ => {}
        }
    }
    if given {
        return;
    }
    if let Some(ends) = arguments.range_ends("rate") {
        range_needs_repeat(cx, ends);
    }
    let kind = OpKind::Stochastic(Stochastic::DropPath { rate: first });
    let op = Op {
        id,
        field: None,
        kind,
        rules: Vec::new(),
        levels,
    };
    match slots.last_mut() {
        Some(slot) => slot.after.push(op),
        None => tail.push(op),
    }
}
