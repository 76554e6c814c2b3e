//! Tables from CSV files.

use super::error::{count, shortened};
use super::rows::{Fault, Field, Mark, Rows};
use super::schema::{ColumnSchema, Columns, TableSchema};
use super::{Column, Data, DataError, Features, Input, Origin, Place, Schema, Targets};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// How many bytes are read at a time.
const PART: u64 = 1 << 20;

/// How many of the first rows show what a column holds, where the header is not said.
const SHOWING: usize = 1000;

/// The whole numbers that `f32` holds: all up to this one.
const EXACT: i64 = 1 << 24;

/// What to do with a missing value: an empty field, `NA`, `N/A`, `NaN`, `null`, `?`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// It is an error that names the line and the column.
    #[default]
    Error,
    /// The row is left out; [`Data::dropped`] counts them.
    DropRow,
    /// The column's mean over all rows of the file. (Where the validation part must not be seen: `DropRow` or `Value`.)
    /// Another file is filled with the means of the training data: [`Table::like`].
    Mean,
    /// 0.
    Zero,
    /// This value.
    Value(f32),
}

/// How the target is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// Numbers as numbers, text as classes.
    #[default]
    Either,
    Classes,
    Values,
}

/// A CSV file, and how to read it; made by [`csv()`].
#[derive(Clone, Debug)]
#[must_use = "a table gives data by `.target(..)` or `.features()`"]
pub struct Table {
    file: String,
    text: String,
    header: Option<bool>,
    delimiter: char,
    categorical: Vec<(Column, Option<Vec<String>>)>,
    ignored: Vec<Column>,
    missing: Missing,
    reading: Reading,
    like: Option<Arc<Schema>>,
    max_columns: usize,
    max_categories: usize,
    max_memory: usize,
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
/// Rows are lines, and empty lines are passed over. A field in quotes may hold anything, also line breaks; spaces around
/// a field are no part of it.
///
/// # Errors
///
/// [`DataError::File`] if the file cannot be read or is none (a folder, a pipe: [`csv_from`] reads from those),
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

/// Reads a CSV file from wherever its bytes come: a decompressor, an archive, memory. `name` is what messages call it.
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
pub fn csv_from(name: impl Into<String>, mut reader: impl Read) -> Result<Table, DataError> {
    let (file, mut bytes) = (name.into(), Vec::new());
    loop {
        // Part by part: what is no text is refused before all of it is in memory.
        let before = bytes.len();
        let read = reader.by_ref().take(PART).read_to_end(&mut bytes);
        let read = read.map_err(|error| DataError::File {
            file: file.clone(),
            reason: error.to_string(),
        })?;
        if let Some(zero) = bytes[before..].iter().position(|byte| *byte == 0) {
            return Err(DataError::Syntax {
                place: Box::new(Place::line(&file, line_at(&bytes, before + zero))),
                reason: "this is not text: a byte of zero\nhelp: save it as UTF-8".to_owned(),
            });
        }
        if read == 0 {
            return table(file, bytes);
        }
    }
}

/// The line on which a byte stands, from 1, as an editor counts.
fn line_at(bytes: &[u8], at: usize) -> usize {
    let before = &bytes[..at.min(bytes.len())];
    let ends = before.iter().enumerate().filter(|(place, byte)| {
        **byte == b'\n' || **byte == b'\r' && bytes.get(place + 1) != Some(&b'\n')
    });
    1 + ends.count()
}

fn table(file: String, bytes: Vec<u8>) -> Result<Table, DataError> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        DataError::Syntax {
            place: Box::new(Place::line(&file, line)),
            reason: "this is not UTF-8 text".to_owned(),
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(Table {
        file,
        text,
        header: None,
        delimiter: ',',
        categorical: Vec::new(),
        ignored: Vec::new(),
        missing: Missing::Error,
        reading: Reading::Either,
        like: None,
        max_columns: 100_000,
        max_categories: 1_000,
        max_memory: 4 << 30,
    })
}

/// The rows of the file, and the names of the columns if it has any.
struct Parsed {
    names: Vec<String>,
    width: usize,
    rows: Vec<Mark>,
}

impl Table {
    /// Whether the first line holds names.
    ///
    /// Unless said, it does if it has no number in it and stands above one, and it does not if it has a number and no
    /// text above numbers. Where both may be meant it is an error that asks for this: a slip in the first row
    /// (`l.5,2,a`), names that are years, a file of text only.
    pub fn header(mut self, header: bool) -> Self {
        self.header = Some(header);
        self
    }

    /// What separates the fields (`,` unless said).
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// A column of categories: one feature for each of its values, in alphabetical order, 1 where the row has it.
    /// A missing category is a row of zeros where [`Missing`] fills with zeros.
    ///
    /// More than 1,000 categories are an error: such a column is usually an id. [`Table::max_categories`] raises the
    /// limit.
    pub fn categorical(mut self, column: impl Into<Column>) -> Self {
        self.categorical.push((column.into(), None));
        self
    }

