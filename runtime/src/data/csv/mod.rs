//! `Table`: a CSV file, and how to read it.

mod categories;
mod features;
mod field;
mod header;
mod options;
mod parse;
mod roles;
mod rows;
mod target;
mod text;

use super::columns::TableSchema;
use super::error::DataError;
use super::message::count;
use super::missing::Missing;
use super::place::Column;
use super::samples::{Data, Input, Origin};
use super::schema::Schema;
use options::{Options, TargetType};
use parse::{Parsed, parse};
use roles::Role;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// A CSV file, and how to read it; made by [`csv()`].
#[derive(Clone, Debug)]
#[must_use = "a table becomes data by `.target(..)` or `.features()`"]
pub struct Table {
    file: String,
    text: String,
    options: Options,
}

/// Opens a CSV file.
///
/// Columns of numbers become features. A column of text must be declared: `.categorical("city")` makes one
/// feature of each of its values (one-hot), `.ignore("id")` leaves it out.
///
/// ```no_run
/// use damper::data;
///
/// let data = data::csv("digits.csv")?.target("digit")?;
/// let (train, valid) = data.split(0.8, 42)?;
///
/// let houses = data::csv("houses.csv")?
///     .delimiter(';')
///     .categorical("city")
///     .ignore("id")
///     .missing(data::Missing::DropRow)
///     .target("price")?;
/// # Ok::<(), damper::data::DataError>(())
/// ```
///
/// Each line is a row, and empty lines are skipped. A field in quotes may have any text, even line breaks if its column is
/// ignored. Spaces around a field are not part of it.
///
/// # Errors
///
/// [`DataError::File`] if the file cannot be read or is not a regular file (use [`csv_from`] for a pipe),
/// [`DataError::Syntax`] if it is not UTF-8.
pub fn csv(path: impl AsRef<Path>) -> Result<Table, DataError> {
    let path = path.as_ref();
    let file = path.display().to_string();
    match crate::file::regular(path) {
        Ok(opened) => csv_from(file, opened),
        Err(error) => Err(DataError::File {
            file,
            reason: error.to_string(),
        }),
    }
}

/// Reads a CSV file from any source of bytes: a decompressor, an archive, memory. Error messages call it `name`.
///
/// ```
/// use damper::data;
///
/// let text = "length,width,species\n1.5,2,setosa\n3,4,virginica\n";
/// let data = data::csv_from("iris.csv", text.as_bytes())?.target("species")?;
/// assert_eq!(data.classes(), ["setosa", "virginica"]);
/// # Ok::<(), damper::data::DataError>(())
/// ```
///
/// # Errors
///
/// As [`csv()`].
pub fn csv_from(name: impl Into<String>, reader: impl Read) -> Result<Table, DataError> {
    let file = name.into();
    let text = text::read_text(&file, reader)?;
    Ok(Table {
        file,
        text,
        options: Options::default(),
    })
}

impl Table {
    /// Says whether the first line is a header with the names of the columns.
    ///
    /// By default it is one if it has no numbers and a name above numbers, and it is not one if it has a number and no
    /// text above numbers. If it may be either, reading is an error that asks for this setting: a typing error in the
    /// first row (`l.5,2,a`), names that are years, a file with only text.
    pub fn header(mut self, header: bool) -> Self {
        self.options.header = Some(header);
        self
    }

