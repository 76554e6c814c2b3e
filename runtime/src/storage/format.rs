//! The two file formats.

use std::path::Path;

/// A file format, chosen by the file extension.
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

    /// Whether paths leave out the names of enum variants, as in `PyTorch`.
    pub(super) fn skips_variants(self) -> bool {
        self == Self::Safetensors
    }
}