    /// The same with the categories given, in this order: for a file that may not hold all of them.
    pub fn categories<S: Into<String>>(
        mut self,
        column: impl Into<Column>,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        self.categorical.push((
            column.into(),
            Some(values.into_iter().map(Into::into).collect()),
        ));
        self
    }

    /// Leaves a column out.
    pub fn ignore(mut self, column: impl Into<Column>) -> Self {
        self.ignored.push(column.into());
        self
    }

    /// What to do with missing features. A missing target is never made up: it is an error, or its row is left out
    /// under [`Missing::DropRow`].
    pub fn missing(mut self, policy: Missing) -> Self {
        self.missing = policy;
        self
    }

    /// Each distinct value of the target is a class, also where they are numbers (in their order then, else in
    /// the alphabet's). A class is what is written: `00123` and `123` are two.
    pub fn classes(mut self) -> Self {
        self.reading = Reading::Classes;
        self
    }

    /// The target is a number to predict; text in it is an error, and a whole number with more digits than an `f32`
    /// keeps is rounded.
    pub fn values(mut self) -> Self {
        self.reading = Reading::Values;
        self
    }

    /// Reads the file as other data were read: the same delimiter, the same columns by name and in their order, the same
    /// categories and classes, and for missing values the same policy, with those data's means.
    ///
    /// What these did not have is an error; a column that is not for the model goes with [`Table::ignore`]. Their target
    /// may be missing where it is not asked for.
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
        if let Some(table) = &schema.table {
            self.delimiter = table.delimiter;
            self.missing = table.missing;
        }
        if let Some(input) = schema.inputs.first() {
            if self.header.is_none() && !input.columns.list.is_empty() {
                self.header = Some(input.columns.named);
            }
            for (place, column) in input.columns.list.iter().enumerate() {
                if let Some(categories) = &column.categories {
                    let column = input.columns.column(place);
                    self.categorical.push((column, Some(categories.clone())));
                }
            }
        }
        if schema.classes_were_read {
            self.reading = Reading::Classes;
        } else if !schema.target.is_empty() {
            self.reading = Reading::Values;
        }
        self.like = Some(Arc::new(schema.clone()));
        self
    }

    /// How many columns there may be (100,000 unless said).
    pub fn max_columns(mut self, columns: usize) -> Self {
        self.max_columns = columns;
        self
    }

    /// How many categories a column may have (1,000 unless said): each is a feature, a number in every row.
    pub fn max_categories(mut self, categories: usize) -> Self {
        self.max_categories = categories;
        self
    }

