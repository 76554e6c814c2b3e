//! Data in memory: from arrays, CSV files and burn data sets to batches on a device.
//!
//! ```
//! use damper::data::Data;
//!
//! let features = vec![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
//! let data = Data::new(features, vec![1, 1, 0, 0])?;
//! let (train, valid) = data.split(0.5, 42)?;
//! assert_eq!((train.rows(), valid.rows()), (2, 2));
//! # Ok::<(), damper::data::DataError>(())
//! ```
//!
//! Rows are flat: an input `[1, 28, 28]` reads rows of 784 values, channel by channel and line by line. The target of a
//! model whose output has more axes than one is flat likewise: `[time, vocab]` under `cross_entropy` reads a row of
//! `time` classes, `[1, height, width]` under `binary_cross_entropy` a row of `height * width` numbers. Sequences of
//! unequal length are made by [`Data::sequences`], folders of images are read by `images` (cargo feature `images`).
//!
//! Whatever is wrong with data is a [`DataError`] that names the row and the column; nothing is skipped or
//! repaired unless it was asked for.

mod check;
mod csv;
mod error;
#[cfg(feature = "images")]
mod images;
mod loader;
mod rows;
mod scale;
mod schema;
mod source;
mod split;

pub use check::Prepared;
pub(crate) use check::{first_name, least_vocab};
pub use csv::{Missing, Table, csv, csv_from};
pub use error::{Column, DataError, Place};
#[cfg(feature = "images")]
pub use images::{Images, images};
pub use loader::Loader;
pub use scale::{Scaler, Scaling, standardize};
pub use schema::Schema;
pub use source::{Features, IntoFeatures, IntoTargets, Label, Number, Row, Targets};

use burn::data::dataset::Dataset;
use error::count;
use std::fmt;
use std::sync::Arc;

/// Samples in memory: one or several inputs, and what each sample should give. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    inputs: Vec<Input>,
    targets: Targets,
    origin: Origin,
}

#[derive(Clone, Debug, PartialEq)]
struct Input {
    /// `None` for what [`Data::new`] takes: the model's first input.
    name: Option<String>,
    features: Features,
}

/// Where the rows come from, for messages.
#[derive(Clone, Debug, Default, PartialEq)]
struct Origin {
    file: Option<Arc<str>>,
    /// The line of each row in its file from 1, or its index in its array from 0.
    rows: Arc<Vec<usize>>,
    /// The names of the target's columns.
    target: Arc<Vec<String>>,
    /// The rows left out on request because a value was missing.
    dropped: usize,
    /// Where each sample is a file of its own: their names, by the row they had first.
    samples: Arc<Vec<String>>,
    /// How the file was read, if it is a table.
    table: Option<Arc<schema::TableSchema>>,
    /// Whether the classes got their names from the program, and not from a file.
    named_by_hand: bool,
}

impl Data {
    /// Samples from arrays or `Vec`s: a row of numbers for each sample, and its target.
    ///
    /// Whole numbers as targets are class indices, real numbers are values to predict, `&str` are names of
    /// classes, and `()` stands for no target.
    ///
    /// ```
    /// use damper::data::Data;
    ///
    /// let classes = Data::new([[0.1, 0.2], [0.3, 0.4]], [0, 1])?;
    /// let values = Data::new(vec![vec![0.1], vec![0.3]], vec![1.5, 2.5])?;
    /// let names = Data::new((vec![0.1, 0.2, 0.3, 0.4], 2), ["cat", "dog"])?;
    /// assert_eq!(names.classes(), ["cat", "dog"]);
    /// # Ok::<(), damper::data::DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DataError`] with the row and the column: no rows, a row of another length, a number that is not finite,
    /// targets for more or fewer rows.
    pub fn new(features: impl IntoFeatures, targets: impl IntoTargets) -> Result<Self, DataError> {
        let features = features.into_features()?;
        let rows = features.rows();
        if rows == 0 {
            return Err(DataError::NoRows {
                what: "the data".to_owned(),
            });
        }
        let targets = targets.into_targets()?;
        if let Some(found) = targets.rows()
            && found != rows
        {
            return Err(DataError::Lengths {
                what: "the target".to_owned(),
                found,
                expected: rows,
            });
        }
        let origin = Origin {
            rows: Arc::new((0..rows).collect()),
            ..Origin::default()
        };
        Ok(Self {
            inputs: vec![Input {
                name: None,
                features,
            }],
            targets,
            origin,
        })
    }

