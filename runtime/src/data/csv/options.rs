//! The settings of a table.

use crate::data::error::DataError;
use crate::data::message::shortened;
use crate::data::missing::Missing;
use crate::data::place::Column;
use crate::data::schema::Schema;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The settings with which a table is read.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// `None` to guess whether there is a header.
    pub(super) header: Option<bool>,
    pub(super) delimiter: char,
    /// The categorical columns, with their categories if they are declared.
    pub(super) categorical: Vec<(Column, Option<Vec<String>>)>,
    pub(super) ignored: Vec<Column>,
    pub(super) missing: Missing,
    pub(super) target_type: TargetType,
    /// The data that these are to be read like.
    pub(super) like: Option<Arc<Schema>>,
    pub(super) max_columns: usize,
    pub(super) max_categories: usize,
    pub(super) max_memory: usize,
}

/// The type of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TargetType {
    /// Numbers are values, text is classes.
    #[default]
    Guess,
    Classes,
    Values,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            header: None,
            delimiter: ',',
            categorical: Vec::new(),
            ignored: Vec::new(),
            missing: Missing::Error,
            target_type: TargetType::Guess,
            like: None,
            max_columns: 100_000,
            max_categories: 1_000,
            max_memory: 4 << 30,
        }
    }
}

impl Options {
    /// Takes over the settings of other data.
    pub(super) fn set_like(&mut self, schema: &Schema) {
        if let Some(table) = &schema.table {
            self.delimiter = table.delimiter;
            self.missing = table.missing;
        }
        if let Some(input) = schema.inputs.first() {
            if self.header.is_none() && !input.columns.list.is_empty() {
                self.header = Some(input.columns.named);
            }
            for (index, column) in input.columns.list.iter().enumerate() {
                if let Some(categories) = &column.categories {
                    let column = input.columns.column(index);
                    self.categorical.push((column, Some(categories.clone())));
                }
            }
        }
        if schema.classes_were_read {
            self.target_type = TargetType::Classes;
        } else if !schema.target.is_empty() {
            self.target_type = TargetType::Values;
        }
        self.like = Some(Arc::new(schema.clone()));
    }

    /// Refuses settings with impossible values.
    pub(super) fn check(&self) -> Result<(), DataError> {
        let wrong = |setting: String, reason: String, help: &str| {
            Err(DataError::Setting {
                setting,
                reason,
                help: help.to_owned(),
            })
        };
        if matches!(self.delimiter, '"' | '\r' | '\n' | '\0') {
            return wrong(
                format!("`.delimiter({:?})`", self.delimiter),
                "this character cannot separate fields".to_owned(),
                "use another one, such as `.delimiter(';')` or `.delimiter('\\t')`",
            );
        }
        if let Missing::Value(x) = self.missing
            && !x.is_finite()
        {
            return wrong(
                format!("`.missing(Missing::Value({x}))`"),
                "it is not a finite number, and one such value makes every weight NaN".to_owned(),
                "use a finite number, or `Missing::DropRow`",
            );
        }
        for (column, categories) in &self.categorical {
            let Some(categories) = categories else {
                continue;
            };
            let setting = || format!("`.categories({}, ..)`", column.call());
            if categories.is_empty() {
                return wrong(
                    setting(),
                    "the list of categories is empty".to_owned(),
                    "list every category, or write `.categorical(..)` to take those of the file",
                );
            }
            let mut seen = BTreeSet::new();
            if let Some(twice) = categories.iter().find(|name| !seen.insert(name.as_str())) {
                return wrong(
                    setting(),
                    format!("the category `{}` is listed twice", shortened(twice)),
                    "list each category once",
                );
            }
        }
        Ok(())
    }
}
