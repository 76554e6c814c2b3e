//! `layers with ..`: what every statement has that does not say otherwise.

use super::super::Cx;
use super::super::operations::each_statement;
use super::inside::{Inner, has_recurrent, inside_default, nothing_inside, rates};
use super::rules::{default_rule, no_weights, once, weight_rule};
use super::text::side_word;
use super::values::acting;
use crate::ast::Annotation;
use crate::words;
use damper_ir::{DropPath, LintLevel, Op, OpKind, Statement, Stochastic};

/// `layers with ..`: what every statement has that does not say otherwise.
pub(in crate::lower) fn defaults(cx: &mut Cx, with: &[Annotation], statements: &mut [Statement]) {
    let mut given = Vec::new();
    for annotation in with {
        let levels = cx.levels(&annotation.attrs.levels);
        default(cx, annotation, levels, statements, &mut given);
    }
}

pub(in crate::lower) fn default(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: Vec<LintLevel>,
    statements: &mut [Statement],
    given: &mut Vec<(String, proc_macro2::Span)>,
) {
    let word = annotation.call.word.to_string();
    if words::rule(&word).is_some() {
        let Some(rule) = weight_rule(cx, annotation, levels) else {
            return;
        };
        once(cx, given, annotation);
        if !default_rule(statements, &rule) && cx.broken.is_empty() {
            no_weights(cx, annotation, &rule);
        }
        return;
    }
    let variational = word == "variational_dropout"
        && annotation.place.is_none()
        && statements
            .iter()
            .flat_map(|one| &one.ops)
            .any(has_recurrent);
    let inner = Inner::of_word(&word).or(variational.then_some(Inner::Variational));
    if let Some(inner) = inner {
        let Some((word, rates)) = rates(cx, annotation, &levels, inner) else {
            return;
        };
        let mut any = false;
        for (inner, rate) in &rates {
            any |= inside_default(statements, *inner, rate);
        }
        if !any && cx.broken.is_empty() {
            nothing_inside(cx, annotation, inner, word);
        }
        return;
    }
    let before = cx.diagnostics.count();
    if let Some((side, name)) = &annotation.place {
        let side = side_word(*side);
        cx.diagnostics
            .error(
                name,
                format!("`{side} {name}` needs one statement, this is for all of `layers`"),
            )
            .help("on `layers`, the place is after the last activation of each statement");
    }
    let Some(op) = acting(cx, annotation, levels) else {
        return;
    };
    if cx.diagnostics.count() > before {
        return;
    }
    let any = if let OpKind::Stochastic(Stochastic::DropPath { rate }) = &op.kind {
        let path = DropPath {
            id: op.id,
            first: *rate,
            last: *rate,
            levels: op.levels.clone(),
        };
        default_drop_path(statements, &path)
    } else {
        default_op(cx, statements, &op)
    };
    if !any && cx.broken.is_empty() {
        let what = if word == "drop_path" {
            "`residual`"
        } else {
            "activation"
        };
        cx.diagnostics.error(
            annotation.call.ends(),
            format!("there is no {what} on which this `{word}` acts"),
        );
    }
}

pub(in crate::lower) fn default_drop_path(statements: &mut [Statement], path: &DropPath) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        for op in &mut statement.ops {
            if let OpKind::Residual { drop_path, .. } = &mut op.kind {
                any = true;
                drop_path.get_or_insert_with(|| path.clone());
            }
        }
    });
    any
}

pub(in crate::lower) fn default_op(cx: &mut Cx, statements: &mut [Statement], op: &Op) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        let activation = statement
            .ops
            .iter()
            .rposition(|op| matches!(op.kind, OpKind::Activation(_)));
        let Some(index) = activation else { return };
        let same = |other: &Op| match (&other.kind, &op.kind) {
            (OpKind::Stochastic(a), OpKind::Stochastic(b)) => a.word() == b.word(),
            (OpKind::Activity(_), OpKind::Activity(_)) => true,
            _ => false,
        };
        if !statement.ops.iter().any(same) {
            let mut copy = op.clone();
            if any {
                copy.id = cx.spans.again(op.id);
            }
            statement.ops.insert(index + 1, copy);
        }
        any = true;
    });
    any
}