    /// How many bytes the features may take, 4 for each number (4 GiB unless said).
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
        self
    }

    /// The data, with this column as the target.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the line and the column: no such column, a row of another length, text in a column of
    /// numbers, a missing value, a number that is not finite, a quote that is not closed, a line break in a value;
    /// whole numbers above 2^24 that an `f32` does not hold (as a target each; as a feature where more than one in a
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

    /// The data without a target: for prediction.
    ///
    /// # Errors
    ///
    /// As [`Table::target`].
    pub fn features(self) -> Result<Data, DataError> {
        self.read(&[])
    }

    fn read(&self, targets: &[Column]) -> Result<Data, DataError> {
        self.settings()?;
        let mut parsed = self.parse()?;
        let roles = self.roles(&parsed, targets)?;
        let before = parsed.rows.len();
        if self.missing == Missing::DropRow {
            self.drop_rows(&mut parsed, &roles)?;
        }
        let dropped = before - parsed.rows.len();
        if parsed.rows.is_empty() {
            let what = match dropped {
                0 => format!("`{}`", self.file),
                _ => format!(
                    "`{}` without its {} that miss a value",
                    self.file,
                    count(dropped, "row")
                ),
            };
            return Err(DataError::NoRows { what });
        }
        let features = self.feature_columns(&parsed, &roles)?;
        let order = targets
            .iter()
            .map(|target| self.find(&parsed, target))
            .collect::<Result<Vec<_>, _>>()?;
        let ignored = (0..parsed.width).filter(|column| roles[*column] == Role::Ignored);
        let table = TableSchema {
            delimiter: self.delimiter,
            missing: self.missing,
            ignored: ignored.map(|column| parsed.name(column)).collect(),
        };
        let origin = Origin {
            file: Some(self.file.as_str().into()),
            rows: Arc::new(parsed.rows.iter().map(|row| row.line).collect()),
            target: Arc::new(order.iter().map(|column| parsed.name(*column)).collect()),
            dropped,
            table: Some(Arc::new(table)),
            ..Origin::default()
        };
        let targets = self.target_columns(&parsed, &order)?;
        let data = Data {
            inputs: vec![Input {
                name: None,
                features,
            }],
            targets,
            origin,
        };
        match &self.like {
            Some(schema) => schema.apply(&data),
            None => Ok(data),
        }
    }

    /// Whether what was asked for can be.
    fn settings(&self) -> Result<(), DataError> {
        let wrong = |setting: String, reason: String, help: &str| {
            Err(DataError::Setting {
                setting,
                reason,
                help: help.to_owned(),
            })
        };
        if matches!(self.delimiter, '"' | '\r' | '\n' | '\0') {
            return wrong(
                format!("`.delimiter({:?})`", self.delimiter),
                "fields cannot be separated by it".to_owned(),
                "such as `.delimiter(';')` or `.delimiter('\\t')`",
            );
        }
        if let Missing::Value(x) = self.missing
            && !x.is_finite()
        {
            return wrong(
                format!("`.missing(Missing::Value({x}))`"),
                "it is not a finite number, and one such value makes every weight NaN".to_owned(),
                "a number, or `Missing::DropRow`",
            );
        }
        for (column, categories) in &self.categorical {
            let Some(categories) = categories else {
                continue;
            };
            let setting = || format!("`.categories({}, ..)`", column.call());
            if categories.is_empty() {
                return wrong(setting(), "there is no category".to_owned(), "name each");
            }
            let mut seen = BTreeSet::new();
            if let Some(twice) = categories.iter().find(|name| !seen.insert(name.as_str())) {
                return wrong(
                    setting(),
                    format!("the category `{}` is given twice", shortened(twice)),
                    "name each category once",
                );
            }
        }
        Ok(())
    }

    fn rows(&self) -> Rows<'_> {
        Rows::new(&self.text, self.delimiter)
    }

    fn fault(&self, fault: Fault) -> DataError {
        DataError::Syntax {
            place: Box::new(Place::line(&self.file, fault.line())),
            reason: fault.reason(),
        }
    }

    /// Calls `each` with the index of every column and its field, row by row.
    fn for_each<'a>(
        &'a self,
        rows: &[Mark],
        mut each: impl FnMut(Mark, usize, Field<'a>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut walk = self.rows();
        for mark in rows {
            walk.go_to(*mark);
            let mut column = 0;
            while let Some(field) = walk.field().map_err(|fault| self.fault(fault))? {
                each(*mark, column, field)?;
                column += 1;
            }
        }
        Ok(())
    }

    fn parse(&self) -> Result<Parsed, DataError> {
        let mut walk = self.rows();
        let (mut rows, mut first, mut below) = (Vec::new(), Vec::<String>::new(), Vec::new());
        while let Some(mark) = walk.row() {
            let (mut found, mut quoted) = (0, None);
            while let Some(field) = walk.field().map_err(|fault| self.fault(fault))? {
                if found == self.max_columns {
                    return Err(DataError::Limit {
                        what: format!(
                            "`{}`, line {}: this row has more than {}",
                            self.file,
                            mark.line,
                            count(self.max_columns, "value")
                        ),
                        help: "is the delimiter another, or a line break missing? More are read with `.max_columns(n)`".to_owned(),
                    });
                }
                if field.lines.0 < field.lines.1 {
                    quoted.get_or_insert(field.lines);
                }
                if rows.is_empty() {
                    if field.lines.0 < field.lines.1 && field.text.contains(self.delimiter) {
                        return Err(DataError::Syntax {
                            place: Box::new(Place::line(&self.file, field.lines.0)),
                            reason: format!(
                                "this line opens a quote that is closed on line {} only, and whole rows stand in between\n\
                                 help: close the quote on its line",
                                field.lines.1
                            ),
                        });
                    }
                    first.push(field.text.into_owned());
                } else if self.header.is_none() && rows.len() <= SHOWING && found < first.len() {
                    below.resize(first.len(), Below::default());
                    below[found].see(&first[found], &field.text);
                }
                found += 1;
            }
            if !rows.is_empty() && found != first.len() {
                return Err(DataError::Ragged {
                    place: Box::new(Place::line(&self.file, mark.line)),
                    found,
                    expected: first.len(),
                    quoted,
                });
            }
            rows.push(mark);
        }
        let Some(mark) = rows.first() else {
            return Err(DataError::NoRows {
                what: format!("`{}`", self.file),
            });
        };
        let width = first.len();
        let header = self.header.map_or_else(|| is_header(&first, &below), Ok);
        let header = header.map_err(|why| DataError::Header {
            place: Box::new(Place::line(&self.file, mark.line)),
            fields: first.clone(),
            rows: rows.len(),
            why,
        })?;
        let mut names = Vec::new();
        if header {
            rows.remove(0);
            names = first;
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(DataError::ColumnTwice {
                file: self.file.clone(),
                column: twice.into(),
                what: "stands twice in the header",
            });
        }
        Ok(Parsed { names, width, rows })
    }

    /// What each column is for.
    fn roles(&self, parsed: &Parsed, targets: &[Column]) -> Result<Vec<Role>, DataError> {
        let mut roles = vec![Role::Number; parsed.width];
        if let Some(schema) = &self.like {
            self.roles_of(schema, parsed, targets, &mut roles)?;
        }
        let asked = targets
            .iter()
            .map(|column| (column, Role::Target))
            .chain(self.ignored.iter().map(|column| (column, Role::Ignored)))
            .chain(
                self.categorical
                    .iter()
                    .enumerate()
                    .map(|(i, (column, _))| (column, Role::Category(i))),
            );
        for (column, role) in asked {
            let place = &mut roles[self.find(parsed, column)?];
            // What data to be like left out may be asked for, and left out again.
            let is_free = *place == Role::Number || self.like.is_some() && *place == Role::Ignored;
            if !is_free {
                return Err(DataError::ColumnTwice {
                    file: self.file.clone(),
                    column: column.clone(),
                    what: "is given two uses: a column is the target, categorical, or ignored",
                });
            }
            *place = role;
        }
        Ok(roles)
    }

    /// What each column was for in the data that these are to be like.
    fn roles_of(
        &self,
        schema: &Schema,
        parsed: &Parsed,
        targets: &[Column],
        roles: &mut [Role],
    ) -> Result<(), DataError> {
        let wanted: BTreeSet<&str> = schema.columns().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let asked: Vec<usize> = targets
            .iter()
            .chain(&self.ignored)
            .map(|column| self.find(parsed, column))
            .collect::<Result<_, _>>()?;
        let table = schema.table.as_ref();
        let left_out: BTreeSet<&String> = table
            .into_iter()
            .flat_map(|table| &table.ignored)
            .chain(&schema.target)
            .collect();
        let mut found = BTreeSet::new();
        let mut additional = Vec::new();
        for (column, role) in roles.iter_mut().enumerate() {
            let name = parsed.name(column);
            if wanted.contains(name.as_str()) {
                found.insert(name);
            } else if left_out.contains(&name) {
                *role = Role::Ignored;
            } else if !asked.contains(&column) {
                additional.push(name);
            }
        }
        let missing: Vec<String> = wanted
            .iter()
            .filter(|name| !found.contains(**name))
            .map(|name| (*name).to_owned())
            .collect();
        if missing.is_empty() && additional.is_empty() {
            return Ok(());
        }
        Err(DataError::columns(
            Some(&self.file),
            "columns",
            missing,
            additional,
        ))
    }

    fn find(&self, parsed: &Parsed, column: &Column) -> Result<usize, DataError> {
        let found = match column {
            Column::Index(index) => (*index < parsed.width).then_some(*index),
            Column::Name(name) => parsed.names.iter().position(|other| other == name),
        };
        found.ok_or_else(|| {
            let columns: Vec<String> = (0..parsed.width)
                .map(|column| parsed.name(column))
                .collect();
            let suggestion = match column {
                Column::Name(name) => damper_ir::suggest(name, columns.iter().map(String::as_str)),
                Column::Index(_) => None,
            };
            let suggestion = suggestion.map(str::to_owned);
            DataError::NoColumn {
                file: self.file.clone(),
                wanted: column.clone(),
                columns,
                suggestion,
            }
        })
    }

    /// Leaves out the rows that miss a value that is read.
    fn drop_rows(&self, parsed: &mut Parsed, roles: &[Role]) -> Result<(), DataError> {
        let mut without = BTreeSet::new();
        self.for_each(&parsed.rows, |mark, column, field| {
            if roles[column] != Role::Ignored && self.misses(roles[column], &field.text) {
                without.insert(mark.at);
            }
            Ok(())
        })?;
        parsed.rows.retain(|row| !without.contains(&row.at));
        Ok(())
    }

    /// Whether a value is missing: a declared category may be called `none`.
    fn misses(&self, role: Role, field: &str) -> bool {
        let declared = match role {
            Role::Category(index) => self.categorical[index].1.as_ref(),
            _ => None,
        };
        let is_declared = |known: &Vec<String>| known.iter().any(|name| name == field);
        is_missing(field) && !declared.is_some_and(is_declared)
    }

    /// A field that is used has no line break: a quote that is closed some rows further on swallows them.
    fn check_lines(&self, parsed: &Parsed, column: usize, field: &Field) -> Result<(), DataError> {
        let (opened, closed) = field.lines;
        if opened == closed {
            return Ok(());
        }
        Err(DataError::Syntax {
            place: Box::new(Place::line(&self.file, opened).column(parsed.column(column))),
            reason: format!(
                "a quote is opened here and closed on line {closed} only, and a value that is used has no line break\n\
                 help: close the quote on its line; a column of text is left out with `.ignore({})`",
                parsed.call(column)
            ),
        })
    }

    /// What each column of features is, in the order of the file.
    fn columns(&self, parsed: &Parsed, roles: &[Role]) -> Result<Vec<ColumnSchema>, DataError> {
        let mut sets: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        if roles.iter().any(|role| matches!(role, Role::Category(_))) {
            self.for_each(&parsed.rows, |mark, column, field| {
                let Role::Category(index) = roles[column] else {
                    return Ok(());
                };
                self.check_lines(parsed, column, &field)?;
                let place = || Place::line(&self.file, mark.line).column(parsed.column(column));
                if self.misses(roles[column], &field.text) {
                    return match self.missing {
                        Missing::Error => Err(DataError::Missing {
                            place: place(),
                            help: "say what to do with it: `.missing(Missing::DropRow)` or `Zero`"
                                .to_owned(),
                        }),
                        _ => Ok(()),
                    };
                }
                if let Some(known) = &self.categorical[index].1 {
                    if !known.iter().any(|name| *name == field.text) {
                        return Err(DataError::UnknownCategory {
                            place: Box::new(place()),
                            value: field.text.into_owned(),
                            known: known.clone(),
                        });
                    }
                    return Ok(());
                }
                let found = sets.entry(column).or_default();
                if !found.contains(&*field.text) {
                    found.insert(field.text.into_owned());
                }
                if found.len() > self.max_categories {
                    let call = parsed.call(column);
                    let shown: Vec<String> = found
                        .iter()
                        .take(3)
                        .map(|name| format!("`{}`", shortened(name)))
                        .collect();
                    return Err(DataError::Limit {
                        what: format!(
                            "`{}`: column {} has more than {} (up to line {}), such as {}: each would be a feature of its own",
                            self.file,
                            parsed.column(column),
                            match self.max_categories {
                                1 => "1 category".to_owned(),
                                n => format!("{n} categories"),
                            },
                            mark.line,
                            shown.join(", ")
                        ),
                        help: format!(
                            "what names or numbers the rows teaches nothing: `.ignore({call})`. Many true categories are better numbered, \
                             and read with an `embedding`; more are allowed by `.max_categories(n)`"
                        ),
                    });
                }
                Ok(())
            })?;
        }
        let column = |(column, role): (usize, &Role)| {
            let categories = match role {
                Role::Target | Role::Ignored => return None,
                Role::Number => None,
                Role::Category(index) => Some(match &self.categorical[*index].1 {
                    Some(known) => known.clone(),
                    None => sets.remove(&column).into_iter().flatten().collect(),
                }),
            };
            Some(ColumnSchema {
                name: parsed.name(column),
                categories,
                means: None,
                filled: 0,
            })
        };
        Ok(roles.iter().enumerate().filter_map(column).collect())
    }

    fn feature_columns(&self, parsed: &Parsed, roles: &[Role]) -> Result<Features, DataError> {
        let mut list = self.columns(parsed, roles)?;
        let mut starts = Vec::with_capacity(list.len());
        let mut width = 0;
        for column in &list {
            starts.push(width);
            width += column.width();
        }
        if width == 0 {
            return Err(DataError::NoFeatures {
                what: format!("`{}`", self.file),
            });
        }
        let mut values: Vec<f32> = self.reserve(parsed.rows.len(), width)?;
        let places: Vec<HashMap<&str, usize>> = list
            .iter()
            .map(|column| {
                let names = column.categories.iter().flatten().enumerate();
                names.map(|(at, name)| (name.as_str(), at)).collect()
            })
            .collect();
        let (mut sums, mut present) = (vec![0.0_f64; width], vec![0_usize; list.len()]);
        let mut gaps: Vec<(usize, usize)> = Vec::new();
        let mut large: BTreeMap<usize, Vec<(i64, usize)>> = BTreeMap::new();
        // Where the row begins in `values`, and which of the columns of features comes next.
        let (mut start, mut next) = (0, 0);
        self.for_each(&parsed.rows, |mark, column, field| {
            if column == 0 {
                (start, next) = (values.len(), 0);
                values.resize(start + width, 0.0);
            }
            if matches!(roles[column], Role::Target | Role::Ignored) {
                return Ok(());
            }
            let this = next;
            next += 1;
            if roles[column] == Role::Number {
                self.check_lines(parsed, column, &field)?;
                match self.number(parsed, mark, column, &field.text)? {
                    Some(x) => {
                        values[start + starts[this]] = x;
                        sums[starts[this]] += f64::from(x);
                        present[this] += 1;
                    }
                    None => gaps.push((start, this)),
                }
                if let Some(whole) = large_whole(&field.text) {
                    large.entry(column).or_default().push((whole, mark.line));
                }
            } else if let Some(at) = places[this].get(&*field.text) {
                values[start + starts[this] + at] = 1.0;
                sums[starts[this] + at] += 1.0;
                present[this] += 1;
            } else {
                gaps.push((start, this));
            }
            Ok(())
        })?;
        for (column, wholes) in large {
            self.check_digits(parsed, column, wholes)?;
        }
        drop(places);
        for (place, column) in list.iter_mut().enumerate() {
            if self.missing == Missing::Mean {
                let sums = &sums[starts[place]..starts[place] + column.width()];
                column.means = self.means(&column.name, sums, present[place])?;
            }
        }
        for (start, this) in gaps {
            let column = &mut list[this];
            let to = &mut values[start + starts[this]..][..column.width()];
            match (&column.means, self.missing) {
                (Some(means), _) => to.copy_from_slice(means),
                (None, Missing::Value(x)) => to.fill(x),
                (None, _) => {}
            }
            column.filled += 1;
        }
        let sources = Columns {
            named: !parsed.names.is_empty(),
            list,
        };
        Ok(Features {
            width,
            values: Arc::new(values),
            columns: Arc::new(sources.features()),
            sources: Arc::new(sources),
            is_changed: false,
            shape: Vec::new(),
            lengths: None,
        })
    }

    /// Memory for the features.
    fn reserve(&self, rows: usize, width: usize) -> Result<Vec<f32>, DataError> {
        let numbers = rows.checked_mul(width);
        let mut values = Vec::new();
        let fits = numbers
            .filter(|numbers| numbers.saturating_mul(size_of::<f32>()) <= self.max_memory)
            .is_some_and(|numbers| values.try_reserve_exact(numbers).is_ok());
        if fits {
            return Ok(values);
        }
        Err(DataError::Limit {
            what: format!(
                "`{}`: {} of {} take {}, more than there is or is allowed ({})",
                self.file,
                count(rows, "row"),
                count(width, "feature"),
                super::error::bytes(rows.saturating_mul(width).saturating_mul(size_of::<f32>())),
                super::error::bytes(self.max_memory)
            ),
            help: "each category is a feature: leave such columns out with `.ignore(..)`, or read fewer rows; more is allowed by `.max_memory(bytes)`".to_owned(),
        })
    }

    /// The values that replace a missing entry of a column, one for each of its features.
    fn means(
        &self,
        column: &str,
        sums: &[f64],
        present: usize,
    ) -> Result<Option<Vec<f32>>, DataError> {
        let none = |help: &str| {
            Err(DataError::NoMean {
                file: self.file.clone(),
                column: column.to_owned(),
                help: help.to_owned(),
            })
        };
        if let Some(schema) = &self.like {
            let columns = schema.inputs.first().map(|input| &input.columns.list);
            let mut columns = columns.into_iter().flatten();
            let Some(known) = columns.find(|other| other.name == column) else {
                return Ok(None);
            };
            return match &known.means {
                Some(means) => Ok(Some(means.clone())),
                None => none(
                    "read the training data with `.missing(Missing::Mean)`: it is their mean that counts",
                ),
            };
        }
        if present == 0 {
            return none(
                "leave the column out with `.ignore(..)`; a file to predict from takes the training data's means: `.like(&train.schema())`",
            );
        }
        let mean = |sum: &f64| (sum / present as f64) as f32;
        Ok(Some(sums.iter().map(mean).collect()))
    }

    /// A number of a feature; `None` if it is missing and may be.
    fn number(
        &self,
        parsed: &Parsed,
        mark: Mark,
        column: usize,
        field: &str,
    ) -> Result<Option<f32>, DataError> {
        let place = || Place::line(&self.file, mark.line).column(parsed.column(column));
        if is_missing(field) {
            return match self.missing {
                Missing::Error => Err(DataError::Missing {
                    place: place(),
                    help: "say what to do with it: `.missing(Missing::DropRow)`, `Mean`, `Zero` or `Value(x)`".to_owned(),
                }),
                _ => Ok(None),
            };
        }
        match field.parse::<f32>() {
            Ok(x) if x.is_finite() => Ok(Some(x)),
            Ok(_) => Err(DataError::NotFinite {
                place: place(),
                value: shortened(field),
            }),
            Err(_) => {
                let call = parsed.call(column);
                let help = format!(
                    "for a column of text write `.categorical({call})`, or leave it out with `.ignore({call})`"
                );
                Err(DataError::NotANumber {
                    place: place(),
                    value: shortened(field),
                    help,
                })
            }
        }
    }

    /// Refuses a column of whole numbers above 2^24 if rounding them to `f32` makes many different values equal: it is
    /// an id or a timestamp. A few rounded values do a model no harm.
    fn check_digits(
        &self,
        parsed: &Parsed,
        column: usize,
        mut wholes: Vec<(i64, usize)>,
    ) -> Result<(), DataError> {
        wholes.sort_unstable();
        wholes.dedup_by_key(|(whole, _)| *whole);
        let is_same =
            |pair: &&[(i64, usize)]| (pair[0].0 as f32).to_bits() == (pair[1].0 as f32).to_bits();
        let lost = wholes.windows(2).filter(is_same).count();
        if lost * 100 <= wholes.len() {
            return Ok(());
        }
        let Some([(one, _), (other, line)]) = wholes.windows(2).find(is_same) else {
            return Ok(());
        };
        let call = parsed.call(column);
        Err(DataError::Digits {
            place: Box::new(Place::line(&self.file, *line).column(parsed.column(column))),
            value: other.to_string(),
            note: format!(
                "as an `f32` it is the same as {one}, and so are {lost} of {} values of this column",
                wholes.len()
            ),
            help: format!(
                "what numbers the rows teaches nothing: `.ignore({call})`; of times and the like keep the difference from a start, \
                 and codes are categories: `.categorical({call})`"
            ),
        })
    }

    fn target_columns(&self, parsed: &Parsed, columns: &[usize]) -> Result<Targets, DataError> {
        if columns.is_empty() {
            return Ok(Targets::None);
        }
        let rows = parsed.rows.len();
        let mut fields: Vec<Cow<'_, str>> = vec![Cow::Borrowed(""); rows * columns.len()];
        let (mut row, mut last) = (0, None);
        self.for_each(&parsed.rows, |mark, column, field| {
            if last.is_some_and(|at| at != mark.at) {
                row += 1;
            }
            last = Some(mark.at);
            let Some(place) = columns.iter().position(|target| *target == column) else {
                return Ok(());
            };
            self.check_lines(parsed, column, &field)?;
            if is_missing(&field.text) {
                return Err(DataError::Missing {
                    place: Place::line(&self.file, mark.line).column(parsed.column(column)),
                    help: "a target is never made up: leave the row out with `.missing(Missing::DropRow)`".to_owned(),
                });
            }
            fields[row * columns.len() + place] = field.text;
            Ok(())
        })?;
        let are_numbers = fields.iter().all(|field| is_number(field));
        let as_values = columns.len() > 1
            || match self.reading {
                Reading::Values => true,
                Reading::Either => are_numbers || mostly_numbers(&fields),
                Reading::Classes => false,
            };
        if as_values {
            self.target_values(parsed, columns, &fields)
        } else if are_numbers {
            Ok(numbered(&fields))
        } else {
            Ok(Targets::named(&fields))
        }
    }

    fn target_values(
        &self,
        parsed: &Parsed,
        columns: &[usize],
        fields: &[Cow<'_, str>],
    ) -> Result<Targets, DataError> {
        let mut values = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let (row, column) = (at / columns.len(), columns[at % columns.len()]);
            let place =
                || Place::line(&self.file, parsed.rows[row].line).column(parsed.column(column));
            let help = if columns.len() == 1 {
                "for a target of classes write `.classes()` before `.target(..)`"
            } else {
                "a target of several columns is of numbers"
            };
            match field.parse::<f32>() {
                Ok(x) if x.is_finite() => values.push(x),
                Ok(_) => {
                    return Err(DataError::NotFinite {
                        place: place(),
                        value: shortened(field),
                    });
                }
                Err(_) => {
                    return Err(DataError::NotANumber {
                        place: place(),
                        value: shortened(field),
                        help: help.to_owned(),
                    });
                }
            }
            let rounded = values.last().copied().unwrap_or_default();
            if self.reading != Reading::Values && is_rounded(field, rounded) {
                return Err(DataError::Digits {
                    place: Box::new(place()),
                    value: shortened(field),
                    note: format!("as an `f32` it is {rounded}"),
                    help: match columns.len() {
                        1 => "for a number to predict that may be rounded write `.values()` before `.target(..)`; for classes `.classes()`".to_owned(),
                        _ => "where it may be rounded write `.values()` before `.targets(..)`".to_owned(),
                    },
                });
            }
        }
        Ok(Targets::Values {
            values: Arc::new(values),
            width: columns.len(),
        })
    }
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Number,
    /// The index in [`Table::categorical`].
    Category(usize),
    Target,
    Ignored,
}

