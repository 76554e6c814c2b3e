//! The syntax tree: node types with their tokens, no rules.

use damper_ir::{HyperKind, Level};
use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::Attribute;

/// The first and the last span of some tokens.
pub type Ends = (Span, Span);

/// The whole of one `model!`.
#[derive(Clone)]
pub struct Model {
    /// The blocks and models above it that have been reported.
    pub above: Above,
    /// The blocks declared before it.
    pub blocks: Vec<Block>,
    /// Documentation, lint levels, and what is passed on to the struct.
    pub attrs: Attrs,
    /// `pub`, `pub(crate)` or nothing.
    pub vis: TokenStream,
    /// The name of the struct.
    pub name: Ident,
    /// The hyper-parameters of the header.
    pub hyper: Vec<Hyper>,
    /// The `input` section.
    pub input: Option<Section<Vec<Input>>>,
    /// The `layers` section.
    pub layers: Option<Section<Layers>>,
    /// The `loss` section.
    pub loss: Option<Section<Loss>>,
    /// The `task` section.
    pub task: Option<Section<Option<Call>>>,
    /// The `metrics` section.
    pub metrics: Option<Section<Vec<Call>>>,
    /// The `train` section.
    pub train: Option<Section<Vec<Setting>>>,
    /// The `budget` section.
    pub budget: Option<Section<Vec<BudgetItem>>>,
    /// Whether a section was lost to a syntax error, which has been reported.
    pub broken: bool,
    /// The words in the place of a section that are none.
    pub unknown: Vec<Ident>,
}

/// What is above a model in one `model!`.
#[derive(Clone, Default)]
pub struct Above {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The models.
    pub models: Vec<Model>,
}

/// `block Name<parameters> { input .. layers { .. } }`
#[derive(Clone)]
pub struct Block {
    /// Documentation.
    pub attrs: Attrs,
    /// The name.
    pub name: Ident,
    /// What a use gives it.
    pub parameters: Vec<Hyper>,
    /// The `input` section.
    pub input: Option<Section<Vec<Input>>>,
    /// The `layers` section.
    pub layers: Option<Section<Layers>>,
    /// Whether a part was lost to a syntax error, which has been reported.
    pub broken: bool,
}

/// A section with the word it begins with.
#[derive(Clone)]
pub struct Section<T> {
    /// Attributes before the word.
    pub attrs: Attrs,
    /// `input`, `layers`, `loss`, ..
    pub word: Ident,
    /// What it says.
    pub content: T,
}

/// Attributes, sorted by who reads them.
#[derive(Clone, Default)]
pub struct Attrs {
    /// `/// ..` and `#[doc = ..]`, for the generated items.
    pub docs: Vec<Attribute>,
    /// `#[allow(..)]` and its like with a lint of damper.
    pub levels: Vec<LintLevel>,
    /// Everything else: on the model, passed on to the struct.
    pub other: Vec<Attribute>,
}

/// One lint of `#[allow(lint, reason = "..")]`.
#[derive(Clone)]
pub struct LintLevel {
    /// The lint, or the group without its `damper::`.
    pub lint: Ident,
    /// Whether it is a group.
    pub group: bool,
    /// Where the name is written, with its `damper::`.
    pub ends: Ends,
    /// The level asked for; that of `forbid` is `deny`.
    pub level: Level,
    /// Whether it was `#[forbid(..)]`.
    pub forbid: bool,
    /// Whether it was `#[expect(..)]`.
    pub expect: bool,
    /// `reason = ".."`.
    pub reason: Option<String>,
    /// The thresholds set with it.
    pub thresholds: Vec<Limit>,
}

/// `max = 0.6` next to a lint.
#[derive(Clone)]
pub struct Limit {
    /// The threshold.
    pub name: Ident,
    /// The number.
    pub value: f64,
    /// Where both are written.
    pub ends: Ends,
}

/// `name: type in domain = default`
#[derive(Clone)]
pub struct Hyper {
    /// Documentation.
    pub attrs: Attrs,
    /// The name.
    pub name: Ident,
    /// The type.
    pub kind: HyperKind,
    /// The type's tokens, valid Rust even where the source was wrong.
    pub ty: TokenStream,
    /// `in low..high`.
    pub domain: Option<Expr>,
    /// The default's tokens, valid Rust even where the source had none.
    pub default: Expr,
    /// Whether a default was written; a parameter of a block needs none.
    pub has_default: bool,
}

