//! Several values that become one, and the names of values.

use super::super::context::Context;
use super::super::names;
use damper_ir::Id;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

/// Values with an operator between them. `id` is the statement that begins with it, or the `parallel` that ends with
/// it: values of fewer axes than the others spread.
pub(super) fn arithmetic(
    cx: &Context<'_>,
    id: Id,
    operator: char,
    values: &[TokenStream],
) -> TokenStream {
    let krate = cx.krate;
    let operator = proc_macro2::Punct::new(operator, proc_macro2::Spacing::Alone);
    let spread = cx.shapes.spread(id);
    let mut all = TokenStream::new();
    for (index, value) in values.iter().enumerate() {
        let operator = (index > 0).then_some(&operator);
        let rank = spread.filter(|(_, lower)| lower.get(index) == Some(&true));
        if let Some((rank, _)) = rank {
            let rank = Literal::usize_unsuffixed(rank + 1);
            all.extend(quote!(#operator #krate::layer::spread::<_, #rank>(#value)));
        } else {
            all.extend(quote!(#operator #value));
        }
    }
    all
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
