//! Annotations as they are written, for messages.

use crate::ast::{Annotation, Side};
use crate::words::{self, Word};

pub(in crate::lower) fn annotation_text(annotation: &Annotation) -> String {
    let word = annotation.call.word.to_string();
    words::rule(&word).map_or(word, sample)
}

pub(in crate::lower) fn side_word(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
    }
}

/// An annotation as an example writes it.
pub(in crate::lower) fn sample(word: &Word) -> String {
    match word.name {
        name @ ("decay" | "penalty" | "activity") => format!("{name}(l2 = 1e-3)"),
        "max_norm" => "max_norm(3.0)".to_owned(),
        "orthogonal" => "orthogonal(1e-4)".to_owned(),
        "drop_block" => "drop_block(0.1, size = 7)".to_owned(),
        name if word.arguments.is_empty() => name.to_owned(),
        name => format!("{name}(0.1)"),
    }
}
