//! The compiler of damper's `model!` language: tokens in, tokens out.
//!
//! ```text
//! tokens --parse--> ast --lower--> spec::Model --check--> findings --expand--> tokens
//! ```
//!
//! [`model`] is the whole pipeline. It speaks `proc-macro2` only, so that tests, benches and other
//! front ends use the code that the compiler runs.

pub mod ast;
mod attrs;
mod cursor;
pub mod diag;
mod evaluate;
pub mod expand;
mod lower;
pub mod manifest;
mod parse;
mod spans;
mod split;
pub mod words;

use damper_ir::{Checked, Id};
use proc_macro2::{Ident, TokenStream};
use std::collections::BTreeMap;
use syn::Attribute;

pub use manifest::Manifest;
pub use spans::Spans;
pub use split::split;

/// A declaration that was understood: what the expansion is made from.
pub struct Lowered {
    /// The path of the runtime crate: `$crate`.
    pub krate: TokenStream,
    /// The header: attributes, visibility, name, hyper-parameters with their default tokens.
    pub ast: ast::Model,
    /// The description, with the defaults evaluated and the `hole`s set, and what follows from it.
    pub spec: Checked,
    /// The value expressions, in the order of their `hole`s; the first ones are the hyper-parameters.
    pub holes: Vec<Hole>,
    /// The `custom(..)` operations.
    pub customs: BTreeMap<Id, Custom>,
    /// The operations that are other models.
    pub models: BTreeMap<Id, Nested>,
    /// The path of `loss custom(path)`.
    pub loss_path: Option<TokenStream>,
    /// The documentation comments of inputs and statements.
    pub docs: BTreeMap<Id, Vec<Attribute>>,
    /// Where everything is written.
    pub spans: Spans,
}

impl Lowered {
    /// The description.
    pub fn model(&self) -> &damper_ir::Model {
        self.spec.model()
    }
}

/// A value that is not a plain literal: the generated code passes it when the model is built.
pub struct Hole {
    /// The user's tokens.
    pub tokens: TokenStream,
    /// What is expected of it.
    pub kind: HoleKind,
    /// The value's id.
    pub id: Id,
    /// Where it is written.
    pub spans: ast::Ends,
    /// Whether it names a hyper-parameter; else it is a constant expression.
    pub uses_hyper: bool,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoleKind {
    /// A `usize`.
    Size,
    /// An `f64`.
    Float,
    /// A `bool`.
    Bool,
}

/// A `custom(expr, output = [..], type = path)`.
pub struct Custom {
    /// The expression that makes the layer.
    pub expr: TokenStream,
    /// The type of the field.
    pub ty: TokenStream,
}

/// Another model as a layer: `crate::Encoder(hidden = 64)`.
pub struct Nested {
    /// The path of its struct.
    pub path: TokenStream,
    /// The hyper-parameters that are set.
    pub assignments: Vec<(Ident, TokenStream)>,
}

/// Expands the models of one `model!`. `input` begins with the path of the runtime crate and a comma.
///
/// Everything that is wrong is reported in the result, as `compile_error!`s at the tokens concerned,
/// next to a stub of the model's whole interface. This function does not panic.
///
/// The lint levels of the crate are those of its `Cargo.toml`.
pub fn model(input: TokenStream) -> TokenStream {
    model_in(input, &Manifest::of_this_crate())
}

/// The same for a crate that says this about lints.
pub fn model_in(input: TokenStream, manifest: &Manifest) -> TokenStream {
    let mut out: TokenStream = split(input)
        .into_iter()
        .map(|part| one_in(part, manifest))
        .collect();
    out.extend(manifest.tracked());
    out
}

fn one_in(input: TokenStream, manifest: &Manifest) -> TokenStream {
    let mut cx = diag::Diagnostics::default();
    let expansion = match understand(&mut cx, input, manifest) {
        None => TokenStream::new(),
        Some(lowered) if cx.failed() => expand::stub(&lowered),
        Some(lowered) => expand::model(&lowered),
    };
    cx.finish_with(expansion)
}

/// What [`model`] would report in a crate that says nothing about lints, and what it would expand: of several models, one of
/// the parts of [`split`].
pub fn diagnose(input: TokenStream) -> (Vec<diag::Diagnostic>, Option<Lowered>) {
    diagnose_in(input, &Manifest::default())
}

/// The same for a crate that says this about lints.
pub fn diagnose_in(
    input: TokenStream,
    manifest: &Manifest,
) -> (Vec<diag::Diagnostic>, Option<Lowered>) {
    let mut cx = diag::Diagnostics::default();
    let lowered = understand(&mut cx, input, manifest);
    (cx.into_reports(), lowered)
}

/// Parses, lowers and checks; the rules of the description are for declarations that were understood.
fn understand(
    cx: &mut diag::Diagnostics,
    input: TokenStream,
    manifest: &Manifest,
) -> Option<Lowered> {
    let (krate, parsed) = parse::model(cx, input);
    let lowered = lower::lower(cx, krate, parsed?, &manifest.levels);
    if !cx.has_errors() {
        for finding in lowered.spec.findings() {
            cx.finding(finding, &lowered.spans);
        }
    }
    for mistake in &manifest.mistakes {
        cx.error(&lowered.ast.name, mistake.message.as_str())
            .help(mistake.help.as_str());
    }
    Some(lowered)
}
