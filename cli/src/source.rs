//! Finding the models of a Rust source.

use crate::Error;
use damper_ir::{Checked, draw};
use damper_macros_core::{Lowered, Manifest, diag::Diagnostic};
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::rc::Rc;

/// What one `model!` of a file was understood as.
pub struct Declaration {
    /// The tokens between its brackets, after the path of the runtime crate.
    pub tokens: TokenStream,
    /// What the macro would report.
    pub reports: Vec<Diagnostic>,
    /// The description, where it was understood.
    pub lowered: Option<Lowered>,
    /// What the crate says about lints.
    manifest: Rc<Manifest>,
}

impl Declaration {
    /// Whether it compiles.
    fn failed(&self) -> bool {
        let is_error = |report: &Diagnostic| report.level == damper_ir::Level::Deny;
        self.lowered.is_none() || self.reports.iter().any(is_error)
    }

    fn name(&self) -> Option<&str> {
        let lowered = self.lowered.as_ref()?;
        Some(lowered.model().name.as_str())
    }
}

/// More bytes than any source has: what is longer is another kind of file.
const LONGEST: u64 = 1 << 25;

/// The text of a file; `-` is the standard input.
///
/// # Errors
///
/// When it cannot be read, is no regular file (a named pipe without a writer would wait for ever), has more than
/// 32 MiB, or is not UTF-8.
pub fn read(path: &str) -> Result<String, Error> {
    let text = if path == "-" {
        bounded(std::io::stdin())
    } else {
        open(path).and_then(bounded)
    };
    text.map_err(|source| Error::Read {
        path: path.into(),
        source,
    })
}

fn open(path: &str) -> std::io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    Err(std::io::Error::new(
        ErrorKind::InvalidInput,
        "it is not a file\nhelp: `-` reads the standard input",
    ))
}

fn bounded(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        let text = format!("it has more than {} MiB", LONGEST >> 20);
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(text)
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
    let manifest = Rc::new(Manifest::of_file(&place));
    let parts = found.into_iter().flat_map(|group| {
        let body = group.stream();
        damper_macros_core::split(quote!(::damper, #body))
    });
    let understood = parts.map(|tokens| {
        let (reports, lowered) = damper_macros_core::diagnose_in(tokens.clone(), &manifest);
        Declaration {
            tokens,
            reports,
            lowered,
            manifest: Rc::clone(&manifest),
        }
    });
    Ok(understood.collect())
}

/// The models of a source that compile, or the one of this name.
fn models(path: &str, source: &str, name: Option<&str>) -> Result<Vec<Declaration>, Error> {
    let mut all = declarations(path, source)?;
    if let Some(name) = name {
        let known: Vec<String> = all
            .iter()
            .filter_map(|one| one.name().map(str::to_owned))
            .collect();
        all.retain(|one| one.name() == Some(name));
        if all.is_empty() {
            return Err(Error::UnknownModel {
                path: path.into(),
                name: name.into(),
                known,
            });
        }
    }
    if all.iter().any(Declaration::failed) {
        return Err(Error::Invalid { path: path.into() });
    }
    Ok(all)
}

/// The table of layers of each model of a source, or of the one of this name.
///
/// # Errors
///
/// Those of [`declarations`]; a model has errors; no model has this name.
pub fn summary(path: &str, source: &str, name: Option<&str>) -> Result<String, Error> {
    let models = models(path, source, name)?;
    let specs = models.iter().filter_map(|one| one.lowered.as_ref());
    let tables: Vec<String> = specs
        .map(|lowered| lowered.spec.summary().to_string() + "\n")
        .collect();
    Ok(tables.concat())
}

/// How a model is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// A picture.
    Svg,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart, as GitHub draws it in Markdown.
    Mermaid,
}

/// The graph of a source's only model, or of the one of this name.
///
/// # Errors
///
/// Those of [`summary`]; several models, and no name to choose one.
pub fn graph(
    path: &str,
    source: &str,
    name: Option<&str>,
    drawing: Drawing,
) -> Result<String, Error> {
    let models = models(path, source, name)?;
    let specs: Vec<&Checked> = models
        .iter()
        .filter_map(|one| Some(&one.lowered.as_ref()?.spec))
        .collect();
    let [spec] = specs.as_slice() else {
        return Err(Error::SeveralModels {
            path: path.into(),
            known: specs.iter().map(|spec| spec.model().name.clone()).collect(),
        });
    };
    let text = match drawing {
        Drawing::Svg => draw::svg(spec),
        Drawing::Dot => draw::dot(spec),
        Drawing::Mermaid => draw::mermaid(spec),
    };
    Ok(format!("{}\n", text.trim_end()))
}

/// What the macro writes for each model of a source, or for the one of this name, formatted, without what editors alone read.
///
/// # Errors
///
/// Those of [`summary`].
pub fn expand(path: &str, source: &str, name: Option<&str>) -> Result<String, Error> {
    let models = models(path, source, name)?;
    let expansions = models.iter().map(|one| {
        let tokens = damper_macros_core::model_in(one.tokens.clone(), &one.manifest);
        // What the macro writes is Rust; if it ever were not, its tokens would still be worth seeing.
        match syn::parse2::<syn::File>(tokens.clone()) {
            Ok(mut file) => {
                file.items.retain(|item| !is_for_editors(item));
                prettyplease::unparse(&file)
            }
            Err(_) => tokens.to_string(),
        }
    });
    Ok(expansions.collect::<Vec<_>>().join("\n"))
}

fn is_for_editors(item: &syn::Item) -> bool {
    let syn::Item::Const(item) = item else {
        return false;
    };
    let syn::Expr::Block(body) = &*item.expr else {
        return false;
    };
    matches!(body.block.stmts.first(), Some(syn::Stmt::Item(syn::Item::Fn(hints))) if hints.sig.ident == "__hints")
}
