//! The section `input`.

use super::common::{call_or_skip, checked, pieces};
use crate::ast::{Expr, Input};
use crate::attrs::{Place, attributes};
use crate::cursor::Cursor;
use crate::diag::Diagnostics;
use crate::words;
use proc_macro2::{Delimiter, Ident, TokenTree};

pub(super) fn inputs(cx: &mut Diagnostics, cursor: &mut Cursor) -> Vec<Input> {
    let Some(group) = cursor.group(Delimiter::Brace) else {
        return input(cx, cursor).into_iter().collect();
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut inner = Cursor::within(&trees, group);
    let mut all = Vec::new();
    if inner.at_end() {
        cx.error(group.span_open(), "a model needs an input")
            .help("`input image: [64]`");
    }
    while !inner.at_end() {
        let before = inner.at;
        all.extend(input(cx, &mut inner));
        if !inner.at_end() && !inner.eat(',') {
            let message = format!("expected `,` between inputs, found {}", inner.found());
            cx.error(inner.span(), message)
                .help("`input { image: [1, 28, 28], age: [1] }`");
            if !inner.eat(';') && inner.peek_ident().is_none() {
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

fn input(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Input> {
    let example = "an input has a name and the shape of one sample: `input image: [64]`";
    let attrs = attributes(cx, cursor, Place::Documented);
    let mut name = None;
    let start = cursor.span();
    if cursor.peek_ident().is_some_and(|word| {
        cursor.is_colon(1) || !words::SECTIONS.contains(&word.to_string().as_str())
    }) {
        name = cursor.ident().map(|name| checked(cx, name, "an input"));
        if cursor.is_colon(0) {
            cursor.next();
        } else if let Some(name) = &name {
            let message = format!("expected `:` after `{name}`, found {}", cursor.found());
            cx.error(name, message).help(example);
        }
    }
    let Some(group) = cursor.group(Delimiter::Bracket) else {
        let message = format!("expected a shape, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        if name.is_none() || cursor.is_colon(0) || !cursor.last_span_is(name.as_ref()) {
            cx.error(at, message).help(example);
        }
        if cursor.group(Delimiter::Parenthesis).is_some() {
            return None;
        }
        return name.map(|name| {
            let ends = (name.span(), name.span());
            Input {
                attrs,
                name,
                shape: Vec::new(),
                ends,
                of: None,
                broken: true,
            }
        });
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let shape: Vec<Expr> = pieces(cx, &trees, group)
        .into_iter()
        .map(|(_, expr)| expr)
        .collect();
    let of = cursor.is_word("of").then(|| {
        cursor.next();
        call_or_skip(cx, cursor, "what the numbers are", "`of int(vocab = 8000)`")
    });
    let name = name.unwrap_or_else(|| Ident::new("input", start));
    let ends = (group.span_open(), group.span_close());
    Some(Input {
        attrs,
        name,
        shape,
        ends,
        of: of.flatten(),
        broken: false,
    })
}

impl Cursor<'_> {
    /// Whether an error was just reported at this name, so that a second one would be noise.
    fn last_span_is(&self, name: Option<&Ident>) -> bool {
        matches!((self.at.checked_sub(1).and_then(|at| self.trees.get(at)), name),
            (Some(TokenTree::Ident(last)), Some(name)) if last == name)
    }
}
