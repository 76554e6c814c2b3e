//! `#[allow(lint, reason = "..")]`, documentation, and what is passed on.

use crate::ast::{Attrs, Ends, Limit, LintLevel, ends};
use crate::cursor::{Cursor, is_readable};
use crate::diag::Diagnostics;
use damper_ir::Level;
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::{Attribute, Expr, ExprLit, ExprUnary, Lit, Meta, Path, PathSegment, UnOp};

/// Lints of rustc that are allowed on a model: they reach the struct.
const RUSTC: &[&str] = &[
    "dead_code",
    "deprecated",
    "missing_debug_implementations",
    "missing_docs",
    "non_camel_case_types",
    "unreachable_pub",
    "unused",
    "warnings",
];

/// What attributes are on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The model: everything is welcome.
    Model,
    /// Documentation and lint levels.
    Statement,
    /// Lint levels.
    Leveled,
    /// Documentation.
    Documented,
}

/// Reads the attributes at this place.
pub(crate) fn attributes(cx: &mut Diagnostics, cursor: &mut Cursor, place: Place) -> Attrs {
    let mut attrs = Attrs::default();
    while cursor.is_punct('#') {
        let mut tokens: TokenStream = cursor.next().cloned().into_iter().collect();
        if place == Place::Model && cursor.is_punct('!') {
            cursor.next();
        }
        let Some(TokenTree::Group(group)) = cursor.peek() else {
            cx.error(cursor.last_span(), "expected `[` after `#`")
                .help("`#[allow(lint)]`");
            continue;
        };
        if group.delimiter() != Delimiter::Bracket {
            cx.error(cursor.last_span(), "expected `[` after `#`")
                .help("`#[allow(lint)]`");
            continue;
        }
        tokens.extend(cursor.next().cloned());
        let at = ends(&tokens).unwrap_or((Span::call_site(), Span::call_site()));
        if !is_readable(cx, &tokens, "attribute") {
            continue;
        }
        match Attribute::parse_outer.parse2(tokens) {
            Ok(parsed) => parsed
                .into_iter()
                .for_each(|one| sort(cx, &mut attrs, one, place)),
            Err(_) => {
                cx.error(at, "this is not an attribute")
                    .help("`#[allow(high_dropout_rate, reason = \"..\")]`");
            }
        }
    }
    attrs
}

fn sort(cx: &mut Diagnostics, attrs: &mut Attrs, attribute: Attribute, place: Place) {
    let at = ends(&attribute).unwrap_or((Span::call_site(), Span::call_site()));
    let name = attribute
        .path()
        .get_ident()
        .map(ToString::to_string)
        .unwrap_or_default();
    let level = match name.as_str() {
        "doc" if place == Place::Leveled => {
            cx.error(at, "documentation is not allowed here")
                .help("`//` instead of `///`, or move it to the model, an input or a statement");
            return;
        }
        "doc" => {
            attrs.docs.push(attribute);
            return;
        }
        "cfg" | "cfg_attr" => {
            cx.error(
                at,
                format!("`#[{name}]` cannot be evaluated inside `model!`"),
            )
            .help("put it on the whole `model!`, and write the model once for each case")
            .note("a macro does not know what the compiler was configured with");
            return;
        }
        "allow" => Level::Allow,
        "warn" | "expect" => Level::Warn,
        "deny" | "forbid" => Level::Deny,
        _ if place == Place::Model => {
            attrs.other.push(attribute);
            return;
        }
        _ => {
            cx.error(at, format!("`#[{name}]` means nothing here"))
                .help("lint levels and documentation are allowed here: `#[allow(high_dropout_rate, reason = \"..\")]`");
            return;
        }
    };
    if place == Place::Documented {
        cx.error(at, format!("`#[{name}]` means nothing here"))
            .help("set the lint's level on the model, a section, a statement or an annotation");
        return;
    }
    levels(cx, attrs, &attribute, (level, &name), place);
}

