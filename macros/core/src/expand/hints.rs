//! For editors: every word of the language as a path to its documentation.
//!
//! The paths are under `cfg(rust_analyzer)`, which no compiler sets, and have the user's own identifiers: so hover
//! shows the documentation of `vocabulary::layer::dropout`, and completion offers the words that fit there. Names of
//! arguments are patterns of a struct with the arguments as its fields; names of inputs and statements are bindings.

use super::context::Context;
use crate::ast::{Annotation, Arg, Attrs, Block, Call, Expr, Node, Setting, Statement};
use crate::words::{self, Kind};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::quote;

/// The hints.
pub(super) fn items(cx: &Context<'_>) -> TokenStream {
    let ast = &cx.lowered.ast;
    let mut hints = Hints {
        stub: cx.stub,
        hyper: ast
            .hyper
            .iter()
            .map(|hyper| hyper.name.to_string())
            .collect(),
        out: TokenStream::new(),
    };
    ast.blocks.iter().for_each(|block| hints.declared(block));
    hints.levels(&ast.attrs);
    let sections = [
        ast.input
            .as_ref()
            .map(|section| (&section.word, &section.attrs)),
        ast.layers
            .as_ref()
            .map(|section| (&section.word, &section.attrs)),
        ast.loss
            .as_ref()
            .map(|section| (&section.word, &section.attrs)),
        ast.task
            .as_ref()
            .map(|section| (&section.word, &section.attrs)),
        ast.metrics
            .as_ref()
            .map(|section| (&section.word, &section.attrs)),
        ast.train
            .as_ref()
            .map(|section| (&section.word, &section.attrs)),
        ast.budget
            .as_ref()
            .map(|section| (&section.word, &section.attrs)),
    ];
    ast.unknown
        .iter()
        .for_each(|word| hints.word("section", word));
    for (word, attrs) in sections.into_iter().flatten() {
        hints.word("section", word);
        hints.levels(attrs);
    }
    for input in ast.input.iter().flat_map(|section| &section.content) {
        hints.values(&input.shape);
        if let Some(of) = &input.of {
            hints.call("input", of);
        }
        hints.binding(&input.name);
    }
    if let Some(layers) = &ast.layers {
        hints.annotations(&layers.content.with);
        hints.statements(&layers.content.body);
    }
    if let Some(call) = ast
        .loss
        .as_ref()
        .and_then(|loss| loss.content.call.as_ref())
    {
        hints.call("loss", call);
    }
    if let Some(call) = ast.task.as_ref().and_then(|task| task.content.as_ref()) {
        hints.call("task", call);
    }
    for call in ast.metrics.iter().flat_map(|metrics| &metrics.content) {
        hints.call("metric", call);
    }
    for setting in ast.train.iter().flat_map(|train| &train.content) {
        hints.setting(setting);
    }
    for item in ast.budget.iter().flat_map(|budget| &budget.content) {
        hints.word("budget", &item.name);
        hints.value(&item.value);
    }
    let (krate, out) = (cx.krate, hints.out);
    let parameters = ast.hyper.iter().map(|hyper| {
        let (name, kind) = (&hyper.name, &hyper.ty);
        quote!(#name: #kind)
    });
    let mut body = quote!(use #krate::{lint as l, vocabulary as v};);
    body.extend(out);
    let body = Group::new(Delimiter::Brace, body);
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            #[allow(path_statements, unused)]
            fn __hints(#(#parameters),*) #body
        };
    }
}

struct Hints {
    /// Whether the model is wrong, perhaps half typed: then its values are nowhere else.
    stub: bool,
    hyper: Vec<String>,
    out: TokenStream,
}

impl Hints {
    fn word(&mut self, family: &str, word: &Ident) {
        if is_keyword(word) {
            return;
        }
        let family = Ident::new(family, proc_macro2::Span::call_site());
        self.out.extend(quote!(v::#family::#word;));
    }

    /// A place where a word is to be typed: an editor puts a placeholder there to ask for completions.
    fn missing(&mut self, family: &str) {
        self.word(family, &Ident::new("_word", proc_macro2::Span::call_site()));
    }

    /// Lints by their names; groups have no page.
    fn levels(&mut self, attrs: &Attrs) {
        for level in attrs.levels.iter().filter(|level| !level.group) {
            let lint = &level.lint;
            if !is_keyword(lint) {
                self.out.extend(quote!(l::#lint;));
            }
        }
    }

    fn binding(&mut self, name: &Ident) {
        if !is_keyword(name) {
            self.out.extend(quote!(let #name = ();));
        }
    }

    /// Whether this is one of the words, or half of one, and not a constant or hyper-parameter.
    fn is_word(&self, word: &Ident, words: &[&str]) -> bool {
        let text = word.to_string();
        let is_constant = || text.starts_with(char::is_uppercase);
        let is_half = || self.stub && !is_constant() && !self.hyper.contains(&text);
        words.contains(&text.as_str()) || is_half()
    }

    /// A placeholder for a name that is missing.
    fn name(&mut self, name: &Expr) {
        if let Some(name) = single(name).filter(|name| !is_keyword(name)) {
            self.out.extend(quote!(let _ = #name;));
        }
    }

    /// Sizes and rates may be constants and hyper-parameters.
    fn value(&mut self, value: &Expr) {
        let tokens = &value.tokens;
        let is_read = tokens
            .clone()
            .into_iter()
            .any(|tree| !matches!(tree, TokenTree::Literal(_)));
        if self.stub && is_read && syn::parse2::<syn::Expr>(tokens.clone()).is_ok() {
            self.out.extend(quote!(let _ = #tokens;));
        }
    }

    fn values(&mut self, values: &[Expr]) {
        for value in values {
            self.value(value);
        }
    }

    fn call(&mut self, family: &str, call: &Call) {
        self.word(family, &call.word);
        let arguments = call.args.iter().flat_map(|args| &args.items);
        self.arguments(family, &call.word, arguments);
    }

    fn arguments<'a>(
        &mut self,
        family: &str,
        word: &Ident,
        arguments: impl Iterator<Item = &'a Arg>,
    ) {
        let known = words::word_of(family, &word.to_string());
        let known: &[words::Argument] = known.map_or(&[], |word| word.arguments);
        let mut named = TokenStream::new();
        for (place, argument) in arguments.enumerate() {
            let name = argument.name.as_ref();
            let of = match name {
                Some(name) => known.iter().find(|of| name == of.name),
                None => known.get(place).filter(|of| of.positional),
            };
            if let Some(name) = name.filter(|name| !is_keyword(name)) {
                named.extend(quote!(#name: _,));
            }
            let value = &argument.value;
            match (of.map(|of| of.kind), single(value)) {
                (Some(Kind::Rust | Kind::RustType), _) => {}
                (Some(Kind::Name), _) => self.name(value),
                (Some(Kind::Metric), Some(metric)) if metric != "loss" => {
                    self.word("metric", &metric);
                }
                (Some(Kind::Word(_) | Kind::Metric), Some(word)) => self.word("value", &word),
                (Some(Kind::Padding(_, words)), Some(word)) if self.is_word(&word, words) => {
                    self.word("value", &word);
                }
                (Some(Kind::SizeOr(other)), Some(word)) if self.is_word(&word, &[other]) => {
                    self.word("value", &word);
                }
                // Half of a name: more values than go without one.
                (None, Some(half)) if name.is_none() && !known.is_empty() => {
                    if !is_keyword(&half) {
                        named.extend(quote!(#half: _,));
                    }
                }
                (_, Some(name)) => {
                    if !is_keyword(&name) {
                        self.out.extend(quote!(let _ = #name;));
                    }
                }
                _ => self.value(value),
            }
        }
        if !named.is_empty() && !is_keyword(word) {
            let family = Ident::new(family, proc_macro2::Span::call_site());
            self.out
                .extend(quote!(|v::arguments::#family::#word { #named .. }: _| ();));
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.levels(&statement.attrs);
            statement.chain.iter().for_each(|node| self.node(node));
            self.annotations(&statement.with);
            if let Some(family) = statement.missing {
                self.missing(family);
            }
            if let Some(name) = &statement.name {
                self.binding(name);
            }
        }
    }

    /// A declared block: its parameters and axes are numbers inside of it.
    fn declared(&mut self, block: &Block) {
        let outer = std::mem::take(&mut self.out);
        for parameter in &block.parameters {
            let (name, kind) = (&parameter.name, &parameter.ty);
            self.out
                .extend(quote!(let #name: #kind = ::core::default::Default::default();));
        }
        if let Some(section) = &block.input {
            self.word("section", &section.word);
            for input in &section.content {
                let axes = input.shape.iter().filter_map(single);
                for axis in axes.filter(|axis| !is_keyword(axis)) {
                    self.out.extend(quote!(let #axis: usize = 0;));
                }
                self.binding(&input.name);
            }
        }
        if let Some(section) = &block.layers {
            self.word("section", &section.word);
            self.levels(&section.attrs);
            self.annotations(&section.content.with);
            self.statements(&section.content.body);
        }
        let inner = std::mem::replace(&mut self.out, outer);
        let inner = TokenTree::Group(Group::new(Delimiter::Brace, inner));
        self.out.extend([inner]);
    }

    /// `repeat(i in 0..n)`: the number of a copy.
    fn number(&mut self, node: &Node) {
        let first = node.args.iter().flat_map(|args| &args.items).next();
        let mut trees = first.into_iter().flat_map(|item| item.value.tokens.clone());
        if let (Some(TokenTree::Ident(index)), Some(TokenTree::Ident(word))) =
            (trees.next(), trees.next())
            && word == "in"
            && !is_keyword(&index)
        {
            self.out.extend(quote!(let #index: usize = 0;));
        }
    }

    fn node(&mut self, node: &Node) {
        if let Some(condition) = &node.condition {
            self.value(condition);
        }
        self.number(node);
        if let ([word], false) = (node.path.as_slice(), node.is_path) {
            self.word("layer", word);
            let arguments = node.args.iter().flat_map(|args| &args.items);
            if words::SOURCES.iter().any(|source| word == source) {
                let names = arguments.filter(|argument| argument.name.is_none());
                names.for_each(|argument| self.name(&argument.value));
            } else {
                self.arguments("layer", word, arguments);
            }
        }
        if let Some(body) = &node.body {
            self.block(body);
        }
        if let Some((word, body)) = &node.shortcut {
            self.word("layer", word);
            self.block(body);
        }
    }

    /// The names of a block are its own.
    fn block(&mut self, body: &[Statement]) {
        let outer = std::mem::take(&mut self.out);
        self.statements(body);
        let inner = std::mem::replace(&mut self.out, outer);
        let inner = TokenTree::Group(Group::new(Delimiter::Brace, inner));
        self.out.extend([inner]);
    }

    fn annotations(&mut self, annotations: &[Annotation]) {
        for annotation in annotations {
            self.levels(&annotation.attrs);
            self.call("annotation", &annotation.call);
            if let Some((_, place)) = &annotation.place {
                self.word("layer", place);
            }
            if let Some(family) = annotation.missing {
                self.missing(family);
            }
            if let Some(on) = &annotation.on {
                self.word("on", on);
            }
        }
    }

    fn setting(&mut self, setting: &Setting) {
        self.word("setting", &setting.name);
        let arguments = setting.args.iter().flat_map(|args| &args.items);
        self.arguments("setting", &setting.name, arguments);
        let family = match setting.name.to_string().as_str() {
            "optimizer" => "optimizer",
            "schedule" => "schedule",
            "backend" => "backend",
            _ => {
                if let Some(value) = &setting.value {
                    self.value(value);
                }
                return;
            }
        };
        let mut trees = setting.value.iter().flat_map(|value| value.tokens.clone());
        if let Some(TokenTree::Ident(word)) = trees.next() {
            self.word(family, &word);
            if let Some(TokenTree::Group(group)) = trees.next()
                && group.delimiter() == Delimiter::Parenthesis
            {
                self.written_arguments(family, &word, group.stream());
            }
        }
    }

    /// The names of `adamw(lr = 1e-3)`, which the tree has as tokens.
    fn written_arguments(&mut self, family: &str, word: &Ident, tokens: TokenStream) {
        let mut named = TokenStream::new();
        let mut begins = true;
        for tree in tokens {
            match tree {
                TokenTree::Ident(name) if begins && !is_keyword(&name) => {
                    named.extend(quote!(#name: _,));
                    begins = false;
                }
                TokenTree::Punct(punct) => begins = punct.as_char() == ',',
                _ => begins = false,
            }
        }
        if !named.is_empty() && !is_keyword(word) {
            let family = Ident::new(family, proc_macro2::Span::call_site());
            self.out
                .extend(quote!(|v::arguments::#family::#word { #named .. }: _| ();));
        }
    }
}

/// A keyword of Rust, half of a word perhaps (`as`), is no name in a path.
fn is_keyword(word: &Ident) -> bool {
    syn::parse2::<Ident>(quote!(#word)).is_err()
}

/// The identifier that this value is.
fn single(value: &Expr) -> Option<Ident> {
    let mut trees = value.tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Ident(word)), None) => Some(word),
        _ => None,
    }
}
