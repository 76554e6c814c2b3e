//! The names of columns, categories and classes, by which other data are put in the same order.

use super::columns::{ColumnSchema, Columns, TableSchema};
use super::error::DataError;
use super::features::Features;
use super::message::list;
use super::samples::{Data, Input};
use super::targets::Targets;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The names of columns, categories and classes. [`Data::schema`] returns it. A trained model keeps that of its training
/// data and saves it with its weights: [`Spec::schema`](crate::Spec::schema).
///
/// It has no samples.
///
/// ```
/// use damper::data;
///
/// let train = data::csv_from("train.csv", "size,city,kind\n1,Bern,cat\n2,Rome,dog\n".as_bytes())?
///     .categorical("city")
///     .target("kind")?;
/// let schema = train.schema();
/// assert_eq!(schema.columns().collect::<Vec<_>>(), ["size", "city"]);
/// assert_eq!(schema.classes(), ["cat", "dog"]);
///
/// // The columns are in another order, and a category is missing.
/// let new = data::csv_from("new.csv", "kind,city,size\ndog,Rome,3\n".as_bytes())?.categorical("city").target("kind")?;
/// let new = schema.apply(&new)?;
/// assert_eq!((new.columns(), new.row(0)), (train.columns(), Some(&[3.0, 0.0, 1.0][..])));
/// # Ok::<(), data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub(super) inputs: Vec<InputSchema>,
    /// The names of the target's columns.
    pub(super) target: Vec<String>,
    pub(super) classes: Vec<String>,
    /// True if the classes got their names from a file, false if the program named them.
    pub(super) classes_were_read: bool,
    /// The settings with which the file was read, if the data come from one.
    pub(super) table: Option<TableSchema>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct InputSchema {
    pub(super) name: Option<String>,
    pub(super) columns: Columns,
}

