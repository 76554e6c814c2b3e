//! A position in a list of tokens, and how deep and long what is read may be.

use crate::ast::{ends, text};
use crate::diag::Diagnostics;
use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// Delimiters inside one another: every level takes a piece of the stack, here, in `syn` and in the compiler.
///
/// Enough for all the blocks that a description may nest, and for values as deep again.
pub(crate) const DEEPEST: usize = 96;

/// Tokens of one value: `syn` takes a piece of the stack for every operator before or between operands.
pub(crate) const LONGEST: usize = 512;

/// A position in a list of token trees.
pub(crate) struct Cursor<'a> {
    pub(crate) trees: &'a [TokenTree],
    pub(crate) at: usize,
    pub(crate) open: Span,
    pub(crate) close: Span,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(trees: &'a [TokenTree], open: Span, close: Span) -> Self {
        Self {
            trees,
            at: 0,
            open,
            close,
        }
    }

    pub(crate) fn within(trees: &'a [TokenTree], group: &Group) -> Self {
        Self::new(trees, group.span_open(), group.span_close())
    }

    pub(crate) fn nth(&self, ahead: usize) -> Option<&'a TokenTree> {
        self.trees.get(self.at + ahead)
    }

    pub(crate) fn peek(&self) -> Option<&'a TokenTree> {
        self.nth(0)
    }

    pub(crate) fn next(&mut self) -> Option<&'a TokenTree> {
        let tree = self.trees.get(self.at)?;
        self.at += 1;
        Some(tree)
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at >= self.trees.len()
    }

    /// The span of the next token, or of the closing delimiter.
    pub(crate) fn span(&self) -> Span {
        match self.peek() {
            Some(TokenTree::Group(group)) => group.span_open(),
            Some(tree) => tree.span(),
            None => self.close,
        }
    }

    /// The span of the token before, or of the opening delimiter.
    pub(crate) fn last_span(&self) -> Span {
        match self.at.checked_sub(1).and_then(|at| self.trees.get(at)) {
            Some(TokenTree::Group(group)) => group.span_close(),
            Some(tree) => tree.span(),
            None => self.open,
        }
    }

    pub(crate) fn is_punct_at(&self, ahead: usize, c: char) -> bool {
        matches!(self.nth(ahead), Some(TokenTree::Punct(punct)) if punct.as_char() == c)
    }

    pub(crate) fn is_punct(&self, c: char) -> bool {
        self.is_punct_at(0, c)
    }

    pub(crate) fn is_double(&self, ahead: usize, first: char, second: char) -> bool {
        matches!(self.nth(ahead), Some(TokenTree::Punct(punct))
            if punct.as_char() == first && punct.spacing() == Spacing::Joint)
            && self.is_punct_at(ahead + 1, second)
    }

    pub(crate) fn is_arrow(&self) -> bool {
        self.is_double(0, '-', '>')
    }

    /// `:` that is not half of `::`.
    pub(crate) fn is_colon(&self, ahead: usize) -> bool {
        self.is_punct_at(ahead, ':') && !self.is_double(ahead, ':', ':')
    }

    pub(crate) fn eat(&mut self, c: char) -> bool {
        let found = self.is_punct(c);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(TokenTree::Ident(ident)) if ident == word)
    }

    pub(crate) fn ident(&mut self) -> Option<&'a Ident> {
        match self.peek() {
            Some(TokenTree::Ident(ident)) => {
                self.at += 1;
                Some(ident)
            }
            _ => None,
        }
    }

    pub(crate) fn peek_ident(&self) -> Option<&'a Ident> {
        match self.peek() {
            Some(TokenTree::Ident(ident)) => Some(ident),
            _ => None,
        }
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter) -> Option<&'a Group> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                self.at += 1;
                Some(group)
            }
            _ => None,
        }
    }

    /// The next token as a message names it.
    pub(crate) fn found(&self) -> String {
        if self.is_arrow() {
            return "`->`".to_owned();
        }
        match self.peek() {
            None => "the end".to_owned(),
            Some(TokenTree::Group(group)) => match group.delimiter() {
                Delimiter::Parenthesis => "`(`".to_owned(),
                Delimiter::Brace => "`{`".to_owned(),
                Delimiter::Bracket => "`[`".to_owned(),
                Delimiter::None => format!("`{}`", text(&group.stream())),
            },
            Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint => {
                let second = match self.nth(1) {
                    Some(TokenTree::Punct(second)) => second.to_string(),
                    _ => String::new(),
                };
                format!("`{punct}{second}`")
            }
            Some(tree) => format!("`{tree}`"),
        }
    }

    /// `name =` of a named argument.
    pub(crate) fn is_named(&self) -> bool {
        self.peek_ident().is_some() && self.is_punct_at(1, '=') && !self.is_double(1, '=', '=')
    }

    /// Skips to after the next `;`.
    pub(crate) fn skip_statement(&mut self) {
        while let Some(tree) = self.next() {
            if matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';') {
                break;
            }
        }
    }

    /// Takes tokens until `stop`.
    pub(crate) fn take_until(&mut self, stop: impl Fn(&Self) -> bool) -> Vec<TokenTree> {
        let mut taken = Vec::new();
        while !self.at_end() && !stop(self) {
            taken.extend(self.next().cloned());
        }
        taken
    }
}

/// The first group that is nested too deep. A loop: what it looks for would overflow the stack.
pub(crate) fn too_deep(tokens: TokenStream) -> Option<Group> {
    let mut around = vec![tokens.into_iter()];
    while let Some(trees) = around.last_mut() {
        match trees.next() {
            None => {
                around.pop();
            }
            Some(TokenTree::Group(group)) if around.len() > DEEPEST => return Some(group),
            Some(TokenTree::Group(group)) => around.push(group.stream().into_iter()),
            Some(_) => {}
        }
    }
    None
}

/// The most tokens that a reader of values may hold at once: elements of a list follow one another.
pub(crate) fn weight(tokens: TokenStream) -> usize {
    let (mut most, mut here, mut inside) = (0, 0, 0);
    for tree in tokens {
        match tree {
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => {
                most = most.max(here + inside);
                (here, inside) = (0, 0);
                continue;
            }
            TokenTree::Group(group) => inside = inside.max(weight(group.stream())),
            _ => {}
        }
        here += 1;
    }
    most.max(here + inside)
}

/// Whether `what` can be read; if it is too long, that is reported.
pub(crate) fn is_readable(cx: &mut Diagnostics, tokens: &TokenStream, what: &str) -> bool {
    let readable = weight(tokens.clone()) <= LONGEST;
    if !readable {
        let here = Span::call_site();
        let at = ends(tokens).unwrap_or((here, here));
        cx.error(at, format!("more than {LONGEST} tokens in one {what}"))
            .note("every operator takes a piece of the compiler's stack");
    }
    readable
}
