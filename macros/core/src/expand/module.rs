//! The struct of the model and those of its blocks: fields, and how they are built.

use super::context::{Context, Residual, activity_field};
use super::{docs, forward, names, values};
use damper_ir::{Block, Op, OpKind, RuleKind, Statement};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeSet;

/// How many fields of a large struct are built, or changed, by one function.
const PART: usize = 16;

/// A struct with more fields than this is large. A function that takes all of them apart takes the compiler at least the
/// square of their number: a release build of 150 layers took 15 s, of 300 layers 225 s.
const LARGE: usize = 64;

/// A field of a generated struct.
pub(super) struct Field {
    name: Ident,
    ty: TokenStream,
    make: Make,
    docs: TokenStream,
    /// Not a module.
    skip: bool,
}

/// What makes a field.
enum Make {
    /// The builder, from the field's name and type.
    Layer(String),
    /// An expression of a function that returns a `Result`, whose type the compiler sees.
    Call(TokenStream),
    /// An expression of the user's, which must have the field's type.
    Custom(TokenStream),
}

/// Where fields are built: the names of the builder and of the configuration.
struct Site {
    build: Ident,
    config: TokenStream,
    /// The path of the fields, with a dot at its end.
    path: String,
}

/// The fields of the model's struct.
pub(super) fn of_model(cx: &Context<'_>) -> Vec<Field> {
    fields(cx, &cx.lowered.model().layers, &root())
}

