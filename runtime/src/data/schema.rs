//! What the columns and classes of data are called: so that other data are read, and put in order, by name.

use super::error::{DataError, list};
use super::{Column, Data, Features, Input, Missing, Targets};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The names of data: columns, their categories, classes. [`Data::schema`] gives it. A trained model keeps that of its
/// training data and saves it with its weights: [`Spec::schema`](crate::Spec::schema).
///
/// It holds no samples.
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
/// // Other columns first, and not every category: the same columns after all.
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
    /// Whether the classes were told apart by their names in a file, and not named by the program.
    pub(super) classes_were_read: bool,
    /// How the file was read, if the data come from one.
    pub(super) table: Option<TableSchema>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct InputSchema {
    pub(super) name: Option<String>,
    pub(super) columns: Columns,
}

/// The columns of a file that an input was made of, in its order; empty for arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Columns {
    /// Whether these are names, and not indices.
    pub(super) named: bool,
    pub(super) list: Vec<ColumnSchema>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ColumnSchema {
    pub(super) name: String,
    /// Its categories, each of which is a feature; `None` for a column of numbers.
    pub(super) categories: Option<Vec<String>>,
    /// Under [`Missing::Mean`]: the mean that replaces a missing value, for each of its features.
    pub(super) means: Option<Vec<f32>>,
    /// The rows in which that was put in.
    pub(super) filled: usize,
}

impl ColumnSchema {
    pub(super) fn width(&self) -> usize {
        self.categories.as_ref().map_or(1, Vec::len)
    }
}

/// How a file was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TableSchema {
    pub(super) delimiter: char,
    pub(super) missing: Missing,
    /// The columns that were left out.
    pub(super) ignored: Vec<String>,
}

impl Columns {
    /// The features' names: `size`, `city=Bern`, `city=Rome`.
    pub(super) fn features(&self) -> Vec<String> {
        let mut names = Vec::new();
        for column in &self.list {
            match &column.categories {
                Some(categories) => names.extend(
                    categories
                        .iter()
                        .map(|category| format!("{}={category}", column.name)),
                ),
                None => names.push(column.name.clone()),
            }
        }
        names
    }

    /// How a column is found in a file.
    pub(super) fn column(&self, place: usize) -> Column {
        let name = self.list.get(place).map_or("", |column| &column.name);
        match name.parse() {
            Ok(index) if !self.named => Column::Index(index),
            _ => Column::from(name),
        }
    }

    fn width(&self) -> usize {
        self.list.iter().map(ColumnSchema::width).sum()
    }

    /// Where each column's first feature stands.
    fn starts(&self) -> Vec<usize> {
        let mut at = 0;
        let start = |column: &ColumnSchema| {
            let start = at;
            at += column.width();
            start
        };
        self.list.iter().map(start).collect()
    }
}

impl Schema {
    /// The columns of the first input as the file has them; none for data from arrays.
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

