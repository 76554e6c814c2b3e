//! The description as text, with the places of what is filled in when the model is built.

use crate::Lowered;
use damper_ir::Id;
use proc_macro2::Literal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The description as a literal. The places of nested models follow those of the values.
pub(super) fn literal(lowered: &Lowered) -> Literal {
    let places: BTreeMap<Id, usize> = lowered
        .models
        .keys()
        .copied()
        .zip(lowered.holes.len()..)
        .collect();
    // A description holds numbers and strings under string keys only: it can always be written.
    let mut description = serde_json::to_value(lowered.model()).unwrap_or_default();
    leave_places(&mut description, &places);
    raw(&description.to_string())
}

/// Puts `{"$": place}` where the description of a nested model will be.
fn leave_places(json: &mut Value, places: &BTreeMap<Id, usize>) {
    match json {
        Value::Object(map) => {
            let id = map
                .get("id")
                .and_then(Value::as_u64)
                .and_then(|id| u32::try_from(id).ok());
            if let Some(place) = id.and_then(|id| places.get(&Id(id)))
                && let Some(Value::Object(nested)) =
                    map.get_mut("kind").and_then(|kind| kind.get_mut("model"))
            {
                nested.insert("model".to_owned(), json!({ "$": place }));
            }
            map.values_mut()
                .for_each(|value| leave_places(value, places));
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|value| leave_places(value, places)),
        _ => {}
    }
}

/// A string literal that a person can read: `r#".."#`.
fn raw(text: &str) -> Literal {
    let hashes = "#".repeat(
        text.split('"')
            .map(|rest| rest.len() - rest.trim_start_matches('#').len())
            .max()
            .unwrap_or(0)
            + 1,
    );
    format!("r{hashes}\"{text}\"{hashes}")
        .parse()
        .unwrap_or_else(|_| Literal::string(text))
}
