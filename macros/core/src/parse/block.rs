//! `block Name<parameters> { input .. layers { .. } }`.

use super::{header, input, layers, section};
use crate::ast::{Attrs, Block};
use crate::attrs::{Place, attributes};
use crate::cursor::Cursor;
use crate::diag::Diagnostics;
use proc_macro2::{Delimiter, Ident, TokenTree};
use quote::quote;

const EXAMPLE: &str = "`block Conv<out: usize> { input x: [channels, height, width] layers { conv: conv2d(out, kernel = 3); } }`";

/// Whether a block is declared here.
pub(super) fn begins(cursor: &Cursor) -> bool {
    cursor.is_word("block") && matches!(cursor.nth(1), Some(TokenTree::Ident(_)))
}

/// One block; the cursor is at `block`.
pub(super) fn block(cx: &mut Diagnostics, cursor: &mut Cursor, attrs: Attrs) -> Option<Block> {
    cursor.next();
    let name = cursor.ident()?;
    let is_type = name.to_string().starts_with(char::is_uppercase)
        && syn::parse2::<Ident>(quote!(#name)).is_ok();
    if !is_type {
        let message = format!("the name of a block begins with a capital: `{name}` does not");
        cx.error(name, message).help(EXAMPLE);
    }
    let parameters = if cursor.is_punct('<') {
        header::hypers(cx, cursor, false)
    } else {
        Vec::new()
    };
    let mut block = Block {
        attrs,
        name: name.clone(),
        parameters,
        input: None,
        layers: None,
        broken: !is_type,
    };
    let Some(group) = cursor.group(Delimiter::Brace) else {
        let message = format!(
            "expected `{{` with `input` and `layers` after `block {name}`, found {}",
            cursor.found()
        );
        cx.error(cursor.span(), message).help(EXAMPLE);
        block.broken = true;
        return Some(block);
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut inner = Cursor::within(&trees, group);
    while !inner.at_end() {
        let attrs = attributes(cx, &mut inner, Place::Leveled);
        let Some(word) = inner.peek_ident().cloned() else {
            let message = format!("expected `input` or `layers`, found {}", inner.found());
            cx.error(inner.span(), message).help(EXAMPLE);
            block.broken = true;
            break;
        };
        inner.next();
        let begin = (attrs, word.clone());
        match word.to_string().as_str() {
            "input" => section(cx, &mut inner, begin, &mut block.input, input::inputs),
            "layers" => section(cx, &mut inner, begin, &mut block.layers, layers::layers),
            _ => {
                let message = format!("a block has `input` and `layers`, `{word}` is neither");
                cx.error(&word, message).help("write it in the model");
                block.broken = true;
                break;
            }
        }
    }
    Some(block)
}
