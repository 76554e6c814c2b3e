//! The two formats of files.

use std::path::Path;

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Safetensors,
    Burnpack,
}

impl Format {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "safetensors" => Some(Self::Safetensors),
            "bpk" => Some(Self::Burnpack),
            _ => None,
        }
    }

    /// Whether the names of enum variants are left out of paths, as `PyTorch` does.
    pub(super) fn skips_variants(self) -> bool {
        self == Self::Safetensors
    }
}
