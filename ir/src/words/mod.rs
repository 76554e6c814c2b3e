//! The words of the language: one table for each kind of them, and what all tables share.
//!
//! A word is one entry: what it is called, its arguments with kind, range and default, and its documentation. Of it are
//! made the type that the model holds, the reading of what was written, its text, the checks of its values, its page in
//! an editor and its row in the documentation.

mod aliases;
mod field;
pub(crate) mod page;
mod table;
mod word;

pub use aliases::{alias, argument_aliases, instead_of_argument};
pub use field::{Field, NoArgument, Read, Unwritten};
pub(crate) use field::{call, choice, list_of, shown};
pub(crate) use table::{extra, pages, words};
pub use word::{
    Argument, Fallback, Kind, LINE_PADDING, PADDING, Range, Usual, Word, flag, float, named,
    optional, rate, required, size,
};

use crate::Value;

/// A word without the marks of a raw identifier: `r#type` is `type`.
pub(crate) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// The entry of a word that is in the table.
pub(crate) fn of(table: &'static [Word], name: &str) -> &'static Word {
    const NONE: Word = Word {
        name: "",
        docs: "",
        arguments: &[],
    };
    find(table, name).unwrap_or(&NONE)
}

/// Calls `visit` with every value of a field.
pub(crate) fn visit<T: Field>(
    word: &'static Word,
    name: &str,
    field: &T,
    visit: &mut dyn FnMut(&'static Argument, &Value),
) {
    if let Some(argument) = word.argument(name) {
        field
            .values()
            .iter()
            .for_each(|value| visit(argument, value));
    }
}

/// `conv2d` is `conv` with 2 axes.
pub(crate) fn axes_of(name: &str) -> Option<(&str, u8)> {
    let name = name.strip_suffix('d')?;
    let digit = name.chars().last()?.to_digit(10)?;
    Some((&name[..name.len() - 1], u8::try_from(digit).ok()?))
}

/// The word of a table.
pub fn find(table: &'static [Word], name: &str) -> Option<&'static Word> {
    table.iter().find(|word| word.name == name)
}

/// The names of a table.
pub fn names(table: &'static [Word]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|word| word.name)
}

/// As [`list`], with the words that differ in their axes as one: `conv1d/2d/3d`.
pub fn available(words: &[&'static str]) -> String {
    let axes = ["1d", "2d", "3d"];
    let folded: Vec<String> = words
        .iter()
        .filter_map(|word| {
            let stem = axes.iter().find_map(|axis| word.strip_suffix(axis));
            match stem {
                Some(stem) if word.ends_with("1d") => Some(format!("{stem}1d/2d/3d")),
                Some(_) => None,
                None => Some((*word).to_owned()),
            }
        })
        .collect();
    list(&folded)
}

/// `a`, `b` and `c`, each in backticks.
pub fn list<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
