//! The columns of a table that become features, with the categories that occur in them.

use super::parse::Parsed;
use super::roles::Role;
use super::rows::{Field, Mark};
use crate::data::columns::ColumnSchema;
use crate::data::error::DataError;
use crate::data::message::shortened;
use crate::data::missing::Missing;
use std::collections::{BTreeMap, BTreeSet};

impl Parsed<'_> {
    /// The columns of features, in the order of the file.
    pub(super) fn columns(&self, roles: &[Role]) -> Result<Vec<ColumnSchema>, DataError> {
        let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        if roles.iter().any(|role| matches!(role, Role::Category(_))) {
            self.for_each(|mark, column, field| match roles[column] {
                Role::Category(index) => {
                    self.add_category(mark, column, index, field, found.entry(column).or_default())
                }
                _ => Ok(()),
            })?;
        }
        let column = |(column, role): (usize, &Role)| {
            let categories = match role {
                Role::Target | Role::Ignored => return None,
                Role::Number => None,
                Role::Category(index) => Some(match &self.options.categorical[*index].1 {
                    Some(known) => known.clone(),
                    None => found.remove(&column).into_iter().flatten().collect(),
                }),
            };
            Some(ColumnSchema {
                name: self.name(column),
                categories,
                means: None,
                filled: 0,
            })
        };
        Ok(roles.iter().enumerate().filter_map(column).collect())
    }

    /// Checks a category, and adds it to those that were found if the column declares none.
    fn add_category(
        &self,
        mark: Mark,
        column: usize,
        index: usize,
        field: Field,
        found: &mut BTreeSet<String>,
    ) -> Result<(), DataError> {
        self.check_one_line(column, &field)?;
        if self.is_missing(Role::Category(index), &field.text) {
            return match self.options.missing {
                Missing::Error => Err(DataError::Missing {
                    place: self.place(mark.line, column),
                    help: "choose what to do with it: `.missing(Missing::DropRow)` or `Zero`"
                        .to_owned(),
                }),
                _ => Ok(()),
            };
        }
        if let Some(known) = &self.options.categorical[index].1 {
            if known.iter().any(|name| *name == field.text) {
                return Ok(());
            }
            return Err(DataError::UnknownCategory {
                place: Box::new(self.place(mark.line, column)),
                value: field.text.into_owned(),
                known: known.clone(),
            });
        }
        if !found.contains(&*field.text) {
            found.insert(field.text.into_owned());
        }
        if found.len() > self.options.max_categories {
            return Err(self.too_many_categories(mark, column, found));
        }
        Ok(())
    }

    fn too_many_categories(
        &self,
        mark: Mark,
        column: usize,
        found: &BTreeSet<String>,
    ) -> DataError {
        let call = self.call(column);
        let shown: Vec<String> = found
            .iter()
            .take(3)
            .map(|name| format!("`{}`", shortened(name)))
            .collect();
        DataError::Limit {
            what: format!(
                "`{}`: column {} has more than {} (up to line {}), such as {}, and each would be a feature",
                self.file,
                self.column(column),
                match self.options.max_categories {
                    1 => "1 category".to_owned(),
                    n => format!("{n} categories"),
                },
                mark.line,
                shown.join(", ")
            ),
            help: format!(
                "leave out ids: `.ignore({call})`; give many true categories a number each, and read them with an `embedding`; \
                 or allow more: `.max_categories(n)`"
            ),
        }
    }
}
