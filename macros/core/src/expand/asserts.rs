//! Checks that only the compiler can make: of constants, and of cargo features.

use super::context::Context;
use super::names;
use crate::words::{Argument, Range};
use crate::{Hole, HoleKind};
use damper_ir::{InputKind, OpKind, Statement, Value};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use std::collections::BTreeMap;

/// The constants of the declaration, each with its type and its check, so that what is wrong with one is said once and
/// at the user's tokens. They are in the generated module.
pub(super) fn constants(cx: &Context<'_>) -> TokenStream {
    let krate = cx.krate;
    let constants = constant_places(cx)
        .into_iter()
        .filter_map(|(place, check)| {
            let hole = cx.lowered.holes.get(place)?;
            let (first, last) = hole.spans;
            let (name, tokens) = (constant(place, hole), names::deeper(&hole.tokens));
            let ty = Ident::new(
                if hole.kind == HoleKind::Size {
                    "usize"
                } else {
                    "f64"
                },
                first,
            );
            let check = Ident::new(check, first);
            // The call begins and ends with the user's tokens: the compiler shows what lies between.
            let mut argument = Group::new(Delimiter::Parenthesis, quote!(#name));
            argument.set_span(last);
            let call = quote_spanned!(first=> __check::#check);
            Some(quote_spanned!(first=>
                const #name: ::core::primitive::#ty = #tokens;
                const _: () = #call #argument;
            ))
        });
    let constants: TokenStream = constants.collect();
    if constants.is_empty() {
        return constants;
    }
    quote!(use #krate::__private::check as __check; #constants)
}

/// The name of the constant that holds a value of the declaration.
pub(super) fn constant(place: usize, hole: &Hole) -> Ident {
    format_ident!("__VALUE_{place}", span = hole.spans.0)
}

/// The places of the values that only the compiler knows, and the check of each. What the macro could evaluate has been
/// checked; what depends on the configuration is checked later.
pub(super) fn constant_places(cx: &Context<'_>) -> BTreeMap<usize, &'static str> {
    let mut ranges = BTreeMap::new();
    ranges_of(cx, &mut ranges);
    // A bound of a domain may be infinite: it is then no bound.
    let domains = cx
        .lowered
        .model()
        .hyper
        .iter()
        .filter_map(|hyper| hyper.domain.as_ref());
    let bounds: Vec<u32> = domains
        .flat_map(|domain| [domain.low, domain.high])
        .filter_map(|bound| bound?.hole)
        .collect();
    for (place, hole) in (0..).zip(&cx.lowered.holes) {
        if hole.kind == HoleKind::Float && !bounds.contains(&place) {
            ranges.entry(place).or_insert("finite");
        }
    }
    let is_hyper = |place| {
        cx.lowered
            .model()
            .hyper
            .iter()
            .any(|hyper| hyper.value.hole == Some(place))
    };
    let constant = |place: usize| {
        cx.lowered
            .holes
            .get(place)
            .is_some_and(|hole| !hole.uses_hyper)
    };
    ranges
        .into_iter()
        .filter(|(place, _)| !is_hyper(*place))
        .map(|(place, check)| (place as usize, check))
        .filter(|(place, _)| constant(*place))
        .collect()
}

/// The checks of cargo features.
pub(super) fn items(cx: &Context<'_>) -> TokenStream {
    if cx.stub {
        return TokenStream::new();
    }
    backend(cx).unwrap_or_default()
}

/// By place, the check of the values that only the compiler knows.
fn ranges_of(cx: &Context<'_>, ranges: &mut BTreeMap<u32, &'static str>) {
    let mut note = |value: &Value, check: &'static str| {
        if let (None, Some(place)) = (value.known, value.hole) {
            ranges.insert(place, check);
        }
    };
    let spec = cx.lowered.model();
    for input in &spec.inputs {
        input.shape.iter().for_each(|axis| note(axis, "size"));
        if let InputKind::Int {
            vocab: Some(vocab), ..
        } = &input.kind
        {
            note(vocab, "size");
        }
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
    let mut argument = |argument: &Argument, value: &Value| {
        if argument.kind.is_size() {
            note(value, "size");
        } else if argument.range == Range::Rate {
            note(value, "rate");
        }
    };
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        for rule in &op.rules {
            rule.kind.each_value(&mut argument);
        }
        op.kind.each_value(&mut argument);
    }
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        for (_, rate) in op.kind.rates() {
            note(&rate.rate, "rate");
        }
        match &op.kind {
            OpKind::Residual {
                drop_path: Some(drop_path),
                ..
            } => {
                note(&drop_path.first, "rate");
                note(&drop_path.last, "rate");
            }
            OpKind::Repeat { times, .. } => note(times, "size"),
            _ => {}
        }
        for (_, block) in op.kind.templates() {
            ops(block, note);
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
