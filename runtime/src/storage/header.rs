//! The header of a file of weights: it is read and checked before any weight.

use super::format::Format;
use super::metadata::{CHECKSUM, CONFIG, SCHEMA, SPEC};
use burn::store::burn_pack::Scalar;
use burn::tensor::{BoolStore, DType, TensorData};
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::marker::PhantomData;

/// The largest accepted header in bytes. The libraries of both formats have the same limit.
const LARGEST: u64 = 100_000_000;

/// The most axes that a tensor may have.
const MOST_AXES: usize = 16;

/// The deepest accepted nesting of a burnpack's header, as in burn's own reader.
const DEEPEST: usize = 128;

/// The alignment of the weights in a burnpack.
const ALIGNED: u64 = 256;

/// Why a file cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// An error of the operating system.
    System(std::io::Error),
    /// The file is damaged, or it is not a file of weights.
    Damaged(String),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof {
            Self::Damaged("the file is cut off".to_owned())
        } else {
            Self::System(error)
        }
    }
}

fn damaged(reason: impl fmt::Display) -> Fault {
    Fault::Damaged(reason.to_string())
}

/// The metadata and tensors of a file. Each tensor lies inside the file and has as many bytes as its shape needs; no
/// two overlap.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tensors: BTreeMap<String, Entry>,
}

/// The entry of one tensor in the header.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) dtype: DType,
    pub(super) shape: Vec<usize>,
    /// Its first byte in the file, and the end.
    bytes: (u64, u64),
}

impl Entry {
    /// The number of elements.
    pub(super) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Reads its data.
    pub(super) fn read(&self, file: &mut File) -> Result<TensorData, Fault> {
        let (start, end) = self.bytes;
        let length = usize::try_from(end - start).map_err(damaged)?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        let bytes = burn::tensor::Bytes::from_bytes_vec(bytes);
        TensorData::try_from_bytes(bytes, self.shape.clone(), self.dtype).map_err(damaged)
    }
}

impl Header {
    /// Reads the header of an open file, and nothing else of it.
    pub(super) fn read(format: Format, file: &File) -> Result<Self, Fault> {
        let size = file.metadata()?.len();
        let header = match format {
            Format::Safetensors => safetensors(file, size)?,
            Format::Burnpack => burnpack(file, size)?,
        };
        header.complete()?;
        Ok(header)
    }

    /// Checks that the metadata is complete. Files of other programs have none of its keys.
    fn complete(&self) -> Result<(), Fault> {
        let ours = [SPEC, CONFIG, CHECKSUM];
        let missing: Vec<&str> = ours
            .into_iter()
            .filter(|key| !self.metadata.contains_key(*key))
            .collect();
        let is_foreign = missing.len() == ours.len() && !self.metadata.contains_key(SCHEMA);
        if missing.is_empty() || is_foreign {
            return Ok(());
        }
        Err(damaged(format!(
            "its metadata lacks `{}`",
            missing.join("`, `")
        )))
    }
}

/// Eight bytes with the length of the JSON that follows, then the tensors without gaps.
fn safetensors(file: &File, size: u64) -> Result<Header, Fault> {
    let mut reader = BufReader::new(file);
    let mut length = [0; 8];
    reader.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let start = within(length, 8, size)?;
    let mut json = serde_json::Deserializer::from_reader((&mut reader).take(length));
    let found = Table::deserialize(&mut json).map_err(damaged)?;
    json.end().map_err(damaged)?;
    let mut tensors = BTreeMap::new();
    for (name, info) in found.tensors {
        let dtype =
            from_dtype(info.dtype).map_err(|error| damaged(format!("`{name}`: {error}")))?;
        tensors.insert(name, info.shape.entry(dtype, info.data_offsets, start));
    }
    let end = judge(&tensors, start, size)?;
    let filled: u64 = tensors
        .values()
        .map(|entry| entry.bytes.1 - entry.bytes.0)
        .sum();
    if end != size || filled != size - start {
        return Err(damaged(format!(
            "its tensors have {filled} bytes, the file has {} for them",
            size - start
        )));
    }
    Ok(Header {
        metadata: found.metadata,
        tensors,
    })
}

/// Ten bytes with a signature, a version and the length of the CBOR that follows. The tensors are aligned to 256 bytes.
fn burnpack(file: &File, size: u64) -> Result<Header, Fault> {
    let mut reader = BufReader::new(file);
    let mut first = [0; 10];
    reader.read_exact(&mut first)?;
    let [m0, m1, m2, m3, v0, v1, l0, l1, l2, l3] = first;
    if [m0, m1, m2, m3] != *b"NRUB" {
        return Err(damaged(
            "it does not begin with the signature of a burnpack",
        ));
    }
    let version = u16::from_le_bytes([v0, v1]);
    if version > 1 {
        return Err(damaged(format!(
            "it is a burnpack of version {version}, this program reads version 1"
        )));
    }
    let length = u64::from(u32::from_le_bytes([l0, l1, l2, l3]));
    let start = within(length, 10, size)?.next_multiple_of(ALIGNED);
    let mut cbor = (&mut reader).take(length);
    let found: Pack =
        ciborium::de::from_reader_with_recursion_limit(&mut cbor, DEEPEST).map_err(damaged)?;
    if !cbor.fill_buf()?.is_empty() {
        return Err(damaged("its header is longer than its content"));
    }
    let mut tensors = BTreeMap::new();
    for (name, info) in found.tensors.0 {
        if matches!(info.dtype, DType::QFloat(_)) {
            return Err(damaged(format!(
                "`{name}` is quantized, and no layer reads quantized weights"
            )));
        }
        tensors.insert(name, info.shape.entry(info.dtype, info.data_offsets, start));
    }
    judge(&tensors, start, size)?;
    Ok(Header {
        metadata: found.metadata.0,
        tensors,
    })
}

