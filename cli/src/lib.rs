//! What `cargo damper` does, as functions from text to text.

mod check;
pub mod language;
mod pages;
mod source;

pub use check::{Format, Report, check, check_all};
pub use pages::{explain, markdown, table};
pub use source::{Declaration, Drawing, declarations, expand, graph, read, summary};

/// What a command cannot do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file, or `-`.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not made of Rust's tokens.
    #[error("`{path}` is not Rust, line {line}: {message}")]
    Tokens {
        /// The file, or `-`.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What the tokenizer says.
        message: String,
    },
    /// There is no `model!` in the file.
    #[error("`{path}` has no `model! {{ .. }}`")]
    NoModel {
        /// The file, or `-`.
        path: String,
    },
    /// A model of the file has errors.
    #[error("`{path}` has errors: `cargo damper check {path}` shows them")]
    Invalid {
        /// The file, or `-`.
        path: String,
    },
    /// No model of the file has this name.
    #[error("`{path}` has no model `{name}`; it has {}", listed(.known))]
    UnknownModel {
        /// The file, or `-`.
        path: String,
        /// What was asked for.
        name: String,
        /// The models of the file.
        known: Vec<String>,
    },
    /// A graph is of one model.
    #[error("`{path}` has several models, choose one with `--model`: {}", listed(.known))]
    SeveralModels {
        /// The file, or `-`.
        path: String,
        /// The models of the file.
        known: Vec<String>,
    },
    /// No lint has this name.
    #[error("no lint is called `{name}`{}", suggestion(.name))]
    UnknownLint {
        /// What was asked for.
        name: String,
    },
}

fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return "none that can be read".to_owned();
    }
    names.join(", ")
}

/// The lint that was probably meant, as the end of a sentence.
fn suggestion(name: &str) -> String {
    let names = damper_ir::LINTS.iter().map(|lint| lint.name);
    damper_ir::suggest(name, names)
        .map_or_else(String::new, |lint| format!(": did you mean `{lint}`?"))
}
