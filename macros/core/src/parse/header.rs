//! The header: attributes, visibility, name, hyper-parameters.

use super::common::{checked, is, value};
use crate::ast::{Above, Expr, Hyper, Model, ends, text};
use crate::attrs::{Place, attributes};
use crate::cursor::{Cursor, is_readable};
use crate::diag::Diagnostics;
use crate::words;
use damper_ir::HyperKind;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::quote;

pub(super) fn header(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Model> {
    let mut blocks = Vec::new();
    let attrs = loop {
        let attrs = attributes(cx, cursor, Place::Model);
        if !super::block::begins(cursor) {
            break attrs;
        }
        blocks.extend(super::block::block(cx, cursor, attrs));
    };
    let mut vis = TokenStream::new();
    if let Some(group) = cursor.group(Delimiter::None) {
        // `$vis` of a `macro_rules!`, which may be nothing.
        vis = group.stream();
    } else if cursor.is_word("pub") {
        vis.extend(cursor.next().cloned());
        if let Some(group) = cursor.group(Delimiter::Parenthesis) {
            vis.extend([TokenTree::Group(group.clone())]);
        }
    }
    if !vis.is_empty() && syn::parse2::<syn::Visibility>(vis.clone()).is_err() {
        let at = ends(&vis).unwrap_or((cursor.last_span(), cursor.last_span()));
        cx.error(at, format!("`{}` is not a visibility", text(&vis)))
            .help("`pub`, `pub(crate)` or nothing");
        vis = quote!(pub);
    }
    if cursor.is_word("struct") || cursor.is_word("model") || cursor.is_word("mod") {
        cx.error(
            cursor.span(),
            format!("{} is not needed here", cursor.found()),
        )
        .help("a model begins with its visibility and its name: `pub Digits`");
        cursor.next();
    }
    let example = "a model begins with its visibility and its name: `pub Digits`";
    let Some(name) = cursor.ident() else {
        let message = format!("expected the name of the model, found {}", cursor.found());
        cx.error(cursor.span(), message).help(example);
        return None;
    };
    if words::SECTIONS.contains(&name.to_string().as_str()) {
        cx.error(
            name,
            format!("expected the name of the model before `{name}`"),
        )
        .help(example);
        return None;
    }
    if syn::parse2::<Ident>(quote!(#name)).is_err() {
        cx.error(
            name,
            format!("`{name}` is a word of Rust and cannot name a model"),
        )
        .help(example);
        return None;
    }
    let hyper = if cursor.is_punct('<') {
        hypers(cx, cursor, true)
    } else {
        Vec::new()
    };
    Some(Model {
        above: Above::default(),
        blocks,
        attrs,
        vis,
        name: name.clone(),
        hyper,
        input: None,
        layers: None,
        loss: None,
        task: None,
        metrics: None,
        train: None,
        budget: None,
        broken: false,
        unknown: Vec::new(),
    })
}

/// `<name: type = default, ..>`; the parameters of a block need no defaults.
pub(super) fn hypers(cx: &mut Diagnostics, cursor: &mut Cursor, needs_default: bool) -> Vec<Hyper> {
    let open = cursor.span();
    cursor.next();
    let closed = cursor.trees[cursor.at..].iter().any(|tree| is(tree, '>'));
    if !closed {
        cx.error(open, "this `<` is never closed")
            .help("`Name<hidden: usize = 128>`");
    }
    let trees = cursor.take_until(|cursor| {
        if closed {
            cursor.is_punct('>')
        } else {
            cursor
                .peek_ident()
                .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()))
        }
    });
    let close = cursor.span();
    cursor.eat('>');
    let mut inner = Cursor::new(&trees, open, close);
    let mut all: Vec<Hyper> = Vec::new();
    while !inner.at_end() {
        let before = inner.at;
        if let Some(hyper) = hyper(cx, &mut inner, needs_default) {
            all.push(hyper);
        }
        if !inner.at_end() && !inner.eat(',') {
            let message = format!("expected `,`, found {}", inner.found());
            cx.error(inner.span(), message)
                .help("`hidden: usize = 64, rate: f64 = 0.5`");
            if inner.peek_ident().is_none() || !inner.is_colon(1) {
                inner.take_until(|cursor| cursor.is_punct(','));
                inner.eat(',');
            }
        }
        if inner.at == before {
            inner.next();
        }
    }
    all
}

const HYPER: &str = "a hyper-parameter has a type and a default: `hidden: usize = 128`";

