//! Lowered declarations to tokens. Infallible: what comes here has been checked.
//!
//! The generated items are in a private module, so that burn's derives find the `burn` they write:
//!
//! ```text
//! mod __digits {
//!     pub struct Digits { .. }          module.rs     fields, blocks, how they are built
//!     pub struct DigitsConfig { .. }    config.rs     hyper-parameters, description, init
//!     impl Digits { .. }                interface.rs  forward, predict, training, save, load
//!         forward_pass                  forward.rs    one line for each operation
//! }
//! pub use __digits::{Digits, DigitsConfig};
//! ```

mod asserts;
mod config;
mod context;
mod description;
mod docs;
mod forward;
mod hints;
mod interface;
mod module;
mod names;
mod values;

use crate::Lowered;
use context::Context;
use proc_macro2::TokenStream;
use quote::quote;

/// The items of a model that is right.
pub fn model(lowered: &Lowered) -> TokenStream {
    items(&Context::new(lowered, false))
}

/// The whole public interface with bodies that cannot be reached, for a model with errors: the same code
/// writes the signatures, so that a mistake in a declaration is one error, not one for each use of the model.
pub fn stub(lowered: &Lowered) -> TokenStream {
    items(&Context::new(lowered, true))
}

fn items(cx: &Context<'_>) -> TokenStream {
    let krate = cx.krate;
    let header = &cx.lowered.ast;
    let (vis, module) = (&header.vis, names::module(&header.name));
    let fields = module::of_model(cx);
    let module_items = module::items(cx, &fields);
    let config_items = config::items(cx, &fields);
    let interface_items = interface::items(cx);
    let asserts = asserts::items(cx);
    let constants = if cx.stub {
        TokenStream::new()
    } else {
        asserts::constants(cx)
    };
    let hints = hints::items(cx);
    let exports = [&cx.name, &cx.config]
        .into_iter()
        .chain(cx.blocks.structs());
    let unused = cx.stub.then(|| quote!(unused_variables,));
    // The hints come first: rust-analyzer maps half a word by byte offset, which must not
    // depend on the word.
    quote! {
        #hints
        #[allow(dead_code, unreachable_pub, unused_imports, #unused)]
        mod #module {
            use super::*;
            use ::{core, std}; // burn's derives name them, and the user may have modules called so.
            use ::core::{
                clone::Clone, default::Default, marker::Send, option::Option::{self, None, Some}, result::Result::{self, Err, Ok},
            };
            use #krate::__private::burn;

            #constants
            #module_items
            #config_items
            #interface_items
        }
        #[allow(unused_imports)]
        #vis use #module::{#(#exports),*};
        #asserts
    }
}
