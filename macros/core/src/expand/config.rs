//! The configuration: hyper-parameters, the description with their values, a model with fresh weights.

use super::context::Context;
use super::{description, docs, module, names, values};
use crate::ast;
use damper_ir::HyperKind;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Expr, Lit};

/// The struct and its functions; `built` are the fields of the model.
pub(super) fn items(cx: &Context<'_>, built: &[module::Field]) -> TokenStream {
    let (krate, name, config) = (cx.krate, &cx.name, &cx.config);
    let hyper = &cx.lowered.ast.hyper;
    let defaults: Vec<Default> = hyper.iter().map(|hyper| default(hyper, cx.stub)).collect();
    let fields = hyper
        .iter()
        .zip(&defaults)
        .map(|(hyper, default)| field(hyper, default));
    let constants = hyper
        .iter()
        .zip(&defaults)
        .filter_map(|(hyper, default)| default.constant(hyper));
    let docs = docs::line(&format!("The hyper-parameters of [`{name}`]."));
    let description = (!cx.stub).then(|| {
        let literal = description::literal(cx.lowered);
        quote!(const DESCRIPTION: &'static str = #literal;)
    });
    let nested = (!cx.stub).then(|| nested(cx));
    let device = Ident::new("device", Span::mixed_site());
    let (spec, init) = (
        cx.body(|| spec(cx)),
        cx.body(|| module::init(cx, built, &device)),
    );
    let training = cx.body(|| quote!(#krate::Training::new(self)));
    let training = cx.lowered.model().loss.is_some().then(|| {
        quote! {
            /// A training with these hyper-parameters.
            pub fn training(self) -> #krate::Training<#name> {
                #training
            }
        }
    });
    let (trait_spec, trait_init) = (
        cx.body(|| quote!(self.spec())),
        cx.body(|| quote!(self.init(#device))),
    );
    quote! {
        #docs
        #[derive(burn::config::Config, Debug)]
        pub struct #config { #(#fields,)* }

        impl ::core::default::Default for #config {
            fn default() -> Self {
                Self::new()
            }
        }

        impl #config {
            #description
            #(#constants)*

            /// The description with these values: layers, shapes, parameters, training.
            ///
            /// # Errors
            ///
            /// The rules that the values break, as the compiler would have told them.
            pub fn spec(&self) -> ::core::result::Result<#krate::Spec, #krate::SpecError> {
                #spec
            }

            /// A model with fresh weights on the device.
            ///
            /// # Errors
            ///
            /// The rules that the values break, as the compiler would have told them.
            pub fn init(
                &self,
                #device: &burn::tensor::Device
            ) -> ::core::result::Result<#name, #krate::SpecError> {
                #init
            }

            #training
            #nested
        }

        impl #krate::NetworkConfig for #config {
            type Network = #name;

            fn spec(&self) -> ::core::result::Result<#krate::Spec, #krate::SpecError> {
                #trait_spec
            }

            fn init(
                &self,
                #device: &burn::tensor::Device
            ) -> ::core::result::Result<#name, #krate::SpecError> {
                #trait_init
            }
        }
    }
}

/// The default of a hyper-parameter in the attribute: burn's derive reads literals and strings of code.
enum Default {
    Literal(TokenStream),
    Constant(Ident, TokenStream),
}

impl Default {
    /// The constant that holds the default, so that its type is checked at the user's tokens.
    fn constant(&self, hyper: &ast::Hyper) -> Option<TokenStream> {
        let Self::Constant(name, value) = self else {
            return None;
        };
        let ty = &hyper.ty;
        Some(quote!(const #name: #ty = #value;))
    }
}

fn default(hyper: &ast::Hyper, stub: bool) -> Default {
    if stub {
        // What was written may be what is wrong.
        return Default::Literal(match hyper.kind {
            HyperKind::Usize => quote!(0),
            HyperKind::F64 => quote!(0.0),
            HyperKind::Bool => quote!(false),
        });
    }
    let tokens = &hyper.default.tokens;
    match (syn::parse2::<Expr>(tokens.clone()), hyper.kind) {
        (Ok(Expr::Lit(lit)), HyperKind::F64) => match &lit.lit {
            Lit::Int(int) => match float(int.base10_digits(), tokens) {
                Some(float) => Default::Literal(quote!(#float)),
                None => Default::Literal(tokens.clone()),
            },
            _ => Default::Literal(tokens.clone()),
        },
        (Ok(Expr::Lit(lit)), _) if !matches!(lit.lit, Lit::Str(_)) => {
            Default::Literal(tokens.clone())
        }
        _ => {
            let name = format_ident!("DEFAULT_{}", hyper.name.to_string().to_uppercase());
            Default::Constant(name, names::deeper(tokens))
        }
    }
}

/// `1` for an `f64` as `1.0`, where the user wrote it.
fn float(digits: &str, tokens: &TokenStream) -> Option<proc_macro2::Literal> {
    let mut literal = format!("{digits}.0").parse::<proc_macro2::Literal>().ok()?;
    literal.set_span(names::span(tokens));
    Some(literal)
}

fn field(hyper: &ast::Hyper, default: &Default) -> TokenStream {
    let (name, ty) = (&hyper.name, &hyper.ty);
    let written = docs::written(&hyper.attrs.docs);
    let own = hyper
        .attrs
        .docs
        .is_empty()
        .then(|| docs::line(&format!("The hyper-parameter `{name}`.")));
    let domain = hyper
        .domain
        .as_ref()
        .map(|domain| docs::lines(["", &format!("In `{}`.", domain.text())]));
    let shown = docs::lines(["", &format!("Default: `{}`.", hyper.default.text())]);
    let default = match default {
        Default::Literal(tokens) => quote!(#tokens),
        Default::Constant(name, _) => {
            let code = format!("Self::{name}");
            quote!(#code)
        }
    };
    quote! {
        #written #own #domain #shown
        #[config(default = #default)]
        pub #name: #ty
    }
}

fn spec(cx: &Context<'_>) -> TokenStream {
    let krate = cx.krate;
    let fillings = values::fillings(cx);
    let hyper: Vec<&Ident> = cx
        .lowered
        .ast
        .hyper
        .iter()
        .map(|hyper| &hyper.name)
        .collect();
    let config = &cx.config;
    let unpack = (!hyper.is_empty()).then(|| quote!(let #config { #(#hyper),* } = *self;));
    quote! {
        #unpack
        #krate::Spec::fill(Self::DESCRIPTION, &[#(#fillings),*])
    }
}

/// The configurations of nested models.
fn nested(cx: &Context<'_>) -> TokenStream {
    let krate = cx.krate;
    let functions = cx.nested.iter().filter_map(|(id, function)| {
        let nested = cx.lowered.models.get(id)?;
        let path = names::deeper(&nested.path);
        let used: Vec<&TokenStream> = nested.assignments.iter().map(|(_, value)| value).collect();
        let unpack = values::unpack(cx, &quote!(self), &used);
        let made = values::nested_config(cx, nested);
        Some(quote! {
            fn #function(
                &self
            ) -> ::core::result::Result<<#path as #krate::Network>::Config, #krate::SpecError> {
                #unpack
                Ok(#made)
            }
        })
    });
    quote!(#(#functions)*)
}