    /// Other data with the columns and classes of these: columns are put in order by name, categories and classes are
    /// numbered as here. A category or class that the other data lack is no fault.
    ///
    /// Where either side has no names, as data from arrays, nothing is done. Training,
    /// [`Network::evaluate`](crate::Network::evaluate) and [`Network::predict_data`](crate::Network::predict_data) call it.
    ///
    /// # Errors
    ///
    /// [`DataError::Columns`] if columns are missing or additional, [`DataError::UnknownCategory`] and
    /// [`DataError::UnknownClass`] with the row, [`DataError::ReadOtherwise`] if a column or the target is of another
    /// kind, [`DataError::OwnMean`] if missing values were made up from the other data's own means.
    pub fn apply(&self, data: &Data) -> Result<Data, DataError> {
        let mut data = self.apply_inputs(data)?;
        self.targets(&mut data)?;
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

    fn targets(&self, data: &mut Data) -> Result<(), DataError> {
        let from_a_table = !data.origin.target.is_empty();
        let otherwise = |found: &str, training: &str, help: &str| {
            let column = data.origin.target.first();
            let column = column.or(self.target.first());
            Err(DataError::ReadOtherwise {
                file: data.origin.file.as_deref().map(Box::from),
                column: column.cloned().unwrap_or_default(),
                found: found.to_owned(),
                training: training.to_owned(),
                help: help.to_owned(),
            })
        };
        match &data.targets {
            Targets::Classes { indices, names } if !names.is_empty() => {
                if self.classes.is_empty() {
                    if self.target.is_empty() || !from_a_table {
                        return Ok(());
                    }
                    return otherwise(
                        "classes",
                        "numbers",
                        "read both alike: `.classes()` or `.values()`",
                    );
                }
                if **names == self.classes {
                    return Ok(());
                }
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
                data.targets = Targets::Classes {
                    indices: Arc::new(renumbered),
                    names: Arc::new(self.classes.clone()),
                };
            }
            Targets::Values { .. } if from_a_table && self.classes_were_read => {
                return otherwise(
                    "numbers",
                    "classes",
                    "read both alike: `.classes()` before `.target(..)`",
                );
            }
            Targets::Values { values, width }
                if from_a_table && self.target.len() > 1 && *self.target != *data.origin.target =>
            {
                let found: Vec<Option<usize>> = self
                    .target
                    .iter()
                    .map(|name| data.origin.target.iter().position(|other| other == name))
                    .collect();
                let picked: Option<Vec<usize>> = found.iter().copied().collect();
                let Some(picked) = picked.filter(|picked| picked.len() == *width) else {
                    return Err(differ(
                        data,
                        &self.target,
                        &data.origin.target,
                        "target columns",
                    ));
                };
                let values = values
                    .chunks_exact(*width)
                    .flat_map(|row| picked.iter().map(|&column| row[column]))
                    .collect();
                data.targets = Targets::Values {
                    values: Arc::new(values),
                    width: *width,
                };
                data.origin.target = Arc::new(self.target.clone());
            }
            _ => {}
        }
        Ok(())
    }
}

impl Data {
    /// The names of these data: for other data that are to be read in the same way.
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

/// Names that are missing, and names that are too many.
fn differ(data: &Data, wanted: &[String], found: &[String], what: &'static str) -> DataError {
    let without = |these: &[String], those: &[String]| {
        let those: BTreeSet<&String> = those.iter().collect();
        these
            .iter()
            .filter(|name| !those.contains(name))
            .cloned()
            .collect::<Vec<String>>()
    };
    DataError::columns(
        data.origin.file.as_deref(),
        what,
        without(wanted, found),
        without(found, wanted),
    )
}

/// Where a feature of the training data is found in other data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    At(usize),
    /// A category that no row has.
    Nowhere,
}

/// The features in the order that is wanted.
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
    let mut from = Vec::with_capacity(wanted.width());
    for (wanted, partner) in wanted.list.iter().zip(partners) {
        let (column, start) = (&found.list[partner], starts[partner]);
        if column.filled > 0 && column.means != wanted.means {
            return Err(DataError::OwnMean {
                file: data.origin.file.as_deref().map(str::to_owned),
                column: column.name.clone(),
                rows: column.filled,
            });
        }
        match (&wanted.categories, &column.categories) {
            (None, None) => from.push(From::At(start)),
            (Some(known), Some(categories)) => {
                if known != categories && features.is_changed {
                    return Err(DataError::ReadOtherwise {
                        file: data.origin.file.as_deref().map(Box::from),
                        column: column.name.clone(),
                        found: format!("the categories {} (and changed since)", list(categories)),
                        training: list(known),
                        help: "read it as the training data were, before scaling: `.like(&train.schema())`".to_owned(),
                    });
                }
                let places: HashMap<&str, usize> = categories
                    .iter()
                    .enumerate()
                    .map(|(place, name)| (name.as_str(), start + place))
                    .collect();
                for (place, name) in categories.iter().enumerate() {
                    let is_used = |row: &[f32]| row[start + place] != 0.0;
                    let mut rows = features.values.chunks_exact(features.width);
                    if !known.contains(name)
                        && let Some(row) = rows.position(is_used)
                    {
                        return Err(DataError::UnknownCategory {
                            place: Box::new(data.place(row).column(column.name.as_str())),
                            value: name.clone(),
                            known: known.clone(),
                        });
                    }
                }
                from.extend(known.iter().map(|name| {
                    places
                        .get(name.as_str())
                        .map_or(From::Nowhere, |place| From::At(*place))
                }));
            }
            (wanted, _) => {
                let kind = |is: bool| if is { "categories" } else { "numbers" };
                return Err(DataError::ReadOtherwise {
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
    let in_place = |(index, from): (usize, &From)| *from == From::At(index);
    if from.len() == features.width && from.iter().enumerate().all(in_place) {
        return Ok(features.clone());
    }
    let values = features
        .values
        .chunks_exact(features.width)
        .flat_map(|row| {
            from.iter().map(|from| match from {
                From::At(place) => row[*place],
                From::Nowhere => 0.0,
            })
        });
    Ok(Features {
        width: from.len(),
        values: Arc::new(values.collect()),
        columns: Arc::new(wanted.features()),
        sources: Arc::new(wanted.clone()),
        ..features.clone()
    })
}

/// For each column that is wanted, the one that holds it: by name, or where there are none by place. `None` if these
/// are other columns, of which the width has to tell.
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
            Err(differ(data, &names(wanted), &names(found), "columns"))
        }
    }
}
