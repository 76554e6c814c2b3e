//! `Scaler`: scales features, with statistics of the training part only.

use super::error::DataError;
use super::features::Features;
use super::place::Place;
use super::samples::{Data, Input};
use super::schema::Schema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The method of a [`Scaler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scaling {
    /// Mean 0 and standard deviation 1.
    Standard,
    /// From 0 to 1.
    MinMax,
}

/// Shifts and scales every column of the features. It is made from the training part and applied to all parts.
///
/// A column that is constant in the training part becomes 0. A model that was trained on scaled data also needs scaled
/// data for predictions, so the scaler can be saved with serde next to the weights.
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
    /// The names of the columns; empty in scalers that were saved by older versions.
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
    /// Mean 0 and (population) standard deviation 1 in the training part.
    ///
    /// # Errors
    ///
    /// [`DataError::NoRows`] if the training part is empty.
    pub fn standard(train: &Data) -> Result<Self, DataError> {
        Self::fit(train, Scaling::Standard)
    }

    /// From 0 to 1 in the training part; values of other parts may be outside of this range.
    ///
    /// # Errors
    ///
    /// [`DataError::NoRows`] if the training part is empty.
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

    /// The method.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// The scaled data. Targets are not changed, and columns with names are put in the order of the training part.
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

    /// One scaled sample of the first input, for a single prediction.
    ///
    /// # Errors
    ///
    /// [`DataError::Scaler`] if the row has more or fewer values, [`DataError::NotFinite`] if a number is not finite before
    /// or after scaling.
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
                                format!("{scaled} (from {x})")
                            } else {
                                x.to_string()
                            },
                        }),
                    })
                    .collect()
            }
            _ => Err(self.other_width(vec![row.len()])),
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
            return Err(self.other_width(data.inputs().map(|features| features.width).collect()));
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

    fn other_width(&self, found: Vec<usize>) -> DataError {
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
    let mut failed = None;
    let others = others.map(|data| {
        scaler.apply(data).unwrap_or_else(|error| {
            failed = Some(error);
            train.clone()
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok((scaler.apply(train)?, others)),
    }
}

/// The shift and scale of each column.
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
                // Two passes: with a large mean, the difference of two large sums would lose the deviation.
                Scaling::Standard => {
                    let mean = column(index).sum::<f64>() / rows;
                    (
                        mean,
                        (column(index).map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt(),
                    )
                }
                Scaling::MinMax => (low, high - low),
            };
            // A constant column has a deviation of rounding errors only, which must not be scaled up to noise.
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
