//! The columns of a table that features were read from.

use super::missing::Missing;
use super::place::Column;
use serde::{Deserialize, Serialize};

/// The columns of a file that an input was read from, in the order of its features; empty for arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Columns {
    /// True if the columns have names, false if their names are indices.
    pub(super) named: bool,
    pub(super) list: Vec<ColumnSchema>,
}

/// One column, which is one feature, or one for each of its categories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ColumnSchema {
    pub(super) name: String,
    /// Its categories, each of them a feature; `None` for a column of numbers.
    pub(super) categories: Option<Vec<String>>,
    /// Under [`Missing::Mean`]: the value that replaces a missing one, for each feature of the column.
    pub(super) means: Option<Vec<f32>>,
    /// The number of rows in which it was missing.
    pub(super) filled: usize,
}

impl ColumnSchema {
    /// The number of its features.
    pub(super) fn width(&self) -> usize {
        self.categories.as_ref().map_or(1, Vec::len)
    }
}

/// The settings with which a file was read.
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

    /// A column as a table is asked for it: by name, or by index if the columns have no names.
    pub(super) fn column(&self, place: usize) -> Column {
        let name = self.list.get(place).map_or("", |column| &column.name);
        match name.parse() {
            Ok(index) if !self.named => Column::Index(index),
            _ => Column::from(name),
        }
    }

    /// The number of features.
    pub(super) fn width(&self) -> usize {
        self.list.iter().map(ColumnSchema::width).sum()
    }

    /// The index of each column's first feature.
    pub(super) fn starts(&self) -> Vec<usize> {
        let mut at = 0;
        let start = |column: &ColumnSchema| {
            let start = at;
            at += column.width();
            start
        };
        self.list.iter().map(start).collect()
    }
}
