//! Encodes tensors and metadata as the bytes of a file.

use burn::store::bridge;
use burn::store::burn_pack::{Tensor as Packed, Writer};
use burn::tensor::{BoolStore, DType, TensorData};
use safetensors::tensor::{TensorView, serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};

pub(super) fn to_safetensors(
    tensors: &[(String, TensorData)],
    mut metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>, String> {
    // Other programs look for this key.
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

/// Sorts the header's keys, so that equal weights make equal files.
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

pub(super) fn to_burnpack(
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
        other => {
            return Err(format!(
                "safetensors does not support the data type {other:?}"
            ));
        }
    })
}
