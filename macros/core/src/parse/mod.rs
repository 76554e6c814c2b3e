//! Tokens to [`ast`](crate::ast). Recovering: what was understood but is wrong is reported and kept, what is lost
//! is skipped up to the next `;` or section.

mod block;
mod common;
mod header;
mod input;
mod layers;
mod train;

pub(crate) use common::{call_of, list_of, setting_call};

use crate::ast::{Above, Attrs, Model, Section};
use crate::attrs::{Place, attributes};
use crate::cursor::{Cursor, DEEPEST, too_deep};
use crate::diag::Diagnostics;
use crate::words;
use common::{call_or_skip, skip_section};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

/// `$crate, model`: the path of the runtime, and the model unless its name was lost.
pub(crate) fn model(cx: &mut Diagnostics, input: TokenStream) -> (TokenStream, Option<Model>) {
    if let Some(group) = too_deep(input.clone()) {
        let message = format!("more than {DEEPEST} delimiters inside one another");
        cx.error(group.span_open(), message)
            .help("a part of the model as a model of its own: `crate::Encoder`");
        return (TokenStream::new(), None);
    }
    let trees: Vec<TokenTree> = input.into_iter().collect();
    let here = Span::call_site();
    let mut cursor = Cursor::new(&trees, here, here);
    let krate: TokenStream = cursor
        .take_until(|cursor| cursor.is_punct(','))
        .into_iter()
        .collect();
    cursor.eat(',');
    // What is missing at the end is reported at the last token: there is no closing brace to point at.
    cursor.close = trees.last().map_or(here, |tree| match tree {
        TokenTree::Group(group) => group.span_close(),
        tree => tree.span(),
    });
    let above = crate::split::above(&mut cursor);
    let above = above.map(|group| cx.quietly(|cx| items(cx, group)));
    let mut model = header::header(cx, &mut cursor).map(|model| sections(cx, &mut cursor, model));
    if let (Some(model), Some(above)) = (&mut model, above) {
        model.above = above;
    }
    (krate, model)
}

/// The blocks and models above a model.
fn items(cx: &mut Diagnostics, group: &Group) -> Above {
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut above = Above::default();
    for item in crate::split::items(&trees, 0) {
        let mut cursor = Cursor::within(&trees[item.trees], group);
        if item.block {
            let attrs = attributes(cx, &mut cursor, Place::Model);
            above.blocks.extend(block::block(cx, &mut cursor, attrs));
        } else if let Some(model) = header::header(cx, &mut cursor) {
            above.models.push(sections(cx, &mut cursor, model));
        }
    }
    above
}

fn sections(cx: &mut Diagnostics, cursor: &mut Cursor, mut model: Model) -> Model {
    while !cursor.at_end() {
        let attrs = attributes(cx, cursor, Place::Leveled);
        let Some(word) = cursor.peek_ident() else {
            if cursor.at_end() {
                cx.error(
                    cursor.last_span(),
                    "expected a section after this attribute",
                );
                break;
            }
            let message = format!("expected a section, found {}", cursor.found());
            cx.error(cursor.span(), message)
                .help(format!("sections are {}", words::list(words::SECTIONS)));
            model.broken = true;
            skip_section(cursor);
            continue;
        };
        let mut name = word.to_string();
        cursor.next();
        if !words::SECTIONS.contains(&name.as_str()) {
            let Some(meant) = unknown_section(cx, word) else {
                model.broken = true;
                model.unknown.push(word.clone());
                skip_section(cursor);
                continue;
            };
            meant.clone_into(&mut name);
        }
        if cursor.is_colon(0) {
            cx.error(
                cursor.span(),
                format!("no `:` after the section's word `{word}`"),
            )
            .help("remove the `:`");
            cursor.next();
        }
        let begin = (attrs, word.clone());
        match name.as_str() {
            "input" => section(cx, cursor, begin, &mut model.input, input::inputs),
            "layers" => section(cx, cursor, begin, &mut model.layers, layers::layers),
            "loss" => section(cx, cursor, begin, &mut model.loss, train::loss),
            "task" => section(cx, cursor, begin, &mut model.task, |cx, cursor| {
                call_or_skip(cx, cursor, "a task", "`task multiclass(10)`")
            }),
            "metrics" => section(cx, cursor, begin, &mut model.metrics, train::metrics),
            "budget" => section(cx, cursor, begin, &mut model.budget, train::budget),
            _ => section(cx, cursor, begin, &mut model.train, train::train),
        }
    }
    model
}

/// Reads a section. It may be written once; the first one counts.
fn section<T>(
    cx: &mut Diagnostics,
    cursor: &mut Cursor,
    (attrs, word): (Attrs, Ident),
    slot: &mut Option<Section<T>>,
    read: impl FnOnce(&mut Diagnostics, &mut Cursor) -> T,
) {
    let content = read(cx, cursor);
    match slot {
        Some(first) => {
            cx.error(&word, format!("the section `{word}` is written twice"))
                .other(first.word.span(), "the first one is")
                .help("keep one of them");
        }
        None => {
            *slot = Some(Section {
                attrs,
                word,
                content,
            });
        }
    }
}

/// Reports a word that begins no section; the section that was meant, if that can be told.
fn unknown_section(cx: &mut Diagnostics, word: &Ident) -> Option<&'static str> {
    let name = word.to_string();
    let instead = match name.as_str() {
        "inputs" => Some("input"),
        "layer" | "net" | "network" | "model" | "architecture" => Some("layers"),
        "losses" | "objective" => Some("loss"),
        "training" | "optimizer" | "fit" => Some("train"),
        "limits" | "limit" | "cost" | "costs" => Some("budget"),
        _ => damper_ir::suggest(&name, words::SECTIONS.iter().copied()),
    };
    let message = match instead {
        Some(instead) => format!("unknown section `{name}`: did you mean `{instead}`?"),
        None => format!("unknown section `{name}`"),
    };
    cx.error(word, message)
        .help(format!("sections are {}", words::list(words::SECTIONS)));
    instead
}
