//! The targets of data: classes, numbers, or none.

use super::error::DataError;
use super::features::Features;
use super::number::{Number, Row, inexact};
use super::place::Place;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The targets of the samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Nothing: for prediction only.
    None,
    /// A class for each sample.
    Classes {
        /// The class of each sample.
        indices: Arc<Vec<usize>>,
        /// The classes' names; empty if they have none.
        names: Arc<Vec<String>>,
    },
    /// A row of numbers for each sample. If the loss needs classes: the class of each position of the output, or the
    /// probability of each class.
    Values {
        /// The rows, one after the other.
        values: Arc<Vec<f32>>,
        /// The numbers of a row.
        width: usize,
    },
}

impl Targets {
    /// Class indices without names.
    pub fn classes(indices: Vec<usize>) -> Self {
        Self::Classes {
            indices: Arc::new(indices),
            names: Arc::default(),
        }
    }

    /// The class of each sample by its name; the classes are put in alphabetical order.
    pub fn named<S: AsRef<str>>(labels: &[S]) -> Self {
        let names: BTreeSet<&str> = labels.iter().map(AsRef::as_ref).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let index = |label: &S| {
            names
                .binary_search_by(|name| name.as_str().cmp(label.as_ref()))
                .unwrap_or_default()
        };
        let indices = labels.iter().map(index).collect();
        Self::Classes {
            indices: Arc::new(indices),
            names: Arc::new(names),
        }
    }

    /// Rows of `width` numbers, one after the other.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the numbers cannot be divided into rows, or one is not finite.
    pub fn values(values: Vec<f32>, width: usize) -> Result<Self, DataError> {
        let rows = Features::flat(values, width)?;
        Ok(Self::Values {
            values: rows.values,
            width,
        })
    }

    /// The number of samples; `None` if there are no targets.
    pub fn rows(&self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Classes { indices, .. } => Some(indices.len()),
            Self::Values { values, width } => Some(values.len().checked_div(*width).unwrap_or(0)),
        }
    }

    /// The class of each row, numbered from 0 without gaps. Non-negative whole numbers count as classes if each occurs
    /// five times or more on average; `None` if there are no classes.
    pub(crate) fn strata(&self) -> Option<Vec<usize>> {
        let dense = |classes: Vec<usize>| {
            let mut groups: BTreeMap<usize, usize> =
                classes.iter().map(|class| (*class, 0)).collect();
            for (group, index) in groups.values_mut().zip(0..) {
                *group = index;
            }
            let many = groups.len() * 5 <= classes.len();
            (classes.iter().map(|class| groups[class]).collect(), many)
        };
        match self {
            Self::Classes { indices, .. } => Some(dense(indices.to_vec()).0),
            Self::Values { values, width: 1 } => {
                let whole = values
                    .iter()
                    .all(|x| *x >= 0.0 && x.fract() == 0.0 && *x < 1e6);
                let (groups, many) = dense(values.iter().map(|x| *x as usize).collect());
                (whole && many).then_some(groups)
            }
            Self::None | Self::Values { .. } => None,
        }
    }

    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::None => Self::None,
            Self::Classes { indices, names } => Self::Classes {
                indices: Arc::new(rows.iter().map(|&row| indices[row]).collect()),
                names: Arc::clone(names),
            },
            Self::Values { values, width } => Self::Values {
                values: Arc::new(
                    rows.iter()
                        .flat_map(|&row| &values[row * width..(row + 1) * width])
                        .copied()
                        .collect(),
                ),
                width: *width,
            },
        }
    }
}

/// The target of one sample: a whole number (a class), a real number, a row of numbers, or the name of a class.
pub trait Label: Sized {
    /// The targets of all samples.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a row is longer or shorter than the others, or a value is not finite.
    fn gather(labels: &[Self]) -> Result<Targets, DataError>;
}

macro_rules! integers {
    ($($kind:ty),*) => {$(
        #[allow(clippy::cast_lossless, reason = "lossless for the small kinds only")]
        impl Label for $kind {
            fn gather(labels: &[Self]) -> Result<Targets, DataError> {
                let indices: Option<Vec<usize>> = labels.iter().map(|&label| usize::try_from(label).ok()).collect();
                match indices {
                    Some(indices) => Ok(Targets::classes(indices)),
                    // A negative number is not a class: these are numbers to predict.
                    None => {
                        if let Some((row, value)) = labels.rounded() {
                            return Err(inexact(Place::row(row), value, labels[row] as f32));
                        }
                        Targets::values(labels.iter().map(|&label| label as f32).collect(), 1)
                    }
                }
            }
        }
    )*};
}
integers!(usize, u64, u32, u16, u8, isize, i64, i32, i16, i8);

