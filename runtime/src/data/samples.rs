//! `Data`: samples in memory, with their targets and their origin.

use super::columns::TableSchema;
use super::error::DataError;
use super::features::{Features, IntoFeatures};
use super::message::count;
use super::number::{Row, is_class_index};
use super::place::Place;
use super::targets::{IntoTargets, Label, Targets, check_names};
use burn::data::dataset::Dataset;
use std::fmt;
use std::sync::Arc;

/// Samples in memory: one or several inputs, and the target of each sample. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    pub(super) inputs: Vec<Input>,
    pub(super) targets: Targets,
    pub(super) origin: Origin,
}

/// The features of one input of the model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Input {
    /// `None` for the features that [`Data::new`] takes: the model's first input.
    pub(super) name: Option<String>,
    pub(super) features: Features,
}

/// The origin of the rows, for messages and schemas.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Origin {
    pub(super) file: Option<Arc<str>>,
    /// The line of each row in its file from 1, or its index in its array from 0.
    pub(super) rows: Arc<Vec<usize>>,
    /// The names of the target's columns.
    pub(super) target: Arc<Vec<String>>,
    /// The number of rows left out under [`Missing::DropRow`](super::Missing::DropRow).
    pub(super) dropped: usize,
    /// If each sample is a file: their names, indexed by `rows`.
    pub(super) samples: Arc<Vec<String>>,
    /// The settings with which the table was read, if the data come from one.
    pub(super) table: Option<Arc<TableSchema>>,
    /// True if the program named the classes, false if a file did.
    pub(super) named_by_hand: bool,
}

impl Data {
    /// Samples from arrays or `Vec`s: a row of numbers for each sample, and its target.
    ///
    /// Whole numbers as targets are class indices, real numbers are values to predict, `&str` are names of classes, and
    /// `()` is no target.
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
            return Err(DataError::RowCount {
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

    /// Sequences of class indices that may differ in length, for a model whose input is `[time] of int(pad = ..)`: a
    /// sequence shorter than the time axis is padded at its end with the class `pad`.
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
    /// [`DataError::EmptySequence`] for a sequence without a step, else as [`Data::new`]. [`Data::check_for`] checks that
    /// the sequences fit the model.
    pub fn sequences<R: Row>(
        sequences: &[R],
        targets: impl IntoTargets,
    ) -> Result<Self, DataError> {
        Self::new(Features::sequences(sequences)?, targets)
    }

    /// Changes every number of the inputs, such as pixels from 0..255 to 0..1. (For columns of a table:
    /// [`Scaler`](super::Scaler).)
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
    /// [`DataError::NotFinite`] if a result is not finite.
    pub fn map(mut self, change: impl Fn(f32) -> f32) -> Result<Self, DataError> {
        for index in 0..self.inputs.len() {
            let features = &self.inputs[index].features;
            let values: Vec<f32> = features.values.iter().map(|x| change(*x)).collect();
            if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                let (row, column) = (at / features.width, at % features.width);
                return Err(DataError::NotFinite {
                    place: self.feature_place(features, row, column),
                    value: format!("{} (from {})", values[at], features.values[at]),
                });
            }
            let features = &mut self.inputs[index].features;
            features.values = Arc::new(values);
            features.is_changed = !features.sources.list.is_empty();
        }
        Ok(self)
    }

    /// Adds another input of the model, by its name. The features of [`Data::new`] are the model's first input.
    ///
    /// # Errors
    ///
    /// As [`Data::new`], and [`DataError::RowCount`] if the number of rows differs.
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
                reason: "the data already has this input".to_owned(),
                help: "add each input once, by its name in the model".to_owned(),
            });
        }
        let (found, expected) = (features.rows(), self.rows());
        if found != expected {
            return Err(DataError::RowCount {
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
    /// [`DataError::UnnamedClass`] if a class has no name, [`DataError::NotAClass`] if a target is not a class index,
    /// [`DataError::Setting`] if two names are the same, or if there is not one target for each row.
    pub fn with_class_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        const CALL: &str = ".with_class_names(..)";
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        check_names(&names)?;
        let wrong = |reason: String| DataError::Setting {
            setting: format!("`{CALL}`"),
            reason,
            help: "name the classes of data with one class index for each row".to_owned(),
        };
        let indices = match &self.targets {
            Targets::None => return Err(wrong("the data has no target".to_owned())),
            Targets::Classes { indices, .. } => Arc::clone(indices),
            Targets::Values { width: 1, .. } => Arc::new(self.class_indices(CALL)?),
            Targets::Values { width, .. } => {
                return Err(wrong(format!("each row has {width} targets")));
            }
        };
        if let Some(row) = indices.iter().position(|class| *class >= names.len()) {
            return Err(DataError::UnnamedClass {
                place: Box::new(self.target_place(row, 0)),
                class: indices[row],
                names: names.len(),
            });
        }
        self.origin.named_by_hand = true;
        self.targets = Targets::Classes {
            indices,
            names: Arc::new(names),
        };
        Ok(self)
    }

    /// The targets as class indices, row by row; none if there is no target. `wanted_by` is the loss or the call that
    /// needs them.
    pub(super) fn class_indices(&self, wanted_by: &str) -> Result<Vec<usize>, DataError> {
        match &self.targets {
            Targets::None => Ok(Vec::new()),
            Targets::Classes { indices, .. } => Ok(indices.to_vec()),
            Targets::Values { values, width } => {
                match values.iter().position(|x| !is_class_index(*x)) {
                    Some(at) => Err(DataError::NotAClass {
                        place: self.target_place(at / width, at % width),
                        value: values[at],
                        loss: wanted_by.to_owned(),
                    }),
                    None => Ok(values.iter().map(|x| *x as usize).collect()),
                }
            }
        }
    }

    /// Reads a burn [`Dataset`] into memory: `sample` turns an item into its features and its target.
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

    /// The targets of the samples.
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

    /// The number of rows left out because a value was missing, under [`Missing::DropRow`](super::Missing::DropRow).
    pub fn dropped(&self) -> usize {
        self.origin.dropped
    }

    /// The samples of the given rows, in that order.
    ///
    /// # Errors
    ///
    /// [`DataError::NoRow`] for a row that is out of range, [`DataError::NoRows`] if `rows` is empty.
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

    /// The same for rows that are known to be in range.
    pub(super) fn take(&self, rows: &[usize]) -> Self {
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

    /// The place of a row: its file and line, or its index.
    pub(super) fn place(&self, row: usize) -> Place {
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

    /// The place of a value of an input.
    pub(super) fn feature_place(&self, features: &Features, row: usize, column: usize) -> Place {
        match features.columns.get(column) {
            Some(name) => self.place(row).column(name),
            None => self.place(row).column(column),
        }
    }

    /// The place of a target.
    pub(super) fn target_place(&self, row: usize, column: usize) -> Place {
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
