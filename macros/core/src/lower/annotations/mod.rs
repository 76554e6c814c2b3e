//! `with ..`: annotations go to the place or to the weights on which they act.

mod defaults;
mod inside;
mod rules;
mod slot;
mod target;
mod text;
mod values;

pub(super) use defaults::defaults;
pub(super) use inside::inside_example;
pub(super) use rules::rule;
pub(super) use slot::{Slot, Where};
pub(super) use text::sample;

use inside::{Inner, inside};
use rules::{no_weights, once, own, weight_rule};
use target::{Target, drop_path, target};
use values::acting;

use super::Cx;
use crate::ast::{Annotation, Side};
use crate::words;
use damper_ir::{Id, Op};

/// Moves the annotations of a statement into its operations.
pub(super) fn place(
    cx: &mut Cx,
    with: &[Annotation],
    mut slots: Vec<Slot>,
    statement: Id,
    place: Where,
) -> Vec<Op> {
    // What acts at the end of a statement without operations, such as `add(a, b)`.
    let mut tail: Vec<Op> = Vec::new();
    let mut given: Vec<(String, proc_macro2::Span)> = Vec::new();
    for annotation in with {
        let levels = cx.levels(&annotation.attrs.levels);
        let word = annotation.call.word.to_string();
        if words::rule(&word).is_some() {
            if let Some(rule) = weight_rule(cx, annotation, levels) {
                once(cx, &mut given, annotation);
                let mut any = false;
                for slot in &mut slots {
                    any |= own(cx, &mut slot.op, &rule);
                }
                if !any && !cx.broken.contains(&statement) {
                    no_weights(cx, annotation, &rule);
                }
            }
        } else if word == "drop_path" && annotation.place.is_none() {
            drop_path(cx, annotation, levels, &mut slots, &mut tail, place);
        } else if let Some(inner) = Inner::of(annotation, &slots) {
            let mut ops: Vec<&mut Op> = slots.iter_mut().map(|slot| &mut slot.op).collect();
            inside(cx, annotation, &levels, inner, &mut ops, statement);
        } else if let Some(op) = acting(cx, annotation, levels) {
            match target(cx, annotation, &slots, statement) {
                Target::Lost => {}
                Target::At(side, index) => match (slots.get_mut(index), side) {
                    (Some(slot), Side::Before) => slot.before.push(op),
                    (Some(slot), Side::After) => slot.after.push(op),
                    (None, _) => tail.push(op),
                },
            }
        }
    }
    let mut ops = Vec::new();
    for slot in slots {
        ops.extend(slot.before);
        ops.push(slot.op);
        ops.extend(slot.after);
    }
    ops.extend(tail);
    ops
}
