//! Whatever stands between the braces of `model!`: no panic, and what comes out is Rust.

#![no_main]

use damper_macros_core::{Manifest, model_in};
use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::TokenStream;

fuzz_target!(|text: &str| -> Corpus {
    // What has no tokens never reaches a macro.
    let Ok(input) = format!("::damper,\n{text}").parse::<TokenStream>() else {
        return Corpus::Reject;
    };
    let expansion = model_in(input, &Manifest::default());
    assert!(!expansion.is_empty(), "nothing came of it");
    if let Err(error) = syn::parse2::<syn::File>(expansion) {
        panic!("{error} in the expansion");
    }
    Corpus::Keep
});