impl Parsed {
    /// The column's name, or its index.
    fn name(&self, column: usize) -> String {
        self.names
            .get(column)
            .cloned()
            .unwrap_or_else(|| column.to_string())
    }

    fn column(&self, column: usize) -> Column {
        self.names
            .get(column)
            .map_or(Column::Index(column), Column::from)
    }

    /// How a program names the column.
    fn call(&self, column: usize) -> String {
        self.column(column).call()
    }
}

fn is_missing(field: &str) -> bool {
    ["", "na", "n/a", "nan", "null", "none", "?"]
        .iter()
        .any(|word| field.eq_ignore_ascii_case(word))
}

fn is_number(field: &str) -> bool {
    field.parse::<f64>().is_ok()
}

/// A whole number above 2^24, or below its negative, if it is one that counts and not far beyond.
fn large_whole(field: &str) -> Option<i64> {
    // Shorter ones are below it.
    let whole: i64 = (field.len() >= 8).then(|| field.parse().ok()).flatten()?;
    (whole.unsigned_abs() > EXACT.unsigned_abs()).then_some(whole)
}

/// Whether a whole number has become another one.
fn is_rounded(field: &str, x: f32) -> bool {
    match field.parse::<i128>() {
        Ok(whole) => whole.unsigned_abs() > EXACT.unsigned_abs().into() && x as i128 != whole,
        // Longer than any that is exact, up to powers of two.
        Err(error) => matches!(
            error.kind(),
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow
        ),
    }
}