/// The end of a header of `length` bytes after its first part.
fn within(length: u64, first: u64, size: u64) -> Result<u64, Fault> {
    if length > LARGEST {
        return Err(damaged(format!(
            "its header claims {length} bytes, but at most {LARGEST} are accepted"
        )));
    }
    let end = first + length;
    if end > size {
        return Err(damaged(format!(
            "its header claims {length} bytes, but the file has {size}"
        )));
    }
    Ok(end)
}

/// Checks the byte ranges of the tensors: against their shapes, against the file, and that none overlap. Returns the end
/// of the last.
fn judge(tensors: &BTreeMap<String, Entry>, start: u64, size: u64) -> Result<u64, Fault> {
    let mut places = Vec::with_capacity(tensors.len());
    for (name, entry) in tensors {
        let (from, to) = entry.bytes;
        let wanted = entry
            .shape
            .iter()
            .try_fold(entry.dtype.size(), |product, axis| {
                product.checked_mul(*axis)
            })
            .and_then(|bytes| u64::try_from(bytes).ok());
        if to < from || wanted != Some(to - from) {
            return Err(damaged(format!(
                "`{name}` {:?} has another number of bytes than its shape needs",
                entry.shape
            )));
        }
        if to > size {
            return Err(damaged(format!(
                "`{name}` ends at byte {to}, but the file has {size} bytes"
            )));
        }
        places.push((entry.bytes, name));
    }
    places.sort_unstable();
    let mut end = start;
    for ((from, to), name) in places {
        if from < end {
            return Err(damaged(format!("`{name}` overlaps another tensor")));
        }
        end = to;
    }
    Ok(end)
}

/// The axes of a tensor. Reading stops with an error after more axes than any layer has.
#[derive(Debug)]
struct Axes(Vec<usize>);

impl Axes {
    /// The entry with its byte range counted from the start of the file. An overflow saturates: no file is that long.
    fn entry(self, dtype: DType, (from, to): (u64, u64), start: u64) -> Entry {
        Entry {
            dtype,
            shape: self.0,
            bytes: (start.saturating_add(from), start.saturating_add(to)),
        }
    }
}

impl<'de> Deserialize<'de> for Axes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Axes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MOST_AXES} axes")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Axes, A::Error> {
                let mut axes = Vec::new();
                while let Some(axis) = list.next_element()? {
                    if axes.len() == MOST_AXES {
                        return Err(A::Error::invalid_length(MOST_AXES + 1, &self));
                    }
                    axes.push(axis);
                }
                Ok(Axes(axes))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}

/// A map without duplicate keys.
#[derive(Debug)]
struct Unique<V>(BTreeMap<String, V>);

impl<V> Default for Unique<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V> Unique<V> {
    fn insert<E: serde::de::Error>(&mut self, key: String, value: V) -> Result<(), E> {
        match self.0.entry(key) {
            Slot::Vacant(slot) => {
                slot.insert(value);
                Ok(())
            }
            Slot::Occupied(slot) => Err(E::custom(format!(
                "`{}` occurs twice in its header",
                slot.key()
            ))),
        }
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Unique<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Read<V> {
            type Value = Unique<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<V>, A::Error> {
                let mut all = Unique::default();
                while let Some((key, value)) = map.next_entry()? {
                    all.insert(key, value)?;
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Read(PhantomData))
    }
}

/// The header of a safetensors file.
struct Table {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, TensorInfo>,
}

#[derive(Deserialize)]
struct TensorInfo {
    dtype: safetensors::Dtype,
    shape: Axes,
    data_offsets: (u64, u64),
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Table;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the header of a safetensors file")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let (mut metadata, mut tensors) = (None, Unique::default());
                while let Some(key) = map.next_key::<String>()? {
                    if key == "__metadata__" {
                        if metadata.is_some() {
                            return Err(A::Error::duplicate_field("__metadata__"));
                        }
                        metadata = Some(map.next_value::<Option<Unique<String>>>()?);
                    } else {
                        tensors.insert(key, map.next_value()?)?;
                    }
                }
                Ok(Table {
                    metadata: metadata.flatten().unwrap_or_default().0,
                    tensors: tensors.0,
                })
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// The header of a burnpack of version 1. Unknown keys are refused: one could be a damaged key of the metadata.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    tensors: Unique<PackInfo>,
    #[serde(default)]
    metadata: Unique<String>,
    #[serde(default, rename = "scalars")]
    _scalars: Unique<Scalar>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackInfo {
    dtype: DType,
    shape: Axes,
    data_offsets: (u64, u64),
    #[serde(default, rename = "param_id")]
    _param_id: Option<IgnoredAny>,
}

fn from_dtype(dtype: safetensors::Dtype) -> Result<DType, String> {
    use safetensors::Dtype;
    Ok(match dtype {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::I16 => DType::I16,
        Dtype::I8 => DType::I8,
        Dtype::U64 => DType::U64,
        Dtype::U32 => DType::U32,
        Dtype::U16 => DType::U16,
        Dtype::U8 => DType::U8,
        Dtype::BOOL => DType::Bool(BoolStore::Native),
        other => return Err(format!("burn does not support the data type {other:?}")),
    })
}
