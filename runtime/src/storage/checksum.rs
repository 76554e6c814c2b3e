//! The checksum of a file.

use super::header::Header;
use super::metadata::{CONFIG, SCHEMA, SPEC};
use burn::tensor::{DType, TensorData};
use std::collections::BTreeMap;
use std::fmt;

/// FNV-1a: it detects accidental damage, not tampering.
#[derive(Clone, Copy)]
pub(super) struct Sum(u64);

impl Sum {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
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

/// Separates the sum of the header from the sum of the whole file.
pub(super) const BETWEEN: char = '-';

/// The sum of the description, the hyper-parameters and the schema.
pub(super) fn text_sum(metadata: &BTreeMap<String, String>) -> Sum {
    let mut sum = Sum::new();
    for (_, text) in metadata
        .iter()
        .filter(|(key, _)| [SPEC, CONFIG, SCHEMA].contains(&key.as_str()))
    {
        sum.add(text.as_bytes());
    }
    sum
}

/// The sum of everything except the weights. It is checked before the header is used.
pub(super) fn header_sum(header: &Header) -> String {
    let mut sum = text_sum(&header.metadata);
    for (name, entry) in &header.tensors {
        add_entry(&mut sum, name, entry.dtype, &entry.shape);
    }
    sum.to_string()
}

fn add_entry(sum: &mut Sum, name: &str, dtype: DType, shape: &[usize]) {
    sum.add(format!("{name} {dtype:?} {shape:?}").as_bytes());
}

/// Both sums of a new file: of its header, and of the whole file.
pub(super) fn sums(
    metadata: &BTreeMap<String, String>,
    tensors: &[(String, TensorData)],
) -> String {
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