    /// The character that separates fields (default: `,`).
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.options.delimiter = delimiter;
        self
    }

    /// A column of categories: one feature for each of its values, in alphabetical order, 1 in the rows that have it.
    /// If missing values are filled with zeros ([`Missing::Zero`]), a missing category is a row of zeros.
    ///
    /// More than 1,000 categories are an error, because such a column is usually an id. [`Table::max_categories`] raises
    /// the limit.
    pub fn categorical(mut self, column: impl Into<Column>) -> Self {
        self.options.categorical.push((column.into(), None));
        self
    }

    /// A column of these categories, in this order: for a file that may not have all of them.
    pub fn categories<S: Into<String>>(
        mut self,
        column: impl Into<Column>,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        let categories = values.into_iter().map(Into::into).collect();
        self.options
            .categorical
            .push((column.into(), Some(categories)));
        self
    }

    /// Leaves a column out.
    pub fn ignore(mut self, column: impl Into<Column>) -> Self {
        self.options.ignored.push(column.into());
        self
    }

    /// The policy for missing features (default: an error). A missing target is never filled in: it is an error, or its
    /// row is left out under [`Missing::DropRow`].
    pub fn missing(mut self, policy: Missing) -> Self {
        self.options.missing = policy;
        self
    }

    /// Reads each distinct value of the target as a class, even if the values are numbers. Classes are in the order of the
    /// numbers, or else in alphabetical order. Different texts are different classes: `00123` and `123`.
    pub fn classes(mut self) -> Self {
        self.options.target_type = TargetType::Classes;
        self
    }

    /// Reads the target as a number to predict. Text in it is an error, and integers that `f32` cannot represent exactly
    /// are rounded.
    pub fn values(mut self) -> Self {
        self.options.target_type = TargetType::Values;
        self
    }

    /// Reads the file like other data: with the same delimiter, the same columns by name and in their order, the same
    /// categories and classes, and the same policy for missing values with the means of those data.
    ///
    /// A column, category or class that those data did not have is an error; leave an extra column out with
    /// [`Table::ignore`]. Their target column may be absent if it is not asked for.
    ///
    /// ```
    /// use damper::data::{self, Missing};
    ///
    /// let train = data::csv_from("train.csv", "size,city,price\n1,Bern,10\n3,Rome,20\n".as_bytes())?
    ///     .categorical("city")
    ///     .missing(Missing::Mean)
    ///     .target("price")?;
    /// let new = data::csv_from("new.csv", "city,size\nRome,\n".as_bytes())?.like(&train.schema()).features()?;
    /// assert_eq!(new.row(0), Some(&[2.0, 0.0, 1.0][..]));
    /// # Ok::<(), data::DataError>(())
    /// ```
    pub fn like(mut self, schema: &Schema) -> Self {
        self.options.set_like(schema);
        self
    }

    /// The largest number of columns that is allowed (default: 100,000).
    pub fn max_columns(mut self, columns: usize) -> Self {
        self.options.max_columns = columns;
        self
    }

    /// The largest number of categories that a column may have (default: 1,000). Each is a feature, a number in every row.
    pub fn max_categories(mut self, categories: usize) -> Self {
        self.options.max_categories = categories;
        self
    }

    /// The largest number of bytes that the features may take, 4 for each number (default: 4 GiB).
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.options.max_memory = bytes;
        self
    }

    /// The data, with this column as the target.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the line and the column: no such column, a row of another length, text in a column of
    /// numbers, a missing value, a number that is not finite, a quote that is not closed, a line break in a value;
    /// an integer above 2^24 that `f32` cannot represent exactly (in a target always; in a feature if more than one in a
    /// hundred different values of the column would become equal); more than the limits allow.
    pub fn target(self, column: impl Into<Column>) -> Result<Data, DataError> {
        self.read(&[column.into()])
    }

    /// The data, with several columns of numbers as the target.
    ///
    /// # Errors
    ///
    /// As [`Table::target`].
    pub fn targets<C: Into<Column>>(
        self,
        columns: impl IntoIterator<Item = C>,
    ) -> Result<Data, DataError> {
        let columns: Vec<Column> = columns.into_iter().map(Into::into).collect();
        self.read(&columns)
    }

    /// The data without a target, for prediction.
    ///
    /// # Errors
    ///
    /// As [`Table::target`].
    pub fn features(self) -> Result<Data, DataError> {
        self.read(&[])
    }

    fn read(&self, targets: &[Column]) -> Result<Data, DataError> {
        self.options.check()?;
        let mut parsed = parse(&self.file, &self.text, &self.options)?;
        let roles = parsed.roles(targets)?;
        let before = parsed.rows.len();
        if self.options.missing == Missing::DropRow {
            parsed.drop_rows(&roles)?;
        }
        let dropped = before - parsed.rows.len();
        if parsed.rows.is_empty() {
            let file = &self.file;
            let what = match dropped {
                0 => format!("`{file}`"),
                _ => format!(
                    "`{file}` without {} with missing values",
                    count(dropped, "row")
                ),
            };
            return Err(DataError::NoRows { what });
        }
        let features = parsed.features(&roles)?;
        let columns = targets
            .iter()
            .map(|target| parsed.find(target))
            .collect::<Result<Vec<_>, _>>()?;
        let data = Data {
            inputs: vec![Input {
                name: None,
                features,
            }],
            targets: parsed.targets(&columns)?,
            origin: self.origin(&parsed, &roles, &columns, dropped),
        };
        match &self.options.like {
            Some(schema) => schema.apply(&data),
            None => Ok(data),
        }
    }

    fn origin(&self, parsed: &Parsed, roles: &[Role], targets: &[usize], dropped: usize) -> Origin {
        let ignored = (0..parsed.width).filter(|column| roles[*column] == Role::Ignored);
        let table = TableSchema {
            delimiter: self.options.delimiter,
            missing: self.options.missing,
            ignored: ignored.map(|column| parsed.name(column)).collect(),
        };
        let targets = targets.iter().map(|column| parsed.name(*column));
        Origin {
            file: Some(self.file.as_str().into()),
            rows: Arc::new(parsed.rows.iter().map(|row| row.line).collect()),
            target: Arc::new(targets.collect()),
            dropped,
            table: Some(Arc::new(table)),
            ..Origin::default()
        }
    }
}