/// The structs and the functions that build and run them.
pub(super) fn items(cx: &Context<'_>, fields: &[Field]) -> TokenStream {
    let (name, krate) = (&cx.name, cx.krate);
    let docs = docs::model(cx);
    let attributes = cx.lowered.ast.attrs.other.iter().map(|attribute| {
        let tokens = names::deeper(&quote!(#attribute));
        quote!(#tokens)
    });
    let large = fields.len() > LARGE;
    let declared = fields.iter().map(|field| field.declaration(large));
    let (derives, implementation) = module(cx, name, fields, Some(&format_ident!("spec")));
    let skip = (!large).then(|| quote!(#[module(skip)]));
    let mut blocks = TokenStream::new();
    cx.each_declared(|declared| declared_items(cx, &mut blocks, declared));
    block_items(cx, &mut blocks, "", &cx.lowered.model().layers);
    quote! {
        #docs
        #derives
        #(#attributes)*
        pub struct #name {
            #(#declared,)*
            #skip
            spec: #krate::Spec,
        }
        #implementation
        #blocks
    }
}

/// The derives of a struct, and its `Module` where burn's derive is not among them.
fn module(
    cx: &Context<'_>,
    name: &Ident,
    fields: &[Field],
    spec: Option<&Ident>,
) -> (TokenStream, TokenStream) {
    if fields.len() <= LARGE {
        return (
            quote!(#[derive(burn::module::Module, Debug)]),
            TokenStream::new(),
        );
    }
    let krate = cx.krate;
    let (skipped, modules): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| field.skip);
    let parts = modules.chunks(PART).enumerate().map(|(index, part)| {
        let names = part.iter().map(|field| &field.name);
        let places = (0..part.len()).map(Literal::usize_unsuffixed);
        let part = part_name(index);
        quote!(#part { #(#names #places,)* })
    });
    let skipped = skipped.iter().map(|field| &field.name).chain(spec);
    let implementation = quote! {
        #krate::__large_module!(#name { #(#parts)* ; skip { #(#skipped,)* } });
    };
    (quote!(#[derive(Debug)]), implementation)
}

/// The variable of a part, which an expression of the user's does not see.
fn part_name(index: usize) -> Ident {
    local(&format!("part_{index}"))
}

/// How the fields are built: what comes before the struct's literal, and the fields in it.
fn in_parts(fields: &[Field], build: &Ident) -> (TokenStream, TokenStream) {
    if fields.len() <= LARGE {
        let fields = fields.iter().map(|field| {
            let (name, make) = (&field.name, field.made(build));
            quote!(#name: #make,)
        });
        return (TokenStream::new(), quote!(#(#fields)*));
    }
    let mut parts = TokenStream::new();
    let mut moved = TokenStream::new();
    for (index, fields) in fields.chunks(PART).enumerate() {
        let part = part_name(index);
        let made = fields.iter().map(|field| field.typed(build));
        parts.extend(quote! {
            let #part = #build.part(|#build| Ok((#(#made,)*)))?;
        });
        for (place, Field { name, .. }) in fields.iter().enumerate() {
            let place = Literal::usize_unsuffixed(place);
            moved.extend(quote!(#name: #part.#place,));
        }
    }
    (parts, moved)
}

/// The body of `init`: builds every field in order.
pub(super) fn init(cx: &Context<'_>, fields: &[Field], device: &Ident) -> TokenStream {
    let (name, krate) = (&cx.name, cx.krate);
    let (build, spec, model) = (&local("build"), local("spec"), local("model"));
    let (parts, literal) = in_parts(fields, build);
    let declaration = cx.lowered.model();
    let mut blocks = declaration.blocks.iter();
    let drawn = if reparameterizes(&declaration.layers)
        || blocks.any(|block| reparameterizes(&block.layers))
    {
        quote!(#build.reparameterize(#model))
    } else {
        quote!(#model)
    };
    quote! {
        let #spec = self.spec()?;
        let #build = #krate::__private::Builder::new(&#spec, #device);
        #parts
        let #model = #name { #literal spec: #spec.clone() };
        Ok(#build.finish(#drawn))
    }
}

/// Whether a weight is computed from others.
fn reparameterizes(statements: &[Statement]) -> bool {
    let mut ops = statements.iter().flat_map(|statement| &statement.ops);
    ops.any(|op| {
        let mut rules = op.rules.iter();
        rules.any(|rule| matches!(rule.kind, RuleKind::WeightNorm | RuleKind::SpectralNorm))
            || op.kind.templates().any(|(_, block)| reparameterizes(block))
    })
}

fn root() -> Site {
    Site {
        build: local("build"),
        config: quote!(self),
        path: String::new(),
    }
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The struct of a declared block, and those of the blocks in it.
fn declared_items(cx: &Context<'_>, out: &mut TokenStream, declared: &Block) {
    let Some(name) = cx.blocks.declared(&declared.name) else {
        return;
    };
    let run = (!cx.stub).then(|| forward::declared(cx, declared));
    let docs = docs::declared(cx, declared);
    let (path, layers) = (&declared.name, &declared.layers);
    out.extend(block(cx, name, layers, None, path, &docs, run.as_ref()));
    block_items(cx, out, path, layers);
}

/// The structs of the blocks, outer ones first.
fn block_items(cx: &Context<'_>, out: &mut TokenStream, path: &str, statements: &[Statement]) {
    for op in statements.iter().flat_map(|statement| &statement.ops) {
        let name = op.field.as_deref().unwrap_or("block");
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        match &op.kind {
            OpKind::Residual {
                body,
                shortcut,
                drop_path,
            } => {
                if let Some(name) = cx.blocks.body(op) {
                    let extra = Residual {
                        shortcut: cx.blocks.shortcut(op),
                        drop_path: drop_path.is_some(),
                    };
                    let run = (!cx.stub).then(|| forward::residual(cx, op, &extra));
                    let extra = Some((op, &extra));
                    let docs = docs::residual(&path);
                    out.extend(block(cx, name, body, extra, &path, &docs, run.as_ref()));
                    block_items(cx, out, &path, body);
                }
                if let Some(name) = cx.blocks.shortcut(op) {
                    let run = (!cx.stub).then(|| forward::shortcut(cx, op, shortcut));
                    let docs = docs::shortcut(&path);
                    let path = format!("{path}.shortcut");
                    out.extend(block(cx, name, shortcut, None, &path, &docs, run.as_ref()));
                    block_items(cx, out, &path, shortcut);
                }
            }
            OpKind::Repeat { body, .. } => {
                if let Some(name) = cx.blocks.body(op) {
                    let run = (!cx.stub).then(|| forward::copy(cx, op, body));
                    let docs = docs::copy(&path);
                    let path = format!("{path}.0");
                    out.extend(block(cx, name, body, None, &path, &docs, run.as_ref()));
                    block_items(cx, out, &path, body);
                }
            }
            OpKind::When { body, .. } => {
                if let Some(name) = cx.blocks.body(op) {
                    let run = (!cx.stub).then(|| forward::copy(cx, op, body));
                    let docs = docs::when(&path);
                    out.extend(block(cx, name, body, None, &path, &docs, run.as_ref()));
                    block_items(cx, out, &path, body);
                }
            }
            OpKind::Parallel { body, merge } => {
                if let Some(name) = cx.blocks.body(op) {
                    let run = (!cx.stub).then(|| forward::parallel(cx, op, body, *merge));
                    let docs = docs::parallel(&path);
                    out.extend(block(cx, name, body, None, &path, &docs, run.as_ref()));
                    block_items(cx, out, &path, body);
                }
            }
            _ => {}
        }
    }
}

fn block(
    cx: &Context<'_>,
    name: &Ident,
    body: &[Statement],
    residual: Option<(&Op, &Residual<'_>)>,
    path: &str,
    docs: &TokenStream,
    run: Option<&TokenStream>,
) -> TokenStream {
    let krate = cx.krate;
    let config = local("config");
    let site = Site {
        build: local("build"),
        config: quote!(#config),
        path: format!("{path}."),
    };
    let mut fields = fields(cx, body, &site);
    if let Some((op, residual)) = residual {
        fields.extend(residual_fields(cx, op, residual, &site));
    }
    let large = fields.len() > LARGE;
    let declared = fields.iter().map(|field| field.declaration(large));
    let (derives, implementation) = module(cx, name, &fields, None);
    let build = &site.build;
    let (parts, literal) = in_parts(&fields, build);
    let asks = residual.map_or_else(|| needs_config(cx, body), |(op, _)| op_needs_config(cx, op));
    let config_parameter = asks.then(|| {
        let ty = &cx.config;
        quote!(, #config: &#ty)
    });
    let functions = run.map(|run| {
        quote! {
            impl #name {
                fn build(
                    #build: &#krate::__private::Builder<'_> #config_parameter
                ) -> ::core::result::Result<Self, #krate::SpecError> {
                    #parts
                    Ok(Self { #literal })
                }
                #run
            }
        }
    });
    quote! {
        #docs
        #derives
        pub struct #name { #(#declared,)* }
        #implementation
        #functions
    }
}

fn residual_fields(cx: &Context<'_>, op: &Op, residual: &Residual<'_>, site: &Site) -> Vec<Field> {
    let (krate, build) = (cx.krate, &site.build);
    let shortcut = residual.shortcut.map(|ty| {
        let OpKind::Residual { shortcut, .. } = &op.kind else {
            return None;
        };
        let make = block_builder(ty, needs_config(cx, shortcut), site);
        Some(Field {
            name: format_ident!("shortcut"),
            ty: quote!(#ty),
            make: Make::Call(quote!(#build.shortcut(#make)?)),
            docs: docs::line("What the block's input goes through before the sum."),
            skip: false,
        })
    });
    let drop_path = residual.drop_path.then(|| Field {
        name: format_ident!("drop_path"),
        ty: quote!(#krate::layer::DropPath),
        make: Make::Call(quote!(#build.drop_path()?)),
        docs: docs::line("Drops the branch of single samples while training."),
        skip: false,
    });
    shortcut.flatten().into_iter().chain(drop_path).collect()
}

/// The function that builds a block, as the builder wants it.
fn block_builder(ty: &Ident, needs_config: bool, site: &Site) -> TokenStream {
    if needs_config {
        let (build, config) = (local("build"), &site.config);
        quote!(|#build| #ty::build(#build, #config))
    } else {
        quote!(#ty::build)
    }
}

/// Whether fields are built from the configuration, and not from the description alone.
fn needs_config(cx: &Context<'_>, statements: &[Statement]) -> bool {
    let mut ops = statements.iter().flat_map(|statement| &statement.ops);
    ops.any(|op| op_needs_config(cx, op))
}

fn op_needs_config(cx: &Context<'_>, op: &Op) -> bool {
    match &op.kind {
        OpKind::Custom(_) => cx.lowered.customs.get(&op.id).is_some_and(|custom| {
            let mut hyper = cx.lowered.ast.hyper.iter();
            hyper.any(|hyper| names::mentions(&custom.expr, &hyper.name.to_string()))
        }),
        OpKind::Model { .. } => true,
        OpKind::Use(one) => {
            let mut blocks = cx.lowered.model().blocks.iter();
            let block = blocks.find(|block| block.name == one.block);
            block.is_some_and(|block| needs_config(cx, &block.layers))
        }
        kind => kind.templates().any(|(_, block)| needs_config(cx, block)),
    }
}

/// The fields of some statements. No two have one name, not even in a declaration that has mistakes.
fn fields(cx: &Context<'_>, statements: &[Statement], site: &Site) -> Vec<Field> {
    let mut taken = BTreeSet::from(["spec".to_owned()]);
    let mut fields = Vec::new();
    for statement in statements {
        for op in &statement.ops {
            add_fields(cx, &mut fields, statement, op, site);
        }
    }
    if cx.stub {
        fields.retain(|field| taken.insert(field.name.to_string()));
    }
    fields
}

fn add_fields(
    cx: &Context<'_>,
    fields: &mut Vec<Field>,
    statement: &Statement,
    op: &Op,
    site: &Site,
) {
    let (krate, build) = (cx.krate, &site.build);
    if let Some(name) = activity_field(op) {
        let id = Literal::u32_unsuffixed(op.id.0);
        fields.push(Field {
            name,
            ty: quote!([f64; 2]),
            make: Make::Call(quote!(#build.activity(#id)?)),
            docs: docs::line("The strengths of the activity penalty: absolute values, squares."),
            skip: true,
        });
    }
    let Some(field) = op.field.as_deref() else {
        return;
    };
    let Some((ty, make)) = type_and_make(cx, op, field, site) else {
        return;
    };
    let span = if field == statement.name {
        cx.span(statement.id)
    } else {
        cx.span(op.id)
    };
    fields.push(Field {
        name: names::ident(field, span),
        ty,
        make,
        docs: docs::field(cx, statement, op, &format!("{}{field}", site.path)),
        skip: false,
    });
    let mut noise = |name: Option<String>, ty: TokenStream, drops: &str| {
        if let Some(name) = name {
            fields.push(Field {
                name: names::ident(&name, cx.span(op.id)),
                ty,
                make: Make::Layer(name),
                docs: docs::line(&format!("Drops {drops} of `{field}` while training.")),
                skip: false,
            });
        }
    };
    let embedding = quote!(#krate::layer::EmbeddingDropout);
    noise(op.embedding_dropout_field(), embedding, "classes");
    let weights = quote!(#krate::layer::DropConnect);
    noise(op.drop_connect_field(), weights, "weights");
}

/// The type of an operation's field, and how it is made.
fn type_and_make(
    cx: &Context<'_>,
    op: &Op,
    field: &str,
    site: &Site,
) -> Option<(TokenStream, Make)> {
    let (krate, build) = (cx.krate, &site.build);
    Some(match &op.kind {
        OpKind::Residual { .. }
        | OpKind::Parallel { .. }
        | OpKind::Repeat { .. }
        | OpKind::Use(_)
        | OpKind::When { .. } => {
            let ty = cx.blocks.body(op)?;
            let builder = block_builder(ty, op_needs_config(cx, op), site);
            let (ty, function) = match &op.kind {
                OpKind::Residual { .. } => (quote!(#ty), quote!(residual)),
                OpKind::Parallel { .. } => (quote!(#ty), quote!(parallel)),
                OpKind::Use(_) => (quote!(#ty), quote!(block)),
                OpKind::When { .. } => (quote!(::core::option::Option<#ty>), quote!(when)),
                _ => (quote!(::std::vec::Vec<#ty>), quote!(copies)),
            };
            (ty, Make::Call(quote!(#build.#function(#field, #builder)?)))
        }
        OpKind::Model { .. } => {
            let nested = cx.lowered.models.get(&op.id)?;
            let function = cx.nested.get(&op.id)?;
            let config = &site.config;
            (
                names::deeper(&nested.path),
                Make::Call(quote!(#build.network(&#config.#function()?)?)),
            )
        }
        OpKind::Custom(_) => {
            let custom = cx.lowered.customs.get(&op.id)?;
            (
                names::deeper(&custom.ty),
                Make::Custom(custom_layer(cx, &names::deeper(&custom.expr), site)),
            )
        }
        kind => {
            let ty = layer(krate, kind)?;
            (ty, Make::Layer(field.to_owned()))
        }
    })
}

/// The user's expression, with the hyper-parameters and `device` in scope where it names them.
fn custom_layer(cx: &Context<'_>, expr: &TokenStream, site: &Site) -> TokenStream {
    let (build, unpack) = (&site.build, values::unpack(cx, &site.config, &[expr]));
    let device = names::mentions(expr, "device").then(|| {
        let device = Ident::new("device", names::span(expr));
        quote!(let #device = #build.device();)
    });
    if unpack.is_empty() && device.is_none() {
        quote!(#expr)
    } else {
        quote!({ #unpack #device #expr })
    }
}

/// The type of a layer; `None` for what is not one.
fn layer(krate: &TokenStream, kind: &OpKind) -> Option<TokenStream> {
    let field = kind.field()?;
    let ty = field.ty()?;
    let segments = ty
        .path
        .split("::")
        .map(|name| Ident::new(name, Span::call_site()));
    Some(if ty.is_burn {
        quote!(burn #(:: #segments)*)
    } else {
        quote!(#krate::layer #(:: #segments)*)
    })
}

impl Field {
    /// What makes it, where the compiler knows its type.
    fn made(&self, build: &Ident) -> TokenStream {
        match &self.make {
            Make::Layer(field) => quote!(#build.layer(#field)?),
            Make::Call(make) | Make::Custom(make) => make.clone(),
        }
    }

    /// What makes it, with its type written out: many types left to infer slow the compiler down.
    fn typed(&self, build: &Ident) -> TokenStream {
        let ty = &self.ty;
        match &self.make {
            Make::Layer(field) => quote!(#build.layer::<#ty>(#field)?),
            Make::Call(make) => make.clone(),
            Make::Custom(make) => quote!({
                let layer: #ty = #make;
                layer
            }),
        }
    }

    /// A large struct has no burn derive, and so no attributes for it.
    fn declaration(&self, large: bool) -> TokenStream {
        let Self { name, ty, docs, .. } = self;
        let skip = (self.skip && !large).then(|| quote!(#[module(skip)]));
        let vis = (!self.skip).then(|| quote!(pub));
        quote!(#docs #skip #vis #name: #ty)
    }
}
