//! Weights on disk, with the description they belong to.
//!
//! `.safetensors` files use `PyTorch`'s names and layouts: the weight of `linear` is stored as `[out, in]`, gain and
//! shift of a normalization as `weight` and `bias`, recurrent cells and attention as those of `nn.LSTM` and
//! `nn.MultiheadAttention`, reparameterized weights as `torch.nn.utils.parametrizations` names them, so that
//! `load_state_dict(load_file(path), strict=False)` reads them, and files that `PyTorch` wrote can be loaded (`prelu`'s
//! slope is `alpha` here and `weight` there). `.bpk` files are burn's own, with its names and layouts.
//!
//! Both hold the description (`damper.spec`), the hyper-parameters (`damper.config`) and a checksum
//! (`damper.checksum`) as metadata.

mod header;
mod write;

use crate::{Network, NetworkConfig, Spec, SpecError};
use burn::store::burn_pack::{Tensor as Packed, Writer};
use burn::store::{
    BurnToPyTorchAdapter, ModuleAdapter, ModuleContext, ModuleSnapshot, PyTorchToBurnAdapter,
    bridge,
};
use burn::tensor::{BoolStore, DType, Device, TensorData};
use damper_ir::{Hyper, HyperKind, Model};
use header::{Fault, Header};
use safetensors::tensor::{TensorView, serialize};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

const SPEC: &str = "damper.spec";
const CONFIG: &str = "damper.config";
const CHECKSUM: &str = "damper.checksum";

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

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Safetensors,
    Burnpack,
}

/// What changes names and layouts, if anything does.
type Adapter = Option<Box<dyn ModuleAdapter>>;

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "safetensors" => Some(Self::Safetensors),
            "bpk" => Some(Self::Burnpack),
            _ => None,
        }
    }

    /// How weights become those of the file, and back.
    fn adapters(self) -> (Adapter, Adapter) {
        match self {
            Self::Safetensors => (
                Some(Box::new(BurnToPyTorchAdapter.chain(ToPyTorch))),
                Some(Box::new(PyTorchToBurnAdapter.chain(FromPyTorch))),
            ),
            Self::Burnpack => (None, None),
        }
    }

    /// Whether the names of enum variants are left out of paths, as `PyTorch` does.
    fn skips_variants(self) -> bool {
        self == Self::Safetensors
    }
}

/// Names and layouts that burn's adapter does not know, in the direction of the file.
#[derive(Clone, Debug)]
struct ToPyTorch;

/// The layouts in the direction of the model, whose names are those of its paths.
#[derive(Clone, Debug)]
struct FromPyTorch;

