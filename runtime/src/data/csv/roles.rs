//! The use of each column: number, categories, target, or none.

use super::field::is_missing;
use super::parse::Parsed;
use crate::data::error::DataError;
use crate::data::place::Column;
use crate::data::schema::Schema;
use std::collections::BTreeSet;

/// The use of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Number,
    /// A column of categories, with its index in the settings.
    Category(usize),
    Target,
    Ignored,
}

impl Parsed<'_> {
    /// The use of each column.
    pub(super) fn roles(&self, targets: &[Column]) -> Result<Vec<Role>, DataError> {
        let mut roles = vec![Role::Number; self.width];
        let like = &self.options.like;
        if let Some(schema) = like {
            self.ignore_unused(schema, targets, &mut roles)?;
        }
        let targets = targets.iter().map(|column| (column, Role::Target));
        let ignored = self.options.ignored.iter();
        let categorical = self.options.categorical.iter().enumerate();
        let declared = targets
            .chain(ignored.map(|column| (column, Role::Ignored)))
            .chain(categorical.map(|(index, (column, _))| (column, Role::Category(index))));
        for (column, role) in declared {
            let known = &mut roles[self.find(column)?];
            // A column that the training data ignored may be asked for, or ignored again.
            let is_free = *known == Role::Number || like.is_some() && *known == Role::Ignored;
            if !is_free {
                return Err(DataError::DuplicateColumn {
                    file: self.file.to_owned(),
                    column: column.clone(),
                    what: "is used twice: a column can be the target, categorical, or ignored",
                });
            }
            *known = role;
        }
        Ok(roles)
    }

    /// Ignores the columns that the training data ignored, and refuses columns that are missing or extra.
    fn ignore_unused(
        &self,
        schema: &Schema,
        targets: &[Column],
        roles: &mut [Role],
    ) -> Result<(), DataError> {
        let wanted: BTreeSet<&str> = schema.columns().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let declared: Vec<usize> = targets
            .iter()
            .chain(&self.options.ignored)
            .map(|column| self.find(column))
            .collect::<Result<_, _>>()?;
        let table = schema.table.as_ref();
        let unused: BTreeSet<&String> = table
            .into_iter()
            .flat_map(|table| &table.ignored)
            .chain(&schema.target)
            .collect();
        let (mut found, mut extra) = (BTreeSet::new(), Vec::new());
        for (column, role) in roles.iter_mut().enumerate() {
            let name = self.name(column);
            if wanted.contains(name.as_str()) {
                found.insert(name);
            } else if unused.contains(&name) {
                *role = Role::Ignored;
            } else if !declared.contains(&column) {
                extra.push(name);
            }
        }
        let missing: Vec<String> = wanted
            .iter()
            .filter(|name| !found.contains(**name))
            .map(|name| (*name).to_owned())
            .collect();
        if missing.is_empty() && extra.is_empty() {
            return Ok(());
        }
        Err(DataError::Columns {
            file: Some(self.file.to_owned()),
            what: "columns",
            missing,
            extra,
        })
    }

    /// Leaves out the rows in which a used value is missing.
    pub(super) fn drop_rows(&mut self, roles: &[Role]) -> Result<(), DataError> {
        let mut incomplete = BTreeSet::new();
        self.for_each(|mark, column, field| {
            let role = roles[column];
            if role != Role::Ignored && self.is_missing(role, &field.text) {
                incomplete.insert(mark.at);
            }
            Ok(())
        })?;
        self.rows.retain(|row| !incomplete.contains(&row.at));
        Ok(())
    }

    /// True if a value is missing. A declared category may be called `none`.
    pub(super) fn is_missing(&self, role: Role, field: &str) -> bool {
        let declared = match role {
            Role::Category(index) => self.options.categorical[index].1.as_ref(),
            _ => None,
        };
        let is_declared = |known: &Vec<String>| known.iter().any(|name| name == field);
        is_missing(field) && !declared.is_some_and(is_declared)
    }
}