fn hyper(cx: &mut Diagnostics, cursor: &mut Cursor, needs_default: bool) -> Option<Hyper> {
    let attrs = attributes(cx, cursor, Place::Documented);
    let Some(name) = cursor.ident().cloned() else {
        let message = format!(
            "expected the name of a hyper-parameter, found {}",
            cursor.found()
        );
        cx.error(cursor.span(), message).help(HYPER);
        cursor.take_until(|cursor| cursor.is_punct(','));
        return None;
    };
    let name = checked(cx, &name, "a hyper-parameter");
    let (kind, ty) = kind(cx, cursor, &name);
    let domain = cursor.is_word("in").then(|| {
        cursor.next();
        let before = cursor.last_span();
        let taken = cursor.take_until(|cursor| {
            let after_dots = cursor
                .at
                .checked_sub(1)
                .and_then(|at| cursor.trees.get(at))
                .is_some_and(|tree| is(tree, '.'));
            cursor.is_punct(',') || (cursor.is_punct('=') && !after_dots)
        });
        value(cx, taken, before)
    });
    let has_default = needs_default || cursor.is_punct('=');
    let default = if has_default {
        default(cx, cursor, &name, kind)
    } else {
        Expr::new(fallback(kind), name.span())
    };
    Some(Hyper {
        attrs,
        name,
        kind,
        ty,
        domain,
        default,
        has_default,
    })
}

/// `: usize`, and the tokens of the type.
fn kind(cx: &mut Diagnostics, cursor: &mut Cursor, name: &Ident) -> (HyperKind, TokenStream) {
    let mut kind = None;
    if cursor.is_colon(0) {
        cursor.next();
        let ty = cursor.take_until(|cursor| {
            cursor.is_punct(',') || cursor.is_punct('=') || cursor.is_word("in")
        });
        let ty: TokenStream = ty.into_iter().collect();
        kind = match text(&ty).as_str() {
            "usize" => Some((HyperKind::Usize, ty)),
            "f64" => Some((HyperKind::F64, ty)),
            "bool" => Some((HyperKind::Bool, ty)),
            "" => {
                cx.error(cursor.last_span(), "expected a type after `:`")
                    .help(HYPER);
                Some((HyperKind::Usize, quote!(usize)))
            }
            other => {
                let instead = match other {
                    "f32" | "float" => Some("f64"),
                    "u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "isize" | "int" => Some("usize"),
                    _ => None,
                };
                let at = ends(&ty).unwrap_or((name.span(), name.span()));
                let report = cx.error(
                    at,
                    format!("a hyper-parameter is `usize`, `f64` or `bool`, not `{other}`"),
                );
                if let Some(instead) = instead {
                    report.help(format!("`{name}: {instead}`"));
                }
                Some(match instead {
                    Some("f64") => (HyperKind::F64, quote!(f64)),
                    _ => (HyperKind::Usize, quote!(usize)),
                })
            }
        };
    } else {
        cx.error(name, format!("`{name}` has no type")).help(HYPER);
    }
    kind.unwrap_or((HyperKind::Usize, quote!(usize)))
}

/// `= 128`; in the place of a wrong one, which is reported, a value of the type.
fn default(cx: &mut Diagnostics, cursor: &mut Cursor, name: &Ident, kind: HyperKind) -> Expr {
    let default = if cursor.eat('=') {
        let before = cursor.last_span();
        // A name with a colon begins the next one: the comma before it was forgotten.
        let taken = cursor.take_until(|cursor| {
            cursor.is_punct(',') || (cursor.peek_ident().is_some() && cursor.is_colon(1))
        });
        let tokens: TokenStream = taken.iter().cloned().collect();
        if taken.is_empty() {
            cx.error(before, "expected a default after `=`").help(HYPER);
            Vec::new()
        } else if !is_readable(cx, &tokens, "value") {
            Vec::new()
        } else if let Err(error) = syn::parse2::<syn::Expr>(tokens.clone()) {
            let at = ends(&tokens).unwrap_or((before, before));
            let message = format!("`{}` is not a value: {error}", text(&tokens));
            cx.error(at, message).help(HYPER);
            Vec::new()
        } else {
            taken
        }
    } else {
        if cursor.at_end() || cursor.is_punct(',') {
            cx.error(name, format!("`{name}` has no default"))
                .help(HYPER)
                .note("every check at compile time uses the defaults");
        } else {
            let message = format!("expected `=` and a default, found {}", cursor.found());
            cx.error(cursor.span(), message).help(HYPER);
            cursor.take_until(|cursor| cursor.is_punct(','));
        }
        Vec::new()
    };
    let mut default: TokenStream = default.into_iter().collect();
    if default.is_empty() {
        default = fallback(kind);
    }
    Expr::new(default, name.span())
}

/// A value of the type.
fn fallback(kind: HyperKind) -> TokenStream {
    match kind {
        HyperKind::Usize => quote!(1),
        HyperKind::F64 => quote!(0.0),
        HyperKind::Bool => quote!(false),
    }
}
