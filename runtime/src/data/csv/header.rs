//! The guess whether the first row of a table is a header, from the values below it.

use super::field::{is_missing, is_number};
use crate::data::message::shortened;
use std::collections::BTreeSet;

/// The values of a column below the first row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Below {
    numbers: usize,
    text: usize,
    /// True if the first row's field occurs again.
    repeats_first: bool,
    /// True if a number is not a year between 1900 and 2100.
    has_other_than_years: bool,
}

impl Below {
    /// Adds a field of this column; `first` is the column's field in the first row.
    pub(super) fn add(&mut self, first: &str, field: &str) {
        self.repeats_first |= field == first;
        if is_missing(field) {
            return;
        }
        match field.parse::<f64>() {
            Ok(x) => {
                self.numbers += 1;
                self.has_other_than_years |= !is_year(x);
            }
            Err(_) => self.text += 1,
        }
    }

    /// True for a column of numbers, in which one field in ten may be text by mistake.
    fn is_numbers(&self) -> bool {
        self.numbers > 0 && self.text * 10 <= self.numbers + self.text
    }
}

fn is_year(x: f64) -> bool {
    x.fract() == 0.0 && (1900.0..=2100.0).contains(&x)
}

/// True if the first row is a header. The error says why it may be either.
pub(super) fn is_header(first: &[String], below: &[Below]) -> Result<bool, String> {
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
                "{} is a number, like a value, but {} is text, like a name",
                show(*number),
                show(*text)
            )),
        };
    }
    let above_numbers: Vec<usize> = text
        .iter()
        .copied()
        .filter(|column| below[*column].is_numbers())
        .collect();
    match (numbers.first(), above_numbers.first()) {
        (Some(number), Some(above)) => Err(format!(
            "{} is text above numbers, like a name, but {} is a number, like a value",
            show(*above),
            show(*number)
        )),
        (Some(_), None) => match numbers_like_names(first, below, &numbers) {
            Some(why) => Err(why),
            None => Ok(false),
        },
        (None, Some(above)) => {
            if let Some(column) = text.iter().find(|column| below[**column].repeats_first) {
                return Err(format!(
                    "{} occurs again further down, like a value",
                    show(*column)
                ));
            }
            // The first column of a table that numbers its rows often has no name.
            let may_be_nameless = |column: usize| column == 0 && first[column].is_empty();
            let missing = (0..first.len()).filter(|c| is_missing(&first[*c]));
            if let Some(column) = missing.into_iter().find(|c| !may_be_nameless(*c)) {
                return Err(format!("{} may be a missing value", show(column)));
            }
            if above_numbers.iter().any(|column| is_name(&first[*column])) {
                Ok(true)
            } else {
                Err(format!(
                    "{} is above numbers, and may be a number with a typing error",
                    show(*above)
                ))
            }
        }
        (None, None) => Err("no column has numbers, so names and values look the same".to_owned()),
    }
}

/// The reason why a row of numbers may be a header.
fn numbers_like_names(first: &[String], below: &[Below], numbers: &[usize]) -> Option<String> {
    let values: Vec<f64> = numbers
        .iter()
        .filter_map(|column| first[*column].parse().ok())
        .collect();
    let distinct: BTreeSet<u64> = values.iter().map(|x| x.to_bits()).collect();
    let are_years = values.len() > 1
        && values.iter().all(|x| is_year(*x))
        && distinct.len() == values.len()
        && numbers
            .iter()
            .any(|column| below[*column].has_other_than_years);
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

/// True for text that is surely a name: it has a letter, and is not a number with a typing error, such as `l.5`.
fn is_name(field: &str) -> bool {
    let corrected: String = field
        .chars()
        .filter(|c| !matches!(c, '$' | '€' | '£' | '%' | ' ' | '_' | '\''))
        .map(|c| match c {
            'l' | 'I' | '|' => '1',
            'O' | 'o' => '0',
            ',' => '.',
            other => other,
        })
        .collect();
    let is_mistyped = field.chars().any(|c| c.is_ascii_digit()) && is_number(&corrected);
    field.chars().any(char::is_alphabetic) && !field.starts_with('#') && !is_mistyped
}
