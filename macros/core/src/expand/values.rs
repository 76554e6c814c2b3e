//! The values of the declaration as expressions of the generated code.

use super::context::Context;
use super::{asserts, names};
use crate::{Hole, HoleKind, Nested};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Lit, UnOp};

/// What fills the places of the description: the values in their order, then the nested models.
pub(super) fn fillings(cx: &Context<'_>) -> Vec<TokenStream> {
    let krate = cx.krate;
    let constants = asserts::constant_places(cx);
    let values = cx.lowered.holes.iter().enumerate().map(|(place, hole)| {
        let hyper = cx
            .lowered
            .model()
            .hyper
            .iter()
            .position(|hyper| hyper.value.hole == u32::try_from(place).ok());
        let value = match hyper.and_then(|index| cx.lowered.ast.hyper.get(index)) {
            Some(hyper) => {
                let name = &hyper.name;
                quote!(#name)
            }
            None if constants.contains_key(&place) => {
                asserts::constant(place, hole).into_token_stream()
            }
            None => value(cx, hole),
        };
        let make = match hole.kind {
            HoleKind::Size => quote!(size),
            HoleKind::Float => quote!(float),
            HoleKind::Bool => quote!(truth),
        };
        let span = names::span(&hole.tokens);
        quote_spanned!(span=> #krate::__private::Filling::#make(#value))
    });
    let models = cx.nested.values().map(|function| {
        quote!(#krate::__private::Filling::from(#krate::NetworkConfig::spec(&self.#function()?)?))
    });
    values.chain(models).collect()
}

/// The user's expression where a value of the configuration may break its arithmetic, checked.
fn value(cx: &Context<'_>, hole: &Hole) -> TokenStream {
    let tokens = names::deeper(&hole.tokens);
    if hole.uses_hyper {
        checked(cx, &tokens, hole.kind == HoleKind::Float)
    } else {
        tokens
    }
}

/// Arithmetic that may overflow, go below zero or divide by zero, as calls that return an error instead.
/// Floats cannot; `float` says that only what is after a cast can.
fn checked(cx: &Context<'_>, tokens: &TokenStream, float: bool) -> TokenStream {
    match syn::parse2::<Expr>(tokens.clone()) {
        Ok(expr) if breaks(&expr, float) => rewritten(cx.krate, &expr),
        _ => tokens.clone(),
    }
}

fn breaks(expr: &Expr, float: bool) -> bool {
    match expr {
        Expr::Binary(binary) => {
            let safe =
                matches!(binary.op, BinOp::Div(_) | BinOp::Rem(_)) && is_positive(&binary.right);
            (!float && arithmetic(&binary.op).is_some() && !safe)
                || breaks(&binary.left, float)
                || breaks(&binary.right, float)
        }
        Expr::Paren(paren) => breaks(&paren.expr, float),
        Expr::Group(group) => breaks(&group.expr, float),
        Expr::Unary(unary) => breaks(&unary.expr, float),
        Expr::Cast(cast) => breaks(&cast.expr, false),
        _ => false,
    }
}

fn is_positive(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(lit) if matches!(&lit.lit, Lit::Int(int) if int.base10_digits() != "0"))
}

fn arithmetic(op: &BinOp) -> Option<TokenStream> {
    match op {
        BinOp::Add(_) => Some(quote!(add)),
        BinOp::Sub(_) => Some(quote!(subtract)),
        BinOp::Mul(_) => Some(quote!(multiply)),
        BinOp::Div(_) => Some(quote!(divide)),
        BinOp::Rem(_) => Some(quote!(remainder)),
        _ => None,
    }
}

fn rewritten(krate: &TokenStream, expr: &Expr) -> TokenStream {
    match expr {
        Expr::Binary(binary) => {
            let (left, op, right) = (
                rewritten(krate, &binary.left),
                &binary.op,
                rewritten(krate, &binary.right),
            );
            if let Some(function) = arithmetic(op) {
                let span = op.span();
                quote_spanned!(span=> #krate::__private::arithmetic::#function(#left, #right)?)
            } else {
                quote!(#left #op #right)
            }
        }
        Expr::Paren(paren) => rewritten(krate, &paren.expr),
        Expr::Group(group) => rewritten(krate, &group.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            let (op, inner) = (&unary.op, rewritten(krate, &unary.expr));
            quote!(#op #inner)
        }
        Expr::Cast(cast) => {
            let (inner, ty) = (rewritten(krate, &cast.expr), &cast.ty);
            quote!((#inner as #ty))
        }
        _ => quote!(#expr),
    }
}

/// `let Self { hidden, .. } = *self;` with the hyper-parameters that the tokens name.
pub(super) fn unpack(cx: &Context<'_>, config: &TokenStream, used: &[&TokenStream]) -> TokenStream {
    let all = &cx.lowered.ast.hyper;
    let named: Vec<&Ident> = all
        .iter()
        .map(|hyper| &hyper.name)
        .filter(|name| {
            used.iter()
                .any(|tokens| names::mentions(tokens, &name.to_string()))
        })
        .collect();
    if named.is_empty() {
        return TokenStream::new();
    }
    let rest = (named.len() < all.len()).then(|| quote!(..));
    let name = &cx.config;
    quote!(let #name { #(#named,)* #rest } = *#config;)
}

/// The configuration of a nested model, an expression of a function that returns a `Result`.
pub(super) fn nested_config(cx: &Context<'_>, nested: &Nested) -> TokenStream {
    let krate = cx.krate;
    let path = names::deeper(&nested.path);
    let setters = nested.assignments.iter().map(|(name, value)| {
        let with = quote::format_ident!("with_{name}");
        let value = checked(cx, &names::deeper(value), false);
        quote!(.#with(#value))
    });
    quote!(<<#path as #krate::Network>::Config as ::core::default::Default>::default()#(#setters)*)
}
