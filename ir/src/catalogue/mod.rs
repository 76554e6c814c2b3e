//! The catalogue of lints: for each its name, default level, group, thresholds, and the page that explains it.
//!
//! One source serves all readers: the rules take their levels and thresholds from here, `damper::lint` shows the pages in an
//! editor, `cargo damper explain` prints them, and `docs/LINTS.md` is made of them.

#![allow(non_upper_case_globals, reason = "a lint is written in snake_case")]

mod convolution;
mod dropout;
mod effect;
mod head;
mod layout;
mod normalization;
mod output;
mod structure;
mod training;

use crate::Level;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// The constants of the pages: what `damper::lint` re-exports.
pub mod names {
    pub use super::convolution::*;
    pub use super::dropout::*;
    pub use super::effect::*;
    pub use super::head::*;
    pub use super::layout::*;
    pub use super::normalization::*;
    pub use super::output::*;
    pub use super::structure::*;
    pub use super::training::*;
}

/// A lint of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lint {
    /// Its name in `#[allow(..)]`.
    pub name: &'static str,
    /// Its level without attributes; some findings of it are less or more severe.
    pub default_level: Level,
    /// The group it belongs to: `#[warn(damper::output)]`.
    pub group: Group,
    /// What can be set next to its level: `#[warn(high_dropout_rate, max = 0.6)]`.
    pub thresholds: &'static [Threshold],
    /// What it finds, in one line of Markdown.
    pub summary: &'static str,
    page: &'static str,
}

/// A number of a lint that can be set: LINTS.md calls thresholds options, not constants of nature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Its name in the attribute.
    pub name: &'static str,
    /// What holds where it is not set.
    pub default: f64,
    /// What it means, in one line of Markdown.
    pub summary: &'static str,
}

/// As it is set: `max = 0.5`.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, crate::Value::known(self.default))
    }
}

/// What a lint is about; a group's level is that of all its lints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The output, the loss, the task.
    Output,
    /// Dropout and its relatives, decay, penalties.
    Regularization,
    /// Normalization.
    Normalization,
    /// Shapes, activations, what reads what.
    Structure,
    /// Convolutions.
    Convolution,
    /// Optimizer, schedule, early stopping.
    Training,
    /// The declaration itself: attributes, hyper-parameters.
    Declaration,
}

impl Group {
    /// All groups, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Output,
        Self::Regularization,
        Self::Normalization,
        Self::Structure,
        Self::Convolution,
        Self::Training,
        Self::Declaration,
    ];

    /// The word after `damper::`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Regularization => "regularization",
            Self::Normalization => "normalization",
            Self::Structure => "structure",
            Self::Convolution => "convolution",
            Self::Training => "training",
            Self::Declaration => "declaration",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The prefix of a group in an attribute.
pub const PREFIX: &str = "damper::";

/// The name of a lint or group in US spelling: declarations and saved files may have the British one.
///
/// ```
/// use damper_ir::catalogue::canonical;
///
/// assert_eq!(canonical("damper::normalisation"), "damper::normalization");
/// assert_eq!(canonical("dropout_before_output"), "dropout_before_output");
/// ```
pub fn canonical(name: &str) -> String {
    match name {
        "damper::regularisation" => "damper::regularization",
        "damper::normalisation" => "damper::normalization",
        "no_regularisation" => "no_regularization",
        "over_regularised" => "over_regularized",
        _ => name,
    }
    .to_owned()
}

/// Reads the name of a lint or group in either spelling.
pub(crate) fn read_canonical<'de, D: serde::Deserializer<'de>>(
    reader: D,
) -> Result<String, D::Error> {
    let name: String = serde::Deserialize::deserialize(reader)?;
    Ok(canonical(&name))
}

/// The words of all groups: `all`, `strict` (what is allowed by default), and those of [`Group::ALL`].
pub fn groups() -> impl Iterator<Item = &'static str> {
    ["all", "strict"]
        .into_iter()
        .chain(Group::ALL.into_iter().map(Group::word))
}

/// Those that say that no program can be built.
pub(crate) const FIXED: [&str; 3] = [
    names::shape_mismatch,
    names::missing_flatten,
    names::residual_shape_mismatch,
];

