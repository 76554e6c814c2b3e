//! One operation of a chain as generated code; a linear layer with its activation and dropout is one call.

use super::super::context::activity_field;
use super::scope::{Body, free_of};

use super::super::names;
use damper_ir::op::reduce::Total;
use damper_ir::op::{self, Call};
use damper_ir::{
    Activation, ActivationKind, Axis, Layout, Op, OpKind, Reduction, Stochastic, Value,
};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

impl Body<'_> {
    /// The line of the next operation, or of several that are one pass over the values, and the operations after it.
    pub(super) fn next<'s>(
        &mut self,
        ops: &'s [Op],
        local: &Ident,
        value: &TokenStream,
    ) -> Option<(TokenStream, &'s [Op])> {
        let (first, rest) = ops.split_first()?;
        if let Some(layer) = plain_linear(first) {
            return Some(self.dense(layer, rest, local, value));
        }
        // max(relu(x)) is relu(max(x)): the smaller value goes through relu, with the same gradient.
        if let (true, Some((pool, rest_of_chain))) = (is_relu(first), rest.split_first())
            && matches!(&pool.kind, OpKind::Pool(pool) if pool.reduction == Reduction::Max)
        {
            let mut lines = self.operation(pool, local, value);
            lines.extend(self.operation(first, local, &quote!(#local)));
            return Some((lines, rest_of_chain));
        }
        Some((self.operation(first, local, value), rest))
    }

    /// A linear layer with the activation and the dropout directly after it, as far as there are any.
    pub(super) fn dense<'s>(
        &self,
        layer: &str,
        mut rest_of_chain: &'s [Op],
        local: &Ident,
        value: &TokenStream,
    ) -> (TokenStream, &'s [Op]) {
        let (krate, pass) = (self.krate, &self.pass);
        let field = |name: &str| names::ident(name, Span::call_site());
        let layer = field(layer);
        let mut activation = quote!(None);
        if let Some((op, rest)) = rest_of_chain.split_first()
            && let OpKind::Activation(kind) = &op.kind
            && let Some(kind) = fused_activation(kind.kind)
        {
            activation = quote!(Some(#krate::activation::Activation::#kind));
            rest_of_chain = rest;
        }
        if let Some((op, rest)) = rest_of_chain.split_first()
            && let OpKind::Stochastic(Stochastic::Dropout { .. }) = &op.kind
        {
            let dropout = field(op.field.as_deref().unwrap_or_default());
            let line = quote! {
                let #local = #krate::layer::dense_with_dropout(
                    &self.#layer, #value, #activation, &self.#dropout, #pass
                );
            };
            return (line, rest);
        }
        let line = quote!(let #local = #krate::layer::dense(&self.#layer, #value, #activation););
        (line, rest_of_chain)
    }

    /// The line of an operation: puts `value`, gone through it, into `local`.
    pub(super) fn operation(&mut self, op: &Op, local: &Ident, value: &TokenStream) -> TokenStream {
        let pass = self.pass.clone();
        let name = op.field.as_deref().unwrap_or_default();
        let field = names::ident(name, Span::call_site());
        match (op.kind.call(), &op.kind) {
            (Some(Call::MethodWithMemory), kind) => {
                let memory = self.take(kind.reads().unwrap_or_default());
                let padding = self.padding(op);
                quote!(let #local = self.#field.forward_from(#value, #memory, #padding, #pass);)
            }
            (Some(call), _) => self.call(call, op, local, value),
            (None, OpKind::Model { .. }) => quote! {
                #pass.enter(#name);
                let #local = self.#field.forward_pass(#value, #pass);
                #pass.leave();
            },
            (None, OpKind::Repeat { .. }) => {
                let lent = self.borrow(&free_of(op));
                let (index, copy) = (self.fresh("index"), self.fresh("copy"));
                quote! {
                    let mut #local = #value;
                    for (#index, #copy) in self.#field.iter().enumerate() {
                        #pass.enter_copy(#name, #index);
                        #local = #copy.forward(#local, #(#lent,)* #pass);
                        #pass.leave();
                    }
                }
            }
            (None, OpKind::When { .. }) => {
                let lent = self.borrow(&free_of(op));
                let block = self.fresh("block");
                quote! {
                    #pass.enter(#name);
                    let #local = match &self.#field {
                        Some(#block) => #block.forward(#value, #(#lent,)* #pass),
                        None => #value,
                    };
                    #pass.leave();
                }
            }
            // A block: `residual`, `parallel` or a declared one.
            (None, _) => {
                let lent = self.borrow(&free_of(op));
                quote! {
                    #pass.enter(#name);
                    let #local = self.#field.forward(#value, #(#lent,)* #pass);
                    #pass.leave();
                }
            }
        }
    }

    /// The line of an operation that holds no others.
    pub(super) fn call(
        &self,
        call: Call,
        op: &Op,
        local: &Ident,
        value: &TokenStream,
    ) -> TokenStream {
        let (krate, pass) = (self.krate, &self.pass);
        let field = names::ident(op.field.as_deref().unwrap_or_default(), Span::call_site());
        // What drops the layer's weights calls it.
        if let Some(drops) = op
            .drop_connect_field()
            .or_else(|| op.embedding_dropout_field())
        {
            let drops = names::ident(&drops, Span::call_site());
            return quote!(let #local = self.#drops.forward(&self.#field, #value, #pass););
        }
        let function = |name: &str| Ident::new(name, Span::call_site());
        let called = match call {
            Call::Method => quote!(self.#field.forward(#value)),
            Call::MethodWithPass => quote!(self.#field.forward(#value, #pass)),
            Call::MethodWithPadding => {
                let padding = self.padding(op);
                quote!(self.#field.forward(#value, #padding, #pass))
            }
            Call::MethodAlong => {
                let rank = self.cx.input_rank(op).saturating_sub(1);
                let layout = self.cx.shapes.layout_of(op.id);
                let axis = Literal::usize_unsuffixed(op.kind.first_axis(layout, rank) + 1);
                quote!(self.#field.forward(#value, #axis))
            }
            Call::OfTensor(name) => {
                let method = function(name);
                quote!(#value.#method())
            }
            // What takes a value of the surroundings is written by `operation`.
            Call::Nothing | Call::MethodWithMemory => value.clone(),
            Call::MethodOverChannels => quote! {
                #krate::layer::channels_last(#value, |value| self.#field.forward(value))
            },
            Call::MethodOfRank => {
                let rank = self.cx.output_rank(op);
                quote!(self.#field.forward::<_, #rank>(#value))
            }
            Call::LayerFunction(name) => {
                let function = function(name);
                quote!(#krate::layer::#function(&self.#field, #value))
            }
            Call::Function(name) => {
                let function = function(name);
                quote!(#krate::layer::#function(#value))
            }
            Call::FunctionWithPadding(name) => {
                let (function, padding) = (function(name), self.padding(op));
                quote!(#krate::layer::#function(#value, #padding))
            }
            Call::Activation => match &op.kind {
                OpKind::Activation(activation) => {
                    let first = self.cx.shapes.layout_of(op.id) == Layout::Channels
                        && self.cx.input_rank(op) > 2;
                    function_of(krate, activation, value, first)
                }
                _ => value.clone(),
            },
            Call::Tied => {
                let name = match &op.kind {
                    OpKind::Linear(linear) => linear.tied.as_deref(),
                    _ => None,
                };
                let embedding = self.embedding(name.unwrap_or_default());
                quote!(self.#field.forward(#value, &self.#embedding.weight))
            }
            Call::Flatten if self.cx.input_rank(op) == 2 => value.clone(),
            Call::Flatten => quote!(#value.flatten::<2>(1, -1)),
            Call::Transpose => quote!(#value.swap_dims(1, 2)),
            Call::Reduce => self.reduce(op, value),
            Call::Activity => return self.activity(op, local, value),
        };
        quote!(let #local = #called;)
    }

    /// `mean` and `max` along an axis that is not time.
    pub(super) fn reduce(&self, op: &Op, value: &TokenStream) -> TokenStream {
        let OpKind::Reduce(op::Reduce { reduction, axis }) = &op.kind else {
            return value.clone();
        };
        let rank = self.cx.output_rank(op);
        let axis = match axis {
            Axis::Channels => 1,
            Axis::Time | Axis::Features => self.cx.input_rank(op).saturating_sub(1),
        };
        let axis = Literal::usize_unsuffixed(axis);
        match reduction {
            Total::Mean => quote!(#value.mean_dim(#axis).squeeze_dim::<#rank>(#axis)),
            Total::Max => quote!(#value.max_dim(#axis).squeeze_dim::<#rank>(#axis)),
            Total::Min => quote!(#value.min_dim(#axis).squeeze_dim::<#rank>(#axis)),
            Total::Sum => quote!(#value.sum_dim(#axis).squeeze_dim::<#rank>(#axis)),
        }
    }

    /// The penalty on a value that passes.
    pub(super) fn activity(&self, op: &Op, local: &Ident, value: &TokenStream) -> TokenStream {
        let pass = &self.pass;
        let strengths = match (activity_field(op), &op.kind) {
            (None, OpKind::Activity(op::Activity { l1, l2 })) => {
                let (l1, l2) = (float(l1), float(l2));
                quote!(#l1, #l2)
            }
            (field, _) => quote!(self.#field[0], self.#field[1]),
        };
        let put = (*local != value.to_string()).then(|| quote!(let #local = #value;));
        quote! {
            #put
            #pass.activity(&#local, #strengths);
        }
    }

    /// Which steps of what the operation takes are padding, as an `Option` of a reference.
    pub(super) fn padding(&self, op: &Op) -> TokenStream {
        let pass = &self.pass;
        if let Some((input, before)) = self.cx.shapes.padding_of(op.id) {
            let before = Literal::usize_unsuffixed(before);
            quote!(#pass.padding(#input, #before).as_ref())
        } else {
            quote!(None)
        }
    }

    /// The field of the embedding that a layer is tied to.
    pub(super) fn embedding(&self, name: &str) -> Ident {
        let statements = &self.cx.lowered.model().layers;
        let statement = statements.iter().find(|statement| statement.name == name);
        let ops = statement.map_or([].as_slice(), |statement| statement.ops.as_slice());
        let field = ops.iter().find_map(|op| match op.kind {
            OpKind::Embedding(_) => op.field.as_deref(),
            _ => None,
        });
        names::ident(field.unwrap_or(name), Span::call_site())
    }
}

/// The field of a linear layer whose weights are its own, and never dropped.
fn plain_linear(op: &Op) -> Option<&str> {
    match op.kind {
        OpKind::Linear(op::Linear { tied: None, .. }) if op.drop_connect_field().is_none() => {
            op.field.as_deref()
        }
        _ => None,
    }
}

fn is_relu(op: &Op) -> bool {
    matches!(&op.kind, OpKind::Activation(activation) if activation.kind == ActivationKind::Relu)
}

/// The name of an activation that a layer computes while its values are in the cache.
fn fused_activation(kind: ActivationKind) -> Option<Ident> {
    let name = match kind {
        ActivationKind::Relu => "Relu",
        ActivationKind::Tanh => "Tanh",
        ActivationKind::Sigmoid => "Sigmoid",
        ActivationKind::Gelu => "Gelu",
        ActivationKind::GeluApproximate => "GeluApproximate",
        ActivationKind::Silu => "Silu",
        ActivationKind::Mish => "Mish",
        _ => return None,
    };
    Some(format_ident!("{name}"))
}

/// A call of the function for an activation without arguments: ours where it is faster, or where burn's gradient
/// overflows (`selu`).
///
/// `channels_first`: those that mix features act along the first axis of a sample instead of the last.
fn function_of(
    krate: &TokenStream,
    activation: &Activation,
    value: &TokenStream,
    channels_first: bool,
) -> TokenStream {
    let name = names::ident(activation.kind.word(), Span::call_site());
    let axis = if channels_first {
        quote!(1)
    } else {
        quote!(-1)
    };
    match activation.kind {
        ActivationKind::Softmax | ActivationKind::LogSoftmax => {
            quote!(#krate::activation::#name(#value, #axis))
        }
        kind if kind.mixes_features() => quote!(burn::tensor::activation::#name(#value, #axis)),
        kind if fused_activation(kind).is_some() => quote!(#krate::activation::#name(#value)),
        ActivationKind::Selu => quote!(#krate::layer::selu(#value)),
        _ => quote!(burn::tensor::activation::#name(#value)),
    }
}

fn float(value: &Value) -> Literal {
    Literal::f64_unsuffixed(value.float().filter(|x| x.is_finite()).unwrap_or_default())
}
