//! The words of the language: one table for each kind of them, and what all tables share.
//!
//! A word is one entry: what it is called, its arguments with kind, range and default, and its documentation. Of it are
//! made the type that the model holds, the reading of what was written, its text, the checks of its values, its page in
//! an editor and its row in the documentation.

mod aliases;
mod field;
mod table;
mod word;

pub use aliases::{alias, argument_aliases};
pub use field::{Field, NoArgument, Read, Unwritten};
pub(crate) use field::{call, choice, list_of, shown};
pub(crate) use table::{extra, pages, words};
pub use word::{
    Argument, Fallback, Kind, Range, Word, flag, float, named, optional, rate, required, size,
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

/// The families of words, as in [`crate::vocabulary`].
pub const FAMILIES: &[&str] = &[
    "section",
    "layer",
    "annotation",
    "loss",
    "task",
    "metric",
    "optimizer",
    "schedule",
    "setting",
    "backend",
    "input",
    "value",
    "on",
    "budget",
];

/// The rule on weights that may be written in a chain.
pub const DROP_CONNECT: &str = "drop_connect";

/// The sections of a declaration.
pub const SECTIONS: &[&str] = &[
    "input", "layers", "loss", "task", "metrics", "train", "budget",
];

/// What a statement may begin with.
pub const SOURCES: &[&str] = &["from", "add", "mul", "concat"];

/// The annotations that act inside of a layer.
pub const INSIDE: &[&str] = &["attention_dropout", "embedding_dropout", "zoneout"];

/// The word of an operation: a layer, an activation, or what acts on values while training.
pub fn operation(name: &str) -> Option<&'static Word> {
    let layers = crate::op::TABLES.iter().copied();
    layers
        .chain([crate::op::activation::WORDS, crate::op::stochastic::WORDS])
        .find_map(|table| find(table, name))
}

/// What acts on values while training.
pub fn stochastic(name: &str) -> Option<&'static Word> {
    find(crate::op::stochastic::WORDS, name)
}

/// A rule on weights.
pub fn rule(name: &str) -> Option<&'static Word> {
    find(crate::rule::WORDS, name)
}

/// The penalty on the value that passes.
pub fn activity(name: &str) -> Option<&'static Word> {
    find(crate::op::activity::WORDS, name)
}

/// What acts inside of a layer while training.
pub fn inside(name: &str) -> Option<&'static Word> {
    word_of("annotation", name).filter(|word| INSIDE.contains(&word.name))
}

/// Everything that may be written in a chain, for suggestions.
pub fn chain() -> Vec<&'static str> {
    let all = family("layer").into_iter().map(|word| word.name);
    all.filter(|name| !SOURCES.contains(name) && *name != "shortcut")
        .collect()
}

/// Everything that may be written after `with`, for suggestions.
pub fn annotations() -> Vec<&'static str> {
    family("annotation")
        .into_iter()
        .map(|word| word.name)
        .collect()
}

/// The words of a family, in the order of its tables.
pub fn family(name: &str) -> Vec<&'static Word> {
    let tables: Vec<&'static [Word]> = match name {
        "layer" => crate::op::TABLES
            .iter()
            .copied()
            .chain([crate::op::activation::WORDS, crate::op::stochastic::WORDS])
            .collect(),
        "annotation" => vec![
            crate::op::stochastic::WORDS,
            crate::rule::WORDS,
            crate::op::activity::WORDS,
        ],
        "loss" => vec![crate::loss::WORDS],
        "task" => vec![crate::task::WORDS],
        "metric" => vec![crate::metric::WORDS],
        "optimizer" => vec![crate::train::optimizer::WORDS],
        "schedule" => vec![crate::train::schedule::WORDS],
        "setting" => vec![crate::train::WORDS],
        _ => Vec::new(),
    };
    let in_chains = find(crate::rule::WORDS, DROP_CONNECT).filter(|_| name == "layer");
    let own = crate::vocabulary::own_words(name).iter();
    tables
        .into_iter()
        .flatten()
        .chain(in_chains)
        .chain(own)
        .collect()
}

/// The word of a family.
pub fn word_of(family: &str, name: &str) -> Option<&'static Word> {
    self::family(family)
        .into_iter()
        .find(|word| word.name == name)
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
