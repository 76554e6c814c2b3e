//! Annotations that act on values: dropout and its relatives, a penalty on activations.

use super::super::operations::{kind_alone, only_inside};
use super::super::{Cx, arguments, unknown_word};
use super::rules::strength;
use crate::ast::{Annotation, Call};
use crate::evaluate;
use crate::words::{self, Read};
use damper_ir::op;
use damper_ir::{LintLevel, Op, OpKind};

/// An operation on the value from its annotation: stochastic, or `activity`.
pub(in crate::lower) fn acting(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: Vec<LintLevel>,
) -> Option<Op> {
    let call = &annotation.call;
    let name = call.word.to_string();
    let word = words::stochastic(&name).or_else(|| words::activity(&name));
    let Some(word) = word else {
        unknown(cx, call);
        return None;
    };
    on_values(cx, annotation);
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    only_inside(cx, word, &arguments);
    let kind = if let Some(activity) = op::Activity::read(&arguments) {
        let any = arguments.is_given("l1") || arguments.is_given("l2");
        if arguments.fine && !any {
            strength(cx, call);
        }
        OpKind::Activity(activity)
    } else {
        kind_alone(cx, OpKind::read(&arguments)?, &arguments)
    };
    Some(Op {
        id,
        field: None,
        kind,
        rules: Vec::new(),
        levels,
    })
}

pub(in crate::lower) fn on_values(cx: &mut Cx, annotation: &Annotation) {
    if let Some(on) = &annotation.on {
        let word = &annotation.call.word;
        cx.diagnostics
            .error(
                on,
                format!("`{word}` acts on values, not on parameters: `on {on}` has no meaning"),
            )
            .help(format!("without `on {on}`"));
    }
}

pub(in crate::lower) fn unknown(cx: &mut Cx, call: &Call) {
    let name = call.word.to_string();
    for item in call.args.iter().flat_map(|args| &args.items) {
        evaluate::mark(&mut cx.hyper, &item.value.tokens);
    }
    if words::chain().contains(&name.as_str()) {
        cx.diagnostics
            .error(
                call.ends(),
                format!("`{name}` is a layer, not an annotation"),
            )
            .help(format!("in the chain, before `with`: `-> {name}`"));
    } else {
        unknown_word(cx, "annotation", &call.word, &words::annotations());
    }
}