/// `name: [axis, ..] of kind`
#[derive(Clone)]
pub struct Input {
    /// Documentation.
    pub attrs: Attrs,
    /// The name: the parameter of `forward`; `input` where none was written.
    pub name: Ident,
    /// The axes of one sample.
    pub shape: Vec<Expr>,
    /// Where the shape is written.
    pub ends: Ends,
    /// `of int(..)`.
    pub of: Option<Call>,
    /// Whether the shape was lost to a syntax error, which has been reported.
    pub broken: bool,
}

/// `layers with .. { .. }`
#[derive(Clone)]
pub struct Layers {
    /// Defaults for every statement.
    pub with: Vec<Annotation>,
    /// The statements.
    pub body: Vec<Statement>,
}

/// `name: op -> op with annotation, ..;`
#[derive(Clone)]
pub struct Statement {
    /// Documentation and lint levels.
    pub attrs: Attrs,
    /// The name, if there is one.
    pub name: Option<Ident>,
    /// The operations; a source, if there is one, is the first.
    pub chain: Vec<Node>,
    /// The annotations.
    pub with: Vec<Annotation>,
    /// Whether a part of it was lost to a syntax error, which has been reported.
    pub broken: bool,
    /// What is to be typed at its end: a word of this family of the vocabulary.
    pub missing: Option<&'static str>,
}

/// One operation: `path(args) { .. } shortcut { .. }`
#[derive(Clone)]
pub struct Node {
    /// The word, or the path of another model.
    pub path: Vec<Ident>,
    /// The path as written.
    pub path_tokens: TokenStream,
    /// Whether it is a path of another model: it has `::` or a capital.
    pub is_path: bool,
    /// The arguments.
    pub args: Option<Args>,
    /// The condition of `if condition { .. }`.
    pub condition: Option<Expr>,
    /// `{ .. }`.
    pub body: Option<Vec<Statement>>,
    /// `shortcut { .. }` with the word.
    pub shortcut: Option<(Ident, Vec<Statement>)>,
}

/// `word(args)`
#[derive(Clone)]
pub struct Call {
    /// The word.
    pub word: Ident,
    /// The arguments.
    pub args: Option<Args>,
}

/// `(a, name = b)`
#[derive(Clone)]
pub struct Args {
    /// The closing parenthesis.
    pub close: Span,
    /// The arguments.
    pub items: Vec<Arg>,
}

/// `value` or `name = value`
#[derive(Clone)]
pub struct Arg {
    /// The name.
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}

/// Tokens of a value, not yet looked at.
#[derive(Clone)]
pub struct Expr {
    /// The tokens.
    pub tokens: TokenStream,
    /// Where they are written.
    pub ends: Ends,
}

/// `call after NAME on all`
#[derive(Clone)]
pub struct Annotation {
    /// Lint levels.
    pub attrs: Attrs,
    /// The annotation itself.
    pub call: Call,
    /// `after NAME` or `before NAME`.
    pub place: Option<(Side, Ident)>,
    /// `on all` or `on embedding`: the word after `on`.
    pub on: Option<Ident>,
    /// What is to be typed after `after`, `before` or `on`: a word of this family of the vocabulary.
    pub missing: Option<&'static str>,
}

/// On which side of an operation an annotation acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `before NAME`
    Before,
    /// `after NAME`
    After,
}

/// `loss call target in [low, high]`
#[derive(Clone)]
pub struct Loss {
    /// The loss; `None` if it was lost to a syntax error.
    pub call: Option<Call>,
    /// The bounds of `target in [low, high]`.
    pub target: Option<Target>,
}

/// `target in [low, high]`
#[derive(Clone)]
pub struct Target {
    /// Where it is written.
    pub ends: Ends,
    /// The bounds as written.
    pub bounds: Vec<Expr>,
}

