//! The names and layouts of tensors in a file.

use super::format::Format;
use crate::Network;
use burn::store::burn_pack::Tensor as Packed;
use burn::store::{
    BurnToPyTorchAdapter, ModuleAdapter, ModuleContext, ModuleSnapshot, PyTorchToBurnAdapter,
    bridge,
};
use burn::tensor::TensorData;
use std::collections::{HashMap, HashSet};

/// Changes names and layouts. `None` if they stay the same.
type Adapter = Option<Box<dyn ModuleAdapter>>;

/// The adapters from the model to the file, and from the file to the model.
pub(super) fn adapters(format: Format) -> (Adapter, Adapter) {
    match format {
        Format::Safetensors => (
            Some(Box::new(BurnToPyTorchAdapter.chain(ToPyTorch))),
            Some(Box::new(PyTorchToBurnAdapter.chain(FromPyTorch))),
        ),
        Format::Burnpack => (None, None),
    }
}

/// From the model to the file: names and layouts that burn's adapter does not know.
#[derive(Clone, Debug)]
struct ToPyTorch;

/// From the file to the model: layouts only, because tensors are matched by their paths.
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

/// From `rnn.layers.0.reverse` and `weight_ih` to `rnn.weight_ih_l0_reverse`.
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

/// Transposes the matrices that are stored as `[out, in]`.
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

/// Splits off the last segment of a path.
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

/// A tensor of the model with its name and shape in the file.
pub(super) struct Stored {
    /// Its index in the model.
    pub(super) place: usize,
    /// Its path in the module.
    pub(super) path: String,
    /// Its name in the file.
    pub(super) name: String,
    /// Its shape in the file.
    pub(super) shape: Vec<usize>,
    /// Its data, as in the file except for name and shape.
    pub(super) tensor: Packed,
}

/// All tensors of the model, with their names and layouts in the format.
pub(super) fn stored<M: Network>(model: &M, format: Format) -> Vec<Stored> {
    let paths = model.collect(None, None, format.skips_variants());
    let tensors = model.collect(None, adapters(format).0, format.skips_variants());
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
        let parameters = model.spec().parameters();
        let transposed = parameters
            .iter()
            .filter(|parameter| parameter.shape.len() > 2 && parameter.unit_axis == 1)
            .map(|parameter| parameter.path.clone())
            .collect();
        parametrizations(&mut all, &transposed);
    }
    all
}

/// Renames reparameterized weights as in `torch.nn.utils.parametrizations`: `weight` becomes
/// `parametrizations.weight.original`. `transposed` has the paths of kernels whose units are on the second axis.
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

/// The same data with another shape.
pub(super) fn shaped(data: TensorData, shape: Vec<usize>) -> TensorData {
    if data.shape().to_vec() == shape {
        return data;
    }
    let dtype = data.dtype();
    TensorData::from_bytes_vec(data.as_bytes().to_vec(), shape, dtype)
}
