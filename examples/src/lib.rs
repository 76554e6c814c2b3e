//! What the examples share: real and made-up data, random numbers, tables.

pub mod random;
pub mod table;

use damper::burn::tensor::{Device, Tensor, TensorData};
use damper::data::{self, Data, DataError, Features};
use flate2::read::GzDecoder;
use std::sync::Arc;

/// Whether the environment variable `DAMPER_SHORT` is 1: fewer seeds and epochs, for a check that an example runs.
/// What it prints is then not what it shows.
pub fn is_short() -> bool {
    std::env::var_os("DAMPER_SHORT").is_some_and(|value| value == "1")
}

/// Says so if this is the short form: its figures are not those that the example is about.
pub fn say_if_short() {
    if is_short() {
        println!("DAMPER_SHORT=1: fewer seeds and epochs; the figures cannot be compared\n");
    }
}

/// `full`, or `short` under `DAMPER_SHORT=1`.
pub fn at_most<T>(full: T, short: T) -> T {
    if is_short() { short } else { full }
}

/// 1797 scans of handwritten digits, 8x8 pixels from 0 (white) to 16 (UCI, through the crate `smartcore`).
///
/// # Errors
///
/// None, as long as the crate holds what it says.
pub fn digits() -> Result<Data, DataError> {
    let set = smartcore::dataset::digits::load_dataset();
    let classes: Vec<usize> = set.target.iter().map(|digit| *digit as usize).collect();
    Data::new(Features::flat(set.data, set.num_features)?, classes)
}

/// 5000 images of handwritten digits, 28x28 pixels from 0 (white) to 1: a subset of MNIST that lies in `data/`.
///
/// # Errors
///
/// None, as long as the file is what it was.
pub fn mnist() -> Result<Data, DataError> {
    let file: &[u8] = include_bytes!("../data/mnist_5k.csv.gz");
    let table = data::csv_from("mnist_5k.csv.gz", GzDecoder::new(file))?;
    let data = table.header(false).classes().target(784)?;
    data.map(|pixel| pixel / 255.0)
}

/// 4000 images of [`mnist`] to learn from and 1000 for the test, as many of each digit.
///
/// # Errors
///
/// As [`mnist`].
pub fn mnist_split(seed: u64) -> Result<(Data, Data), DataError> {
    let (learn, test) = mnist()?.split(0.8, seed)?;
    if !is_short() {
        return Ok((learn, test));
    }
    Ok((learn.split(0.05, seed)?.0, test.split(0.2, seed)?.0))
}

/// Some samples' first input as rows: `[rows, values]`.
pub fn rows(data: &Data, rows: std::ops::Range<usize>, device: &Device) -> Tensor<2> {
    let samples = rows.len();
    let values: Vec<f32> = rows
        .filter_map(|row| data.row(row))
        .flatten()
        .copied()
        .collect();
    let width = values.len() / samples.max(1);
    Tensor::from_data(TensorData::new(values, [samples, width]), device)
}

/// The class of each sample; empty if the targets are not classes.
pub fn classes(data: &Data) -> Arc<Vec<usize>> {
    match data.targets() {
        damper::data::Targets::Classes { indices, .. } => Arc::clone(indices),
        _ => Arc::default(),
    }
}
