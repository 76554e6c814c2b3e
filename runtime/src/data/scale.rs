//! Scaling of features, with statistics from the training part only.

use super::error::{DataError, Place};
use super::{Data, Features, Input, Schema};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a [`Scaler`] scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scaling {
    /// Mean 0 and standard deviation 1.
    Standard,
    /// From 0 to 1.
    MinMax,
}

/// Shifts and scales every column of the features; made from the training part, applied to all parts.
///
/// A column that is constant in the training part becomes 0. The scaler can be saved with serde beside the
/// weights: what a model was trained on scaled, it must be asked scaled.
///
/// ```
/// use damper::data::{Data, Scaler};
///
/// let data = Data::new([[1.0, 10.0], [3.0, 10.0]], [0, 1])?;
/// let scaler = Scaler::standard(&data)?;
/// assert_eq!(scaler.apply(&data)?.row(0), Some(&[-1.0, 0.0][..]));
/// # Ok::<(), damper::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    scaling: Scaling,
    inputs: Vec<Vec<Affine>>,
    /// The names of the columns; none in what was saved by an older version.
    #[serde(default)]
    schema: Schema,
}

/// `(x - offset) / scale`, and back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Affine {
    offset: f64,
    scale: f64,
}

impl Affine {
    fn apply(self, x: f32) -> f32 {
        ((f64::from(x) - self.offset) / self.scale) as f32
    }

    fn inverse(self, x: f32) -> f32 {
        (f64::from(x) * self.scale + self.offset) as f32
    }
}

impl Scaler {
    /// Mean 0 and standard deviation 1 (that of the population) in the training part.
    ///
    /// # Errors
    ///
    /// [`DataError::NoRows`] if there is nothing to take statistics from.
    pub fn standard(train: &Data) -> Result<Self, DataError> {
        Self::fit(train, Scaling::Standard)
    }

    /// From 0 to 1 in the training part; other parts may lie beyond.
    ///
    /// # Errors
    ///
    /// [`DataError::NoRows`] if there is nothing to take statistics from.
    pub fn min_max(train: &Data) -> Result<Self, DataError> {
        Self::fit(train, Scaling::MinMax)
    }

    fn fit(train: &Data, scaling: Scaling) -> Result<Self, DataError> {
        if train.rows() == 0 {
            return Err(DataError::NoRows {
                what: "the training part".to_owned(),
            });
        }
        let inputs = train
            .inputs()
            .map(|features| statistics(features, scaling))
            .collect();
        let schema = Schema {
            inputs: train.schema().inputs,
            ..Schema::default()
        };
        Ok(Self {
            scaling,
            inputs,
            schema,
        })
    }

    /// How it scales.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// The data scaled; targets stay as they are. Columns with names are put in the order of the training part.
    ///
    /// # Errors
    ///
    /// [`DataError::Scaler`] if there are more or fewer columns than the scaler was made for, and as [`Schema::apply`].
    pub fn apply(&self, data: &Data) -> Result<Data, DataError> {
        self.map(data, Affine::apply)
    }

    /// The data as they were before scaling, to the precision of `f32`.
    ///
    /// # Errors
    ///
    /// As [`Scaler::apply`].
    pub fn inverse(&self, data: &Data) -> Result<Data, DataError> {
        self.map(data, Affine::inverse)
    }

    /// One sample of the first input scaled: for a single prediction.
    ///
    /// # Errors
    ///
    /// [`DataError::Scaler`] if the row has more or fewer values, [`DataError::NotFinite`].
    pub fn apply_row(&self, row: &[f32]) -> Result<Vec<f32>, DataError> {
        match self.inputs.first() {
            Some(columns) if columns.len() == row.len() => {
                let scaled = columns.iter().zip(row).enumerate();
                scaled
                    .map(|(index, (column, x))| match column.apply(*x) {
                        scaled if x.is_finite() && scaled.is_finite() => Ok(scaled),
                        scaled => Err(DataError::NotFinite {
                            place: Place::row(0).column(index),
                            value: if x.is_finite() {
                                format!("{scaled}, made from {x},")
                            } else {
                                x.to_string()
                            },
                        }),
                    })
                    .collect()
            }
            _ => Err(self.misfit(vec![row.len()])),
        }
    }

