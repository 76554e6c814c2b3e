//! Checks that only the compiler can make: of constants, and of cargo features.

use super::context::Context;
use super::names;
use damper_spec::{OpKind, Statement, Value};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::BTreeMap;

/// The checks, each at the user's tokens.
pub(super) fn items(cx: &Context<'_>) -> TokenStream {
    if cx.stub {
        return TokenStream::new();
    }
    let krate = cx.krate;
    let mut ranges = BTreeMap::new();
    ranges_of(cx, &mut ranges);
    let checks = cx
        .lowered
        .holes
        .iter()
        .enumerate()
        .filter_map(|(place, hole)| {
            let range = ranges.get(&u32::try_from(place).ok()?)?;
            // What the macro could evaluate has been checked; what depends on the configuration is checked later.
            let known = cx
                .lowered
                .spec
                .hyper
                .iter()
                .any(|hyper| hyper.value.hole == u32::try_from(place).ok());
            if hole.uses_hyper || known {
                return None;
            }
            let (tokens, check) = (&hole.tokens, Ident::new(range, Span::call_site()));
            let span = names::span(tokens);
            Some(quote_spanned!(span=> const _: () = #krate::__private::check::#check(#tokens);))
        });
    let backend = backend(cx);
    quote!(#(#checks)* #backend)
}

/// By place, the check of the values that only the compiler knows.
fn ranges_of(cx: &Context<'_>, ranges: &mut BTreeMap<u32, &'static str>) {
    let mut note = |value: &Value, check: &'static str| {
        if let (None, Some(place)) = (value.known, value.hole) {
            ranges.insert(place, check);
        }
    };
    let spec = &cx.lowered.spec;
    for input in &spec.inputs {
        input.shape.iter().for_each(|axis| note(axis, "size"));
    }
    ops(&spec.layers, &mut note);
    if let Some(train) = &spec.train {
        if let Some(optimizer) = &train.optimizer {
            note(&optimizer.learning_rate, "learning_rate");
        }
        for size in [&train.epochs, &train.batch, &train.accumulate]
            .into_iter()
            .flatten()
        {
            note(size, "size");
        }
    }
}

fn ops(statements: &[Statement], note: &mut dyn FnMut(&Value, &'static str)) {
    use damper_spec::{RuleKind, Stochastic};
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        for rule in &op.rules {
            if let RuleKind::DropConnect { rate } = &rule.kind {
                note(rate, "rate");
            }
        }
        match &op.kind {
            OpKind::Linear { out, .. } | OpKind::Swiglu { out, .. } => note(out, "size"),
            OpKind::Custom { output, .. } => output.iter().for_each(|axis| note(axis, "size")),
            OpKind::Stochastic(
                Stochastic::Dropout { rate }
                | Stochastic::AlphaDropout { rate }
                | Stochastic::GaussianDropout { rate }
                | Stochastic::DropPath { rate },
            ) => note(rate, "rate"),
            OpKind::Residual {
                body,
                shortcut,
                drop_path,
            } => {
                if let Some(drop_path) = drop_path {
                    note(&drop_path.first, "rate");
                    note(&drop_path.last, "rate");
                }
                ops(body, note);
                ops(shortcut, note);
            }
            OpKind::Repeat { times, body } => {
                note(times, "size");
                ops(body, note);
            }
            _ => {}
        }
    }
}

/// `backend: wgpu` is an error at that word where the feature is off: only the runtime crate knows its features,
/// so the error goes through a macro of its own that lets it pass or drops it.
fn backend(cx: &Context<'_>) -> Option<TokenStream> {
    let krate = cx.krate;
    let settings = &cx.lowered.ast.train.as_ref()?.content;
    let value = settings
        .iter()
        .find(|setting| setting.name == "backend")?
        .value
        .as_ref()?;
    let word = value.text();
    let unless = Ident::new(
        match word.as_str() {
            "flex" => "__unless_flex",
            "ndarray" => "__unless_ndarray",
            "wgpu" => "__unless_wgpu",
            _ => return None,
        },
        Span::call_site(),
    );
    let text = format!(
        "the backend `{word}` needs the feature `{word}` of damper, which is off\n\
         help: in Cargo.toml: damper = {{ version = \"{}\", features = [\"{word}\"] }}",
        env!("CARGO_PKG_VERSION")
    );
    let error = syn::Error::new_spanned(&value.tokens, text).to_compile_error();
    Some(quote!(#krate::#unless! { #error }))
}
