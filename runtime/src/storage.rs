//! Weights on disk.

use std::path::PathBuf;

/// Why weights could not be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The file's ending names no format.
    #[error("`{}` has no known ending\nhelp: `.safetensors` or `.bpk`", .path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
}

/// Why weights could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file's ending names no format.
    #[error("`{}` has no known ending\nhelp: `.safetensors` or `.bpk`", .path.display())]
    Format {
        /// The path.
        path: PathBuf,
    },
}
