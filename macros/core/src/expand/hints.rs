//! What editors read: every word of the language as a path to its documentation.
//!
//! The paths stand under `cfg(rust_analyzer)`, which no compiler sets, and have the user's own identifiers: so hover
//! shows the documentation of `vocabulary::layer::dropout`, and completion offers the words that may stand there.

use super::context::Context;
use crate::ast::{Annotation, Call, Node, Setting, Statement};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// The hints.
pub(super) fn items(cx: &Context<'_>) -> TokenStream {
    let mut hints = Hints {
        krate: cx.krate,
        out: TokenStream::new(),
    };
    let ast = &cx.lowered.ast;
    let sections = [
        ast.input.as_ref().map(|section| &section.word),
        ast.layers.as_ref().map(|section| &section.word),
        ast.loss.as_ref().map(|section| &section.word),
        ast.task.as_ref().map(|section| &section.word),
        ast.metrics.as_ref().map(|section| &section.word),
        ast.train.as_ref().map(|section| &section.word),
        ast.budget.as_ref().map(|section| &section.word),
    ];
    sections
        .into_iter()
        .flatten()
        .for_each(|word| hints.word("section", word));
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
    ast.train
        .iter()
        .flat_map(|train| &train.content)
        .for_each(|setting| hints.setting(setting));
    let out = hints.out;
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            fn __hints() { #out }
        };
    }
}

struct Hints<'a> {
    krate: &'a TokenStream,
    out: TokenStream,
}

impl Hints<'_> {
    fn word(&mut self, family: &str, word: &Ident) {
        // A keyword of Rust, half of a word perhaps (`as`), is no name in a path.
        if syn::parse2::<Ident>(quote!(#word)).is_err() {
            return;
        }
        let (krate, family) = (
            self.krate,
            Ident::new(family, proc_macro2::Span::call_site()),
        );
        self.out
            .extend(quote!(let _ = #krate::vocabulary::#family::#word;));
    }

    fn call(&mut self, family: &str, call: &Call) {
        self.word(family, &call.word);
    }

    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            statement.chain.iter().for_each(|node| self.node(node));
            self.annotations(&statement.with);
        }
    }

    fn node(&mut self, node: &Node) {
        if let ([word], false) = (node.path.as_slice(), node.is_path) {
            self.word("layer", word);
        }
        if let Some(body) = &node.body {
            self.statements(body);
        }
        if let Some((word, body)) = &node.shortcut {
            self.word("layer", word);
            self.statements(body);
        }
    }

    fn annotations(&mut self, annotations: &[Annotation]) {
        for annotation in annotations {
            self.call("annotation", &annotation.call);
        }
    }

    fn setting(&mut self, setting: &Setting) {
        self.word("setting", &setting.name);
        let family = match setting.name.to_string().as_str() {
            "optimizer" => "optimizer",
            "schedule" => "schedule",
            "backend" => "backend",
            _ => return,
        };
        let word = setting.value.as_ref().and_then(|value| {
            match value.tokens.clone().into_iter().next()? {
                proc_macro2::TokenTree::Ident(word) => Some(word),
                _ => None,
            }
        });
        if let Some(word) = word {
            self.word(family, &word);
        }
    }
}