    fn map(&self, data: &Data, change: fn(Affine, f32) -> f32) -> Result<Data, DataError> {
        let data = &self.schema.apply(data)?;
        let fits = self.inputs.len() == data.inputs.len()
            && self
                .inputs
                .iter()
                .zip(data.inputs())
                .all(|(columns, features)| columns.len() == features.width);
        if !fits {
            return Err(self.misfit(data.inputs().map(|features| features.width).collect()));
        }
        let mut inputs = Vec::with_capacity(data.inputs.len());
        for (columns, input) in self.inputs.iter().zip(&data.inputs) {
            let features = &input.features;
            let mut values = Vec::with_capacity(features.values.len());
            for row in features.values.chunks_exact(features.width) {
                values.extend(
                    columns
                        .iter()
                        .zip(row)
                        .map(|(column, x)| change(*column, *x)),
                );
            }
            if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                let place = data.feature_place(features, at / features.width, at % features.width);
                return Err(DataError::NotFinite {
                    place,
                    value: features.values[at].to_string(),
                });
            }
            let features = Features {
                values: Arc::new(values),
                is_changed: !features.sources.list.is_empty(),
                ..features.clone()
            };
            inputs.push(Input {
                features,
                name: input.name.clone(),
            });
        }
        Ok(Data {
            inputs,
            ..data.clone()
        })
    }

    fn misfit(&self, found: Vec<usize>) -> DataError {
        DataError::Scaler {
            found,
            expected: self.inputs.iter().map(Vec::len).collect(),
        }
    }
}

/// Scales `train` to mean 0 and standard deviation 1, and the others with the same numbers.
///
/// ```
/// use damper::data::{Data, standardize};
///
/// let data = Data::new([[1.0], [3.0], [5.0], [7.0]], [0.0, 1.0, 2.0, 3.0])?;
/// let (train, valid) = data.split(0.5, 1)?;
/// let (train, [valid]) = standardize(&train, [&valid])?;
/// # Ok::<(), damper::data::DataError>(())
/// ```
///
/// # Errors
///
/// [`DataError::Scaler`] if the others have other columns.
pub fn standardize<const N: usize>(
    train: &Data,
    others: [&Data; N],
) -> Result<(Data, [Data; N]), DataError> {
    let scaler = Scaler::standard(train)?;
    let mut misfit = None;
    let others = others.map(|data| {
        scaler.apply(data).unwrap_or_else(|error| {
            misfit = Some(error);
            train.clone()
        })
    });
    match misfit {
        Some(error) => Err(error),
        None => Ok((scaler.apply(train)?, others)),
    }
}

fn statistics(features: &Features, scaling: Scaling) -> Vec<Affine> {
    let rows = features.rows() as f64;
    let column = |index: usize| {
        features
            .values
            .iter()
            .skip(index)
            .step_by(features.width)
            .map(|x| f64::from(*x))
    };
    (0..features.width)
        .map(|index| {
            let (low, high) = column(index)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                    (low.min(x), high.max(x))
                });
            let (offset, scale) = match scaling {
                // Two passes: the difference of two large sums would lose the deviation of a large mean.
                Scaling::Standard => {
                    let mean = column(index).sum::<f64>() / rows;
                    (
                        mean,
                        (column(index).map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt(),
                    )
                }
                Scaling::MinMax => (low, high - low),
            };
            // Equal numbers, not a small deviation: rounding in the mean must not be blown up to noise.
            if low < high && scale > 0.0 {
                Affine { offset, scale }
            } else {
                Affine {
                    offset: low,
                    scale: 1.0,
                }
            }
        })
        .collect()
}
