//! The location of a value: its column, and its line in a file or row in an array.

use std::fmt;

/// A column: by its name, or by its index from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// The name in the header.
    Name(String),
    /// The index, from 0.
    Index(usize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<&String> for Column {
    fn from(name: &String) -> Self {
        Self::Name(name.clone())
    }
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl Column {
    /// The column as an argument in code: `"price"`, `2`.
    pub(super) fn call(&self) -> String {
        match self {
            Self::Name(name) => format!("{name:?}"),
            Self::Index(index) => index.to_string(),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// The location of a bad value: line and column in a file, row and column in an array, or a file that is one sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, if the data come from one.
    pub file: Option<String>,
    /// The line of the file from 1, or the row of the array from 0; `None` where the file is one sample (an image).
    pub row: Option<usize>,
    /// The column; `None` for the whole row.
    pub column: Option<Column>,
}

impl Place {
    pub(crate) fn row(row: usize) -> Self {
        Self {
            file: None,
            row: Some(row),
            column: None,
        }
    }

    pub(crate) fn line(file: &str, line: usize) -> Self {
        Self {
            file: Some(file.to_owned()),
            row: Some(line),
            column: None,
        }
    }

    #[must_use]
    pub(crate) fn column(mut self, column: impl Into<Column>) -> Self {
        self.column = Some(column.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.row) {
            (Some(file), Some(line)) => write!(f, "`{file}`, line {line}")?,
            (Some(file), None) => write!(f, "`{file}`")?,
            (None, row) => write!(f, "row {}", row.unwrap_or_default())?,
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        let counted = self.file.is_none() || matches!(self.column, Some(Column::Index(_)));
        match (&self.file, counted) {
            (None, _) => write!(f, " (counted from 0)"),
            (Some(_), true) => write!(f, " (the column counted from 0)"),
            (Some(_), false) => Ok(()),
        }
    }
}
