//! The procedural macro behind `damper::model!`. Everything it does is in `damper-macros-core`.

use proc_macro::TokenStream;

/// Expands one `model!`. Called through `damper::model!`, which puts the path of the crate first.
#[proc_macro]
pub fn model_impl(input: TokenStream) -> TokenStream {
    damper_macros_core::model(input.into()).into()
}
