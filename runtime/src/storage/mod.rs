//! Saves and loads weights, together with the description of their model.
//!
//! `.safetensors` files use `PyTorch`'s names and layouts. The weight of `linear` is stored as `[out, in]`, the gain and
//! shift of a normalization as `weight` and `bias`. Recurrent cells and attention are stored like `nn.LSTM` and
//! `nn.MultiheadAttention`, reparameterized weights like `torch.nn.utils.parametrizations`. So
//! `load_state_dict(load_file(path), strict=False)` reads them, and files from `PyTorch` can be loaded. (The slope of
//! `prelu` is `alpha` here and `weight` there.) `.bpk` files have burn's own format, names and layouts.
//!
//! The metadata of both has the description (`damper.spec`), the hyper-parameters (`damper.config`), the columns and
//! classes of the training data (`damper.schema`, only if the model was trained) and a checksum (`damper.checksum`).

mod checksum;
mod encode;
mod error;
mod file;
mod format;
mod header;
mod metadata;
mod names;
mod write;

pub use error::{LoadError, SaveError};

use crate::{Network, NetworkConfig};
use burn::store::bridge;
use burn::tensor::Device;
use checksum::sums;
use damper_ir::{Hyper, HyperKind};
use encode::{to_burnpack, to_safetensors};
use file::Weights;
use format::Format;
use metadata::{CHECKSUM, CONFIG, SCHEMA, SPEC};
use names::{shaped, stored};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::path::Path;

/// Saves a model: its weights, its description, and the columns and classes of its training data. The file extension
/// (`.safetensors`, `.bpk`) selects the format.
///
/// The write is atomic: an existing file is replaced only when the new one is complete. The new file keeps the
/// permissions of the old one. A symbolic link stays, and its target is replaced or created. Temporary files that a
/// killed process left for the same target are removed.
///
/// # Errors
///
/// [`SaveError`] for an unknown extension, or if the file cannot be written, for example because it is read-only or a
/// folder.
pub fn save<M: Network>(model: &M, path: impl AsRef<Path>) -> Result<(), SaveError> {
    let path = path.as_ref();
    let format = Format::of(path).ok_or_else(|| SaveError::Format {
        path: path.to_owned(),
    })?;
    let spec = model.spec();
    let weights = |reason: String| SaveError::Weights {
        model: spec.model().name.clone(),
        reason,
    };
    let mut tensors = Vec::new();
    for stored in stored(model, format) {
        let data = bridge::into_data(stored.tensor).map_err(|error| weights(error.to_string()))?;
        tensors.push((stored.name, shaped(data, stored.shape)));
    }
    let mut metadata = BTreeMap::from([
        (
            SPEC.to_owned(),
            spec.to_json().map_err(|error| weights(error.to_string()))?,
        ),
        (
            CONFIG.to_owned(),
            Json::Object(hyper_parameters(&spec.model().hyper)).to_string(),
        ),
    ]);
    if let Some(schema) = spec.schema() {
        let schema = metadata::write_schema(schema).map_err(|error| weights(error.to_string()))?;
        metadata.insert(SCHEMA.to_owned(), schema);
    }
    let sums = sums(&metadata, &tensors);
    metadata.insert(CHECKSUM.to_owned(), sums);
    let bytes = match format {
        Format::Safetensors => to_safetensors(&tensors, metadata),
        Format::Burnpack => to_burnpack(tensors, &metadata),
    };
    write::write(path, &bytes.map_err(weights)?).map_err(|reason| SaveError::File {
        path: path.to_owned(),
        reason,
    })
}

/// Loads a model with the hyper-parameters it was saved with, and the columns and classes it was trained on.
///
/// The header of the file is compared with the model first, so a damaged file cannot make the program allocate more
/// memory than the file has bytes.
///
/// # Errors
///
/// [`LoadError`] if the file is missing, damaged, not a regular file, or belongs to another model.
pub fn load<M: Network>(path: impl AsRef<Path>, device: &Device) -> Result<M, LoadError> {
    let path = path.as_ref();
    let file = Weights::open(path)?;
    let default = M::Config::default();
    let name = default
        .spec()
        .map_or_else(|_| "the model".to_owned(), |spec| spec.model().name.clone());
    let Some(other) = file.model()? else {
        return Err(LoadError::NoSpec {
            path: path.to_owned(),
            model: name,
        });
    };
    let bad = |error: serde_json::Error| LoadError::Config {
        path: path.to_owned(),
        model: name.clone(),
        reason: error.to_string(),
    };
    // Hyper-parameters that were declared after the file was written keep their defaults.
    let mut config = serde_json::to_value(&default).map_err(bad)?;
    if let Json::Object(config) = &mut config {
        let known: Vec<String> = config.keys().cloned().collect();
        config.extend(
            hyper_parameters(&other.hyper)
                .into_iter()
                .filter(|(name, _)| known.contains(name)),
        );
    }
    let config: M::Config = serde_json::from_value(config).map_err(bad)?;
    let broken = |reason| LoadError::Spec {
        path: path.to_owned(),
        reason,
    };
    let spec = config.spec().map_err(broken)?;
    file.suits(spec.model(), &other)?;
    file.holds(&spec)?;
    file.into_model(config.init(device).map_err(broken)?)
}

/// Loads weights into an existing model. A file without a description, for example from `PyTorch`, is accepted if the
/// names and shapes fit.
///
/// The columns and classes of the training data ([`Spec::schema`](crate::Spec::schema)) belong to the weights: the model
/// gets those of the file, or none if the file has none. Set them with [`Spec::set_schema`](crate::Spec::set_schema) if
/// you know them.
///
/// # Errors
///
/// [`LoadError`] if the file is missing, damaged, not a regular file, or belongs to another model.
pub fn load_weights<M: Network>(model: M, path: impl AsRef<Path>) -> Result<M, LoadError> {
    let file = Weights::open(path.as_ref())?;
    if let Some(other) = file.model()? {
        file.suits(model.spec().model(), &other)?;
    }
    file.into_model(model)
}

/// The hyper-parameters as the fields of a configuration.
fn hyper_parameters(hyper: &[Hyper]) -> Map<String, Json> {
    let value = |hyper: &Hyper| match hyper.kind {
        HyperKind::Usize => hyper.value.size().map_or(Json::Null, Json::from),
        HyperKind::F64 => hyper.value.float().map_or(Json::Null, Json::from),
        HyperKind::Bool => hyper.value.is_true().map_or(Json::Null, Json::from),
    };
    hyper
        .iter()
        .map(|hyper| (hyper.name.clone(), value(hyper)))
        .collect()
}
