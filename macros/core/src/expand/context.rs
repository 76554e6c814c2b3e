//! The context that every part of the expansion reads.

use super::names;
use crate::Lowered;
use damper_ir::{
    Block, Id, Inferred, InputKind, Op, OpKind, Parameter, RuleKind, Shape, Source, Statement, op,
};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// A lowered declaration with its names and shapes.
pub(super) struct Context<'a> {
    pub(super) lowered: &'a Lowered,
    pub(super) krate: &'a TokenStream,
    /// Bodies are unreachable.
    pub(super) stub: bool,
    pub(super) name: Ident,
    pub(super) config: Ident,
    pub(super) shapes: &'a Inferred,
    /// By path.
    pub(super) parameters: Vec<Parameter>,
    pub(super) blocks: Blocks,
    pub(super) inputs: Vec<Input>,
    /// The functions of the configuration that make the configurations of nested models.
    pub(super) nested: BTreeMap<Id, Ident>,
    /// The operations that take class indices, and the statements whose value they are.
    indices: BTreeSet<Id>,
    /// The declared block whose code is being written.
    inside: Cell<Option<usize>>,
}

/// The type of a batch of values: `Tensor<2>`.
pub(super) fn tensor(rank: &Rank) -> TokenStream {
    quote!(burn::tensor::Tensor<#rank>)
}

/// How many axes a batch of a value has.
#[derive(Clone)]
pub(super) enum Rank {
    Known(usize),
    /// As many as a batch of another model's output: only the compiler knows.
    Of(TokenStream),
}

impl Rank {
    /// One axis less.
    pub(super) fn below(&self) -> Self {
        match self {
            Self::Known(rank) => Self::Known(rank.saturating_sub(1)),
            Self::Of(rank) => Self::Of(quote!(#rank - 1)),
        }
    }

    pub(super) fn is(&self, rank: usize) -> bool {
        matches!(self, Self::Known(known) if *known == rank)
    }
}

impl ToTokens for Rank {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Known(rank) => Literal::usize_unsuffixed(*rank).to_tokens(tokens),
            Self::Of(rank) => tokens.extend(quote!({ #rank })),
        }
    }
}

/// The type of a batch of class indices: `Tensor<2, Int>`.
pub(super) fn int_tensor(rank: usize) -> TokenStream {
    let rank = Literal::usize_unsuffixed(rank);
    quote!(burn::tensor::Tensor<#rank, burn::tensor::Int>)
}

/// A parameter of `forward`.
pub(super) struct Input {
    pub(super) name: Ident,
    /// The axes of a batch of it.
    pub(super) rank: usize,
    /// The shape of one sample, as text.
    pub(super) shape: String,
    /// Class indices instead of numbers.
    pub(super) indices: bool,
}

impl Input {
    /// The type of a batch of it.
    pub(super) fn ty(&self) -> TokenStream {
        if self.indices {
            int_tensor(self.rank)
        } else {
            tensor(&Rank::Known(self.rank))
        }
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(lowered: &'a Lowered, stub: bool) -> Self {
        let name = lowered.ast.name.clone();
        let config = format_ident!("{name}Config");
        let mut blocks = Blocks::default();
        blocks.taken.extend([name.to_string(), config.to_string()]);
        let declared = &lowered.model().blocks;
        for block in declared {
            let ident = blocks.fresh(format_ident!("{name}{}", block.name));
            blocks.declared.insert(block.name.clone(), ident.clone());
            blocks.add(&ident, "", &block.layers);
        }
        blocks.add(&name, "", &lowered.model().layers);
        let inputs = lowered
            .model()
            .inputs
            .iter()
            .map(|input| Input {
                name: names::ident(&input.name, Span::mixed_site()),
                rank: input.shape.len() + 1,
                shape: Shape(input.shape.iter().map(damper_ir::Value::size).collect()).to_string(),
                indices: matches!(input.kind, InputKind::Int { .. }),
            })
            .collect();
        let mut nested = BTreeMap::new();
        nested_configs(&mut nested, "", &lowered.model().layers);
        for block in declared {
            let path = format!("{}_", block.name.to_lowercase());
            nested_configs(&mut nested, &path, &block.layers);
        }
        nested.retain(|id, _| lowered.models.contains_key(id));
        let shapes = lowered.spec.shapes();
        let mut parameters = if stub {
            Vec::new()
        } else {
            lowered.spec.parameters().to_vec()
        };
        parameters.sort_by(|one, other| one.path.cmp(&other.path));
        Self {
            lowered,
            krate: &lowered.krate,
            stub,
            name,
            config,
            shapes,
            parameters,
            blocks,
            inputs,
            nested,
            indices: indices(lowered.model()),
            inside: Cell::new(None),
        }
    }

    /// Calls `write` with each declared block, as the one whose code is being written.
    pub(super) fn each_declared(&self, mut write: impl FnMut(&Block)) {
        for (index, block) in self.lowered.model().blocks.iter().enumerate() {
            self.inside.set(Some(index));
            write(block);
        }
        self.inside.set(None);
    }

    /// The declared block whose code is being written.
    pub(super) fn inside(&self) -> Option<&Block> {
        self.lowered.model().blocks.get(self.inside.get()?)
    }

    /// Whether the operation takes class indices, or the statement's value is of them.
    pub(super) fn is_indices(&self, id: Id) -> bool {
        self.indices.contains(&id)
    }

    /// The type of what the operation takes.
    pub(super) fn input_type(&self, op: &Op) -> TokenStream {
        if self.is_indices(op.id) {
            int_tensor(self.input_rank(op))
        } else {
            tensor(&self.rank(self.shapes.input_of(op.id), self.shapes.input_like(op.id)))
        }
    }

    /// The body of a function; in a stub, one that cannot be reached.
    pub(super) fn body(&self, body: impl FnOnce() -> TokenStream) -> TokenStream {
        if self.stub {
            quote!(::core::unreachable!())
        } else {
            body()
        }
    }

    /// The axes of a batch of what the operation takes.
    pub(super) fn input_rank(&self, op: &Op) -> usize {
        self.shapes
            .input_of(op.id)
            .map_or(2, |shape| shape.rank() + 1)
    }

    /// The axes of a batch of what the operation gives.
    pub(super) fn output_rank(&self, op: &Op) -> Rank {
        self.rank(
            self.shapes.output_of(op.id),
            self.shapes.output_of_like(op.id),
        )
    }

    /// The axes of a batch of what the statement gives.
    pub(super) fn rank_of(&self, statement: &Statement) -> Rank {
        self.rank(
            self.shapes.statement(statement.id),
            self.shapes.statement_like(statement.id),
        )
    }

    /// The axes of a batch of what the model gives.
    pub(super) fn rank_of_output(&self) -> Rank {
        self.rank(self.shapes.output(), self.shapes.output_like())
    }

    fn rank(&self, shape: Option<&Shape>, like: Option<Id>) -> Rank {
        let nested = like.and_then(|id| self.lowered.models.get(&id));
        match (shape, nested) {
            (Some(shape), _) => Rank::Known(shape.rank() + 1),
            (None, Some(nested)) => {
                let (krate, path) = (self.krate, names::deeper(&nested.path));
                Rank::Of(quote!(<#path as #krate::Network>::RANK))
            }
            (None, None) => Rank::Known(2),
        }
    }

    /// Where a thing of the declaration begins; the call site if it was not written.
    pub(super) fn span(&self, id: Id) -> Span {
        if id.is_none() {
            Span::call_site()
        } else {
            self.lowered.spans.get(id).0
        }
    }
}

/// What takes class indices, and which statements hold them: any operation makes numbers of them.
fn indices(model: &damper_ir::Model) -> BTreeSet<Id> {
    fn walk<'m>(
        found: &mut BTreeSet<Id>,
        mut names: BTreeSet<&'m str>,
        statements: &'m [Statement],
        first: bool,
        parallel: bool,
    ) {
        let mut previous = first;
        for statement in statements {
            let mut value = match &statement.source {
                Source::Previous => previous,
                Source::From(name) => names.contains(name.as_str()),
                _ => false,
            };
            for op in &statement.ops {
                if value {
                    found.insert(op.id);
                }
                let parallel = matches!(op.kind, OpKind::Parallel { .. });
                for (_, block) in op.kind.templates() {
                    walk(found, names.clone(), block, value, parallel);
                }
                value = false;
            }
            if value {
                found.insert(statement.id);
                names.insert(&statement.name);
            }
            if !parallel {
                previous = value;
            }
        }
    }
    let is_int = |input: &damper_ir::Input| matches!(input.kind, InputKind::Int { .. });
    let inputs = model.inputs.iter();
    let names = inputs
        .filter(|input| is_int(input))
        .map(|input| input.name.as_str());
    let mut found = BTreeSet::new();
    let first = model.inputs.first().is_some_and(is_int);
    walk(&mut found, names.collect(), &model.layers, first, false);
    found
}

fn nested_configs(found: &mut BTreeMap<Id, Ident>, path: &str, statements: &[Statement]) {
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        let path = || format!("{path}{}_", op.field.as_deref().unwrap_or("model"));
        if matches!(op.kind, OpKind::Model { .. }) {
            found.insert(op.id, format_ident!("{}config", path()));
        }
        for (name, block) in op.kind.templates() {
            let path = name.map_or_else(path, |name| format!("{}{name}_", path()));
            nested_configs(found, &path, block);
        }
    }
}

/// The structs of `residual`, `shortcut`, `repeat` and `parallel`, by the id of the operation.
#[derive(Default)]
pub(super) struct Blocks {
    bodies: BTreeMap<Id, Ident>,
    shortcuts: BTreeMap<Id, Ident>,
    declared: BTreeMap<String, Ident>,
    order: Vec<Ident>,
    taken: BTreeSet<String>,
}

impl Blocks {
    /// The struct of a block's body; of a declared block one for all its uses.
    pub(super) fn body(&self, op: &Op) -> Option<&Ident> {
        match &op.kind {
            OpKind::Use(one) => self.declared(&one.block),
            _ => self.bodies.get(&op.id),
        }
    }

    /// The struct of a declared block.
    pub(super) fn declared(&self, name: &str) -> Option<&Ident> {
        self.declared.get(name)
    }

    /// The struct of a residual's shortcut.
    pub(super) fn shortcut(&self, op: &Op) -> Option<&Ident> {
        self.shortcuts.get(&op.id)
    }

    /// All of them, in the order of the source.
    pub(super) fn structs(&self) -> impl Iterator<Item = &Ident> {
        self.order.iter()
    }

    fn add(&mut self, name: &Ident, path: &str, statements: &[Statement]) {
        for op in statements.iter().flat_map(|statement| &statement.ops) {
            let path = format!(
                "{path}{}",
                names::camel(op.field.as_deref().unwrap_or("block"))
            );
            for (part, block) in op.kind.templates() {
                if part.is_some() && block.is_empty() {
                    continue;
                }
                let path =
                    part.map_or(path.clone(), |part| format!("{path}{}", names::camel(part)));
                let ident = self.fresh(format_ident!("{name}{path}"));
                let structs = match part {
                    None => &mut self.bodies,
                    Some(_) => &mut self.shortcuts,
                };
                structs.insert(op.id, ident);
                self.add(name, &path, block);
            }
        }
    }

    fn fresh(&mut self, mut ident: Ident) -> Ident {
        while !self.taken.insert(ident.to_string()) {
            ident = format_ident!("{ident}Block");
        }
        self.order.push(ident.clone());
        ident
    }
}

/// The shortcut of a residual.
pub(super) struct Residual<'a> {
    pub(super) shortcut: Option<&'a Ident>,
    pub(super) drop_path: bool,
}

/// The field that holds the strengths of an activity penalty that are not plain numbers.
pub(super) fn activity_field(op: &Op) -> Option<Ident> {
    match &op.kind {
        OpKind::Activity(op::Activity { l1, l2 }) if l1.hole.is_some() || l2.hole.is_some() => {
            Some(format_ident!("activity_{}", op.id.0))
        }
        _ => None,
    }
}

/// An expression that reaches a parameter of the model, for asking which device it is on.
pub(super) fn a_weight(cx: &Context<'_>) -> Option<TokenStream> {
    let ops = cx
        .lowered
        .model()
        .layers
        .iter()
        .flat_map(|statement| &statement.ops);
    // Where the weight is computed from others, looking at it would compute it once more.
    let computed = |op: &&Op| {
        op.rules
            .iter()
            .any(|rule| matches!(rule.kind, RuleKind::WeightNorm | RuleKind::SpectralNorm))
    };
    ops.filter(|op| !computed(op)).find_map(|op| {
        let name = names::ident(op.field.as_deref()?, cx.span(Id::NONE));
        let field = op.kind.field()?;
        let parameter = field.ty()?.parameter?.split('.');
        let parameter = parameter.map(|name| Ident::new(name, Span::call_site()));
        Some(quote!(&self.#name #(.#parameter)*))
    })
}
