//! Measures damper: `cargo bench -p damper-benches --bench networks` (or `penalties`), `bash benches/rebuild.sh`; beside
//! PyTorch: `python benches/compare.py`.
//!
//! The programs print and never assert: a busy machine must not fail a build.

pub mod generated;
pub mod hand;
pub mod kernels;
pub mod rounds;

use damper::data::{Data, DataError};

/// The three perceptrons of the benches.
pub const SIZES: [Size; 3] = [
    Size {
        features: 50,
        first: 128,
        second: 64,
        classes: 4,
        batch: 64,
        batches: 40,
    },
    Size {
        features: 784,
        first: 512,
        second: 256,
        classes: 10,
        batch: 128,
        batches: 20,
    },
    Size {
        features: 1024,
        first: 1024,
        second: 1024,
        classes: 10,
        batch: 256,
        batches: 20,
    },
];

/// A perceptron with two hidden layers, and how much of what it reads in an epoch.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Numbers in a sample.
    pub features: usize,
    /// Units of the first hidden layer.
    pub first: usize,
    /// Units of the second hidden layer.
    pub second: usize,
    /// Classes.
    pub classes: usize,
    /// Samples in a batch.
    pub batch: usize,
    /// Batches in an epoch.
    pub batches: usize,
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            features,
            first,
            second,
            classes,
            batch,
            ..
        } = self;
        write!(f, "{features}-{first}-{second}-{classes}, batch {batch}")
    }
}

/// Made-up samples: rows of `features` numbers and a class each. Speed does not depend on what they say.
#[derive(Clone, Debug)]
pub struct Samples {
    /// One row a sample.
    pub rows: Vec<Vec<f32>>,
    /// One class a sample.
    pub classes: Vec<u8>,
}

impl Samples {
    /// `count` samples of `features` numbers.
    pub fn new(features: usize, classes: usize, count: usize) -> Self {
        let mut state = 1_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
        };
        let rows = (0..count)
            .map(|_| (0..features).map(|_| uniform()).collect())
            .collect();
        Self {
            rows,
            classes: (0..count).map(|sample| (sample % classes) as u8).collect(),
        }
    }

    /// The samples as damper reads them.
    ///
    /// # Errors
    ///
    /// None of the samples that [`Samples::new`] makes gives one.
    pub fn data(&self) -> Result<Data, DataError> {
        Data::new(self.rows.clone(), self.classes.clone())
    }
}
