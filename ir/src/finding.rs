//! Findings: errors and lints of a description.

use crate::{Id, Level};
use std::fmt;

/// Who set the level of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// An attribute of the model or in it.
    Attribute {
        /// Where the lint's name, or the group's, is written.
        id: Id,
        /// That name.
        name: String,
    },
    /// An entry of `[package.metadata.damper.lints]`.
    Manifest {
        /// `Cargo.toml, line 12`.
        line: String,
        /// Its key.
        name: String,
    },
}

/// One thing found in a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The lint's name; `None` for a plain error (nothing can switch it off).
    pub lint: Option<&'static str>,
    /// The level after `#[allow]`, `#[warn]`, `#[deny]`, `#[expect]`.
    pub level: Level,
    /// The tokens it is about.
    pub at: Id,
    /// What is wrong: lower case, words of the language in backticks, no full stop.
    pub message: String,
    /// The other half of the contradiction: its place, and what is written there.
    pub other: Option<(Id, String)>,
    /// What to write instead; can be pasted.
    pub help: Option<String>,
    /// Why, with the paper.
    pub note: Option<String>,
    /// Which part of the model it is about, for readers without spans: ``layer `fc1` ``. May be empty.
    pub place: String,
    /// Who set the level; `None` for the default.
    pub set_by: Option<SetBy>,
    /// The thresholds that it was judged by, and their values: `max`, `0.5`.
    pub limits: Vec<(&'static str, String)>,
}

/// ``error[dropout_before_output] in layer `head`: ..``, then `help:` and `note:` lines.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.level == Level::Deny {
            "error"
        } else {
            "warning"
        })?;
        if let Some(lint) = self.lint {
            write!(f, "[{lint}]")?;
        }
        if !self.place.is_empty() {
            write!(f, " in {}", self.place)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        if let Some(note) = &self.note {
            write!(f, "\n  note: {note}")?;
        }
        let limits = self.limits.iter();
        let limits: Vec<String> = limits
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        if !limits.is_empty() {
            write!(f, "\n  note: judged by `{}`", limits.join(", "))?;
        }
        Ok(())
    }
}

impl Finding {
    /// A plain error at `at`.
    pub fn error(at: Id, message: impl Into<String>) -> Self {
        Self {
            lint: None,
            level: Level::Deny,
            at,
            message: message.into(),
            other: None,
            help: None,
            note: None,
            place: String::new(),
            set_by: None,
            limits: Vec::new(),
        }
    }

    /// Whether no attribute can change its level: a plain error, or shapes with which nothing can be built.
    pub fn is_fixed(&self) -> bool {
        self.lint
            .is_none_or(|lint| crate::catalogue::FIXED.contains(&lint))
    }

    /// A finding of a lint, at a level that the attributes around it may change.
    pub fn lint(lint: &'static str, level: Level, at: Id, message: impl Into<String>) -> Self {
        Self {
            lint: Some(lint),
            level,
            ..Self::error(at, message)
        }
    }

    /// Adds the other place of the contradiction.
    #[must_use]
    pub fn other(mut self, at: Id, text: impl Into<String>) -> Self {
        self.other = Some((at, text.into()));
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds the reason.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }
}