macro_rules! reals {
    ($($kind:ty),*) => {$(
        impl Label for $kind {
            fn gather(labels: &[Self]) -> Result<Targets, DataError> {
                Targets::values(labels.iter().map(|&label| label.to_f32()).collect(), 1)
            }
        }
    )*};
}
reals!(f32, f64);

impl Label for bool {
    fn gather(labels: &[Self]) -> Result<Targets, DataError> {
        Ok(Targets::classes(
            labels.iter().map(|&label| usize::from(label)).collect(),
        ))
    }
}

impl Label for &str {
    fn gather(labels: &[Self]) -> Result<Targets, DataError> {
        Ok(Targets::named(labels))
    }
}

impl Label for String {
    fn gather(labels: &[Self]) -> Result<Targets, DataError> {
        Ok(Targets::named(labels))
    }
}

impl<T: Number> Label for Vec<T> {
    fn gather(labels: &[Self]) -> Result<Targets, DataError> {
        let rows = Features::from_rows(labels.iter())?;
        Ok(Targets::Values {
            values: rows.values,
            width: rows.width,
        })
    }
}

impl<T: Number, const N: usize> Label for [T; N] {
    fn gather(labels: &[Self]) -> Result<Targets, DataError> {
        let rows = Features::from_rows(labels.iter())?;
        Ok(Targets::Values {
            values: rows.values,
            width: rows.width,
        })
    }
}

/// The types that [`Data::new`](super::Data::new) takes as targets: whole numbers (class indices), real numbers, rows of
/// numbers, names of classes, or `()` for none.
pub trait IntoTargets {
    /// The targets.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a row is longer or shorter than the others, or a value is not finite.
    fn into_targets(self) -> Result<Targets, DataError>;
}

impl IntoTargets for () {
    fn into_targets(self) -> Result<Targets, DataError> {
        Ok(Targets::None)
    }
}

impl IntoTargets for Targets {
    fn into_targets(self) -> Result<Targets, DataError> {
        match &self {
            Self::Values { width: 0, .. } => Err(DataError::Setting {
                setting: "`Targets::Values`".to_owned(),
                reason: "with a width of 0 there is nothing to predict".to_owned(),
                help: "for data without a target: `Targets::None`, or `()`".to_owned(),
            }),
            Self::Values { values, width } if !values.len().is_multiple_of(*width) => {
                Err(DataError::PartialRow {
                    values: values.len(),
                    width: *width,
                })
            }
            Self::Values { values, width } => match values.iter().position(|x| !x.is_finite()) {
                Some(at) => Err(DataError::NotFinite {
                    place: Place::row(at / width).column(at % width),
                    value: values[at].to_string(),
                }),
                None => Ok(self),
            },
            Self::Classes { indices, names } if !names.is_empty() => {
                check_names(names)?;
                match indices.iter().position(|class| *class >= names.len()) {
                    Some(row) => Err(DataError::UnnamedClass {
                        place: Box::new(Place::row(row)),
                        class: indices[row],
                        names: names.len(),
                    }),
                    None => Ok(self),
                }
            }
            Self::None | Self::Classes { .. } => Ok(self),
        }
    }
}

impl<L: Label> IntoTargets for Vec<L> {
    fn into_targets(self) -> Result<Targets, DataError> {
        L::gather(&self)
    }
}

impl<L: Label> IntoTargets for &Vec<L> {
    fn into_targets(self) -> Result<Targets, DataError> {
        L::gather(self)
    }
}

impl<L: Label> IntoTargets for &[L] {
    fn into_targets(self) -> Result<Targets, DataError> {
        L::gather(self)
    }
}

impl<L: Label, const N: usize> IntoTargets for [L; N] {
    fn into_targets(self) -> Result<Targets, DataError> {
        L::gather(&self)
    }
}

impl<L: Label, const N: usize> IntoTargets for &[L; N] {
    fn into_targets(self) -> Result<Targets, DataError> {
        L::gather(self)
    }
}

/// Refuses names of classes that are not distinct.
pub(super) fn check_names(names: &[String]) -> Result<(), DataError> {
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(DataError::Setting {
            setting: "the names of the classes".to_owned(),
            reason: format!("`{twice}` occurs twice"),
            help: "give each class a different name".to_owned(),
        }),
        None => Ok(()),
    }
}
