//! The families of words, and the word that a name has in one of them.

use crate::words::{Word, find};

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
pub const SOURCES: &[&str] = &[
    "from",
    "add",
    "sub",
    "mul",
    "div",
    "concat",
    "matmul",
    "sample_normal",
];

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
