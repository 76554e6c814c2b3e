//! Tables from CSV files.

use super::error::count;
use super::{Column, Data, DataError, Features, Input, Origin, Place, Targets};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// What to do with a missing value: an empty field, `NA`, `N/A`, `NaN`, `null`, `?`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Missing {
    /// It is an error that names the line and the column.
    #[default]
    Error,
    /// The row is left out; [`Data::dropped`] counts them.
    DropRow,
    /// The column's mean over all rows of the file. (Where the validation part must not be seen: `DropRow` or `Value`.)
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
    delimiter: u8,
    categorical: Vec<(Column, Option<Vec<String>>)>,
    ignored: Vec<Column>,
    missing: Missing,
    reading: Reading,
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
/// # Errors
///
/// [`DataError::File`] if the file cannot be read, [`DataError::Syntax`] if it is not UTF-8.
pub fn csv(path: impl AsRef<Path>) -> Result<Table, DataError> {
    let path = path.as_ref();
    let file = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => table(file, bytes),
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
    match reader.read_to_end(&mut bytes) {
        Ok(_) => table(file, bytes),
        Err(error) => Err(DataError::File {
            file,
            reason: error.to_string(),
        }),
    }
}

fn table(file: String, bytes: Vec<u8>) -> Result<Table, DataError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .split(|byte| *byte == b'\n')
            .count();
        DataError::Syntax {
            place: Place::line(&file, line),
            reason: "this is not UTF-8 text".to_owned(),
        }
    })?;
    let text = text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text);
    Ok(Table {
        file,
        text,
        header: None,
        delimiter: b',',
        categorical: Vec::new(),
        ignored: Vec::new(),
        missing: Missing::Error,
        reading: Reading::Either,
    })
}

/// A row of the file, with its line.
struct Record {
    line: usize,
    fields: Vec<String>,
}

/// The rows of the file, and the names of the columns if it has any.
struct Parsed {
    names: Vec<String>,
    width: usize,
    records: Vec<Record>,
}

impl Table {
    /// Whether the first line holds names. Unless said, it does if none of its fields is a number, or one of
    /// them stands above a number without being one.
    pub fn header(mut self, header: bool) -> Self {
        self.header = Some(header);
        self
    }

