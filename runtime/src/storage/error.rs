//! The errors of saving and loading.

use crate::SpecError;
use std::path::PathBuf;

/// An error while saving. No partial file is left on disk, and an existing file is unchanged.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The file extension is not that of a known format.
    #[error("`{}` has no known file extension\nhelp: use `.safetensors` (PyTorch can read it) or `.bpk` (burn's own format)", .path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`: {reason}", .path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        reason: std::io::Error,
    },
    /// The weights cannot be stored in this format.
    #[error("the weights of `{model}` cannot be saved: {reason}")]
    Weights {
        /// The model's name.
        model: String,
        /// The reason.
        reason: String,
    },
}

/// An error while loading.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file extension is not that of a known format.
    #[error("`{}` has no known file extension\nhelp: use `.safetensors` (PyTorch can read it) or `.bpk` (burn's own format)", .path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read `{}`: {reason}", .path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        reason: std::io::Error,
    },
    /// The file is truncated or damaged, or it is not a file of weights.
    #[error("`{}` is damaged, or not a file of weights: {reason}", .path.display())]
    Damaged {
        /// The path.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The file has weights but no description of the model.
    #[error(
        "`{}` has weights, but not the hyper-parameters of `{model}`\nhelp: build the model first, and load the weights into it: `damper::load_weights({model}Config::new().init(&device)?, path)?`",
        .path.display()
    )]
    NoSpec {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
    },
    /// A model cannot be built with the hyper-parameters in the file.
    #[error("no model can be built with the hyper-parameters in `{}`: {reason}", .path.display())]
    Spec {
        /// The path.
        path: PathBuf,
        /// The rules that they break.
        reason: SpecError,
    },
    /// The hyper-parameters in the file do not match the declaration.
    #[error("the hyper-parameters in `{}` do not match those of `{model}`: {reason}", .path.display())]
    Config {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
        /// The reason.
        reason: String,
    },
    /// The schema in the file, which names the columns and classes of the training data, cannot be read.
    #[error("the columns and classes in `{}` cannot be read: {reason}", .path.display())]
    Schema {
        /// The path.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The file belongs to another model.
    #[error("`{}` has the weights of another model (`{other}`), not of this `{model}`:\n{}", .path.display(), lines(.differences))]
    Difference {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
        /// The name of the model in the file.
        other: String,
        /// The differences, one per line.
        differences: Vec<String>,
    },
    /// Weights are missing, have another shape, or are not used by the model.
    #[error("the weights in `{}` do not fit `{model}`:\n{}", .path.display(), lines(.problems))]
    Weights {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
        /// One problem per tensor.
        problems: Vec<String>,
    },
}

fn lines(all: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut shown: Vec<String> = all
        .iter()
        .take(SHOWN)
        .map(|line| format!("  {line}"))
        .collect();
    if all.len() > SHOWN {
        shown.push(format!("  and {} more", all.len() - SHOWN));
    }
    shown.join("\n")
}
