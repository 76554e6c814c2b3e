//! What data are made from: arrays, `Vec`s, flat values.

use super::error::{DataError, Place, bytes, count};
use super::schema::Columns;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One input in memory: a row of `f32` for each sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub(crate) width: usize,
    pub(crate) values: Arc<Vec<f32>>,
    /// The columns' names; empty if they have none.
    pub(crate) columns: Arc<Vec<String>>,
    /// The columns of the file that these were made of; empty if there are none.
    pub(super) sources: Arc<Columns>,
    /// Whether a scaler or `map` has changed the numbers since they were read from a file.
    pub(super) is_changed: bool,
    /// The axes of one sample where more than their product is known (images); else empty.
    pub(crate) shape: Vec<usize>,
    /// How many values of each row are the sample's own, if samples differ in length; behind them are zeros.
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
                    help: "leave the sample out, or give it a step of its own".to_owned(),
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
                    "{} filled up to the longest, of {}, take {}: more than there is",
                    count(rows.len(), "sequence"),
                    count(longest, "step"),
                    bytes(
                        longest
                            .saturating_mul(rows.len())
                            .saturating_mul(size_of::<f32>())
                    )
                ),
                help: "cut the longest ones".to_owned(),
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

    /// The length of each sequence; `None` if these are rows of one length.
    pub fn lengths(&self) -> Option<&[usize]> {
        self.lengths.as_deref().map(Vec::as_slice)
    }

    /// The values of one sample, without what fills a short sequence up.
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
    /// [`DataError`] if the values do not make whole rows, or one is not finite.
    pub fn flat(values: Vec<f32>, width: usize) -> Result<Self, DataError> {
        if width == 0 {
            return Err(DataError::NoFeatures {
                what: "the data".to_owned(),
            });
        }
        if !values.len().is_multiple_of(width) {
            return Err(DataError::Flat {
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

    /// The values of a row: of the longest sequence, where they differ in length.
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

    fn from_rows<'r, R: Row + 'r>(rows: impl Iterator<Item = &'r R>) -> Result<Self, DataError> {
        let (mut values, mut width) = (Vec::new(), None);
        for (index, row) in rows.enumerate() {
            let before = values.len();
            row.append(&mut values);
            if let Some((column, value)) = row.rounded() {
                let place = Place::row(index).column(column);
                let becomes = values.get(before + column).copied().unwrap_or(f32::NAN);
                return Err(rounded(place, value, becomes));
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

/// The values of one sample: an array, a `Vec`, a slice, or one number.
pub trait Row {
    /// Appends the values.
    fn append(&self, to: &mut Vec<f32>);

    /// The place and the digits of a value that [`Number::rounded`] names.
    fn rounded(&self) -> Option<(usize, String)> {
        None
    }
}

/// A number that data are made of. Numbers too large for `f32` become infinite, which is an error later.
pub trait Number: Copy {
    /// The number as `f32`.
    fn to_f32(self) -> f32;

    /// The digits of an integer that `f32` cannot represent exactly, such as 16777217; `None` for all other numbers.
    /// Integers are counts and ids, and rounding them in silence gives a wrong one. Floating-point numbers may be rounded.
    fn rounded(self) -> Option<String> {
        None
    }
}

impl<T: Number> Row for Vec<T> {
    fn append(&self, to: &mut Vec<f32>) {
        self.as_slice().append(to);
    }

    fn rounded(&self) -> Option<(usize, String)> {
        self.as_slice().rounded()
    }
}

impl<T: Number, const N: usize> Row for [T; N] {
    fn append(&self, to: &mut Vec<f32>) {
        self.as_slice().append(to);
    }

    fn rounded(&self) -> Option<(usize, String)> {
        self.as_slice().rounded()
    }
}

impl<T: Number> Row for [T] {
    fn append(&self, to: &mut Vec<f32>) {
        to.extend(self.iter().map(|x| x.to_f32()));
    }

    fn rounded(&self) -> Option<(usize, String)> {
        let mut values = self.iter().enumerate();
        values.find_map(|(place, value)| Some((place, value.rounded()?)))
    }
}

impl<T: Number> Row for &[T] {
    fn append(&self, to: &mut Vec<f32>) {
        (**self).append(to);
    }

    fn rounded(&self) -> Option<(usize, String)> {
        (**self).rounded()
    }
}

/// What the features of [`Data::new`](super::Data::new) may be: `Vec<Vec<f32>>`, `Vec<[f32; N]>`,
/// `&[[f32; N]]`, `(values, width)`, and the same of any other number.
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
            return Err(rounded(place, value, values[index].to_f32()));
        }
        Features::flat(values.iter().map(|x| x.to_f32()).collect(), width)
    }
}

/// What each sample should give.
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
    /// A row of numbers for each sample. Where the loss wants classes: the class of each position of the output, or
    /// the probability of each class.
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
    /// [`DataError`] if the numbers do not make whole rows, or one is not finite.
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

    /// The group of each row, from 0, if this target has classes. Whole numbers that are not negative count as
    /// classes if each occurs five times or more on average.
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

/// What the target of one sample may be: a whole number (a class), a real number, a row of real numbers, or the
/// name of a class.
pub trait Label: Sized {
    /// The targets of all samples.
    ///
    /// # Errors
    ///
    /// [`DataError`] if a row is longer or shorter than the others, or a value is not finite.
    fn gather(labels: &[Self]) -> Result<Targets, DataError>;
}

macro_rules! whole {
    ($($kind:ty),*) => {$(
        #[allow(clippy::cast_lossless, reason = "lossless for the small kinds only")]
        impl Number for $kind {
            fn to_f32(self) -> f32 {
                self as f32
            }

            fn rounded(self) -> Option<String> {
                (self as f32 as i128 != self as i128).then(|| self.to_string())
            }
        }
        #[allow(clippy::cast_lossless, reason = "lossless for the small kinds only")]
        impl Label for $kind {
            fn gather(labels: &[Self]) -> Result<Targets, DataError> {
                let indices: Option<Vec<usize>> = labels.iter().map(|&label| usize::try_from(label).ok()).collect();
                match indices {
                    Some(indices) => Ok(Targets::classes(indices)),
                    // A negative number is no class: these are numbers to predict.
                    None => {
                        if let Some((row, value)) = labels.rounded() {
                            return Err(rounded(Place::row(row), value, labels[row] as f32));
                        }
                        Targets::values(labels.iter().map(|&label| label as f32).collect(), 1)
                    }
                }
            }
        }
    )*};
}
whole!(usize, u64, u32, u16, u8, isize, i64, i32, i16, i8);

/// A whole number that would become another one.
pub(super) fn rounded(place: Place, value: impl std::fmt::Display, becomes: f32) -> DataError {
    DataError::Digits {
        place: Box::new(place),
        value: value.to_string(),
        note: format!("as an `f32` it is {becomes}"),
        help: "give it as a real number if it may be rounded, such as `x as f32`".to_owned(),
    }
}

macro_rules! real {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            fn to_f32(self) -> f32 {
                self as f32
            }
        }
        impl Label for $kind {
            fn gather(labels: &[Self]) -> Result<Targets, DataError> {
                Targets::values(labels.iter().map(|&label| label.to_f32()).collect(), 1)
            }
        }
    )*};
}
real!(f32, f64);

impl Number for bool {
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
}

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

/// What the targets of [`Data::new`](super::Data::new) may be: whole numbers (class indices), real numbers, rows
/// of real numbers, names of classes, or `()` for none.
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
                reason: "a width of 0 leaves nothing to predict".to_owned(),
                help: "for data without a target: `Targets::None`, or `()`".to_owned(),
            }),
            Self::Values { values, width } if !values.len().is_multiple_of(*width) => {
                Err(DataError::Flat {
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
                    Some(row) => Err(nameless(Place::row(row), indices[row], names.len())),
                    None => Ok(self),
                }
            }
            Self::None | Self::Classes { .. } => Ok(self),
        }
    }
}

/// A class beyond the names that are given.
pub(super) fn nameless(place: Place, class: usize, names: usize) -> DataError {
    DataError::Label {
        place: Box::new(place),
        label: class.to_string(),
        model: "the list of names".to_owned(),
        classes: names,
        help: "name every class".to_owned(),
    }
}

/// Two classes of one name could not be told apart.
pub(super) fn check_names(names: &[String]) -> Result<(), DataError> {
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(DataError::Setting {
            setting: "the classes' names".to_owned(),
            reason: format!("`{twice}` stands there twice"),
            help: "give each class a name of its own".to_owned(),
        }),
        None => Ok(()),
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
