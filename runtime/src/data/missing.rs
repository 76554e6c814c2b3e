//! The policies for missing values in a table.

use serde::{Deserialize, Serialize};

/// The policy for a missing value: an empty field, `NA`, `N/A`, `NaN`, `null`, `none`, `?`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// A missing value is an error that names the line and the column.
    #[default]
    Error,
    /// The row is left out; [`Data::dropped`](super::Data::dropped) counts these rows.
    DropRow,
    /// The column's mean over all rows of the file. (If the validation part must not influence it, use `DropRow` or `Value`.)
    /// Another file is filled with the means of the training data: [`Table::like`](super::Table::like).
    Mean,
    /// 0.
    Zero,
    /// This value.
    Value(f32),
}
