//! Finding the models of a Rust source.

use crate::Error;
use damper_macros_core::{Lowered, Manifest, diag::Diagnostic};
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use std::io::Read;

/// What one `model!` of a file was understood as.
pub struct Declaration {
    /// The tokens between its brackets, behind the path of the runtime crate.
    pub tokens: TokenStream,
    /// What the macro would report.
    pub reports: Vec<Diagnostic>,
    /// The description, where it was understood.
    pub lowered: Option<Lowered>,
}

/// The text of a file; `-` is the standard input.
///
/// # Errors
///
/// When it cannot be read, or is not UTF-8.
pub fn read(path: &str) -> Result<String, Error> {
    let text = if path == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|source| Error::Read {
        path: path.into(),
        source,
    })
}

/// Every `model! { .. }` of a source, also inside functions, modules and other macros.
///
/// # Errors
///
/// When the source is not made of Rust's tokens, or has no model.
pub fn declarations(path: &str, source: &str) -> Result<Vec<Declaration>, Error> {
    let tokens: TokenStream =
        source
            .parse()
            .map_err(|error: proc_macro2::LexError| Error::Tokens {
                path: path.into(),
                line: error.span().start().line,
                message: error.to_string(),
            })?;
    // Groups wait in a list rather than on the call stack, so that no depth of brackets can exhaust it.
    let (mut waiting, mut found) = (vec![tokens], Vec::new());
    while let Some(stream) = waiting.pop() {
        let mut before = [false, false];
        for tree in stream {
            if let TokenTree::Group(group) = &tree {
                if before == [true, true] {
                    found.push(group.clone());
                } else {
                    waiting.push(group.stream());
                }
            }
            before = match &tree {
                TokenTree::Ident(word) => [*word == "model", false],
                TokenTree::Punct(mark) => [before[0] && !before[1] && mark.as_char() == '!', true],
                _ => [false, false],
            };
        }
    }
    if found.is_empty() {
        return Err(Error::NoModel { path: path.into() });
    }
    found.sort_by_key(|group| group.span().byte_range().start);
    // The standard input is judged as a file of this folder.
    let place = std::path::absolute(path).unwrap_or_default();
    let manifest = Manifest::of_file(&place);
    let understood = found.into_iter().map(|group| {
        let body = group.stream();
        let tokens = quote!(::damper, #body);
        let (reports, lowered) = damper_macros_core::diagnose_in(tokens.clone(), &manifest);
        Declaration {
            tokens,
            reports,
            lowered,
        }
    });
    Ok(understood.collect())
}

/// The table of layers of each model of a source.
///
/// # Errors
///
/// Those of [`declarations`], and where a model has errors.
pub fn summary(path: &str, source: &str) -> Result<String, Error> {
    let mut text = String::new();
    for declaration in declarations(path, source)? {
        let failed = declaration
            .reports
            .iter()
            .any(|report| report.level == damper_spec::Level::Deny);
        let Some(lowered) = declaration.lowered.filter(|_| !failed) else {
            return Err(Error::Invalid { path: path.into() });
        };
        text += &format!(
            "{}
",
            lowered.spec.summary()
        );
    }
    Ok(text)
}
