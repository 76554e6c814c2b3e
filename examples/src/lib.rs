//! What the examples share: real and made-up data, random numbers, tables.

pub mod random;
pub mod table;

use damper::data::{Data, DataError, Features};
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

/// The class of each sample; empty if the targets are not classes.
pub fn classes(data: &Data) -> Arc<Vec<usize>> {
    match data.targets() {
        damper::data::Targets::Classes { indices, .. } => Arc::clone(indices),
        _ => Arc::default(),
    }
}