    /// Sequences of class indices that may differ in length, for a model whose input is
    /// `[time] of int(pad = ..)`: what is shorter than its time axis is filled up at the end with the class `pad`.
    ///
    /// ```
    /// use damper::data::Data;
    ///
    /// let data = Data::sequences(&[vec![5, 3, 8], vec![2], vec![7, 7]], [1, 0, 1])?;
    /// assert_eq!((data.row(0), data.row(1)), (Some(&[5.0, 3.0, 8.0][..]), Some(&[2.0][..])));
    /// assert_eq!(data.to_string(), "3 rows: sequences of 1 to 3 steps, 2 classes");
    /// # Ok::<(), damper::data::DataError>(())
    /// ```
    ///
    /// A further input of this kind: `.with_input("NAME", Features::sequences(..)?)`.
    ///
    /// # Errors
    ///
    /// [`DataError::EmptySequence`] for a sequence without a step, else as [`Data::new`]. Whether the sequences fit the
    /// model is known where they meet it: [`Data::check_for`].
    pub fn sequences<R: Row>(
        sequences: &[R],
        targets: impl IntoTargets,
    ) -> Result<Self, DataError> {
        Self::new(Features::sequences(sequences)?, targets)
    }

    /// Changes every number of the inputs, such as pixels from 0..255 to 0..1. (For columns of a table: [`Scaler`].)
    ///
    /// ```
    /// use damper::data::Data;
    ///
    /// let data = Data::new([[0.0, 51.0]], [0])?.map(|pixel| pixel / 255.0)?;
    /// assert_eq!(data.row(0), Some(&[0.0, 0.2][..]));
    /// # Ok::<(), damper::data::DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DataError::NotFinite`] if it makes a number that is not finite.
    pub fn map(mut self, change: impl Fn(f32) -> f32) -> Result<Self, DataError> {
        for index in 0..self.inputs.len() {
            let features = &self.inputs[index].features;
            let values: Vec<f32> = features.values.iter().map(|x| change(*x)).collect();
            if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                let (row, column) = (at / features.width, at % features.width);
                return Err(DataError::NotFinite {
                    place: self.feature_place(features, row, column),
                    value: format!("{}, made from {},", values[at], features.values[at]),
                });
            }
            let features = &mut self.inputs[index].features;
            features.values = Arc::new(values);
            features.is_changed = !features.sources.list.is_empty();
        }
        Ok(self)
    }

    /// Adds another input of the model, by its name. The one that [`Data::new`] took is the model's first.
    ///
    /// # Errors
    ///
    /// [`DataError`] as [`Data::new`] gives it, or if the number of rows differs.
    pub fn with_input(
        mut self,
        name: impl Into<String>,
        features: impl IntoFeatures,
    ) -> Result<Self, DataError> {
        let (name, features): (String, _) = (name.into(), features.into_features()?);
        if self
            .inputs
            .iter()
            .any(|input| input.name.as_ref() == Some(&name))
        {
            return Err(DataError::Setting {
                setting: format!("`.with_input({name:?}, ..)`"),
                reason: "the data have this input already".to_owned(),
                help: "each input once, by the model's name for it".to_owned(),
            });
        }
        let (found, expected) = (features.rows(), self.rows());
        if found != expected {
            return Err(DataError::Lengths {
                what: format!("input `{name}`"),
                found,
                expected,
            });
        }
        self.inputs.push(Input {
            name: Some(name),
            features,
        });
        Ok(self)
    }

    /// Names the classes, in the order of their indices.
    ///
    /// # Errors
    ///
    /// [`DataError::Label`] if a class has no name, [`DataError::Setting`] if two have the same one,
    /// [`DataError::NotAClass`] if the targets are not classes.
    pub fn with_class_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        source::check_names(&names)?;
        let indices = match &self.targets {
            Targets::None => {
                return Err(DataError::NoTarget {
                    model: "data".to_owned(),
                    loss: "class names".to_owned(),
                });
            }
            Targets::Classes { indices, .. } => Arc::clone(indices),
            Targets::Values { width: 1, .. } => {
                Arc::new(check::class_indices(&self, "class names")?)
            }
            Targets::Values { width, .. } => {
                return Err(DataError::TargetWidth {
                    model: "data".to_owned(),
                    loss: "class names".to_owned(),
                    found: *width,
                    expected: 1,
                    output: Vec::new(),
                });
            }
        };
        if let Some(row) = indices.iter().position(|class| *class >= names.len()) {
            let place = self.target_place(row, 0);
            return Err(source::nameless(place, indices[row], names.len()));
        }
        self.origin.named_by_hand = true;
        self.targets = Targets::Classes {
            indices,
            names: Arc::new(names),
        };
        Ok(self)
    }

    /// Reads a burn [`Dataset`] into memory: `sample` turns an item into features and target.
    ///
    /// ```
    /// use damper::burn::data::dataset::InMemDataset;
    /// use damper::data::Data;
    ///
    /// let points = InMemDataset::new(vec![(0.0_f32, 1.0_f32), (0.5, 2.0)]);
    /// let data = Data::from_dataset(&points, |(x, y)| ([x], y))?;
    /// assert_eq!(data.rows(), 2);
    /// # Ok::<(), damper::data::DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DataError::Dataset`] if an item cannot be read, else as [`Data::new`].
    pub fn from_dataset<I, R: Row, L: Label>(
        dataset: &impl Dataset<I>,
        mut sample: impl FnMut(I) -> (R, L),
    ) -> Result<Self, DataError> {
        let (mut rows, mut labels) = (
            Vec::with_capacity(dataset.len()),
            Vec::with_capacity(dataset.len()),
        );
        for index in 0..dataset.len() {
            let item = dataset.get(index).map_err(|error| DataError::Dataset {
                item: index,
                reason: error.to_string(),
            })?;
            let (row, label) = sample(item);
            rows.push(row);
            labels.push(label);
        }
        Self::new(rows, labels)
    }

    /// The number of samples.
    pub fn rows(&self) -> usize {
        self.origin.rows.len()
    }

    /// The inputs, in the order they were given.
    pub fn inputs(&self) -> impl Iterator<Item = &Features> {
        self.inputs.iter().map(|input| &input.features)
    }

    /// The values of one sample's first input; a sequence has its own length.
    pub fn row(&self, row: usize) -> Option<&[f32]> {
        self.inputs.first()?.features.row(row)
    }

    /// The names of the first input's columns; empty if they have none.
    pub fn columns(&self) -> &[String] {
        self.inputs
            .first()
            .map_or(&[], |input| &input.features.columns)
    }

    /// What each sample should give.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The classes' names, in the order of their indices; empty if they have none.
    pub fn classes(&self) -> &[String] {
        match &self.targets {
            Targets::Classes { names, .. } => names,
            _ => &[],
        }
    }

    /// The rows that were left out because a value was missing, under [`Missing::DropRow`].
    pub fn dropped(&self) -> usize {
        self.origin.dropped
    }

    /// The samples of the given rows, in that order.
    ///
    /// # Errors
    ///
    /// [`DataError::NoRow`] for a row that is not there, [`DataError::NoRows`] if none was asked for.
    pub fn select(&self, rows: &[usize]) -> Result<Self, DataError> {
        if rows.is_empty() {
            return Err(DataError::NoRows {
                what: "the selection".to_owned(),
            });
        }
        match rows.iter().find(|row| **row >= self.rows()) {
            Some(&row) => Err(DataError::NoRow {
                row,
                rows: self.rows(),
            }),
            None => Ok(self.take(rows)),
        }
    }

    /// The same, of rows that are there.
    fn take(&self, rows: &[usize]) -> Self {
        let input = |input: &Input| Input {
            features: input.features.select(rows),
            ..input.clone()
        };
        Self {
            inputs: self.inputs.iter().map(input).collect(),
            targets: self.targets.select(rows),
            origin: Origin {
                rows: Arc::new(rows.iter().map(|&row| self.origin.rows[row]).collect()),
                ..self.origin.clone()
            },
        }
    }

    /// Where a row comes from.
    fn place(&self, row: usize) -> Place {
        let row = self.origin.rows.get(row).copied().unwrap_or(row);
        let sample = self.origin.samples.get(row);
        Place {
            file: sample
                .cloned()
                .or_else(|| self.origin.file.as_deref().map(str::to_owned)),
            row: Some(row).filter(|_| sample.is_none()),
            column: None,
        }
    }

    /// Where a value of an input comes from.
    fn feature_place(&self, features: &Features, row: usize, column: usize) -> Place {
        match features.columns.get(column) {
            Some(name) => self.place(row).column(name),
            None => self.place(row).column(column),
        }
    }

    /// Where a target comes from.
    fn target_place(&self, row: usize, column: usize) -> Place {
        let place = self.place(row);
        match (self.origin.target.get(column), &self.targets) {
            (Some(name), _) => place.column(name),
            (None, Targets::Values { width, .. }) if *width > 1 => place.column(column),
            (None, _) => place,
        }
    }
}

