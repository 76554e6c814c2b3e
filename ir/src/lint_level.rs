//! The levels of lints that a declaration sets.

use crate::value::no;
use crate::{Id, Level};
use serde::{Deserialize, Serialize};

/// `#[allow(lint, reason = "..")]` and its like, on the thing that holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LintLevel {
    /// Where the lint's name is written.
    #[serde(skip)]
    pub id: Id,
    /// For those of the whole crate: `Cargo.toml, line 12`.
    #[serde(skip)]
    pub line: Option<String>,
    /// The lint's name as written (it may be unknown), or a group: `damper::output`.
    #[serde(deserialize_with = "crate::catalogue::read_canonical")]
    pub lint: String,
    /// The level asked for.
    pub level: Level,
    /// `forbid`: denied, and nothing inside lowers it.
    #[serde(default, skip_serializing_if = "no")]
    pub forbid: bool,
    /// `#[expect(..)]`: allowed, and a warning if the lint does not fire here.
    #[serde(default, skip_serializing_if = "no")]
    pub expect: bool,
    /// `reason = ".."`.
    #[serde(default, skip_serializing_if = "no")]
    pub reason: Option<String>,
    /// Thresholds that are set with it: `max = 0.6`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Limit>,
}

/// `max = 0.6` next to a lint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Where it is written.
    #[serde(skip)]
    pub id: Id,
    /// The threshold's name as written (it may be unknown).
    pub name: String,
    /// The number.
    pub value: f64,
}
