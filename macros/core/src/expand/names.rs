//! The names of generated things.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::format_ident;
use syn::ext::IdentExt;

/// The private module of a model: `Digits` to `__digits`. Two names never give one module.
pub(super) fn module(name: &Ident) -> Ident {
    let mut text = String::from("__");
    for (index, c) in name.unraw().to_string().chars().enumerate() {
        if c.is_uppercase() {
            if index > 0 {
                text.push('_');
            }
            text.extend(c.to_lowercase());
        } else {
            if c == '_' || index == 0 {
                text.push('_');
            }
            text.push(c);
        }
    }
    Ident::new(&text, Span::call_site())
}

/// `stage_1` to `Stage1`, as a part of a struct's name.
pub(super) fn camel(name: &str) -> String {
    name.split('_')
        .flat_map(|part| {
            let mut chars = part.chars();
            chars
                .next()
                .into_iter()
                .flat_map(char::to_uppercase)
                .chain(chars)
        })
        .collect()
}

/// A name of the declaration as an identifier, raw where Rust needs it.
pub(super) fn ident(name: &str, span: Span) -> Ident {
    let name = name.strip_prefix("r#").unwrap_or(name);
    if is_no_keyword(name) {
        return Ident::new(name, span);
    }
    match syn::parse_str::<Ident>(name) {
        Ok(_) => Ident::new(name, span),
        Err(_) if matches!(name, "self" | "Self" | "super" | "crate" | "_") => {
            format_ident!("{name}_", span = span)
        }
        Err(_) if syn::parse_str::<Ident>(&format!("r#{name}")).is_ok() => {
            Ident::new_raw(name, span)
        }
        Err(_) => Ident::new("invalid", span),
    }
}

/// Whether it is an identifier for sure, without asking the lexer: no word of Rust has a digit, or letters and a `_`.
fn is_no_keyword(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let all = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    begins && all && name.contains(|c: char| c == '_' || c.is_ascii_digit())
}

/// A name for a local of ours that no name of the declaration takes away.
pub(super) fn fresh(wanted: &str, taken: &[&str]) -> Ident {
    let mut name = wanted.to_owned();
    while taken.contains(&name.as_str()) {
        name.push('_');
    }
    Ident::new(&name, Span::mixed_site())
}

/// The user's tokens one module deeper: `self::X` to `super::X`, `super::X` to `super::super::X`.
pub(super) fn deeper(tokens: &TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_colon = |at: Option<&TokenTree>| matches!(at, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let mut out = TokenStream::new();
    for (index, tree) in trees.iter().enumerate() {
        let begins = !is_colon(index.checked_sub(1).and_then(|before| trees.get(before)))
            && is_colon(trees.get(index + 1))
            && is_colon(trees.get(index + 2));
        match tree {
            TokenTree::Ident(word) if begins && word == "self" => {
                out.extend([TokenTree::from(Ident::new("super", word.span()))]);
            }
            TokenTree::Ident(word) if begins && word == "super" => {
                let span = word.span();
                out.extend(quote::quote_spanned!(span=> super::super));
            }
            TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), deeper(&group.stream()));
                inner.set_span(group.span());
                out.extend([TokenTree::from(inner)]);
            }
            tree => out.extend([tree.clone()]),
        }
    }
    out
}

/// Whether the tokens name `word`.
pub(super) fn mentions(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(&group.stream(), word),
        _ => false,
    })
}

/// The span of the first token.
pub(super) fn span(tokens: &TokenStream) -> Span {
    tokens
        .clone()
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |tree| tree.span())
}
