//! Several models in one `model!`: each is expanded by itself, and sees the blocks and models above it.

use crate::cursor::Cursor;
use crate::words;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use std::ops::Range;

/// The word before what is above a model and has been reported there.
pub(crate) const ABOVE: &str = "__above";

/// One input for each model. `input` begins with the path of the runtime crate and a comma.
///
/// The second model and those after it begin with `__above { blocks and models }`.
pub fn split(input: TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = input.clone().into_iter().collect();
    let comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ',');
    let Some(first) = trees.iter().position(comma).map(|at| at + 1) else {
        return vec![input];
    };
    let items = items(&trees, first);
    let models: Vec<usize> = (0..items.len()).filter(|at| !items[*at].block).collect();
    if models.len() < 2 {
        return vec![input];
    }
    let mut begin = 0;
    let parts = models.iter().map(|model| {
        let mut part: TokenStream = trees[..first].iter().cloned().collect();
        if begin > 0 {
            let above = trees[first..items[begin].trees.start].iter().cloned();
            let above = Group::new(Delimiter::Brace, above.collect());
            let word = Ident::new(ABOVE, Span::call_site());
            part.extend([TokenTree::Ident(word), TokenTree::Group(above)]);
        }
        let own = items[begin].trees.start..items[*model].trees.end;
        part.extend(trees[own].iter().cloned());
        begin = model + 1;
        part
    });
    parts.collect()
}

/// A block or a model.
pub(crate) struct Item {
    pub(crate) trees: Range<usize>,
    pub(crate) block: bool,
}

/// The blocks and models from `first` on.
pub(crate) fn items(trees: &[TokenTree], first: usize) -> Vec<Item> {
    let here = Span::call_site();
    let mut cursor = Cursor::new(trees, here, here);
    cursor.at = first;
    let mut all = Vec::new();
    while !cursor.at_end() {
        let start = cursor.at;
        attributes(&mut cursor);
        let block = is_block(&cursor);
        if block {
            while !cursor.at_end() && cursor.group(Delimiter::Brace).is_none() {
                cursor.next();
            }
        } else {
            let mut in_sections = false;
            while !(cursor.at_end() || in_sections && begins(&cursor)) {
                in_sections |= is_section(&cursor, 0);
                cursor.next();
            }
        }
        let trees = start..cursor.at;
        all.push(Item { trees, block });
    }
    all
}

fn attributes(cursor: &mut Cursor) {
    while cursor.is_punct('#') {
        cursor.next();
        cursor.eat('!');
        cursor.group(Delimiter::Bracket);
    }
}

fn is_block(cursor: &Cursor) -> bool {
    cursor.is_word("block") && matches!(cursor.nth(1), Some(TokenTree::Ident(_)))
}

fn is_section(cursor: &Cursor, ahead: usize) -> bool {
    matches!(cursor.nth(ahead), Some(TokenTree::Ident(word))
        if words::SECTIONS.contains(&word.to_string().as_str()))
}

/// Whether a block or the header of a model begins here, after its attributes.
fn begins(cursor: &Cursor) -> bool {
    let mut ahead = Cursor::new(cursor.trees, cursor.open, cursor.close);
    ahead.at = cursor.at;
    attributes(&mut ahead);
    let is_name = |tree: Option<&TokenTree>| matches!(tree, Some(TokenTree::Ident(word)) if word.to_string().starts_with(char::is_uppercase));
    is_block(&ahead)
        || (ahead.is_word("pub") && !is_section(&ahead, 1))
        || (is_name(ahead.peek()) && (ahead.is_punct_at(1, '<') || is_section(&ahead, 1)))
}

/// Whether the tokens begin with what is above a model; takes it.
pub(crate) fn above<'a>(cursor: &mut Cursor<'a>) -> Option<&'a Group> {
    if !cursor.is_word(ABOVE) {
        return None;
    }
    cursor.next();
    cursor.group(Delimiter::Brace)
}