/// Classes that are written as numbers, in the order of the numbers. What is written tells them apart.
fn numbered(fields: &[Cow<'_, str>]) -> Targets {
    // Whole numbers above 2^53 are compared as such.
    let number = |field: &str| {
        let x: f64 = field.parse().unwrap_or_default();
        (x, field.parse::<i128>().unwrap_or(x as i128))
    };
    let mut names: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    names.dedup();
    names.sort_by(|a, b| {
        let ((x, whole), (y, other)) = (number(a), number(b));
        x.total_cmp(&y).then(whole.cmp(&other)).then(a.cmp(b))
    });
    let places: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(place, name)| (*name, place))
        .collect();
    Targets::Classes {
        indices: Arc::new(fields.iter().map(|field| places[field.as_ref()]).collect()),
        names: Arc::new(names.iter().map(|name| (*name).to_owned()).collect()),
    }
}

/// A column where one field in ten or fewer is text has a mistake in it, not classes.
fn mostly_numbers(fields: &[Cow<'_, str>]) -> bool {
    let text = fields.iter().filter(|field| !is_number(field)).count();
    text * 10 <= fields.len()
}

/// What kinds of values a column has below the first row.
#[derive(Clone, Copy, Debug, Default)]
struct Below {
    numbers: usize,
    text: usize,
    /// Whether the first row's field stands there again.
    again: bool,
    /// Whether a number is no year of our time.
    no_years: bool,
}

impl Below {
    fn see(&mut self, first: &str, field: &str) {
        self.again |= field == first;
        if is_missing(field) {
            return;
        }
        match field.parse::<f64>() {
            Ok(x) => {
                self.numbers += 1;
                self.no_years |= !is_year(x);
            }
            Err(_) => self.text += 1,
        }
    }

    fn is_numbers(&self) -> bool {
        self.numbers > 0 && self.text * 10 <= self.numbers + self.text
    }
}

fn is_year(x: f64) -> bool {
    x.fract() == 0.0 && (1900.0..=2100.0).contains(&x)
}

/// Whether the first row holds names; why it cannot be told, where that is so.
fn is_header(first: &[String], below: &[Below]) -> Result<bool, String> {
    let is_value = |field: &str| is_number(field) && !is_missing(field);
    let show = |column: usize| format!("`{}` in column {column}", shortened(&first[column]));
    let numbers: Vec<usize> = (0..first.len()).filter(|c| is_value(&first[*c])).collect();
    let text = (0..first.len()).filter(|c| !is_value(&first[*c]) && !is_missing(&first[*c]));
    let text: Vec<usize> = text.collect();
    if below.is_empty() {
        return match (numbers.as_slice(), text.as_slice()) {
            ([], _) => Ok(true),
            (_, []) => Ok(false),
            ([number, ..], [text, ..]) => Err(format!(
                "{} is a number, as a value is, and {} is not",
                show(*number),
                show(*text)
            )),
        };
    }
    let above: Vec<usize> = text
        .iter()
        .copied()
        .filter(|column| below[*column].is_numbers())
        .collect();
    match (numbers.first(), above.first()) {
        (Some(number), Some(above)) => Err(format!(
            "{} stands above numbers, as a name does, and {} is a number, as a value is",
            show(*above),
            show(*number)
        )),
        (Some(_), None) => match names_of_numbers(first, below, &numbers) {
            Some(why) => Err(why),
            None => Ok(false),
        },
        (None, Some(column)) => {
            if let Some(again) = text.iter().find(|column| below[**column].again) {
                return Err(format!(
                    "{} stands there again further on, as a value does",
                    show(*again)
                ));
            }
            // The first column of a table that numbers its rows often has no name.
            let nameless = (0..first.len()).filter(|c| is_missing(&first[*c]));
            if let Some(nameless) = nameless
                .into_iter()
                .find(|c| *c > 0 || !first[*c].is_empty())
            {
                return Err(format!("{} is missing, as a value may be", show(nameless)));
            }
            if above.iter().any(|column| is_name(&first[*column])) {
                Ok(true)
            } else {
                Err(format!(
                    "{} stands above numbers, and may be one with a slip in it",
                    show(*column)
                ))
            }
        }
        (None, None) => {
            Err("no column holds numbers, of which names could be told apart".to_owned())
        }
    }
}

/// Why a row of numbers may be one of names.
fn names_of_numbers(first: &[String], below: &[Below], numbers: &[usize]) -> Option<String> {
    let values: Vec<f64> = numbers
        .iter()
        .filter_map(|column| first[*column].parse().ok())
        .collect();
    let distinct: BTreeSet<u64> = values.iter().map(|x| x.to_bits()).collect();
    let are_years = values.len() > 1
        && values.iter().all(|x| is_year(*x))
        && distinct.len() == values.len()
        && numbers.iter().any(|column| below[*column].no_years);
    if are_years {
        return Some("its numbers look like years, and those below do not".to_owned());
    }
    let counts = |from: usize| {
        values
            .iter()
            .zip(from..)
            .all(|(x, n)| x.to_bits() == (n as f64).to_bits())
    };
    (counts(0) && values.len() > 2 || counts(1) && values.len() > 4)
        .then(|| "its numbers count the columns".to_owned())
}

/// Whether this is surely not meant as a value: it has a letter, and is not a number but for a slip.
fn is_name(field: &str) -> bool {
    let mended: String = field
        .chars()
        .filter(|c| !matches!(c, '$' | '€' | '£' | '%' | ' ' | '_' | '\''))
        .map(|c| match c {
            'l' | 'I' | '|' => '1',
            'O' | 'o' => '0',
            ',' => '.',
            other => other,
        })
        .collect();
    let is_slip = field.chars().any(|c| c.is_ascii_digit()) && is_number(&mended);
    field.chars().any(char::is_alphabetic) && !field.starts_with('#') && !is_slip
}
