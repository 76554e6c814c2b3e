//! Rules on weights: decay, penalties, norms.

use super::super::operations::each_statement;
use super::super::{Cx, arguments};
use super::text::{annotation_text, sample, side_word};
use crate::ast::{Annotation, Call};
use crate::words;
use damper_ir::{LintLevel, Op, OpKind, Reach, RuleKind, Statement, WeightRule};
use proc_macro2::Ident;

pub(in crate::lower) fn reached(kind: &OpKind, rule: &WeightRule) -> bool {
    if matches!(rule.kind, RuleKind::DropConnect { .. }) {
        return kind.drops_weights();
    }
    match kind {
        // What is inside another module is not known here.
        OpKind::Custom(_) | OpKind::Model { .. } | OpKind::Use(_) => true,
        kind => kind.roles().into_iter().any(|role| rule.on.reaches(role)),
    }
}

/// Two rules of one word on one statement contradict each other.
pub(in crate::lower) fn once(
    cx: &mut Cx,
    given: &mut Vec<(String, proc_macro2::Span)>,
    annotation: &Annotation,
) {
    let word = annotation.call.word.to_string();
    if let Some((_, first)) = given.iter().find(|(first, _)| *first == word) {
        cx.diagnostics
            .error(
                annotation.call.ends(),
                format!("`{word}` is written twice on one statement"),
            )
            .other(*first, "the first one is")
            .help("keep one of them");
    }
    given.push((word, annotation.call.word.span()));
}

/// Gives an operation a rule of its own, and its inner operations a default.
pub(in crate::lower) fn own(cx: &mut Cx, op: &mut Op, rule: &WeightRule) -> bool {
    let mut any = false;
    if reached(&op.kind, rule) {
        match op
            .rules
            .iter()
            .find(|first| first.kind.word() == rule.kind.word())
        {
            Some(first) => {
                let (first, ends) = (cx.spans.get(first.id).0, cx.spans.get(rule.id));
                let message = format!("`{}` is written twice on one statement", rule.kind.word());
                cx.diagnostics
                    .error(ends, message)
                    .other(first, "the first one is");
            }
            None => op.rules.push(rule.clone()),
        }
        any = true;
    }
    for block in op.kind.blocks_mut() {
        any |= default_rule(block, rule);
    }
    any
}

/// Gives a rule to every operation that has none of the same word.
pub(in crate::lower) fn default_rule(statements: &mut [Statement], rule: &WeightRule) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        for op in statement
            .ops
            .iter_mut()
            .filter(|op| reached(&op.kind, rule))
        {
            any = true;
            if !op
                .rules
                .iter()
                .any(|first| first.kind.word() == rule.kind.word())
            {
                op.rules.push(rule.clone());
            }
        }
    });
    any
}

pub(in crate::lower) fn no_weights(cx: &mut Cx, annotation: &Annotation, rule: &WeightRule) {
    let word = rule.kind.word();
    let report = cx.diagnostics.error(
        annotation.call.ends(),
        format!("`{word}` acts on weights, and there are none here"),
    );
    if matches!(rule.kind, RuleKind::DropConnect { .. }) {
        report.help(
            "on a statement with `linear`, `swiglu`, a convolution or a recurrent layer: `linear(64) -> relu with drop_connect(0.1)`",
        );
    } else {
        report.help(format!(
            "on a statement with weights: `linear(64) -> relu with {}`",
            annotation_text(annotation)
        ));
    }
    if rule.on == Reach::Weights && !matches!(rule.kind, RuleKind::DropConnect { .. }) {
        report.note(
            "weights are matrices and kernels; `on embedding` reaches tables of vectors too, `on all` biases and the gains of normalizations as well",
        );
    }
}

/// A rule after `with`: it has no place in the chain.
pub(in crate::lower) fn weight_rule(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: Vec<LintLevel>,
) -> Option<WeightRule> {
    if let Some((side, name)) = &annotation.place {
        let side = side_word(*side);
        let word = &annotation.call.word;
        cx.diagnostics
            .error(
                name,
                format!("`{word}` acts on weights: `{side} {name}` has no meaning"),
            )
            .help(format!("without `{side} {name}`"));
    }
    rule(cx, &annotation.call, annotation.on.as_ref(), levels)
}

/// A weight rule from its call.
pub(in crate::lower) fn rule(
    cx: &mut Cx,
    call: &Call,
    on: Option<&Ident>,
    levels: Vec<LintLevel>,
) -> Option<WeightRule> {
    let word = words::rule(&call.word.to_string())?;
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    let kind = RuleKind::read(&arguments)?;
    if let RuleKind::Decay { l1: None, l2: None } | RuleKind::Penalty { l1: None, l2: None } = &kind
        && arguments.fine
    {
        strength(cx, call);
    }
    let on = match on.map(ToString::to_string).as_deref() {
        Some("all") => Reach::All,
        Some("embedding") => Reach::Embedding,
        // A frozen layer does not move at all.
        None if kind == RuleKind::Freeze => Reach::All,
        None => Reach::Weights,
        Some(other) => {
            if let Some(on) = on {
                cx.diagnostics
                    .error(
                        on,
                        format!("`on` is followed by `all` or `embedding`, found `{other}`"),
                    )
                    .help(format!("`{} on all`", sample(word)));
            }
            Reach::Weights
        }
    };
    Some(WeightRule {
        id,
        kind,
        on,
        levels,
    })
}

pub(in crate::lower) fn strength(cx: &mut Cx, call: &Call) {
    let word = &call.word;
    cx.diagnostics
        .error(
            call.ends(),
            format!("`{word}` needs a strength: `l1`, `l2` or both"),
        )
        .help(format!("`{word}(l2 = 1e-3)`"));
}
