//! The text of a table, cut into rows, with the names of its columns.

use super::header::{Below, is_header};
use super::options::Options;
use super::rows::{Fault, Field, Mark, Rows};
use crate::data::error::DataError;
use crate::data::message::count;
use crate::data::place::{Column, Place};
use std::collections::BTreeSet;

/// The number of rows that decide whether the first one is a header.
const ROWS_FOR_HEADER: usize = 1000;

/// A table of which rows and columns are known, but no field is read yet.
pub(super) struct Parsed<'a> {
    pub(super) file: &'a str,
    text: &'a str,
    pub(super) options: &'a Options,
    /// The names of the columns; empty if there is no header.
    pub(super) names: Vec<String>,
    /// The number of columns.
    pub(super) width: usize,
    /// The rows below the header.
    pub(super) rows: Vec<Mark>,
}

/// The rows of a text, each with as many fields as the first one.
pub(super) fn parse<'a>(
    file: &'a str,
    text: &'a str,
    options: &'a Options,
) -> Result<Parsed<'a>, DataError> {
    let scan = Scan::of(file, text, options)?;
    let Some(mark) = scan.rows.first() else {
        return Err(DataError::NoRows {
            what: format!("`{file}`"),
        });
    };
    let has_header = match options.header {
        Some(header) => header,
        None => is_header(&scan.first, &scan.below).map_err(|why| DataError::Header {
            place: Box::new(Place::line(file, mark.line)),
            fields: scan.first.clone(),
            rows: scan.rows.len(),
            why,
        })?,
    };
    let (width, mut names, mut rows) = (scan.first.len(), Vec::new(), scan.rows);
    if has_header {
        rows.remove(0);
        names = scan.first;
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(DataError::DuplicateColumn {
            file: file.to_owned(),
            column: twice.into(),
            what: "occurs twice in the header",
        });
    }
    Ok(Parsed {
        file,
        text,
        options,
        names,
        width,
        rows,
    })
}

/// The first pass over the text.
struct Scan {
    rows: Vec<Mark>,
    /// The fields of the first row.
    first: Vec<String>,
    /// The values below each field of the first row, if it may be a header.
    below: Vec<Below>,
}

impl Scan {
    fn of(file: &str, text: &str, options: &Options) -> Result<Self, DataError> {
        let mut walk = Rows::new(text, options.delimiter);
        let mut scan = Self {
            rows: Vec::new(),
            first: Vec::new(),
            below: Vec::new(),
        };
        while let Some(mark) = walk.row() {
            let (mut found, mut quoted) = (0, None);
            while let Some(field) = walk.field().map_err(|fault| syntax(file, fault))? {
                if found == options.max_columns {
                    return Err(DataError::Limit {
                        what: format!(
                            "`{file}`, line {}: this row has more than {}",
                            mark.line,
                            count(options.max_columns, "value")
                        ),
                        help: "check the delimiter and the line breaks, or allow more: `.max_columns(n)`"
                            .to_owned(),
                    });
                }
                if field.lines.0 < field.lines.1 {
                    quoted.get_or_insert(field.lines);
                }
                if scan.rows.is_empty() {
                    check_first_row(file, options.delimiter, &field)?;
                    scan.first.push(field.text.into_owned());
                } else if options.header.is_none() {
                    scan.add_below(found, &field);
                }
                found += 1;
            }
            if !scan.rows.is_empty() && found != scan.first.len() {
                return Err(DataError::Ragged {
                    place: Box::new(Place::line(file, mark.line)),
                    found,
                    expected: scan.first.len(),
                    quoted,
                });
            }
            scan.rows.push(mark);
        }
        Ok(scan)
    }

    fn add_below(&mut self, column: usize, field: &Field) {
        if self.rows.len() <= ROWS_FOR_HEADER && column < self.first.len() {
            self.below.resize(self.first.len(), Below::default());
            self.below[column].add(&self.first[column], &field.text);
        }
    }
}

/// Refuses a quote in the first row that swallows rows: there is no row before it to compare the width with.
fn check_first_row(file: &str, delimiter: char, field: &Field) -> Result<(), DataError> {
    let (opened, closed) = field.lines;
    if opened == closed || !field.text.contains(delimiter) {
        return Ok(());
    }
    Err(DataError::Syntax {
        place: Box::new(Place::line(file, opened)),
        reason: format!(
            "this line opens a quote that is only closed on line {closed}, with whole rows in between\n\
             help: close the quote on the line that opens it"
        ),
    })
}

fn syntax(file: &str, fault: Fault) -> DataError {
    DataError::Syntax {
        place: Box::new(Place::line(file, fault.line())),
        reason: fault.reason(),
    }
}

impl<'a> Parsed<'a> {
    /// The column's name, or its index as text.
    pub(super) fn name(&self, column: usize) -> String {
        self.names
            .get(column)
            .cloned()
            .unwrap_or_else(|| column.to_string())
    }

    pub(super) fn column(&self, column: usize) -> Column {
        self.names
            .get(column)
            .map_or(Column::Index(column), Column::from)
    }

    /// The column as an argument in code.
    pub(super) fn call(&self, column: usize) -> String {
        self.column(column).call()
    }

    /// The place of a value.
    pub(super) fn place(&self, line: usize, column: usize) -> Place {
        Place::line(self.file, line).column(self.column(column))
    }

    /// The index of a column.
    pub(super) fn find(&self, column: &Column) -> Result<usize, DataError> {
        let found = match column {
            Column::Index(index) => (*index < self.width).then_some(*index),
            Column::Name(name) => self.names.iter().position(|other| other == name),
        };
        found.ok_or_else(|| {
            let columns: Vec<String> = (0..self.width).map(|column| self.name(column)).collect();
            let suggestion = match column {
                Column::Name(name) => damper_ir::suggest(name, columns.iter().map(String::as_str)),
                Column::Index(_) => None,
            };
            let suggestion = suggestion.map(str::to_owned);
            DataError::NoColumn {
                file: self.file.to_owned(),
                wanted: column.clone(),
                columns,
                suggestion,
            }
        })
    }

    /// Calls `each` with every field and the index of its column, row by row.
    pub(super) fn for_each(
        &self,
        mut each: impl FnMut(Mark, usize, Field<'a>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut walk = Rows::new(self.text, self.options.delimiter);
        for mark in &self.rows {
            walk.go_to(*mark);
            let mut column = 0;
            while let Some(field) = walk.field().map_err(|fault| syntax(self.file, fault))? {
                each(*mark, column, field)?;
                column += 1;
            }
        }
        Ok(())
    }

    /// Refuses a line break in a field that is used: it is a quote that is closed some rows further on.
    pub(super) fn check_one_line(&self, column: usize, field: &Field) -> Result<(), DataError> {
        let (opened, closed) = field.lines;
        if opened == closed {
            return Ok(());
        }
        Err(DataError::Syntax {
            place: Box::new(self.place(opened, column)),
            reason: format!(
                "this value is in quotes that are only closed on line {closed}, and a value cannot have a line break\n\
                 help: close the quote on the line that opens it, or leave the column out: `.ignore({})`",
                self.call(column)
            ),
        })
    }
}
