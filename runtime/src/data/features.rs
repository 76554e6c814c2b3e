//! The features of one input: rows of numbers, or sequences of class indices.

use super::columns::Columns;
use super::error::DataError;
use super::message::{bytes, count};
use super::number::{Number, Row, inexact};
use super::place::Place;
use std::sync::Arc;

/// One input in memory: a row of `f32` for each sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub(crate) width: usize,
    pub(crate) values: Arc<Vec<f32>>,
    /// The columns' names; empty if they have none.
    pub(crate) columns: Arc<Vec<String>>,
    /// The columns of the file that they were read from; empty if there are none.
    pub(super) sources: Arc<Columns>,
    /// Set if a scaler or `map` has changed the numbers since they were read from a file.
    pub(super) is_changed: bool,
    /// The axes of one sample, for images; else empty.
    pub(crate) shape: Vec<usize>,
    /// The number of steps of each sequence, if these are sequences; the rest of its row is zeros.
    pub(crate) lengths: Option<Arc<Vec<usize>>>,
}

impl Features {
    /// Sequences of class indices, which may differ in length: see [`Data::sequences`](super::Data::sequences).
    ///
    /// # Errors
    ///
    /// [`DataError`] if there is no sequence, or one without a step, or an index is not finite.
    ///
    /// ```
    /// use damper::data::Features;
    ///
    /// let sequences = Features::sequences(&[vec![5, 3, 8], vec![2]])?;
    /// assert_eq!((sequences.width(), sequences.lengths()), (3, Some(&[3, 1][..])));
    /// # Ok::<(), damper::data::DataError>(())
    /// ```
    pub fn sequences<R: Row>(sequences: &[R]) -> Result<Self, DataError> {
        let mut rows = Vec::with_capacity(sequences.len());
        for (index, sequence) in sequences.iter().enumerate() {
            let mut row = Vec::new();
            sequence.append(&mut row);
            if row.is_empty() {
                return Err(DataError::EmptySequence {
                    place: Place::row(index),
                    help: "leave the sample out, or give it at least one step".to_owned(),
                });
            }
            rows.push(row);
        }
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let Some(longest) = lengths.iter().copied().max() else {
            return Err(DataError::NoRows {
                what: "the data".to_owned(),
            });
        };
        let numbers = longest.checked_mul(rows.len());
        let mut values = Vec::new();
        if numbers.is_none_or(|numbers| values.try_reserve_exact(numbers).is_err()) {
            return Err(DataError::Limit {
                what: format!(
                    "{} padded to the longest, of {}, take {}: more than there is",
                    count(rows.len(), "sequence"),
                    count(longest, "step"),
                    bytes(
                        longest
                            .saturating_mul(rows.len())
                            .saturating_mul(size_of::<f32>())
                    )
                ),
                help: "shorten the longest ones".to_owned(),
            });
        }
        for row in rows {
            values.extend_from_slice(&row);
            values.resize(values.len() + longest - row.len(), 0.0);
        }
        Ok(Self {
            lengths: Some(Arc::new(lengths)),
            ..Self::flat(values, longest)?
        })
    }

    /// The length of each sequence; `None` if these are not sequences.
    pub fn lengths(&self) -> Option<&[usize]> {
        self.lengths.as_deref().map(Vec::as_slice)
    }

    /// The values of one sample, without the padding of a short sequence.
    pub(crate) fn row(&self, row: usize) -> Option<&[f32]> {
        let length = match &self.lengths {
            Some(lengths) => *lengths.get(row)?,
            None => self.width,
        };
        let start = row.checked_mul(self.width)?;
        self.values.get(start..start.checked_add(length)?)
    }

