//! Reads a file: the description is compared with the model before any tensor is loaded.

use super::checksum::{BETWEEN, header_sum, text_sum};
use super::error::LoadError;
use super::format::Format;
use super::header::{Fault, Header};
use super::metadata::{self, CHECKSUM, SCHEMA, SPEC};
use super::names::{Stored, adapters, shaped, stored};
use crate::data::Schema;
use crate::{Network, Spec};
use burn::store::{ModuleSnapshot, bridge};
use burn::tensor::DType;
use damper_ir::Model;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// An open file of weights, with its header.
pub(super) struct Weights {
    path: PathBuf,
    format: Format,
    file: File,
    header: Header,
    /// The columns and classes of the training data.
    schema: Option<Schema>,
}

impl Weights {
    pub(super) fn open(path: &Path) -> Result<Self, LoadError> {
        let format = Format::of(path).ok_or_else(|| LoadError::Format {
            path: path.to_owned(),
        })?;
        let failed = |fault| at(path, fault);
        let file = crate::file::regular(path).map_err(|error| failed(error.into()))?;
        let header = Header::read(format, &file).map_err(failed)?;
        let sum = header.metadata.get(CHECKSUM);
        if let Some((of_header, _)) = sum.and_then(|sum| sum.split_once(BETWEEN))
            && of_header != header_sum(&header)
        {
            return Err(failed(mismatch()));
        }
        let read = |json: &String| {
            metadata::read_schema(json).map_err(|reason| LoadError::Schema {
                path: path.to_owned(),
                reason,
            })
        };
        let schema = header.metadata.get(SCHEMA).map(read).transpose()?;
        Ok(Self {
            path: path.to_owned(),
            format,
            file,
            header,
            schema,
        })
    }

    /// The description in the file, if there is one.
    pub(super) fn model(&self) -> Result<Option<Model>, LoadError> {
        let read = |json: &String| {
            let read = serde_json::from_str(json).map(|mut model: Model| {
                model.resolve();
                model
            });
            read.map_err(|error| LoadError::Damaged {
                path: self.path.clone(),
                reason: format!("its description cannot be read: {error}"),
            })
        };
        self.header.metadata.get(SPEC).map(read).transpose()
    }

    pub(super) fn suits(&self, model: &Model, other: &Model) -> Result<(), LoadError> {
        let differences = model.difference(other);
        if differences.is_empty() {
            return Ok(());
        }
        Err(LoadError::Difference {
            path: self.path.clone(),
            model: model.name.clone(),
            other: other.name.clone(),
            differences,
        })
    }

    /// Checks that the file has a tensor of the size of each parameter: then the model needs no more memory than the
    /// file has bytes. Names and axes depend on the format; they are compared once the model is built.
    pub(super) fn holds(&self, spec: &Spec) -> Result<(), LoadError> {
        let mut sizes: HashMap<usize, usize> = HashMap::new();
        for entry in self.header.tensors.values() {
            *sizes.entry(entry.count()).or_default() += 1;
        }
        let mut problems = Vec::new();
        for parameter in spec.parameters() {
            // Sizes inside `custom` modules are not known here.
            let Some(count) = parameter.count() else {
                continue;
            };
            match sizes.get_mut(&count) {
                Some(left) if *left > 0 => *left -= 1,
                _ => problems.push(format!(
                    "`{}` {:?} has no tensor of its size in the file",
                    parameter.path, parameter.shape
                )),
            }
        }
        self.no(problems, &spec.model().name)
    }

    /// Returns an error if there are problems.
    fn no(&self, problems: Vec<String>, model: &str) -> Result<(), LoadError> {
        if problems.is_empty() {
            return Ok(());
        }
        Err(LoadError::Weights {
            path: self.path.clone(),
            model: model.to_owned(),
            problems,
        })
    }

    pub(super) fn into_model<M: Network>(mut self, mut model: M) -> Result<M, LoadError> {
        let (_, from_file) = adapters(self.format);
        let name = model.spec().model().name.clone();
        let mut wanted: HashMap<String, Stored> = stored(&model, self.format)
            .into_iter()
            .map(|stored| (stored.name.clone(), stored))
            .collect();
        self.no(problems(&wanted, &self.header), &name)?;
        let mut sum = text_sum(&self.header.metadata);
        let mut fitting = Vec::new();
        for (name, entry) in &self.header.tensors {
            let data = entry
                .read(&mut self.file)
                .map_err(|fault| at(&self.path, fault))?;
            sum.add(name.as_bytes());
            sum.add(data.as_bytes());
            let Some(Stored { path, tensor, .. }) = wanted.remove(name) else {
                continue;
            };
            let data = if data.dtype() == tensor.dtype {
                data
            } else {
                data.convert_dtype(tensor.dtype)
            };
            let data = shaped(data, tensor.shape.to_vec());
            fitting.push(bridge::from_data(data, path, None));
        }
        if let Some(said) = self.header.metadata.get(CHECKSUM) {
            // The first files had no separate sum for the header.
            let said = said
                .split_once(BETWEEN)
                .map_or(said.as_str(), |both| both.1);
            if said != sum.to_string() {
                return Err(at(&self.path, mismatch()));
            }
        }
        let result = model.apply(fitting, None, from_file, self.format.skips_variants());
        let mut problems: Vec<String> = result.errors.iter().map(ToString::to_string).collect();
        problems.extend(
            result
                .missing
                .iter()
                .map(|(name, _)| format!("`{name}` was not set")),
        );
        self.no(problems, &name)?;
        model.spec_mut().set_schema(self.schema);
        Ok(model)
    }
}

/// Compares the tensors of a file with those that the model needs, by their names in the file.
fn problems(wanted: &HashMap<String, Stored>, header: &Header) -> Vec<String> {
    let mut problems = Vec::new();
    let mut in_order: Vec<&Stored> = wanted.values().collect();
    in_order.sort_unstable_by_key(|stored| stored.place);
    for want in in_order {
        let (name, shape, dtype) = (&want.name, &want.shape, want.tensor.dtype);
        match header.tensors.get(name) {
            None => problems.push(format!("`{name}` {shape:?} is missing")),
            Some(entry) if entry.shape != *shape => problems.push(format!(
                "`{name}` is {shape:?} in the model and {:?} in the file",
                entry.shape
            )),
            Some(entry) if kind(entry.dtype) != kind(dtype) => problems.push(format!(
                "`{name}` holds {dtype:?} in the model and {:?} in the file",
                entry.dtype
            )),
            Some(_) => {}
        }
    }
    // PyTorch counts the batches of batch norm; burn does not need that.
    let extra = header
        .tensors
        .keys()
        .filter(|name| !wanted.contains_key(*name) && !name.ends_with(".num_batches_tracked"));
    problems.extend(extra.map(|name| format!("`{name}` is only in the file")));
    problems
}

/// Data types of one kind are converted to each other: floating-point, integer, boolean.
fn kind(dtype: DType) -> u8 {
    match dtype {
        _ if dtype.is_float() => 0,
        DType::Bool(_) => 1,
        _ => 2,
    }
}

fn at(path: &Path, fault: Fault) -> LoadError {
    let path = path.to_owned();
    match fault {
        Fault::System(reason) => LoadError::File { path, reason },
        Fault::Damaged(reason) => LoadError::Damaged { path, reason },
    }
}

fn mismatch() -> Fault {
    Fault::Damaged("its checksum does not match its content".to_owned())
}