impl ModuleAdapter for ToPyTorch {
    fn adapt(&self, tensor: Packed, context: ModuleContext<'_>) -> Packed {
        let (path, name) = split(&tensor.name);
        let renamed = match (context.module_type(), name) {
            (Some("Struct:InstanceNorm"), "gamma") => Some(join(path, "weight")),
            (Some("Struct:InstanceNorm"), "beta") => Some(join(path, "bias")),
            // `in_proj.weight` is `in_proj_weight`.
            (Some("Struct:Projection"), _) => Some(format!("{path}_{name}")),
            (Some("Struct:RecurrentCell"), _) => of_cell(path, name),
            _ => None,
        };
        let mut tensor = turned(tensor, context);
        if let Some(name) = renamed {
            tensor.name = name;
        }
        tensor
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}

impl ModuleAdapter for FromPyTorch {
    fn adapt(&self, tensor: Packed, context: ModuleContext<'_>) -> Packed {
        turned(tensor, context)
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}

/// `rnn.layers.0.reverse`, `weight_ih` to `rnn.weight_ih_l0_reverse`.
fn of_cell(path: &str, name: &str) -> Option<String> {
    let (path, direction) = split(path);
    let (path, number) = split(path);
    let (path, _) = split(path);
    let suffix = match direction {
        "forward" => "",
        "reverse" => "_reverse",
        _ => return None,
    };
    Some(join(path, &format!("{name}_l{number}{suffix}")))
}

/// Turns the matrices that are stored as `[out, in]`.
fn turned(tensor: Packed, context: ModuleContext<'_>) -> Packed {
    let turns = matches!(
        context.module_type(),
        Some("Struct:Projection" | "Struct:RecurrentCell")
    );
    let [rows, columns] = *tensor.shape.as_slice() else {
        return tensor;
    };
    if !turns {
        return tensor;
    }
    let (name, dtype) = (tensor.name.clone(), tensor.dtype);
    bridge::map_data(tensor, name, dtype, [columns, rows].into(), move |data| {
        let size = data.dtype().size();
        let bytes = data.as_bytes();
        let mut turned = Vec::with_capacity(bytes.len());
        for column in 0..columns {
            for row in 0..rows {
                let start = (row * columns + column) * size;
                turned.extend_from_slice(&bytes[start..start + size]);
            }
        }
        TensorData::from_bytes_vec(turned, [columns, rows], data.dtype())
    })
}

/// Path and last segment.
fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// A tensor of the model, and what the file calls it.
struct Stored {
    /// Its number among those of the model.
    place: usize,
    /// Its path in the module.
    path: String,
    /// Its name in the file.
    name: String,
    /// Its axes in the file.
    shape: Vec<usize>,
    /// As the file has it, but for the two above.
    tensor: Packed,
}

/// Every tensor of the model, as the format has it.
fn stored<M: Network>(model: &M, format: Format) -> Vec<Stored> {
    let paths = model.collect(None, None, format.skips_variants());
    let tensors = model.collect(None, format.adapters().0, format.skips_variants());
    let mut all: Vec<Stored> = paths
        .into_iter()
        .zip(tensors)
        .enumerate()
        .map(|(place, (path, tensor))| Stored {
            place,
            path: path.name,
            name: tensor.name.clone(),
            shape: tensor.shape.to_vec(),
            tensor,
        })
        .collect();
    if format == Format::Safetensors {
        let parameters = model.spec().parameters().iter();
        let transposed = parameters
            .filter(|parameter| parameter.shape.len() > 2 && parameter.unit_axis == 1)
            .map(|parameter| parameter.path.clone())
            .collect();
        parametrizations(&mut all, &transposed);
    }
    all
}

/// The names of `torch.nn.utils.parametrizations`: a reparameterized `weight` is `parametrizations.weight.original`.
///
/// The units of the kernels `transposed` are their second axis.
fn parametrizations(all: &mut [Stored], transposed: &HashSet<String>) {
    let known: HashMap<String, (usize, String, usize)> = all
        .iter()
        .enumerate()
        .map(|(index, stored)| {
            let value = (index, stored.name.clone(), stored.shape.len());
            (stored.path.clone(), value)
        })
        .collect();
    for index in 0..all.len() {
        let (path, last) = split(&all[index].path);
        let (base, kind) = split(path);
        let (base, kind, last) = (base.to_owned(), kind.to_owned(), last.to_owned());
        let Some((of, name, rank)) = known.get(&base) else {
            continue;
        };
        let (module, parameter) = split(name);
        let named = |suffix: &str| join(module, &format!("parametrizations.{parameter}.{suffix}"));
        match (kind.as_str(), last.as_str()) {
            ("weight_norm", "length") => {
                all[*of].name = named("original1");
                all[index].name = named("original0");
                all[index].shape.resize(*rank, 1);
                if transposed.contains(&base) {
                    all[index].shape.swap(0, 1);
                }
            }
            ("spectral_norm", "u" | "v") => {
                let vector = named(&format!("0._{last}"));
                all[*of].name = named("original");
                all[index].name = vector;
            }
            _ => {}
        }
    }
}

/// Saves the weights of a model with its description; the ending (`.safetensors`, `.bpk`) is the format.
///
/// The file appears when it is complete, and replaces what stood there in one step. It keeps the permissions of what it
/// replaces; a link stays a link, and the file it points to is replaced, or made. What a killed process left on the way
/// to the same file is removed.
///
/// # Errors
///
/// [`SaveError`] for an unknown ending, or a file that cannot be written: also where one stands that may only be read,
/// or something that is no file.
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

/// Loads a model with the hyper-parameters it was saved with.
///
/// The file's own header is compared with the model before anything is built or read: what they say together is
/// no larger than the file.
///
/// # Errors
///
/// [`LoadError`] for a file that is missing, no regular file, damaged, or of another model.
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
    // What the declaration has gained since the file was written keeps its default.
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

/// Loads weights into a model that is built already. A file without a description (from `PyTorch`) is taken if
/// names and shapes fit.
///
/// # Errors
///
/// [`LoadError`] for a file that is missing, no regular file, damaged, or of another model.
pub fn load_weights<M: Network>(model: M, path: impl AsRef<Path>) -> Result<M, LoadError> {
    let file = Weights::open(path.as_ref())?;
    if let Some(other) = file.model()? {
        file.suits(model.spec().model(), &other)?;
    }
    file.into_model(model)
}

/// A file of weights, of which the header has been read.
struct Weights {
    path: PathBuf,
    format: Format,
    file: File,
    header: Header,
}

impl Weights {
    fn open(path: &Path) -> Result<Self, LoadError> {
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
        Ok(Self {
            path: path.to_owned(),
            format,
            file,
            header,
        })
    }