impl Schema {
    /// The columns of the first input, in the order of the features; none for data from arrays.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let columns = self.inputs.first().map(|input| &input.columns.list);
        columns
            .into_iter()
            .flatten()
            .map(|column| column.name.as_str())
    }

    /// The classes' names, in the order of their indices; empty if they have none.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Other data in the order of this schema: columns are ordered by name, categories and classes are numbered as here.
    /// The other data need not have every category and class.
    ///
    /// If either side has no names, like data from arrays, the data are returned as they are. Training,
    /// [`Network::evaluate`](crate::Network::evaluate) and [`Network::predict_data`](crate::Network::predict_data) call it.
    ///
    /// # Errors
    ///
    /// [`DataError::Columns`] if columns are missing or extra, [`DataError::UnknownCategory`] and
    /// [`DataError::UnknownClass`] with the row, [`DataError::ColumnType`] if a column or the target has another type,
    /// [`DataError::OtherMean`] if missing values were filled with the other data's own means.
    pub fn apply(&self, data: &Data) -> Result<Data, DataError> {
        let mut data = self.apply_inputs(data)?;
        self.apply_to_targets(&mut data)?;
        Ok(data)
    }

    /// The same for the columns alone: the targets stay as they are.
    pub(crate) fn apply_inputs(&self, data: &Data) -> Result<Data, DataError> {
        let mut inputs = Vec::with_capacity(data.inputs.len());
        for (index, input) in data.inputs.iter().enumerate() {
            let wanted = self.inputs.iter().enumerate().find(|(place, wanted)| {
                match (&wanted.name, &input.name) {
                    (Some(wanted), Some(found)) => wanted == found,
                    _ => *place == index,
                }
            });
            inputs.push(Input {
                name: input.name.clone(),
                features: match wanted {
                    Some((_, wanted)) => ordered(data, &input.features, &wanted.columns)?,
                    None => input.features.clone(),
                },
            });
        }
        Ok(Data {
            inputs,
            ..data.clone()
        })
    }

    fn apply_to_targets(&self, data: &mut Data) -> Result<(), DataError> {
        let is_from_table = !data.origin.target.is_empty();
        match &data.targets {
            Targets::Classes { indices, names } if !names.is_empty() => {
                if self.classes.is_empty() {
                    if self.target.is_empty() || !is_from_table {
                        return Ok(());
                    }
                    let help = "read both alike: `.classes()` or `.values()`";
                    return Err(self.other_target_type(data, ["classes", "numbers"], help));
                }
                if **names != self.classes {
                    data.targets = self.renumbered(data, indices, names)?;
                }
            }
            Targets::Values { .. } if is_from_table && self.classes_were_read => {
                let help = "read both alike: `.classes()` before `.target(..)`";
                return Err(self.other_target_type(data, ["numbers", "classes"], help));
            }
            Targets::Values { values, width }
                if is_from_table
                    && self.target.len() > 1
                    && *self.target != *data.origin.target =>
            {
                data.targets = self.reordered(data, values, *width)?;
                data.origin.target = Arc::new(self.target.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// The classes with the indices that they have here.
    fn renumbered(
        &self,
        data: &Data,
        indices: &[usize],
        names: &[String],
    ) -> Result<Targets, DataError> {
        let known: HashMap<&str, usize> = self
            .classes
            .iter()
            .enumerate()
            .map(|(index, name)| (name.as_str(), index))
            .collect();
        let mut renumbered = Vec::with_capacity(indices.len());
        for (row, class) in indices.iter().enumerate() {
            let name = names.get(*class).map(String::as_str);
            match name.and_then(|name| known.get(name)) {
                Some(index) => renumbered.push(*index),
                None => {
                    return Err(DataError::UnknownClass {
                        place: Box::new(data.target_place(row, 0)),
                        class: name.map_or_else(|| class.to_string(), str::to_owned),
                        known: self.classes.clone(),
                    });
                }
            }
        }
        Ok(Targets::Classes {
            indices: Arc::new(renumbered),
            names: Arc::new(self.classes.clone()),
        })
    }

    /// Rows of targets in the order of the target columns here.
    fn reordered(&self, data: &Data, values: &[f32], width: usize) -> Result<Targets, DataError> {
        let found = &data.origin.target;
        let picked: Option<Vec<usize>> = self
            .target
            .iter()
            .map(|name| found.iter().position(|other| other == name))
            .collect();
        let Some(picked) = picked.filter(|picked| picked.len() == width) else {
            return Err(other_columns(data, &self.target, found, "target columns"));
        };
        let values = values
            .chunks_exact(width)
            .flat_map(|row| picked.iter().map(|&column| row[column]))
            .collect();
        Ok(Targets::Values {
            values: Arc::new(values),
            width,
        })
    }

    fn other_target_type(
        &self,
        data: &Data,
        [found, training]: [&str; 2],
        help: &str,
    ) -> DataError {
        let column = data.origin.target.first().or(self.target.first());
        DataError::ColumnType {
            file: data.origin.file.as_deref().map(Box::from),
            column: column.cloned().unwrap_or_default(),
            found: found.to_owned(),
            training: training.to_owned(),
            help: help.to_owned(),
        }
    }
}

impl Data {
    /// The names of these data, with which other data are read in the same way.
    pub fn schema(&self) -> Schema {
        let inputs = self.inputs.iter().map(|input| InputSchema {
            name: input.name.clone(),
            columns: (*input.features.sources).clone(),
        });
        Schema {
            inputs: inputs.collect(),
            target: self.origin.target.to_vec(),
            classes: self.classes().to_vec(),
            classes_were_read: !self.classes().is_empty() && !self.origin.named_by_hand,
            table: self.origin.table.as_deref().cloned(),
        }
    }
}

/// The error for names that are missing or extra.
fn other_columns(
    data: &Data,
    wanted: &[String],
    found: &[String],
    what: &'static str,
) -> DataError {
    let without = |these: &[String], those: &[String]| {
        let those: BTreeSet<&String> = those.iter().collect();
        these
            .iter()
            .filter(|name| !those.contains(name))
            .cloned()
            .collect::<Vec<String>>()
    };
    DataError::Columns {
        file: data.origin.file.as_deref().map(str::to_owned),
        what,
        missing: without(wanted, found),
        extra: without(found, wanted),
    }
}

/// The features in the order of the training data.
fn ordered(data: &Data, features: &Features, wanted: &Columns) -> Result<Features, DataError> {
    let found = &features.sources;
    if wanted.list.is_empty() || found.list.is_empty() {
        return Ok(features.clone());
    }
    let partners = partners(data, found, wanted)?;
    let Some(partners) = partners else {
        return Ok(features.clone());
    };
    let starts = found.starts();
    let mut places = Vec::with_capacity(wanted.width());
    for (wanted, partner) in wanted.list.iter().zip(partners) {
        let (column, start) = (&found.list[partner], starts[partner]);
        if column.filled > 0 && column.means != wanted.means {
            return Err(DataError::OtherMean {
                file: data.origin.file.as_deref().map(str::to_owned),
                column: column.name.clone(),
                rows: column.filled,
            });
        }
        match (&wanted.categories, &column.categories) {
            (None, None) => places.push(Some(start)),
            (Some(known), Some(categories)) => {
                check_categories(data, features, column, start, known, categories)?;
                let found: HashMap<&String, usize> = categories.iter().zip(start..).collect();
                places.extend(known.iter().map(|name| found.get(name).copied()));
            }
            (wanted, _) => {
                let kind = |is: bool| if is { "categories" } else { "numbers" };
                return Err(DataError::ColumnType {
                    file: data.origin.file.as_deref().map(Box::from),
                    column: column.name.clone(),
                    found: kind(wanted.is_none()).to_owned(),
                    training: kind(wanted.is_some()).to_owned(),
                    help: format!(
                        "read both alike, with or without `.categorical({:?})`",
                        column.name
                    ),
                });
            }
        }
    }
    Ok(pick(features, &places, wanted))
}

/// Refuses categories that the training data do not have, and other categories of features that were scaled: there is
/// no number for a category that is missing.
fn check_categories(
    data: &Data,
    features: &Features,
    column: &ColumnSchema,
    start: usize,
    known: &[String],
    categories: &[String],
) -> Result<(), DataError> {
    if known != categories && features.is_changed {
        return Err(DataError::ColumnType {
            file: data.origin.file.as_deref().map(Box::from),
            column: column.name.clone(),
            found: format!(
                "the categories {} (and then scaled or mapped)",
                list(categories)
            ),
            training: list(known),
            help: "read the file like the training data, before scaling: `.like(&train.schema())`"
                .to_owned(),
        });
    }
    let is_known: BTreeSet<&String> = known.iter().collect();
    for (index, name) in categories.iter().enumerate() {
        let is_used = |row: &[f32]| row[start + index] != 0.0;
        let mut rows = features.values.chunks_exact(features.width);
        if !is_known.contains(name)
            && let Some(row) = rows.position(is_used)
        {
            return Err(DataError::UnknownCategory {
                place: Box::new(data.place(row).column(column.name.as_str())),
                value: name.clone(),
                known: known.to_vec(),
            });
        }
    }
    Ok(())
}

/// The features at these places, one for each feature of the training data; 0 for a category without a place.
fn pick(features: &Features, places: &[Option<usize>], wanted: &Columns) -> Features {
    let is_same = |(index, place): (usize, &Option<usize>)| *place == Some(index);
    if places.len() == features.width && places.iter().enumerate().all(is_same) {
        return features.clone();
    }
    let rows = features.values.chunks_exact(features.width);
    let values = rows.flat_map(|row| places.iter().map(|place| place.map_or(0.0, |at| row[at])));
    Features {
        width: places.len(),
        values: Arc::new(values.collect()),
        columns: Arc::new(wanted.features()),
        sources: Arc::new(wanted.clone()),
        ..features.clone()
    }
}

/// For each training column the index of the same column here: by name, or by position if either side has no names.
/// `None` if there are no names and the numbers of columns differ; the width is checked later.
fn partners(
    data: &Data,
    found: &Columns,
    wanted: &Columns,
) -> Result<Option<Vec<usize>>, DataError> {
    if !(found.named && wanted.named) {
        let is_alike = found.list.len() == wanted.list.len();
        return Ok(is_alike.then(|| (0..found.list.len()).collect()));
    }
    let places: HashMap<&str, usize> = found
        .list
        .iter()
        .enumerate()
        .map(|(place, column)| (column.name.as_str(), place))
        .collect();
    let partners: Option<Vec<usize>> = wanted
        .list
        .iter()
        .map(|column| places.get(column.name.as_str()).copied())
        .collect();
    match partners {
        Some(partners) if partners.len() == found.list.len() => Ok(Some(partners)),
        _ => {
            let names = |columns: &Columns| -> Vec<String> {
                columns
                    .list
                    .iter()
                    .map(|column| column.name.clone())
                    .collect()
            };
            Err(other_columns(
                data,
                &names(wanted),
                &names(found),
                "columns",
            ))
        }
    }
}