impl Lint {
    /// The lint of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        static NAMES: LazyLock<HashMap<&str, &Lint>> =
            LazyLock::new(|| LINTS.iter().map(|lint| (lint.name, lint)).collect());
        NAMES.get(name).copied()
    }

    /// Whether a group, by its word, sets the level of this lint. No group reaches what cannot be allowed.
    pub fn is_in(&self, group: &str) -> bool {
        let named = match group {
            "all" => true,
            "strict" => self.default_level == Level::Allow,
            word => self.group.word() == word,
        };
        named && !self.is_fixed()
    }

    /// Whether no attribute changes its level: such a model cannot be built.
    pub fn is_fixed(&self) -> bool {
        FIXED.contains(&self.name)
    }

    /// The threshold of this name.
    pub fn threshold(&self, name: &str) -> Option<&'static Threshold> {
        self.thresholds
            .iter()
            .find(|threshold| threshold.name == name)
    }

    /// The page in Markdown, without the line of level and summary: an example that fails, why, the fix, when to allow it.
    pub fn page(&self) -> String {
        let lines = self.page.lines();
        let lines: Vec<&str> = lines
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        lines.join("\n").trim().to_owned()
    }

    /// The two declarations of the page: the one that is found, and the fix.
    pub fn examples(&self) -> [String; 2] {
        let page = self.page();
        let mut blocks = page.split("```").skip(1).step_by(2);
        [(); 2].map(|()| {
            let block = blocks.next().unwrap_or_default();
            block.trim_start_matches("text").trim().to_owned()
        })
    }
}

const COUNT: usize = output::LINTS.len()
    + dropout::LINTS.len()
    + normalization::LINTS.len()
    + structure::LINTS.len()
    + convolution::LINTS.len()
    + training::LINTS.len()
    + effect::LINTS.len()
    + head::LINTS.len()
    + layout::LINTS.len();

const ALL: [Lint; COUNT] = {
    let parts = [
        output::LINTS,
        dropout::LINTS,
        normalization::LINTS,
        structure::LINTS,
        convolution::LINTS,
        training::LINTS,
        effect::LINTS,
        head::LINTS,
        layout::LINTS,
    ];
    let mut all = [output::LINTS[0]; COUNT];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut index = 0;
        while index < parts[part].len() {
            all[at] = parts[part][index];
            (index, at) = (index + 1, at + 1);
        }
        part += 1;
    }
    all
};

/// All lints, in the order of the documentation.
pub const LINTS: &[Lint] = &ALL;

/// Defines the constant of each lint and its entry in the catalogue from one text.
///
/// A page is the doc comment: an example that fails, why, the fix (a whole model without a finding), when to allow it. The
/// line of level and summary is put before it.
macro_rules! lints {
    ($(
        $(#[doc = $line:literal])+
        $level:ident $name:ident in $group:ident {$($threshold:ident = $default:literal: $meaning:literal),* $(,)?}
            $summary:literal;
    )*) => {
        $(
            #[doc = concat!("**", stringify!($level), "**: ", $summary, ".")]
            $(#[doc = concat!("- `", stringify!($threshold), " = ", stringify!($default), "`: ", $meaning)])*
            $(#[doc = $line])+
            pub const $name: &str = stringify!($name);
        )*

        pub(super) const LINTS: &[super::Lint] = &[$(super::Lint {
            name: stringify!($name),
            default_level: super::level!($level),
            group: super::group!($group),
            thresholds: &[$(super::Threshold {
                name: stringify!($threshold),
                default: $default,
                summary: $meaning,
            }),*],
            summary: $summary,
            page: concat!($($line, "\n"),+),
        }),*];
    };
}

macro_rules! level {
    (allow) => {
        crate::Level::Allow
    };
    (warn) => {
        crate::Level::Warn
    };
    (deny) => {
        crate::Level::Deny
    };
}

macro_rules! group {
    (output) => {
        super::Group::Output
    };
    (regularization) => {
        super::Group::Regularization
    };
    (normalization) => {
        super::Group::Normalization
    };
    (structure) => {
        super::Group::Structure
    };
    (convolution) => {
        super::Group::Convolution
    };
    (training) => {
        super::Group::Training
    };
    (declaration) => {
        super::Group::Declaration
    };
}

use {group, level, lints};