    /// Rows of `width` values, one after the other.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the values cannot be divided into rows, or one is not finite.
    pub fn flat(values: Vec<f32>, width: usize) -> Result<Self, DataError> {
        if width == 0 {
            return Err(DataError::NoFeatures {
                what: "the data".to_owned(),
            });
        }
        if !values.len().is_multiple_of(width) {
            return Err(DataError::PartialRow {
                values: values.len(),
                width,
            });
        }
        let features = Self {
            width,
            values: Arc::new(values),
            columns: Arc::default(),
            sources: Arc::default(),
            is_changed: false,
            shape: Vec::new(),
            lengths: None,
        };
        match features.values.iter().position(|x| !x.is_finite()) {
            Some(at) => Err(DataError::NotFinite {
                place: Place::row(at / width).column(at % width),
                value: features.values[at].to_string(),
            }),
            None => Ok(features),
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// The number of values in a row: for sequences, the length of the longest.
    pub fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let mut values = Vec::with_capacity(rows.len() * self.width);
        for &row in rows {
            values.extend_from_slice(&self.values[row * self.width..(row + 1) * self.width]);
        }
        let lengths = |lengths: &Arc<Vec<usize>>| rows.iter().map(|&row| lengths[row]).collect();
        Self {
            values: Arc::new(values),
            lengths: self.lengths.as_ref().map(lengths).map(Arc::new),
            ..self.clone()
        }
    }

    pub(super) fn from_rows<'r, R: Row + 'r>(
        rows: impl Iterator<Item = &'r R>,
    ) -> Result<Self, DataError> {
        let (mut values, mut width) = (Vec::new(), None);
        for (index, row) in rows.enumerate() {
            let before = values.len();
            row.append(&mut values);
            if let Some((column, value)) = row.rounded() {
                let place = Place::row(index).column(column);
                let becomes = values.get(before + column).copied().unwrap_or(f32::NAN);
                return Err(inexact(place, value, becomes));
            }
            let found = values.len() - before;
            let expected = *width.get_or_insert(found);
            if found != expected {
                return Err(DataError::Ragged {
                    place: Box::new(Place::row(index)),
                    found,
                    expected,
                    quoted: None,
                });
            }
        }
        match width {
            Some(width) => Self::flat(values, width),
            None => Err(DataError::NoRows {
                what: "the data".to_owned(),
            }),
        }
    }
}

/// The types that [`Data::new`](super::Data::new) takes as features: `Vec<Vec<f32>>`, `Vec<[f32; N]>`, `&[[f32; N]]`,
/// `(values, width)`, and the same of any other number.
pub trait IntoFeatures {
    /// The rows.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a row is longer or shorter than the others, or a value is not finite.
    fn into_features(self) -> Result<Features, DataError>;
}

impl IntoFeatures for Features {
    fn into_features(self) -> Result<Features, DataError> {
        Ok(self)
    }
}

impl<R: Row> IntoFeatures for Vec<R> {
    fn into_features(self) -> Result<Features, DataError> {
        Features::from_rows(self.iter())
    }
}

impl<R: Row> IntoFeatures for &Vec<R> {
    fn into_features(self) -> Result<Features, DataError> {
        Features::from_rows(self.iter())
    }
}

impl<R: Row> IntoFeatures for &[R] {
    fn into_features(self) -> Result<Features, DataError> {
        Features::from_rows(self.iter())
    }
}

impl<R: Row, const N: usize> IntoFeatures for [R; N] {
    fn into_features(self) -> Result<Features, DataError> {
        Features::from_rows(self.iter())
    }
}

impl<R: Row, const N: usize> IntoFeatures for &[R; N] {
    fn into_features(self) -> Result<Features, DataError> {
        Features::from_rows(self.iter())
    }
}

impl<T: Number> IntoFeatures for (Vec<T>, usize) {
    fn into_features(self) -> Result<Features, DataError> {
        (self.0.as_slice(), self.1).into_features()
    }
}

impl<T: Number> IntoFeatures for (&[T], usize) {
    fn into_features(self) -> Result<Features, DataError> {
        let (values, width) = self;
        if let Some((index, value)) = values.rounded() {
            let (row, column) = (index / width.max(1), index % width.max(1));
            let place = Place::row(row).column(column);
            return Err(inexact(place, value, values[index].to_f32()));
        }
        Features::flat(values.iter().map(|x| x.to_f32()).collect(), width)
    }
}
