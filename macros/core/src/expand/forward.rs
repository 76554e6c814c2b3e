//! The forward pass: one line for each operation.
//!
//! Values are locals named after their statements. A value is cloned where it is used again later, and
//! blocks borrow the values of their surroundings.

use super::context::{Context, Rank, Residual, a_weight, activity_field, int_tensor, tensor};

use super::names;
use damper_ir::op::{self, Call};
use damper_ir::{
    Activation, ActivationKind, Axis, Id, InputKind, Merge, Op, OpKind, Reduction, Source,
    Statement, Stochastic, Value,
};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
        let arguments = block.lend(&shortcut_uses);
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

/// `forward` of the branches of a `parallel`: all of them, then the merge.
pub(super) fn parallel(cx: &Context<'_>, op: &Op, body: &[Statement], merge: Merge) -> TokenStream {
    let after: Vec<&str> = body
        .iter()
        .map(|statement| statement.name.as_str())
        .collect();
    function(cx, op, body, &after, |block, lines, _, _| {
        let values: Vec<TokenStream> = after.iter().map(|name| block.take(name)).collect();
        let merged = match merge {
            Merge::Add => quote!(#(#values)+*),
            Merge::Mul => product(&values),
            Merge::Concat => cat(&values, concat_axis(cx, op.id)),
        };
        quote!(#lines #merged)
    })
}

fn product(values: &[TokenStream]) -> TokenStream {
    let times = proc_macro2::Punct::new('*', proc_macro2::Spacing::Alone);
    let mut product = TokenStream::new();
    for (index, value) in values.iter().enumerate() {
        let times = (index > 0).then_some(&times);
        product.extend(quote!(#times #value));
    }
    product
}

fn cat(values: &[TokenStream], axis: usize) -> TokenStream {
    let axis = Literal::usize_unsuffixed(axis);
    quote!(burn::tensor::Tensor::cat(::std::vec![#(#values),*], #axis))
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
    let (before, behind) = (cx.type_before(op), tensor(&cx.rank_behind(op)));
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
        fn forward(&self, #input: #before, #(#outer,)* #pass: &mut #krate::Pass) -> #behind {
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
            let mut blocks = statement.ops.iter().flat_map(|op| op.kind.blocks());
            blocks.find_map(|(_, block)| find(name, block))
        })
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

fn local(name: &str) -> Ident {
    names::ident(name, Span::mixed_site())
}

/// The values that a statement begins with, apart from the previous one.
fn sources(statement: &Statement) -> &[String] {
    match &statement.source {
        Source::Previous => &[],
        Source::From(name) => std::slice::from_ref(name),
        Source::Add(names) | Source::Mul(names) | Source::Concat(names) => names,
    }
}

/// The values of the surroundings that a block uses.
fn free(statements: &[Statement]) -> BTreeSet<&str> {
    let (mut found, mut bound) = (BTreeSet::new(), BTreeSet::new());
    for statement in statements {
        let used = sources(statement).iter().map(String::as_str);
        let inside = statement.ops.iter().flat_map(free_of);
        found.extend(used.chain(inside).filter(|name| !bound.contains(name)));
        bound.insert(statement.name.as_str());
    }
    found
}

/// The values of the surroundings that an operation uses.
fn free_of(op: &Op) -> BTreeSet<&str> {
    op.kind
        .blocks()
        .flat_map(|(_, block)| free(block))
        .collect()
}

/// The indices of the statements that use a value by its name, one for each use, the first one first.
type Uses<'s> = HashMap<&'s str, Vec<usize>>;

/// Counted once: to look after every statement would take the square of their number.
fn uses(statements: &[Statement]) -> Uses<'_> {
    let mut uses = Uses::new();
    for (index, statement) in statements.iter().enumerate() {
        let inside = statement.ops.iter().flat_map(free_of);
        for name in sources(statement).iter().map(String::as_str).chain(inside) {
            uses.entry(name).or_default().push(index);
        }
    }
    uses
}

/// A function being written.
struct Body<'c> {
    cx: &'c Context<'c>,
    krate: &'c TokenStream,
    /// Every statement without a source takes the input.
    parallel: bool,
    pass: Ident,
    values: BTreeMap<String, Held>,
    /// The uses that are still to come, by name.
    ahead: Vec<String>,
    names: BTreeSet<String>,
    /// Uses of the input by `Previous`: by the first statement, in a `parallel` by any.
    leading: usize,
}

/// A value in scope.
struct Held {
    local: Ident,
    /// Of the surroundings.
    borrowed: bool,
    left: usize,
}

impl<'c> Body<'c> {
    /// A body with these statements; `after` are the values used after them.
    fn new(
        cx: &'c Context<'c>,
        pass: Ident,
        statements: &[Statement],
        after: &[&str],
        parallel: bool,
    ) -> Self {
        let mut ahead = Vec::new();
        let mut leading = 0;
        let mut previous: Option<&str> = None;
        for statement in statements {
            match (&statement.source, previous) {
                (Source::Previous, Some(previous)) if !parallel => ahead.push(previous.to_owned()),
                (Source::Previous, _) => leading += 1,
                _ => ahead.extend_from_slice(sources(statement)),
            }
            ahead.extend(statement.ops.iter().flat_map(free_of).map(str::to_owned));
            previous = Some(&statement.name);
        }
        ahead.extend(after.iter().map(|name| (*name).to_owned()));
        let names = statements
            .iter()
            .map(|statement| statement.name.clone())
            .collect();
        Self {
            cx,
            krate: cx.krate,
            parallel,
            pass,
            values: BTreeMap::new(),
            ahead,
            names,
            leading,
        }
    }

    /// Adds a parameter.
    fn define(&mut self, name: &str, local: Ident, borrowed: bool) {
        self.names.insert(local.to_string());
        self.values.insert(
            name.to_owned(),
            Held {
                local,
                borrowed,
                left: 0,
            },
        );
    }

    /// Counts how often every parameter will be used; the first statement begins with `first`.
    fn recount(&mut self, first: &str) {
        for _ in 0..self.leading {
            self.ahead.insert(0, first.to_owned());
        }
        for (name, value) in &mut self.values {
            value.left = self.ahead.iter().filter(|used| *used == name).count();
        }
    }

    fn fresh(&self, wanted: &str) -> Ident {
        let taken: Vec<&str> = self.names.iter().map(String::as_str).collect();
        names::fresh(wanted, &taken)
    }

    /// One use of a value as an owned one.
    fn take(&mut self, name: &str) -> TokenStream {
        let Some(value) = self.values.get_mut(name) else {
            let local = local(name);
            return quote!(#local);
        };
        value.left = value.left.saturating_sub(1);
        let local = &value.local;
        if value.borrowed || value.left > 0 {
            quote!(#local.clone())
        } else {
            quote!(#local)
        }
    }

    /// One use of each value as a borrowed one.
    fn lend(&mut self, names: &BTreeSet<&str>) -> Vec<TokenStream> {
        let mut lent = Vec::new();
        for name in names {
            let Some(value) = self.values.get_mut(*name) else {
                continue;
            };
            value.left = value.left.saturating_sub(1);
            let local = &value.local;
            lent.push(if value.borrowed {
                quote!(#local)
            } else {
                quote!(&#local)
            });
        }
        lent
    }

    /// All statements: the lines, the last value as an expression, and the local it may be put in.
    fn statements(
        &mut self,
        statements: &[Statement],
        first: &str,
    ) -> (TokenStream, TokenStream, Ident) {
        let pass = self.pass.clone();
        let mut lines = TokenStream::new();
        let mut previous = first.to_owned();
        let uses = uses(statements);
        for (index, statement) in statements.iter().enumerate() {
            let name = statement.name.as_str();
            let local = local(name);
            let mut value = self.source(statement, &previous);
            let mut ops = statement.ops.as_slice();
            while let Some((line, rest)) = self.next(ops, &local, &value) {
                lines.extend(line);
                value = quote!(#local);
                ops = rest;
            }
            let seen = if self.cx.is_indices(statement.id) {
                value
            } else {
                quote!(#pass.see(#name, #value))
            };
            if index + 1 == statements.len() && !self.parallel {
                return (lines, seen, local);
            }
            lines.extend(quote!(let #local = #seen;));
            let left = self.ahead_of(statements, index, &uses);
            self.values.insert(
                name.to_owned(),
                Held {
                    local,
                    borrowed: false,
                    left,
                },
            );
            if !self.parallel {
                name.clone_into(&mut previous);
            }
        }
        if self.parallel {
            return (lines, TokenStream::new(), self.fresh("output"));
        }
        let input = self.take(first);
        (lines, input, self.fresh("output"))
    }

    /// How often the value of statement `index` is used after it.
    fn ahead_of(&self, statements: &[Statement], index: usize, uses: &Uses<'_>) -> usize {
        // In a `parallel`, the merge takes every value once.
        let as_previous = self.parallel
            || statements
                .get(index + 1)
                .is_some_and(|next| matches!(next.source, Source::Previous));
        let named = statements
            .get(index)
            .and_then(|statement| uses.get(statement.name.as_str()))
            .map_or(0, |places| {
                places.len() - places.partition_point(|place| *place <= index)
            });
        usize::from(as_previous) + named
    }

    /// What a statement begins with.
    fn source(&mut self, statement: &Statement, previous: &str) -> TokenStream {
        match &statement.source {
            Source::Previous => self.take(previous),
            Source::From(name) => self.take(name),
            Source::Add(names) => {
                let values: Vec<TokenStream> = names.iter().map(|name| self.take(name)).collect();
                quote!(#(#values)+*)
            }
            Source::Mul(names) => {
                let values: Vec<TokenStream> = names.iter().map(|name| self.take(name)).collect();
                product(&values)
            }
            Source::Concat(names) => {
                let values: Vec<TokenStream> = names.iter().map(|name| self.take(name)).collect();
                cat(&values, concat_axis(self.cx, statement.id))
            }
        }
    }

    /// The line of the next operation, or of several that are one pass over the values, and the operations after it.
    fn next<'s>(
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
        if let (true, Some((pool, behind))) = (is_relu(first), rest.split_first())
            && matches!(&pool.kind, OpKind::Pool(pool) if pool.reduction == Reduction::Max)
        {
            let mut lines = self.operation(pool, local, value);
            lines.extend(self.operation(first, local, &quote!(#local)));
            return Some((lines, behind));
        }
        Some((self.operation(first, local, value), rest))
    }

    /// A linear layer with the activation and the dropout directly after it, as far as there are any.
    fn dense<'s>(
        &self,
        layer: &str,
        mut behind: &'s [Op],
        local: &Ident,
        value: &TokenStream,
    ) -> (TokenStream, &'s [Op]) {
        let (krate, pass) = (self.krate, &self.pass);
        let field = |name: &str| names::ident(name, Span::call_site());
        let layer = field(layer);
        let mut activation = quote!(None);
        if let Some((op, rest)) = behind.split_first()
            && let OpKind::Activation(kind) = &op.kind
            && let Some(kind) = in_one_pass(kind.kind)
        {
            activation = quote!(Some(#krate::activation::Activation::#kind));
            behind = rest;
        }
        if let Some((op, rest)) = behind.split_first()
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
        (line, behind)
    }

    /// The line of an operation: puts `value`, gone through it, into `local`.
    fn operation(&mut self, op: &Op, local: &Ident, value: &TokenStream) -> TokenStream {
        let pass = self.pass.clone();
        let name = op.field.as_deref().unwrap_or_default();
        let field = names::ident(name, Span::call_site());
        match (op.kind.call(), &op.kind) {
            (Some(call), _) => self.call(call, op, local, value),
            (None, OpKind::Model { .. }) => quote! {
                #pass.enter(#name);
                let #local = self.#field.forward_pass(#value, #pass);
                #pass.leave();
            },
            (None, OpKind::Repeat { .. }) => {
                let lent = self.lend(&free_of(op));
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
            // A block: `residual` or `parallel`.
            (None, _) => {
                let lent = self.lend(&free_of(op));
                quote! {
                    #pass.enter(#name);
                    let #local = self.#field.forward(#value, #(#lent,)* #pass);
                    #pass.leave();
                }
            }
        }
    }

    /// The line of an operation that holds no others.
    fn call(&self, call: Call, op: &Op, local: &Ident, value: &TokenStream) -> TokenStream {
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
            Call::MethodOfRank => {
                let rank = self.cx.rank_behind(op);
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
                OpKind::Activation(activation) => function_of(krate, activation, value),
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
            Call::Flatten if self.cx.rank_before(op) == 2 => value.clone(),
            Call::Flatten => quote!(#value.flatten::<2>(1, -1)),
            Call::Transpose => quote!(#value.swap_dims(1, 2)),
            Call::Reduce => self.reduce(op, value),
            Call::Activity => return self.activity(op, local, value),
        };
        quote!(let #local = #called;)
    }

    /// `mean` and `max` along an axis that is not time.
    fn reduce(&self, op: &Op, value: &TokenStream) -> TokenStream {
        let OpKind::Reduce(op::Reduce { reduction, axis }) = &op.kind else {
            return value.clone();
        };
        let rank = self.cx.rank_behind(op);
        let axis = match axis {
            Axis::Channels => 1,
            Axis::Time | Axis::Features => self.cx.rank_before(op).saturating_sub(1),
        };
        let axis = Literal::usize_unsuffixed(axis);
        match reduction {
            Reduction::Mean => quote!(#value.mean_dim(#axis).squeeze_dim::<#rank>(#axis)),
            Reduction::Max => quote!(#value.max_dim(#axis).squeeze_dim::<#rank>(#axis)),
        }
    }

    /// The penalty on a value that passes.
    fn activity(&self, op: &Op, local: &Ident, value: &TokenStream) -> TokenStream {
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
    fn padding(&self, op: &Op) -> TokenStream {
        let pass = &self.pass;
        if let Some((input, before)) = self.cx.shapes.padding_of(op.id) {
            let before = Literal::usize_unsuffixed(before);
            quote!(#pass.padding(#input, #before).as_ref())
        } else {
            quote!(None)
        }
    }

    /// The field of the embedding that a layer is tied to.
    fn embedding(&self, name: &str) -> Ident {
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

/// The axis of a batch along which a `concat` joins: `id` is the statement that begins with it, or the `parallel`
/// that ends with it.
fn concat_axis(cx: &Context<'_>, id: Id) -> usize {
    cx.shapes.concat_axis(id).map_or(1, |axis| axis + 1)
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
fn in_one_pass(kind: ActivationKind) -> Option<Ident> {
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
fn function_of(krate: &TokenStream, activation: &Activation, value: &TokenStream) -> TokenStream {
    let name = names::ident(activation.kind.word(), Span::call_site());
    match activation.kind {
        ActivationKind::Glu | ActivationKind::Softmin | ActivationKind::QuietSoftmax => {
            quote!(burn::tensor::activation::#name(#value, -1))
        }
        ActivationKind::Softmax | ActivationKind::LogSoftmax => {
            quote!(#krate::activation::#name(#value, -1))
        }
        kind if in_one_pass(kind).is_some() => quote!(#krate::activation::#name(#value)),
        ActivationKind::Selu => quote!(#krate::layer::selu(#value)),
        _ => quote!(burn::tensor::activation::#name(#value)),
    }
}

fn float(value: &Value) -> Literal {
    Literal::f64_unsuffixed(value.float().filter(|x| x.is_finite()).unwrap_or_default())
}
