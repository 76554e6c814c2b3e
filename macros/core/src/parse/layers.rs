//! The section `layers`: statements, chains, annotations, blocks.

use super::common::{args, call, checked, is_name, is_root, skip_section, value};
use crate::ast::{Annotation, Attrs, Layers, Node, Side, Statement};
use crate::attrs::{Place, attributes};
use crate::cursor::Cursor;
use crate::diag::Diagnostics;
use crate::words;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

pub(super) fn layers(cx: &mut Diagnostics, cursor: &mut Cursor) -> Layers {
    let with = if cursor.is_word("with") {
        annotations(cx, cursor).0
    } else {
        Vec::new()
    };
    let Some(group) = cursor.group(Delimiter::Brace) else {
        let message = format!("expected `{{` and the layers, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        cx.error(at, message).help("`layers { head: linear(10); }`");
        skip_section(cursor);
        return Layers {
            with,
            body: Vec::new(),
        };
    };
    Layers {
        with,
        body: statements(cx, group, false),
    }
}

/// The statements of a block; where there may be one alone, its `;` may be left out.
fn statements(cx: &mut Diagnostics, group: &Group, one: bool) -> Vec<Statement> {
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut cursor = Cursor::within(&trees, group);
    let mut all = Vec::new();
    while !cursor.at_end() {
        let before = cursor.at;
        if cursor.is_punct(';') {
            cx.error(cursor.span(), "there is no statement before this `;`");
            cursor.next();
            continue;
        }
        all.push(statement(cx, &mut cursor, one && all.is_empty()));
        if cursor.at == before {
            cursor.next();
        }
    }
    all
}

fn statement(cx: &mut Diagnostics, cursor: &mut Cursor, alone: bool) -> Statement {
    let attrs = attributes(cx, cursor, Place::Statement);
    let mut statement = Statement {
        attrs,
        name: None,
        chain: Vec::new(),
        with: Vec::new(),
        broken: true,
        missing: None,
    };
    if cursor.at_end() {
        cx.error(
            cursor.last_span(),
            "expected a statement after this attribute",
        );
        return statement;
    }
    if cursor.peek_ident().is_some() && cursor.is_colon(1) {
        statement.name = cursor.ident().map(|name| checked(cx, name, "a statement"));
        cursor.next();
    } else if let (Some(name), Some(TokenTree::Ident(next))) = (cursor.peek_ident(), cursor.nth(1))
        && next != "with"
        && name != "if"
        && !cursor.is_colon(2)
        && !words::chain().contains(&name.to_string().as_str())
    {
        cx.error(name.span(), format!("expected `:` after the name `{name}`"))
            .help(format!("`{name}: {next}`"));
        statement.name = cursor.ident().map(|name| checked(cx, name, "a statement"));
    }
    loop {
        let Some(node) = node(cx, cursor) else {
            statement.missing = Some("layer");
            cursor.skip_statement();
            return statement;
        };
        statement.chain.push(node);
        if !cursor.is_arrow() {
            break;
        }
        cursor.next();
        cursor.next();
    }
    if cursor.is_word("with") {
        (statement.with, statement.missing) = annotations(cx, cursor);
    }
    statement.broken = false;
    if !(alone && cursor.at_end()) {
        end_of_statement(cx, cursor, &mut statement);
    }
    statement
}

fn end_of_statement(cx: &mut Diagnostics, cursor: &mut Cursor, statement: &mut Statement) {
    if cursor.eat(';') {
        return;
    }
    let next_statement = cursor.at_end()
        || cursor.is_punct('#')
        || (cursor.peek_ident().is_some() && cursor.is_colon(1));
    if next_statement {
        cx.error(cursor.last_span(), "expected `;` after this statement")
            .help("add `;` here");
        return;
    }
    let at = cursor.span();
    if cursor.is_arrow() {
        cx.error(
            (at, cursor.nth(1).map_or(at, TokenTree::span)),
            "the annotations end a statement",
        )
        .help("write the rest of the chain before `with`");
    } else if cursor.is_punct(',') {
        cx.error(at, "expected `->`, `with` or `;`, found `,`")
            .help("statements end with `;`, operations are joined with `->`");
    } else {
        let what = if statement.with.is_empty() {
            "`->`, `with` or `;`"
        } else {
            "`,` or `;`"
        };
        let help = match cursor.peek_ident() {
            Some(word) if words::word_of("layer", &word.to_string()).is_some() => {
                format!("`-> {word}`")
            }
            _ => "`->` joins operations, annotations follow `with`, `;` ends the statement"
                .to_owned(),
        };
        cx.error(at, format!("expected {what}, found {}", cursor.found()))
            .help(help);
    }
    statement.broken = true;
    cursor.skip_statement();
}

/// `if condition { .. }`; the cursor is at `if`.
fn when(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Node> {
    let word = cursor.ident()?.clone();
    let example = "`if expand > 1 { conv2d(64, kernel = 1) -> relu }`";
    let braces = |cursor: &Cursor| matches!(cursor.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
    let taken =
        cursor.take_until(|cursor| braces(cursor) || cursor.is_punct(';') || cursor.is_arrow());
    let Some(group) = cursor.group(Delimiter::Brace) else {
        let message = format!(
            "expected `{{` after the condition, found {}",
            cursor.found()
        );
        cx.error(&word, message).help(example);
        return None;
    };
    if taken.is_empty() {
        cx.error(&word, "this `if` has no condition").help(example);
        return None;
    }
    let condition = value(cx, taken, word.span());
    let body = statements(cx, group, true);
    if cursor.is_word("else") {
        cx.error(
            cursor.span(),
            "`if` has no `else`: where the condition is false, it is the identity",
        )
        .help("`if expand <= 1 { linear(64) -> relu }` for the other case");
        cursor.next();
        cursor.group(Delimiter::Brace);
    }
    Some(Node {
        path_tokens: quote!(#word),
        path: vec![word],
        is_path: false,
        args: None,
        condition: Some(condition),
        body: Some(body),
        shortcut: None,
    })
}

/// One operation. `None`: nothing of it could be read, and that has been reported.
fn node(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Node> {
    if cursor.is_word("if") {
        return when(cx, cursor);
    }
    let mut path = Vec::new();
    let mut tokens = TokenStream::new();
    let mut is_path = false;
    if cursor.is_double(0, ':', ':') {
        tokens.extend(cursor.next().cloned());
        tokens.extend(cursor.next().cloned());
        is_path = true;
    }
    loop {
        let Some(ident) = cursor
            .peek_ident()
            .filter(|ident| *ident != "with" && (is_name(ident) || is_root(ident)))
        else {
            let what = if is_path { "a name" } else { "a layer" };
            let before = if cursor.is_word("with") && path.is_empty() {
                " before its annotations"
            } else {
                ""
            };
            let message = format!("expected {what}{before}, found {}", cursor.found());
            let at = if cursor.at_end() {
                cursor.last_span()
            } else {
                cursor.span()
            };
            cx.error(at, message).help("`linear(64) -> relu`");
            return None;
        };
        path.push(ident.clone());
        tokens.extend(cursor.next().cloned());
        if !cursor.is_double(0, ':', ':') {
            break;
        }
        tokens.extend(cursor.next().cloned());
        tokens.extend(cursor.next().cloned());
        is_path = true;
    }
    if let [only] = path.as_slice()
        && !is_name(only)
    {
        cx.error(only, format!("expected `::` and a name after `{only}`"))
            .help("another model is a layer by its path: `crate::Encoder`");
        return None;
    }
    is_path |= path
        .last()
        .is_some_and(|word| word.to_string().starts_with(char::is_uppercase));
    let args = args(cx, cursor);
    let body = cursor
        .group(Delimiter::Brace)
        .map(|group| statements(cx, group, false));
    let mut shortcut = None;
    if body.is_some() && cursor.is_word("shortcut") {
        let word = cursor.ident().cloned();
        match (word, cursor.group(Delimiter::Brace)) {
            (Some(word), Some(group)) => shortcut = Some((word, statements(cx, group, false))),
            (Some(word), None) => {
                let message = format!("expected `{{` after `shortcut`, found {}", cursor.found());
                cx.error(&word, message)
                    .help("`shortcut { linear(64, bias = false); }`");
            }
            _ => {}
        }
    }
    Some(Node {
        path,
        path_tokens: tokens,
        is_path,
        args,
        condition: None,
        body,
        shortcut,
    })
}

/// `with a, b, ..`, and the family of what is still to be typed; the cursor is at `with`.
fn annotations(
    cx: &mut Diagnostics,
    cursor: &mut Cursor,
) -> (Vec<Annotation>, Option<&'static str>) {
    let mut all = Vec::new();
    cursor.next();
    loop {
        let attrs = attributes(cx, cursor, Place::Leveled);
        if cursor.peek_ident().is_none() {
            let message = format!("expected an annotation, found {}", cursor.found());
            let at = if cursor.at_end() {
                cursor.last_span()
            } else {
                cursor.span()
            };
            cx.error(at, message)
                .help("`with dropout(0.5) after relu, decay(l2 = 1e-3)`");
            return (all, Some("annotation"));
        }
        if let Some(annotation) = annotation(cx, cursor, attrs) {
            all.push(annotation);
        }
        if cursor.eat(',') {
            continue;
        }
        let section = cursor
            .peek_ident()
            .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()));
        if section {
            return (all, None);
        }
        if cursor.is_word("with") {
            cx.error(
                cursor.span(),
                "`with` is written once, its annotations are separated by `,`",
            )
            .help("`,` in its place");
            cursor.next();
        } else if cursor.peek_ident().is_some() && !cursor.is_colon(1) {
            let last = cursor.last_span();
            cx.error(last, "expected `,` between this annotation and the next")
                .help("add `,` here");
        } else {
            return (all, None);
        }
    }
}

fn annotation(cx: &mut Diagnostics, cursor: &mut Cursor, attrs: Attrs) -> Option<Annotation> {
    let call = call(cx, cursor)?;
    let mut annotation = Annotation {
        attrs,
        call,
        place: None,
        on: None,
        missing: None,
    };
    loop {
        let word = cursor
            .peek_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        let side = match word.as_str() {
            "after" => Some(Side::After),
            "before" => Some(Side::Before),
            "on" => None,
            _ => return Some(annotation),
        };
        let keyword = cursor.span();
        cursor.next();
        let Some(name) = cursor.ident() else {
            let example = if side.is_some() {
                "`after relu`"
            } else {
                "`on all`"
            };
            let message = format!("expected a name after `{word}`, found {}", cursor.found());
            cx.error(keyword, message).help(example);
            annotation.missing = Some(if side.is_some() { "layer" } else { "on" });
            return Some(annotation);
        };
        let twice = match side {
            Some(side) => annotation.place.replace((side, name.clone())).is_some(),
            None => annotation.on.replace(name.clone()).is_some(),
        };
        if twice {
            cx.error(
                (keyword, name.span()),
                format!("this annotation has a second `{word}`"),
            );
        }
    }
}
