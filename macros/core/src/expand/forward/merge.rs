//! Several values that become one, and the names of values.

use super::super::context::Context;
use super::super::names;
use damper_ir::Id;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

pub(super) fn product(values: &[TokenStream]) -> TokenStream {
    let times = proc_macro2::Punct::new('*', proc_macro2::Spacing::Alone);
    let mut product = TokenStream::new();
    for (index, value) in values.iter().enumerate() {
        let times = (index > 0).then_some(&times);
        product.extend(quote!(#times #value));
    }
    product
}

pub(super) fn cat(values: &[TokenStream], axis: usize) -> TokenStream {
    let axis = Literal::usize_unsuffixed(axis);
    quote!(burn::tensor::Tensor::cat(::std::vec![#(#values),*], #axis))
}

pub(super) fn local(name: &str) -> Ident {
    names::ident(name, Span::mixed_site())
}

/// The axis of a batch along which a `concat` joins: `id` is the statement that begins with it, or the `parallel`
/// that ends with it.
pub(super) fn concat_axis(cx: &Context<'_>, id: Id) -> usize {
    cx.shapes.concat_axis(id).map_or(1, |axis| axis + 1)
}
