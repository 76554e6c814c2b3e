//! The metadata of a file: its keys, and the schema of the training data as JSON.

use crate::data::Schema;
use serde::{Deserialize, Serialize};

/// The description.
pub(super) const SPEC: &str = "damper.spec";
/// The hyper-parameters.
pub(super) const CONFIG: &str = "damper.config";
/// The columns and classes of the training data. Only files of trained models have it.
pub(super) const SCHEMA: &str = "damper.schema";
/// The checksum of all of these and the tensors.
pub(super) const CHECKSUM: &str = "damper.checksum";

/// The version that is written with the schema. Raise it when older programs would misread a new schema.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Saved<'a> {
    version: u32,
    schema: &'a Schema,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    #[serde(default)]
    schema: serde_json::Value,
}

pub(super) fn write_schema(schema: &Schema) -> Result<String, serde_json::Error> {
    let version = VERSION;
    serde_json::to_string(&Saved { version, schema })
}

/// The schema, or the reason why it cannot be read.
pub(super) fn read_schema(json: &str) -> Result<Schema, String> {
    let saved: Read = serde_json::from_str(json).map_err(|error| error.to_string())?;
    if saved.version != VERSION {
        return Err(format!(
            "they have version {}, but this program reads version {VERSION}",
            saved.version
        ));
    }
    serde_json::from_value(saved.schema).map_err(|error| error.to_string())
}
