//! The features of a table: numbers, one-hot categories, and fillings for missing values.

use super::field::{is_missing, large_integer};
use super::parse::Parsed;
use super::roles::Role;
use super::rows::Mark;
use crate::data::columns::{ColumnSchema, Columns};
use crate::data::error::DataError;
use crate::data::features::Features;
use crate::data::message::{bytes, count, shortened};
use crate::data::missing::Missing;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

impl Parsed<'_> {
    /// The features of all rows.
    pub(super) fn features(&self, roles: &[Role]) -> Result<Features, DataError> {
        let columns = Columns {
            named: !self.names.is_empty(),
            list: self.columns(roles)?,
        };
        let width = columns.width();
        if width == 0 {
            return Err(DataError::NoFeatures {
                what: format!("`{}`", self.file),
            });
        }
        let values = self.reserve(self.rows.len(), width)?;
        let mut table = self.read(roles, columns, values)?;
        self.fill_gaps(&mut table)?;
        Ok(Features {
            width,
            values: Arc::new(table.values),
            columns: Arc::new(table.columns.features()),
            sources: Arc::new(table.columns),
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
            .filter(|numbers| numbers.saturating_mul(size_of::<f32>()) <= self.options.max_memory)
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
                bytes(rows.saturating_mul(width).saturating_mul(size_of::<f32>())),
                bytes(self.options.max_memory)
            ),
            help: "each category is a feature: leave out columns with many of them, `.ignore(..)`, or read fewer rows, or allow more: `.max_memory(bytes)`".to_owned(),
        })
    }

    /// Reads all rows into `values`. Missing values are 0, and listed as gaps.
    fn read(
        &self,
        roles: &[Role],
        columns: Columns,
        mut values: Vec<f32>,
    ) -> Result<Read, DataError> {
        let (width, starts) = (columns.width(), columns.starts());
        let categories: Vec<HashMap<&str, usize>> = columns
            .list
            .iter()
            .map(|column| {
                let names = column.categories.iter().flatten().enumerate();
                names.map(|(at, name)| (name.as_str(), at)).collect()
            })
            .collect();
        let mut sums = vec![0.0_f64; width];
        let mut present = vec![0_usize; columns.list.len()];
        let mut gaps: Vec<(usize, usize)> = Vec::new();
        let mut large: BTreeMap<usize, Vec<(i64, usize)>> = BTreeMap::new();
        // The start of the row in `values`, and the next column of features.
        let (mut start, mut next) = (0, 0);
        self.for_each(|mark, column, field| {
            if column == 0 {
                (start, next) = (values.len(), 0);
                values.resize(start + width, 0.0);
            }
            if matches!(roles[column], Role::Target | Role::Ignored) {
                return Ok(());
            }
            let this = next;
            next += 1;
            let found = if roles[column] == Role::Number {
                self.check_one_line(column, &field)?;
                if let Some(integer) = large_integer(&field.text) {
                    large.entry(column).or_default().push((integer, mark.line));
                }
                let number = self.number(mark, column, &field.text)?;
                number.map(|x| (starts[this], x))
            } else {
                let category = categories[this].get(&*field.text);
                category.map(|at| (starts[this] + at, 1.0))
            };
            match found {
                Some((feature, x)) => {
                    values[start + feature] = x;
                    sums[feature] += f64::from(x);
                    present[this] += 1;
                }
                None => gaps.push((start, this)),
            }
            Ok(())
        })?;
        for (column, integers) in large {
            self.check_integers(column, integers)?;
        }
        Ok(Read {
            columns,
            values,
            sums,
            present,
            gaps,
        })
    }

    /// The number in a field; `None` if it is missing and may be.
    fn number(&self, mark: Mark, column: usize, field: &str) -> Result<Option<f32>, DataError> {
        let place = || self.place(mark.line, column);
        if is_missing(field) {
            return match self.options.missing {
                Missing::Error => Err(DataError::Missing {
                    place: place(),
                    help: "choose what to do with it: `.missing(Missing::DropRow)`, `Mean`, `Zero` or `Value(x)`".to_owned(),
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
                let call = self.call(column);
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

    /// Refuses a column of integers above 2^24 if many different ones become equal as `f32`: it is an id or a timestamp.
    /// A few rounded values do a model no harm.
    fn check_integers(
        &self,
        column: usize,
        mut integers: Vec<(i64, usize)>,
    ) -> Result<(), DataError> {
        integers.sort_unstable();
        integers.dedup_by_key(|(integer, _)| *integer);
        let is_same =
            |pair: &&[(i64, usize)]| (pair[0].0 as f32).to_bits() == (pair[1].0 as f32).to_bits();
        let lost = integers.windows(2).filter(is_same).count();
        if lost * 100 <= integers.len() {
            return Ok(());
        }
        let Some([(one, _), (other, line)]) = integers.windows(2).find(is_same) else {
            return Ok(());
        };
        let call = self.call(column);
        Err(DataError::InexactInteger {
            place: Box::new(self.place(*line, column)),
            value: other.to_string(),
            note: format!(
                "it would become equal to {one}, and {lost} of the {} different values in this column would become equal to another one",
                integers.len()
            ),
            help: format!(
                "leave out an id: `.ignore({call})`; for times, use the difference from a start; for codes, use categories: \
                 `.categorical({call})`"
            ),
        })
    }

    /// Puts means, or the value that was asked for, where values are missing.
    fn fill_gaps(&self, table: &mut Read) -> Result<(), DataError> {
        let starts = table.columns.starts();
        if self.options.missing == Missing::Mean {
            let columns = table.columns.list.iter_mut().zip(&table.present);
            for ((column, present), start) in columns.zip(&starts) {
                let sums = &table.sums[*start..*start + column.width()];
                column.means = self.means(column, sums, *present)?;
            }
        }
        for (start, this) in &table.gaps {
            let column = &mut table.columns.list[*this];
            let to = &mut table.values[start + starts[*this]..][..column.width()];
            match (&column.means, self.options.missing) {
                (Some(means), _) => to.copy_from_slice(means),
                (None, Missing::Value(x)) => to.fill(x),
                (None, _) => {}
            }
            column.filled += 1;
        }
        Ok(())
    }

    /// The values that replace a missing one, for each feature of a column.
    fn means(
        &self,
        column: &ColumnSchema,
        sums: &[f64],
        present: usize,
    ) -> Result<Option<Vec<f32>>, DataError> {
        let no_mean = |help: &str| {
            Err(DataError::NoMean {
                file: self.file.to_owned(),
                column: column.name.clone(),
                help: help.to_owned(),
            })
        };
        if let Some(schema) = &self.options.like {
            let columns = schema.inputs.first().map(|input| &input.columns.list);
            let mut columns = columns.into_iter().flatten();
            let Some(known) = columns.find(|other| other.name == column.name) else {
                return Ok(None);
            };
            return match &known.means {
                Some(means) => Ok(Some(means.clone())),
                None => no_mean(
                    "the mean is that of the training data: read them with `.missing(Missing::Mean)`, too",
                ),
            };
        }
        if present == 0 {
            return no_mean(
                "leave the column out with `.ignore(..)`, or take the means of the training data: `.like(&train.schema())`",
            );
        }
        let mean = |sum: &f64| (sum / present as f64) as f32;
        Ok(Some(sums.iter().map(mean).collect()))
    }
}

/// A table whose fields are read, with what is needed to fill in missing values.
struct Read {
    columns: Columns,
    values: Vec<f32>,
    /// The sum of each feature.
    sums: Vec<f64>,
    /// The number of rows in which each column has a value.
    present: Vec<usize>,
    /// The missing values: the start of the row in `values`, and the column.
    gaps: Vec<(usize, usize)>,
}