    /// The description in the file, if it has one.
    fn model(&self) -> Result<Option<Model>, LoadError> {
        let read = |json: &String| {
            serde_json::from_str(json).map_err(|error| LoadError::Damaged {
                path: self.path.clone(),
                reason: format!("its description cannot be read: {error}"),
            })
        };
        self.header.metadata.get(SPEC).map(read).transpose()
    }

    fn suits(&self, model: &Model, other: &Model) -> Result<(), LoadError> {
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

    /// Whether there is a tensor of the size of each parameter, so that building the model takes no more memory than
    /// the file has. Names and axes, which depend on the format, are compared with those of the built model.
    fn holds(&self, spec: &Spec) -> Result<(), LoadError> {
        let mut sizes: HashMap<usize, usize> = HashMap::new();
        for entry in self.header.tensors.values() {
            *sizes.entry(entry.count()).or_default() += 1;
        }
        let mut problems = Vec::new();
        for parameter in spec.parameters() {
            // The sizes in `custom` modules are theirs to check.
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

    /// An error if there are problems.
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

    fn into_model<M: Network>(mut self, mut model: M) -> Result<M, LoadError> {
        let (_, from_file) = self.format.adapters();
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
            // Files of before had no sum for the header.
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
        Ok(model)
    }
}

/// What tells the tensors of a file from those that a model wants, by their names in the file.
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
    // PyTorch counts the batches of batch norm: burn does not need them.
    let extra = header
        .tensors
        .keys()
        .filter(|name| !wanted.contains_key(*name) && !name.ends_with(".num_batches_tracked"));
    problems.extend(extra.map(|name| format!("`{name}` is only in the file")));
    problems
}

/// Numbers of one kind are taken for one another: floating-point, whole, true or false.
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

/// The same numbers in other axes.
fn shaped(data: TensorData, shape: Vec<usize>) -> TensorData {
    if data.shape().to_vec() == shape {
        return data;
    }
    let dtype = data.dtype();
    TensorData::from_bytes_vec(data.as_bytes().to_vec(), shape, dtype)
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

/// FNV-1a: finds flipped bits, not forgery.
#[derive(Clone, Copy)]
struct Sum(u64);

impl Sum {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Stands between the sum of the header and that of everything.
const BETWEEN: char = '-';

/// Over description and hyper-parameters.
fn text_sum(metadata: &BTreeMap<String, String>) -> Sum {
    let mut sum = Sum::new();
    for (_, text) in metadata
        .iter()
        .filter(|(key, _)| *key == SPEC || *key == CONFIG)
    {
        sum.add(text.as_bytes());
    }
    sum
}

/// Over everything but the weights, so that a damaged header is called so before it is believed.
fn header_sum(header: &Header) -> String {
    let mut sum = text_sum(&header.metadata);
    for (name, entry) in &header.tensors {
        add_entry(&mut sum, name, entry.dtype, &entry.shape);
    }
    sum.to_string()
}

fn add_entry(sum: &mut Sum, name: &str, dtype: DType, shape: &[usize]) {
    sum.add(format!("{name} {dtype:?} {shape:?}").as_bytes());
}

/// The sums of a file that is to be written: of its header, and of everything.
fn sums(metadata: &BTreeMap<String, String>, tensors: &[(String, TensorData)]) -> String {
    let mut sorted: Vec<&(String, TensorData)> = tensors.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| name);
    let (mut header, mut all) = (text_sum(metadata), text_sum(metadata));
    for (name, data) in sorted {
        add_entry(&mut header, name, data.dtype(), data.shape());
        all.add(name.as_bytes());
        all.add(data.as_bytes());
    }
    format!("{header}{BETWEEN}{all}")
}

fn to_safetensors(
    tensors: &[(String, TensorData)],
    mut metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>, String> {
    // What other programs look for.
    metadata.insert("format".to_owned(), "pt".to_owned());
    let mut views = Vec::with_capacity(tensors.len());
    for (name, data) in tensors {
        let view = TensorView::new(
            to_dtype(data.dtype())?,
            data.shape().to_vec(),
            data.as_bytes(),
        )
        .map_err(|error| format!("`{name}`: {error}"))?;
        views.push((name.as_str(), view));
    }
    let metadata: HashMap<String, String> = metadata.into_iter().collect();
    let mut bytes = serialize(views, Some(metadata)).map_err(|error| error.to_string())?;
    sort_header(&mut bytes);
    Ok(bytes)
}

/// Puts the header's keys in order, so that equal weights make equal files.
fn sort_header(bytes: &mut [u8]) {
    let Some(length) = bytes
        .first_chunk()
        .map(|length| u64::from_le_bytes(*length) as usize)
    else {
        return;
    };
    let Some(header) = bytes.get_mut(8..8 + length) else {
        return;
    };
    let Ok(mut keys) = serde_json::from_slice::<BTreeMap<String, Json>>(header) else {
        return;
    };
    if let Some(metadata) = keys.get_mut("__metadata__")
        && let Ok(sorted) = serde_json::from_value::<BTreeMap<String, Json>>(metadata.take())
    {
        *metadata = sorted.into_iter().collect();
    }
    if let Ok(mut sorted) = serde_json::to_vec(&keys)
        && sorted.len() <= header.len()
    {
        sorted.resize(header.len(), b' ');
        header.copy_from_slice(&sorted);
    }
}

fn to_burnpack(
    tensors: Vec<(String, TensorData)>,
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, String> {
    let tensors: Vec<Packed> = tensors
        .into_iter()
        .map(|(name, data)| bridge::from_data(data, name, None))
        .collect();
    let writer = metadata
        .iter()
        .fold(Writer::new(tensors), |writer, (key, text)| {
            writer.with_metadata(key, text)
        });
    writer
        .into_bytes()
        .map(|bytes| bytes.to_vec())
        .map_err(|error| error.to_string())
}

fn to_dtype(dtype: DType) -> Result<safetensors::Dtype, String> {
    use safetensors::Dtype;
    Ok(match dtype {
        DType::F64 => Dtype::F64,
        DType::F32 | DType::Flex32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::I16 => Dtype::I16,
        DType::I8 => Dtype::I8,
        DType::U64 => Dtype::U64,
        DType::U32 => Dtype::U32,
        DType::U16 => Dtype::U16,
        DType::U8 => Dtype::U8,
        DType::Bool(BoolStore::Native) => Dtype::BOOL,
        other => return Err(format!("safetensors has no numbers of the kind {other:?}")),
    })
}
