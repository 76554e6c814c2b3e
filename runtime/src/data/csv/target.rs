//! The target of a table: classes or numbers.

use super::field::{is_missing, is_number, is_rounded};
use super::options::TargetType;
use super::parse::Parsed;
use crate::data::error::DataError;
use crate::data::message::shortened;
use crate::data::targets::Targets;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

impl Parsed<'_> {
    /// The targets of all rows, from these columns.
    pub(super) fn targets(&self, columns: &[usize]) -> Result<Targets, DataError> {
        if columns.is_empty() {
            return Ok(Targets::None);
        }
        let mut fields: Vec<Cow<'_, str>> =
            vec![Cow::Borrowed(""); self.rows.len() * columns.len()];
        let (mut row, mut last) = (0, None);
        self.for_each(|mark, column, field| {
            if last.is_some_and(|at| at != mark.at) {
                row += 1;
            }
            last = Some(mark.at);
            let Some(place) = columns.iter().position(|target| *target == column) else {
                return Ok(());
            };
            self.check_one_line(column, &field)?;
            if is_missing(&field.text) {
                return Err(DataError::Missing {
                    place: self.place(mark.line, column),
                    help: "a missing target is never filled in: leave the row out with `.missing(Missing::DropRow)`".to_owned(),
                });
            }
            fields[row * columns.len() + place] = field.text;
            Ok(())
        })?;
        let are_numbers = fields.iter().all(|field| is_number(field));
        let as_values = columns.len() > 1
            || match self.options.target_type {
                TargetType::Values => true,
                TargetType::Guess => are_numbers || mostly_numbers(&fields),
                TargetType::Classes => false,
            };
        if as_values {
            self.target_values(columns, &fields)
        } else if are_numbers {
            Ok(numbered_classes(&fields))
        } else {
            Ok(Targets::named(&fields))
        }
    }

    fn target_values(
        &self,
        columns: &[usize],
        fields: &[Cow<'_, str>],
    ) -> Result<Targets, DataError> {
        let mut values = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let (row, column) = (at / columns.len(), columns[at % columns.len()]);
            let place = || self.place(self.rows[row].line, column);
            let x = match field.parse::<f32>() {
                Ok(x) if x.is_finite() => x,
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
                        help: match columns.len() {
                            1 => "for a target of classes write `.classes()` before `.target(..)`",
                            _ => "several target columns must be numbers; for classes use one column: `.target(..)`",
                        }
                        .to_owned(),
                    });
                }
            };
            if self.options.target_type != TargetType::Values && is_rounded(field, x) {
                return Err(DataError::InexactInteger {
                    place: Box::new(place()),
                    value: shortened(field),
                    note: format!("it would become {x}"),
                    help: match columns.len() {
                        1 => "write `.values()` before `.target(..)` for a number that may be rounded, or `.classes()` for classes",
                        _ => "if it may be rounded, write `.values()` before `.targets(..)`",
                    }
                    .to_owned(),
                });
            }
            values.push(x);
        }
        Ok(Targets::Values {
            values: Arc::new(values),
            width: columns.len(),
        })
    }
}

/// Classes that are written as numbers, in the order of the numbers. `1` and `01` are different classes.
fn numbered_classes(fields: &[Cow<'_, str>]) -> Targets {
    // As `f64`, integers above 2^53 would compare equal.
    let number = |field: &str| {
        let x: f64 = field.parse().unwrap_or_default();
        (x, field.parse::<i128>().unwrap_or(x as i128))
    };
    let mut names: Vec<&str> = fields.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    names.dedup();
    names.sort_by(|a, b| {
        let ((x, integer), (y, other)) = (number(a), number(b));
        x.total_cmp(&y).then(integer.cmp(&other)).then(a.cmp(b))
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

/// True if at most one field in ten is text: then the text is a mistake, and these are not classes.
fn mostly_numbers(fields: &[Cow<'_, str>]) -> bool {
    let text = fields.iter().filter(|field| !is_number(field)).count();
    text * 10 <= fields.len()
}
