//! Checks that only the compiler can make: of constants, and of cargo features.

use super::context::Context;
use super::names;
use crate::{Hole, HoleKind};
use damper_ir::{InputKind, OpKind, Statement, Value};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use std::collections::BTreeMap;

/// The constants of the declaration, each with its type and its check, so that what is wrong with one is said once and
/// at the user's tokens. They stand in the generated module.
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
        .spec
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
            .spec
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
    let spec = &cx.lowered.spec;
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
    use damper_ir::{RuleKind, Stochastic};
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        for rule in &op.rules {
            if let RuleKind::DropConnect { rate } = &rule.kind {
                note(rate, "rate");
            }
        }
        match &op.kind {
            OpKind::Linear { out, .. } | OpKind::Swiglu { out, .. } => note(out, "size"),
            OpKind::Conv(conv) => {
                let sizes = [&conv.kernel, &conv.stride, &conv.dilation];
                sizes
                    .into_iter()
                    .flatten()
                    .for_each(|size| note(size, "size"));
                note(&conv.out, "size");
                note(&conv.groups, "size");
            }
            OpKind::Pool(pool) => {
                let sizes = [&pool.kernel, &pool.stride];
                sizes
                    .into_iter()
                    .flatten()
                    .for_each(|size| note(size, "size"));
            }
            OpKind::GroupNorm { groups, .. } => note(groups, "size"),
            OpKind::Reshape { shape } => shape.iter().for_each(|axis| note(axis, "size")),
            OpKind::Embedding {
                vocab,
                dim,
                dropout,
            } => {
                note(vocab, "size");
                note(dim, "size");
                rates([dropout], note);
            }
            OpKind::Recurrent(layer) => {
                note(&layer.hidden, "size");
                note(&layer.layers, "size");
                rates(
                    [
                        &layer.between,
                        &layer.variational,
                        &layer.recurrent,
                        &layer.zoneout,
                    ],
                    note,
                );
            }
            OpKind::Attention { heads, dropout, .. } => {
                note(heads, "size");
                rates([dropout], note);
            }
            OpKind::Stochastic(Stochastic::DropBlock { rate, first, size }) => {
                note(rate, "rate");
                if let Some(first) = first {
                    note(first, "rate");
                }
                note(size, "size");
            }
            OpKind::Custom { output, .. } => output.iter().for_each(|axis| note(axis, "size")),
            OpKind::Stochastic(
                Stochastic::Dropout { rate }
                | Stochastic::AlphaDropout { rate }
                | Stochastic::GaussianDropout { rate }
                | Stochastic::DropPath { rate }
                | Stochastic::SpatialDropout { rate }
                | Stochastic::VariationalDropout { rate },
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
            OpKind::Parallel { body, .. } => ops(body, note),
            OpKind::Activation(_)
            | OpKind::BatchNorm { .. }
            | OpKind::LayerNorm { .. }
            | OpKind::InstanceNorm { .. }
            | OpKind::RmsNorm { .. }
            | OpKind::GlobalPool(_)
            | OpKind::Flatten
            | OpKind::ToSequence
            | OpKind::Transpose
            | OpKind::Step { .. }
            | OpKind::Reduce { .. }
            | OpKind::Positional { .. }
            | OpKind::ClassToken
            | OpKind::Model { .. }
            | OpKind::Stochastic(Stochastic::Noise { .. })
            | OpKind::Activity { .. } => {}
        }
    }
}

fn rates<const N: usize>(
    rates: [&Option<damper_ir::Rate>; N],
    note: &mut dyn FnMut(&Value, &'static str),
) {
    rates
        .into_iter()
        .flatten()
        .for_each(|rate| note(&rate.rate, "rate"));
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