    /// What separates the fields (`,` unless said). One byte: other characters count as `,`.
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.delimiter = u8::try_from(delimiter).unwrap_or(b',');
        self
    }

    /// A column of categories: one feature for each of its values, in alphabetical order, 1 where the row has it.
    /// A missing category is a row of zeros where [`Missing`] fills with zeros.
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
    /// the alphabet's).
    pub fn classes(mut self) -> Self {
        self.reading = Reading::Classes;
        self
    }

    /// The target is a number to predict; text in it is an error.
    pub fn values(mut self) -> Self {
        self.reading = Reading::Values;
        self
    }

    /// The data, with this column as the target.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the line and the column: no such column, a row of another length, text in a column of
    /// numbers, a missing value, a number that is not finite.
    pub fn target(self, column: impl Into<Column>) -> Result<Data, DataError> {
        self.read(&[column.into()])
    }

    /// The data, with several columns of numbers as the target.
    ///
    /// # Errors
    ///
    /// As [`Table::target`].
    pub fn targets<C: Into<Column>>(
        mut self,
        columns: impl IntoIterator<Item = C>,
    ) -> Result<Data, DataError> {
        let columns: Vec<Column> = columns.into_iter().map(Into::into).collect();
        if columns.len() > 1 {
            self.reading = Reading::Values;
        }
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
        let mut parsed = self.parse()?;
        let roles = self.roles(&parsed, targets)?;
        let before = parsed.records.len();
        if self.missing == Missing::DropRow {
            let used: Vec<usize> = (0..parsed.width)
                .filter(|column| roles[*column] != Role::Ignored)
                .collect();
            parsed.records.retain(|record| {
                !used
                    .iter()
                    .any(|column| is_missing(&record.fields[*column]))
            });
        }
        let dropped = before - parsed.records.len();
        if parsed.records.is_empty() {
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
        let origin = Origin {
            file: Some(self.file.as_str().into()),
            rows: Arc::new(parsed.records.iter().map(|record| record.line).collect()),
            target: Arc::new(order.iter().map(|column| parsed.name(*column)).collect()),
            dropped,
            samples: Arc::default(),
        };
        let targets = self.target_columns(&parsed, &order)?;
        Ok(Data {
            inputs: vec![Input {
                name: None,
                features,
            }],
            targets,
            origin,
        })
    }

    fn parse(&self) -> Result<Parsed, DataError> {
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .trim(::csv::Trim::All)
            .from_reader(self.text.as_bytes());
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error
                    .position()
                    .map_or(0, |position| position.line() as usize);
                DataError::Syntax {
                    place: Place::line(&self.file, line),
                    reason: error.to_string(),
                }
            })?;
            let line = record
                .position()
                .map_or(0, |position| position.line() as usize);
            records.push(Record {
                line,
                fields: record.iter().map(str::to_owned).collect(),
            });
        }
        let Some(first) = records.first() else {
            return Err(DataError::NoRows {
                what: format!("`{}`", self.file),
            });
        };
        let width = first.fields.len();
        if let Some(ragged) = records.iter().find(|record| record.fields.len() != width) {
            return Err(DataError::Ragged {
                place: Place::line(&self.file, ragged.line),
                found: ragged.fields.len(),
                expected: width,
            });
        }
        let header = self.header.unwrap_or_else(|| looks_like_header(&records));
        let names = if header {
            records.remove(0).fields
        } else {
            Vec::new()
        };
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(DataError::ColumnTwice {
                file: self.file.clone(),
                column: twice.into(),
                what: "stands twice in the header",
            });
        }
        Ok(Parsed {
            names,
            width,
            records,
        })
    }

    /// What each column is for.
    fn roles(&self, parsed: &Parsed, targets: &[Column]) -> Result<Vec<Role>, DataError> {
        let mut roles = vec![Role::Number; parsed.width];
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
            if *place != Role::Number {
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
                Column::Name(name) => {
                    damper_spec::suggest(name, columns.iter().map(String::as_str))
                }
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

    fn feature_columns(&self, parsed: &Parsed, roles: &[Role]) -> Result<Features, DataError> {
        let rows = parsed.records.len();
        // Column by column, then turned: a column's fill is known only at its end.
        let (mut columns, mut names): (Vec<Vec<f32>>, Vec<String>) = (Vec::new(), Vec::new());
        for (column, role) in roles.iter().enumerate() {
            match role {
                Role::Target | Role::Ignored => {}
                Role::Number => {
                    let mut values = Vec::with_capacity(rows);
                    for record in &parsed.records {
                        values.push(self.number(parsed, record, column)?);
                    }
                    columns.push(self.fill(values));
                    names.push(parsed.name(column));
                }
                Role::Category(index) => {
                    let categories = self.categories_of(parsed, column, *index)?;
                    let name = parsed.name(column);
                    for category in &categories {
                        let value = |record: &Record| match record.fields[column].as_str() {
                            field if field == category => Some(1.0),
                            field if is_missing(field) => None,
                            _ => Some(0.0),
                        };
                        columns.push(self.fill(parsed.records.iter().map(value).collect()));
                        names.push(format!("{name}={category}"));
                    }
                }
            }
        }
        let width = columns.len();
        if width == 0 {
            return Err(DataError::NoFeatures {
                what: format!("`{}`", self.file),
            });
        }
        let values = (0..rows)
            .flat_map(|row| columns.iter().map(move |column| column[row]))
            .collect();
        Ok(Features {
            width,
            values: Arc::new(values),
            columns: Arc::new(names),
            shape: Vec::new(),
            lengths: None,
        })
    }

    /// A number of a feature; `None` if it is missing and may be.
    fn number(
        &self,
        parsed: &Parsed,
        record: &Record,
        column: usize,
    ) -> Result<Option<f32>, DataError> {
        let field = record.fields[column].as_str();
        let place = || Place::line(&self.file, record.line).column(parsed.column(column));
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
                value: field.to_owned(),
            }),
            Err(_) => {
                let call = parsed.call(column);
                let help = format!(
                    "for a column of text write `.categorical({call})`, or leave it out with `.ignore({call})`"
                );
                Err(DataError::NotANumber {
                    place: place(),
                    value: field.to_owned(),
                    help,
                })
            }
        }
    }

    /// Puts in what stands for missing values.
    fn fill(&self, column: Vec<Option<f32>>) -> Vec<f32> {
        let stand_in = match self.missing {
            Missing::Value(x) => x,
            Missing::Mean => {
                let present = column.iter().flatten();
                let mean = present.clone().map(|x| f64::from(*x)).sum::<f64>()
                    / present.count().max(1) as f64;
                mean as f32
            }
            Missing::Error | Missing::DropRow | Missing::Zero => 0.0,
        };
        column.into_iter().map(|x| x.unwrap_or(stand_in)).collect()
    }

    /// The categories of a column, in their order.
    fn categories_of(
        &self,
        parsed: &Parsed,
        column: usize,
        index: usize,
    ) -> Result<Vec<String>, DataError> {
        let declared = self.categorical[index].1.as_ref();
        let mut found = BTreeSet::new();
        for record in &parsed.records {
            let field = record.fields[column].as_str();
            let place = || Place::line(&self.file, record.line).column(parsed.column(column));
            if is_missing(field)
                && !declared.is_some_and(|known| known.iter().any(|name| name == field))
            {
                if self.missing == Missing::Error {
                    let help =
                        "say what to do with it: `.missing(Missing::DropRow)` or `Zero`".to_owned();
                    return Err(DataError::Missing {
                        place: place(),
                        help,
                    });
                }
                continue;
            }
            if let Some(known) = declared
                && !known.iter().any(|name| name == field)
            {
                return Err(DataError::UnknownCategory {
                    place: place(),
                    value: field.to_owned(),
                    known: known.clone(),
                });
            }
            found.insert(field);
        }
        Ok(match declared {
            Some(known) => known.clone(),
            None => found.into_iter().map(str::to_owned).collect(),
        })
    }

    fn target_columns(&self, parsed: &Parsed, columns: &[usize]) -> Result<Targets, DataError> {
        for record in &parsed.records {
            if let Some(column) = columns
                .iter()
                .find(|column| is_missing(&record.fields[**column]))
            {
                return Err(DataError::Missing {
                    place: Place::line(&self.file, record.line).column(parsed.column(*column)),
                    help: "a target is never made up: leave the row out with `.missing(Missing::DropRow)`".to_owned(),
                });
            }
        }
        let column = match columns {
            [] => return Ok(Targets::None),
            [column] => *column,
            _ => return self.target_values(parsed, columns),
        };
        let fields: Vec<&str> = parsed
            .records
            .iter()
            .map(|record| record.fields[column].as_str())
            .collect();
        let numbers: Option<Vec<f64>> = fields.iter().map(|field| field.parse().ok()).collect();
        match (self.reading, numbers) {
            (Reading::Values, _) | (Reading::Either, Some(_)) => {
                self.target_values(parsed, columns)
            }
            (Reading::Either, None) if mostly_numbers(&fields) => {
                self.target_values(parsed, columns)
            }
            (Reading::Classes, Some(numbers)) => {
                let mut distinct = numbers.clone();
                distinct.sort_by(f64::total_cmp);
                distinct.dedup();
                let index = |x: &f64| {
                    distinct
                        .binary_search_by(|other| other.total_cmp(x))
                        .unwrap_or_default()
                };
                Ok(Targets::Classes {
                    indices: Arc::new(numbers.iter().map(index).collect()),
                    names: Arc::new(distinct.iter().map(f64::to_string).collect()),
                })
            }
            (_, None) => Ok(Targets::named(&fields)),
        }
    }

    fn target_values(&self, parsed: &Parsed, columns: &[usize]) -> Result<Targets, DataError> {
        let mut values = Vec::with_capacity(parsed.records.len() * columns.len());
        for record in &parsed.records {
            for &column in columns {
                let field = &record.fields[column];
                let place = Place::line(&self.file, record.line).column(parsed.column(column));
                match field.parse::<f32>() {
                    Ok(x) if x.is_finite() => values.push(x),
                    Ok(_) => {
                        return Err(DataError::NotFinite {
                            place,
                            value: field.clone(),
                        });
                    }
                    Err(_) => {
                        let help =
                            "for a target of classes write `.classes()` before `.target(..)`"
                                .to_owned();
                        return Err(DataError::NotANumber {
                            place,
                            value: field.clone(),
                            help,
                        });
                    }
                }
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
        self.names
            .get(column)
            .map_or_else(|| column.to_string(), |name| format!("{name:?}"))
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

/// A column where one field in ten or fewer is text has a mistake in it, not classes.
fn mostly_numbers(fields: &[&str]) -> bool {
    let text = fields.iter().filter(|field| !is_number(field)).count();
    text * 10 <= fields.len()
}

/// Names, if no field is a number, or one stands above a number without being one.
fn looks_like_header(records: &[Record]) -> bool {
    let Some(first) = records.first() else {
        return false;
    };
    let names = first
        .fields
        .iter()
        .all(|field| !is_number(field) && !field.is_empty());
    let above = records.get(1).is_some_and(|second| {
        let mut pairs = first.fields.iter().zip(&second.fields);
        pairs.any(|(field, below)| !is_number(field) && !is_missing(field) && is_number(below))
    });
    names || above
}