/// `name: value` or `name(args)` in `train`
#[derive(Clone)]
pub struct Setting {
    /// The name.
    pub name: Ident,
    /// The value after the colon.
    pub value: Option<Expr>,
    /// The arguments of a setting written as a call.
    pub args: Option<Args>,
}

/// `name <= value unit` in `budget`
#[derive(Clone)]
pub struct BudgetItem {
    /// What is limited.
    pub name: Ident,
    /// The limit.
    pub value: Expr,
    /// The word after the value.
    pub unit: Option<Ident>,
}

impl BudgetItem {
    /// From the name to the unit.
    pub fn ends(&self) -> Ends {
        let last = self.unit.as_ref().map_or(self.value.ends.1, Ident::span);
        (self.name.span(), last)
    }
}

impl Expr {
    /// The tokens as a value; `before` is where they should be if there are none.
    pub fn new(tokens: TokenStream, before: Span) -> Self {
        let ends = ends(&tokens).unwrap_or((before, before));
        Self { tokens, ends }
    }

    /// The text on one line.
    pub fn text(&self) -> String {
        text(&self.tokens)
    }
}

impl Call {
    /// From the word to the closing parenthesis.
    pub fn ends(&self) -> Ends {
        let first = self.word.span();
        (first, self.args.as_ref().map_or(first, |args| args.close))
    }
}

impl Node {
    /// From the path to the closing parenthesis (a block's braces are left out).
    pub fn ends(&self) -> Ends {
        let (first, last) =
            ends(&self.path_tokens).unwrap_or((Span::call_site(), Span::call_site()));
        (first, self.args.as_ref().map_or(last, |args| args.close))
    }

    /// The word, or the last segment of the path.
    pub fn word(&self) -> String {
        self.path
            .last()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Whether it is this word.
    pub fn is_word(&self, word: &str) -> bool {
        !self.is_path && self.path.last().is_some_and(|last| last == word)
    }

    /// The operation without its block.
    pub fn call(&self) -> Option<Call> {
        Some(Call {
            word: self.path.last()?.clone(),
            args: self.args.clone(),
        })
    }
}

/// The first and the last span of tokens.
pub fn ends(tokens: &impl ToTokens) -> Option<Ends> {
    let mut trees = tokens.to_token_stream().into_iter();
    let first = trees.next()?;
    let last = trees.last();
    Some((
        open(&first),
        last.as_ref().map_or_else(|| close(&first), close),
    ))
}

fn open(tree: &proc_macro2::TokenTree) -> Span {
    match tree {
        proc_macro2::TokenTree::Group(group) => group.span_open(),
        tree => tree.span(),
    }
}

fn close(tree: &proc_macro2::TokenTree) -> Span {
    match tree {
        proc_macro2::TokenTree::Group(group) => group.span_close(),
        tree => tree.span(),
    }
}

/// Tokens as a person writes them, on one line.
pub fn text(tokens: &TokenStream) -> String {
    use proc_macro2::{Delimiter, Spacing, TokenTree};
    fn write(out: &mut String, tokens: TokenStream) {
        // `glue` = no space before the next token.
        let mut glue = true;
        let mut unary = true;
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::Brace => ("{ ", " }"),
                        Delimiter::None => ("", ""),
                    };
                    let called =
                        out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '!');
                    let call = called && group.delimiter() == Delimiter::Parenthesis;
                    if !(glue || call) {
                        out.push(' ');
                    }
                    out.push_str(open);
                    write(out, group.stream());
                    out.push_str(close);
                    glue = false;
                    unary = false;
                }
                TokenTree::Punct(punct) => {
                    let c = punct.as_char();
                    let tight = matches!(c, ',' | ';' | '.' | ':' | '?' | '!');
                    if !glue && !tight {
                        out.push(' ');
                    }
                    out.push(c);
                    glue = punct.spacing() == Spacing::Joint
                        || matches!(c, '.' | ':' | '&' | '!' | '#' | '$')
                        || (c == '-' && unary);
                    unary = true;
                }
                tree => {
                    if !glue {
                        out.push(' ');
                    }
                    out.push_str(&tree.to_string());
                    glue = false;
                    unary = false;
                }
            }
        }
    }
    let mut out = String::new();
    write(&mut out, tokens.clone());
    out
}