fn levels(
    cx: &mut Diagnostics,
    attrs: &mut Attrs,
    attribute: &Attribute,
    (level, word): (Level, &str),
    place: Place,
) {
    let at = ends(attribute).unwrap_or((Span::call_site(), Span::call_site()));
    let items = match &attribute.meta {
        Meta::List(list) => list
            .parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated),
        _ => Ok(syn::punctuated::Punctuated::new()),
    };
    let Ok(items) = items else {
        cx.error(at, "expected the names of lints")
            .help("`#[allow(high_dropout_rate, reason = \"..\")]`");
        return;
    };
    let mut reason = None;
    let mut lints: Vec<(Ident, bool, Ends)> = Vec::new();
    let mut thresholds: Vec<Limit> = Vec::new();
    let mut foreign = false;
    for item in &items {
        let at = ends(item).unwrap_or(at);
        match item {
            Meta::Path(path) => match named(path) {
                Some((ident, group)) => lints.push((ident, group, at)),
                None => foreign = true,
            },
            Meta::NameValue(pair) if pair.path.is_ident("reason") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => reason = Some(text.value()),
                value => {
                    cx.error(
                        ends(value).unwrap_or(at),
                        "`reason` wants a text between quotation marks",
                    )
                    .help("`reason = \"the rate of the paper\"`");
                }
            },
            Meta::NameValue(pair) => match (pair.path.get_ident(), number(&pair.value)) {
                (Some(name), Some(value)) => thresholds.push(Limit {
                    name: name.clone(),
                    value,
                    ends: at,
                }),
                (Some(name), None) => {
                    cx.error(
                        ends(&pair.value).unwrap_or(at),
                        format!("the threshold `{name}` wants a number"),
                    )
                    .help(ONE);
                }
                (None, _) => {
                    cx.error(at, "expected the name of a threshold").help(ONE);
                }
            },
            Meta::List(_) => {
                cx.error(at, "expected the name of a lint").help(format!(
                    "`#[allow(high_dropout_rate, reason = \"..\")]`, {ONE}"
                ));
            }
        }
    }
    if foreign {
        if place == Place::Model && lints.is_empty() {
            attrs.other.push(attribute.clone());
        } else {
            cx.error(
                at,
                "lints of rustc and clippy go into an attribute of their own on the model",
            );
        }
        return;
    }
    if items.is_empty() {
        cx.error(at, "expected the name of a lint")
            .help("`#[allow(high_dropout_rate, reason = \"..\")]`");
    }
    if let (Some(first), true) = (thresholds.first(), lints.len() != 1) {
        let text = format!("`{}` of which lint?", first.name);
        cx.error(first.ends, text)
            .help(ONE)
            .note("a threshold is written next to the one lint that it belongs to");
        thresholds.clear();
    }
    // `expect` allows, and says so if there was nothing to allow.
    let expect = word == "expect";
    let level = if expect { Level::Allow } else { level };
    attrs
        .levels
        .extend(lints.into_iter().map(|(lint, group, ends)| LintLevel {
            lint,
            group,
            ends,
            level,
            forbid: word == "forbid",
            expect,
            reason: reason.clone(),
            thresholds: thresholds.clone(),
        }));
}

const ONE: &str = "`#[warn(high_dropout_rate, max = 0.6)]`";

/// A lint of damper, or a group: `damper::output`. `None` for what is rustc's or clippy's.
fn named(path: &Path) -> Option<(Ident, bool)> {
    let plain = |segment: &PathSegment| segment.arguments.is_none();
    if path.leading_colon.is_some() || !path.segments.iter().all(plain) {
        return None;
    }
    let mut segments = path.segments.iter().map(|segment| &segment.ident);
    match (segments.next(), segments.next(), segments.next()) {
        (Some(lint), None, None) if !RUSTC.contains(&lint.to_string().as_str()) => {
            Some((lint.clone(), false))
        }
        (Some(tool), Some(group), None) if tool == "damper" => Some((group.clone(), true)),
        _ => None,
    }
}

/// A number as it is written for a threshold.
fn number(value: &Expr) -> Option<f64> {
    let number: f64 = match value {
        Expr::Lit(ExprLit {
            lit: Lit::Float(float),
            ..
        }) => float.base10_parse().ok()?,
        Expr::Lit(ExprLit {
            lit: Lit::Int(int), ..
        }) => int.base10_parse().ok()?,
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => -number(expr)?,
        Expr::Group(group) => number(&group.expr)?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}
