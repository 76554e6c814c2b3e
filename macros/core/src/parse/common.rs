//! What all parts of a declaration are made of: names, values, words with arguments.

use crate::ast::{self, Arg, Args, Call, Expr};
use crate::cursor::{Cursor, is_readable};
use crate::diag::Diagnostics;
use crate::words;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenTree};
use quote::quote;

/// Tokens as a value. One that is too long is reported, and replaced by a name that does not exist.
pub(super) fn value(cx: &mut Diagnostics, trees: Vec<TokenTree>, before: Span) -> Expr {
    let value = Expr::new(trees.into_iter().collect(), before);
    if is_readable(cx, &value.tokens, "value") {
        return value;
    }
    let unread = Ident::new("unread", value.ends.0);
    Expr {
        tokens: quote!(#unread),
        ..value
    }
}

/// A name that can be a field and a parameter: one that cannot is reported, and gets a `_`.
pub(super) fn checked(cx: &mut Diagnostics, name: &Ident, what: &str) -> Ident {
    let text = name.to_string();
    let plain = text.strip_prefix("r#").unwrap_or(&text);
    if plain == text && is_name(name) {
        return name.clone();
    }
    let message = if plain == text {
        format!("`{text}` is a word of Rust and cannot name {what}")
    } else {
        format!("`{text}` cannot name {what}: it becomes a path of the saved weights")
    };
    cx.error(name, message).help(format!("`{plain}_`"));
    Ident::new(&format!("{plain}_"), name.span())
}

/// What a path may begin with.
pub(super) fn is_root(name: &Ident) -> bool {
    name == "crate" || name == "self" || name == "super"
}

/// Whether it is no word of Rust.
pub(super) fn is_name(name: &Ident) -> bool {
    syn::parse2::<Ident>(quote!(#name)).is_ok()
}

pub(super) fn is(tree: &TokenTree, c: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == c)
}

pub(super) fn skip_section(cursor: &mut Cursor) {
    cursor.take_until(|cursor| {
        cursor.is_punct('#')
            || cursor
                .peek_ident()
                .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()))
    });
}

pub(super) fn call_or_skip(
    cx: &mut Diagnostics,
    cursor: &mut Cursor,
    what: &str,
    example: &str,
) -> Option<Call> {
    let section = cursor
        .peek_ident()
        .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()));
    if section || cursor.peek_ident().is_none() {
        let message = format!("expected {what}, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        cx.error(at, message).help(example);
        return None;
    }
    call(cx, cursor)
}

pub(super) fn call(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Call> {
    let word = cursor.ident()?.clone();
    let args = args(cx, cursor);
    if !is_name(&word) {
        cx.error(
            &word,
            format!("`{word}` is a word of Rust, not of the language"),
        );
        return None;
    }
    Some(Call { word, args })
}

pub(super) fn args(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Args> {
    let group = cursor.group(Delimiter::Parenthesis)?;
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let items = pieces(cx, &trees, group)
        .into_iter()
        .map(|(name, value)| Arg { name, value })
        .collect();
    Some(Args {
        close: group.span_close(),
        items,
    })
}

/// Values between commas, each perhaps with `name =` before it.
pub(super) fn pieces(
    cx: &mut Diagnostics,
    trees: &[TokenTree],
    group: &Group,
) -> Vec<(Option<Ident>, Expr)> {
    let mut cursor = Cursor::within(trees, group);
    let mut all = Vec::new();
    while !cursor.at_end() {
        let name = cursor
            .is_named()
            .then(|| {
                let name = cursor.ident().cloned();
                cursor.next();
                name
            })
            .flatten();
        let before = cursor.last_span();
        let is_type = name.as_ref().is_some_and(|name| name == "type");
        let taken = value_tokens(&mut cursor, is_type);
        if taken.is_empty() {
            let found = cursor.found();
            match &name {
                Some(name) => cx
                    .error(
                        before,
                        format!("expected a value for `{name}`, found {found}"),
                    )
                    .help(format!("a value after the `=`, or no `{name}` at all")),
                None => cx
                    .error(cursor.span(), format!("expected a value, found {found}"))
                    .help("remove the `,`"),
            };
        } else {
            all.push((name, value(cx, taken, before)));
        }
        if !cursor.at_end() && !cursor.eat(',') {
            cx.error(
                cursor.span(),
                format!("expected `,`, found {}", cursor.found()),
            )
            .help("arguments are separated by `,`");
            cursor.next();
        }
    }
    all
}

/// Tokens up to the next comma that is not within `::<..>`.
pub(super) fn value_tokens(cursor: &mut Cursor, is_type: bool) -> Vec<TokenTree> {
    let mut taken = Vec::new();
    let mut depth = 0_usize;
    while !cursor.at_end() && !cursor.is_punct(';') {
        if cursor.is_punct(',') && depth == 0 {
            break;
        }
        let complete = taken
            .last()
            .is_some_and(|tree| !matches!(tree, TokenTree::Punct(_)));
        if complete && cursor.is_named() {
            break;
        }
        let turbofish = cursor.is_double(0, ':', ':') && cursor.is_punct_at(2, '<');
        if turbofish && !is_type || is_type && cursor.is_punct('<') {
            depth += 1;
        } else if cursor.is_punct('>') && !taken.last().is_some_and(|tree| is(tree, '-')) {
            depth = depth.saturating_sub(1);
        }
        taken.extend(cursor.next().cloned());
    }
    taken
}

/// A value that is a word with arguments, such as `adamw(lr = 1e-3)`.
pub(crate) fn call_of(cx: &mut Diagnostics, expr: &Expr) -> Option<Call> {
    let trees: Vec<TokenTree> = expr.tokens.clone().into_iter().collect();
    let mut cursor = Cursor::new(&trees, expr.ends.0, expr.ends.1);
    let call = call(cx, &mut cursor);
    if call.is_some() && cursor.at_end() {
        call
    } else {
        None
    }
}

/// The elements of `[a, b]`.
pub(crate) fn list_of(cx: &mut Diagnostics, expr: &Expr) -> Option<Vec<Expr>> {
    let mut trees = expr.tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Bracket => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            Some(
                pieces(cx, &inner, &group)
                    .into_iter()
                    .map(|(_, value)| value)
                    .collect(),
            )
        }
        _ => None,
    }
}

/// The arguments of a setting as a call.
pub(crate) fn setting_call(setting: &ast::Setting) -> Call {
    Call {
        word: setting.name.clone(),
        args: setting.args.clone(),
    }
}
