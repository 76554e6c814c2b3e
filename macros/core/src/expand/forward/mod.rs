//! The forward pass: one line for each operation.
//!
//! Values are locals named after their statements. A value is cloned where it is used again later, and
//! blocks borrow the values of their surroundings.

mod merge;
mod operation;
mod scope;

use merge::{arithmetic, cat, concat_axis, local};
use scope::{Body, free};

use super::context::{Context, Rank, Residual, a_weight, int_tensor, tensor};

use super::names;
use damper_ir::{Block, InputKind, Merge, Op, OpKind, Statement};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The name of a block's own input among the values: no statement can have it.
const INPUT: &str = "";

/// The body of `forward_pass` of the model.
pub(super) fn model(cx: &Context<'_>, pass: &Ident) -> TokenStream {
    let krate = cx.krate;
    let inputs: Vec<(&str, &Ident)> = cx
        .lowered
        .model()
        .inputs
        .iter()
        .zip(&cx.inputs)
        .map(|(input, parameter)| (input.name.as_str(), &parameter.name))
        .collect();
    let lifted = inputs.iter().map(|(_, name)| {
        if let Some(weight) = a_weight(cx) {
            quote!(let #name = #krate::__private::lift(#name, #weight);)
        } else {
            quote!(let #name = #krate::__private::lift_to(#name, self);)
        }
    });
    let padded = cx
        .lowered
        .model()
        .inputs
        .iter()
        .zip(&cx.inputs)
        .filter(|(input, _)| matches!(input.kind, InputKind::Int { pad: Some(_), .. }))
        .map(|(input, parameter)| {
            let (name, local) = (&input.name, &parameter.name);
            quote!(#krate::__private::pad(#pass, &self.spec, #name, &#local);)
        });
    let names: Vec<&Ident> = inputs.iter().map(|(_, name)| *name).collect();
    let one = names.first();
    let mut written = quote! {
        if let Some(empty) = #krate::__private::no_rows(&self.spec, &[#(&#names.dims()[..]),*], &#one.device()) {
            return empty;
        }
        #(#lifted)* #(#padded)*
    };
    let mut body = Body::new(cx, pass.clone(), &cx.lowered.model().layers, &[], false);
    let first = inputs.first().map_or(INPUT, |(name, ..)| name);
    for (name, local) in &inputs {
        body.define(name, (*local).clone(), false);
    }
    body.recount(first);
    let (lines, tail, _) = body.statements(&cx.lowered.model().layers, first);
    // By value: to write a stream into another one copies it.
    written.extend([lines, tail]);
    written
}

/// `forward` of a residual: branch plus shortcut.
pub(super) fn residual(cx: &Context<'_>, op: &Op, extra: &Residual<'_>) -> TokenStream {
    let OpKind::Residual { body, shortcut, .. } = &op.kind else {
        return TokenStream::new();
    };
    let shortcut_uses = free(shortcut);
    let mut after: Vec<&str> = shortcut_uses.iter().copied().collect();
    after.push(INPUT);
    function(cx, op, body, &after, |block, lines, tail, local| {
        let pass = block.pass.clone();
        let branch = match (extra.drop_path, extra.shortcut) {
            (false, None) => {
                let input = block.take(INPUT);
                return quote!(#lines #tail + #input);
            }
            (true, _) => quote!(let #local = self.drop_path.forward(#tail, #pass);),
            (false, _) => quote!(let #local = #tail;),
        };
        if extra.shortcut.is_none() {
            let input = block.take(INPUT);
            return quote!(#lines #branch #local + #input);
        }
        let arguments = block.borrow(&shortcut_uses);
        let input = block.take(INPUT);
        let shortcut = block.fresh("shortcut");
        quote! {
            #lines
            #branch
            #pass.enter("shortcut");
            let #shortcut = self.shortcut.forward(#input, #(#arguments,)* #pass);
            #pass.leave();
            #local + #shortcut
        }
    })
}

/// `forward` of a shortcut.
pub(super) fn shortcut(cx: &Context<'_>, op: &Op, body: &[Statement]) -> TokenStream {
    function(cx, op, body, &[], |_, lines, tail, _| quote!(#lines #tail))
}

/// `forward` of one copy of a `repeat`.
pub(super) fn copy(cx: &Context<'_>, op: &Op, body: &[Statement]) -> TokenStream {
    function(cx, op, body, &[], |_, lines, tail, _| quote!(#lines #tail))
}

/// `forward` of a declared block: it sees its input alone.
pub(super) fn declared(cx: &Context<'_>, declared: &Block) -> TokenStream {
    let krate = cx.krate;
    let layers = &declared.layers;
    let name = declared.input.as_str();
    let taken: Vec<&str> = layers
        .iter()
        .map(|statement| statement.name.as_str())
        .chain([name])
        .collect();
    let pass = names::fresh("pass", &taken);
    let mut block = Body::new(cx, pass.clone(), layers, &[], false);
    let input = local(name);
    block.define(name, input.clone(), false);
    block.recount(name);
    let (lines, tail, _) = block.statements(layers, name);
    let input_type = tensor(&Rank::Known(declared.axes.len() + 1));
    let output = layers.last().map(|last| cx.rank_of(last));
    let output_type = tensor(&output.unwrap_or(Rank::Known(2)));
    quote! {
        fn forward(&self, #input: #input_type, #pass: &mut #krate::Pass) -> #output_type {
            #lines
            #tail
        }
    }
}

/// `forward` of the branches of a `parallel`: all of them, then the merge.
pub(super) fn parallel(cx: &Context<'_>, op: &Op, body: &[Statement], merge: Merge) -> TokenStream {
    let after: Vec<&str> = body
        .iter()
        .map(|statement| statement.name.as_str())
        .collect();
    function(cx, op, body, &after, |block, lines, _, _| {
        let values: Vec<TokenStream> = after.iter().map(|name| block.take(name)).collect();
        let merged = match merge {
            Merge::Add => arithmetic(cx, op.id, '+', &values),
            Merge::Mul => arithmetic(cx, op.id, '*', &values),
            Merge::Concat => cat(&values, concat_axis(cx, op.id)),
        };
        quote!(#lines #merged)
    })
}

/// `fn forward(&self, input, the values it borrows, pass)` of a block.
fn function(
    cx: &Context<'_>,
    op: &Op,
    body: &[Statement],
    after: &[&str],
    finish: impl FnOnce(&mut Body<'_>, TokenStream, TokenStream, Ident) -> TokenStream,
) -> TokenStream {
    let krate = cx.krate;
    let parallel = matches!(op.kind, OpKind::Parallel { .. });
    let mut borrowed = free(body);
    if !parallel {
        borrowed.extend(after.iter().copied().filter(|name| *name != INPUT));
    }
    let taken: Vec<&str> = borrowed
        .iter()
        .copied()
        .chain(body.iter().map(|statement| statement.name.as_str()))
        .collect();
    let pass = names::fresh("pass", &taken);
    let input = names::fresh("input", &taken);
    let mut block = Body::new(cx, pass.clone(), body, after, parallel);
    let input = if block.leading > 0 || after.contains(&INPUT) || body.is_empty() {
        input
    } else {
        format_ident!("_{input}")
    };
    let (input_type, output_type) = (cx.input_type(op), tensor(&cx.output_rank(op)));
    block.define(INPUT, input.clone(), false);
    let outer: Vec<TokenStream> = borrowed
        .iter()
        .map(|name| {
            let (local, ty) = (local(name), type_of(cx, name));
            block.define(name, local.clone(), true);
            quote!(#local: &#ty)
        })
        .collect();
    block.recount(INPUT);
    let (lines, tail, last) = block.statements(body, INPUT);
    let body = finish(&mut block, lines, tail, last);
    quote! {
        fn forward(&self, #input: #input_type, #(#outer,)* #pass: &mut #krate::Pass) -> #output_type {
            #body
        }
    }
}

/// The type of a value that a block borrows.
fn type_of(cx: &Context<'_>, name: &str) -> TokenStream {
    fn find<'s>(name: &str, statements: &'s [Statement]) -> Option<&'s Statement> {
        statements.iter().find_map(|statement| {
            if statement.name == name {
                return Some(statement);
            }
            let mut blocks = statement.ops.iter().flat_map(|op| op.kind.templates());
            blocks.find_map(|(_, block)| find(name, block))
        })
    }
    if let Some(block) = cx.inside() {
        return match find(name, &block.layers) {
            Some(statement) => tensor(&cx.rank_of(statement)),
            None => tensor(&Rank::Known(block.axes.len() + 1)),
        };
    }
    let inputs = cx.lowered.model().inputs.iter();
    let input = inputs
        .zip(&cx.inputs)
        .find(|(input, _)| input.name == name)
        .map(|(_, input)| input.ty());
    input.unwrap_or_else(|| match find(name, &cx.lowered.model().layers) {
        Some(statement) if cx.is_indices(statement.id) => int_tensor(2),
        Some(statement) => tensor(&cx.rank_of(statement)),
        None => tensor(&Rank::Known(2)),
    })
}
