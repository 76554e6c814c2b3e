//! The errors of saving and loading.

use crate::SpecError;
use std::path::PathBuf;

/// Why weights could not be saved. Nothing is left on disk, and what stood there before is untouched.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The file's ending names no format.
    #[error("`{}` has no known ending\nhelp: `.safetensors` (PyTorch reads it) or `.bpk` (burn's own)", .path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`: {reason}", .path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The weights cannot be put into the format.
    #[error("the weights of `{model}` cannot be saved: {reason}")]
    Weights {
        /// The model's name.
        model: String,
        /// What does not fit.
        reason: String,
    },
}

/// Why weights could not be loaded.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file's ending names no format.
    #[error("`{}` has no known ending\nhelp: `.safetensors` (PyTorch reads it) or `.bpk` (burn's own)", .path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read `{}`: {reason}", .path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file is truncated, damaged, or something else.
    #[error("`{}` is damaged, or no file of weights: {reason}", .path.display())]
    Damaged {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file holds weights but no description.
    #[error(
        "`{}` holds weights, but not the hyper-parameters of `{model}`\nhelp: build the model and load into it: `damper::load_weights({model}Config::new().init(&device)?, path)?`",
        .path.display()
    )]
    NoSpec {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
    },
    /// The hyper-parameters in the file break a rule of the declaration.
    #[error("the hyper-parameters in `{}` do not suit this program: {reason}", .path.display())]
    Spec {
        /// The path.
        path: PathBuf,
        /// The rules that they break.
        reason: SpecError,
    },
    /// The hyper-parameters in the file are not those of the declaration.
    #[error("the hyper-parameters in `{}` are not those of `{model}`: {reason}", .path.display())]
    Config {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
        /// What does not fit.
        reason: String,
    },
    /// The file holds columns and classes of training data that this program cannot read.
    #[error("the columns and classes in `{}` cannot be read: {reason}", .path.display())]
    Schema {
        /// The path.
        path: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// The weights belong to another model.
    #[error("the weights in `{}` are of another model (`{other}`) than `{model}`:\n{}", .path.display(), lines(.differences))]
    Difference {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
        /// The name of the model in the file.
        other: String,
        /// What differs.
        differences: Vec<String>,
    },
    /// Weights are missing, have another shape, or belong nowhere.
    #[error("the weights in `{}` are not those of `{model}`:\n{}", .path.display(), lines(.problems))]
    Weights {
        /// The path.
        path: PathBuf,
        /// The model's name.
        model: String,
        /// One for each tensor.
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