/// `1797 rows: 64 features, 10 classes`.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", count(self.rows(), "row"))?;
        for input in &self.inputs {
            if let Some(name) = &input.name {
                write!(f, "{name}: ")?;
            }
            match (input.features.lengths(), input.features.shape.as_slice()) {
                (Some(lengths), _) => {
                    let (least, most) = (lengths.iter().min(), lengths.iter().max());
                    let (least, most) = (least.unwrap_or(&0), most.unwrap_or(&0));
                    write!(f, "sequences of {least} to {most} steps, ")?;
                }
                (None, []) => write!(f, "{}, ", count(input.features.width, "feature"))?,
                (None, shape) => write!(f, "images {shape:?}, ")?,
            }
        }
        match &self.targets {
            Targets::None => write!(f, "no target")?,
            Targets::Classes { indices, names } => {
                let classes = names.len().max(
                    indices
                        .iter()
                        .max()
                        .map_or(0, |class| class.saturating_add(1)),
                );
                write!(f, "{classes} classes")?;
            }
            Targets::Values { width, .. } => write!(f, "{}", count(*width, "target value"))?,
        }
        if self.origin.dropped > 0 {
            write!(
                f,
                " ({} with missing values left out)",
                count(self.origin.dropped, "row")
            )?;
        }
        Ok(())
    }
}
