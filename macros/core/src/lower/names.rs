//! Names: of statements, written or derived, and of the fields of their operations.

use super::Cx;
use damper_ir::{Input, Op, OpKind, Source, Statement};
use std::collections::{BTreeMap, BTreeSet};

/// Names all statements and fields of `layers`.
pub(super) fn assign(cx: &mut Cx, statements: &mut [Statement], inputs: &[Input]) {
    for statement in statements.iter() {
        let at = cx.spans.get(statement.id);
        let name = &statement.name;
        if name.is_empty() {
            if !cx.broken.contains(&statement.id) {
                let derived = base(statement);
                cx.diagnostics
                    .error(at, "a statement of `layers` needs a name")
                    .help(format!("for example `{derived}_1: ..`"))
                    .note("it becomes the name of the field and the path of the saved weights");
            }
            continue;
        }
        if let Some(input) = inputs.iter().find(|input| input.name == *name) {
            let input = cx.spans.get(input.id).0;
            cx.diagnostics
                .error(at, format!("`{name}` is a statement and an input"))
                .other(input, "the input is")
                .help(format!("another name, for example `{name}_layer`"));
        }
        if cx.hyper.iter().any(|hyper| hyper.name == *name) {
            cx.diagnostics
                .error(at, format!("`{name}` is a statement and a hyper-parameter"))
                .help(format!("another name, for example `{name}_layer`"));
        }
    }
    block(cx, statements);
}

fn block(cx: &mut Cx, statements: &mut [Statement]) {
    duplicates(cx, statements);
    derive(statements);
    for statement in statements.iter_mut() {
        fields(statement);
        for op in &mut statement.ops {
            for inner in op.kind.blocks_mut() {
                block(cx, inner);
            }
        }
    }
    collisions(cx, statements);
}

fn duplicates(cx: &mut Cx, statements: &[Statement]) {
    let mut seen = BTreeMap::new();
    for statement in statements
        .iter()
        .filter(|statement| !statement.name.is_empty())
    {
        if let Some(first) = seen.insert(&statement.name, statement.id) {
            let (at, first_at) = (cx.spans.get(statement.id), cx.spans.get(first).0);
            cx.diagnostics
                .error(
                    at,
                    format!("the name `{}` is declared twice", statement.name),
                )
                .other(first_at, "the first one is")
                .help(format!("another name, for example `{}_2`", statement.name))
                .note("names become fields and the paths of saved weights");
            seen.insert(&statement.name, first);
        }
    }
}

/// What a statement without a name is called after.
fn base(statement: &Statement) -> String {
    match (statement.ops.first(), &statement.source) {
        (Some(op), Source::Previous | Source::From(_)) => word(op),
        (None, Source::Previous | Source::From(_)) => "statement".to_owned(),
        (_, merge) => merge.word().unwrap_or_default().to_owned(),
    }
}

fn derive(statements: &mut [Statement]) {
    let mut taken: BTreeSet<String> = statements
        .iter()
        .map(|statement| statement.name.clone())
        .collect();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for statement in statements
        .iter()
        .filter(|statement| statement.name.is_empty())
    {
        *uses.entry(base(statement)).or_default() += 1;
    }
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for statement in statements
        .iter_mut()
        .filter(|statement| statement.name.is_empty())
    {
        let base = base(statement);
        if uses.get(&base) == Some(&1) && !taken.contains(&base) {
            statement.name = base;
        } else {
            let number = next.entry(base.clone()).or_default();
            loop {
                *number += 1;
                let name = format!("{base}_{number}");
                if !taken.contains(&name) {
                    statement.name = name;
                    break;
                }
            }
        }
        taken.insert(statement.name.clone());
    }
}

/// The word of an operation, as fields are called after it.
fn word(op: &Op) -> String {
    match &op.kind {
        OpKind::Use(one) => snake(&one.block),
        OpKind::Model { path, .. } => snake(path.rsplit("::").next().unwrap_or(path)),
        other => other.word().to_owned(),
    }
}

/// `TextEncoder` to `text_encoder`, `r#Raw` to `raw`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut small = false;
    let name = name.trim();
    for c in name.strip_prefix("r#").unwrap_or(name).chars() {
        if c.is_uppercase() && small {
            out.push('_');
        }
        small = c.is_lowercase() || c.is_numeric();
        out.extend(c.to_lowercase());
    }
    out
}

fn fields(statement: &mut Statement) {
    let owner = statement
        .ops
        .iter()
        .enumerate()
        .filter_map(|(index, op)| op.kind.name_rank().map(|rank| (rank, index)))
        .min()
        .map(|(_, index)| index);
    let others = |index: &usize| Some(*index) != owner;
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for (_, op) in statement
        .ops
        .iter()
        .enumerate()
        .filter(|(index, op)| others(index) && op.kind.name_rank().is_some())
    {
        *uses.entry(word(op)).or_default() += 1;
    }
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    let name = &statement.name;
    for (index, op) in statement.ops.iter_mut().enumerate() {
        if op.kind.name_rank().is_none() {
            continue;
        }
        let word = word(op);
        op.field = Some(if Some(index) == owner {
            name.clone()
        } else if uses.get(&word) == Some(&1) {
            format!("{name}_{word}")
        } else {
            let number = next.entry(word.clone()).or_default();
            *number += 1;
            format!("{name}_{word}_{number}")
        });
    }
}

/// A derived field may be called as another statement or field is.
fn collisions(cx: &mut Cx, statements: &[Statement]) {
    for statement in statements {
        for op in &statement.ops {
            let Some(field) = op.field.as_ref().filter(|field| **field != statement.name) else {
                continue;
            };
            let other = statements.iter().find(|other| other.name == *field);
            if let Some(other) = other {
                let (at, op_at) = (cx.spans.get(other.id), cx.spans.get(op.id).0);
                let message = format!(
                    "the name `{field}` is taken by the `{}` of `{}`",
                    word(op),
                    statement.name
                );
                cx.diagnostics
                    .error(at, message)
                    .other(op_at, "that operation is")
                    .help(format!("another name, for example `{field}_2`"))
                    .note("a statement's further operations have fields of their own, called after both");
            }
        }
    }
}
