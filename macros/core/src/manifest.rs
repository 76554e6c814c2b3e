//! Lint levels of a whole crate: `[package.metadata.damper.lints]` of its `Cargo.toml`.
//!
//! The words are those of cargo's `[lints]`:
//!
//! ```toml
//! [package.metadata.damper.lints]
//! strict = { level = "warn", priority = -1 }
//! dropout_with_batch_norm = "allow"
//! high_dropout_rate = { level = "warn", max = 0.6 }
//! ```
//!
//! `workspace = true` takes `[workspace.metadata.damper.lints]` of the workspace instead.

use damper_ir::catalogue::{PREFIX, canonical, groups};
use damper_ir::{Level, Limit, Lint, LintLevel, suggest};
use proc_macro2::TokenStream;
use quote::quote;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const EXAMPLE: &str = "`high_dropout_rate = { level = \"warn\", max = 0.6 }`";
const OF_GROUP: &str = "`strict = { level = \"warn\", priority = -1 }`";

/// What a crate says about lints.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// The levels, for [`damper_ir::Model::crate_levels`].
    pub levels: Vec<LintLevel>,
    /// What is wrong in the table.
    pub mistakes: Vec<Mistake>,
    /// What has been read, seen from the folder of the crate: `/Cargo.toml`, `/../Cargo.toml`.
    files: Vec<String>,
}

/// Something wrong in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What, and on which line.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Manifest {
    /// That of the crate which is being compiled; an empty one outside of cargo.
    pub fn of_this_crate() -> Self {
        match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => Self::of_package(Path::new(&folder)),
            None => Self::default(),
        }
    }

    /// That of the package which a file is part of: the nearest `Cargo.toml` above it.
    pub fn of_file(path: &Path) -> Self {
        let folder = path
            .ancestors()
            .skip(1)
            .find(|folder| folder.join("Cargo.toml").is_file());
        folder.map_or_else(Self::default, Self::of_package)
    }

    /// That of the package in this folder; an empty one where there is nothing that can be read.
    pub fn of_package(folder: &Path) -> Self {
        let Some(text) = text_of(&folder.join("Cargo.toml")) else {
            return Self::default();
        };
        let mut manifest = Self::parse(&text);
        manifest.files.push("/Cargo.toml".to_owned());
        if inherits(&text) {
            manifest.inherit(folder, &text);
        }
        // rustc would look for it next to the source.
        if folder.is_relative() {
            manifest.files.clear();
        }
        manifest
    }

    /// What the text of a `Cargo.toml` says by itself.
    pub fn parse(text: &str) -> Self {
        Reader::new(text, "Cargo.toml").manifest("package")
    }

    /// Takes the table of the workspace. A package from a registry has none above it: that is no mistake of its user.
    fn inherit(&mut self, folder: &Path, text: &str) {
        let Some((file, text)) = workspace_of(folder, text) else {
            return;
        };
        let other = Reader::new(&text, "Cargo.toml of the workspace").manifest("workspace");
        self.levels.extend(other.levels);
        self.mistakes.extend(other.mistakes);
        if !self.files.contains(&file) {
            self.files.push(file);
        }
    }

    /// Items by which rustc looks at these files again when they have changed, and compiles the crate anew. They are in
    /// every expansion: a table may be added where there was none.
    pub(crate) fn tracked(&self) -> TokenStream {
        let files = &self.files;
        quote! {
            #(const _: &[u8] = ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #files));)*
        }
    }
}

/// Whether a `Cargo.toml` says anything about damper: most do not, and need no parser.
fn concerns(text: &str) -> bool {
    text.contains("metadata") && text.contains("damper") && text.contains("lints")
}

fn text_of(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Whether the table of the package is `workspace = true`.
fn inherits(text: &str) -> bool {
    concerns(text)
        && DeTable::parse(text).is_ok_and(|table| {
            at(table.get_ref(), &["package", "metadata", "damper", "lints"])
                .and_then(|lints| lints.get_ref().get("workspace"))
                .and_then(|value| value.get_ref().as_bool())
                == Some(true)
        })
}

/// The `Cargo.toml` of the workspace, as seen from the package, and its text.
fn workspace_of(folder: &Path, text: &str) -> Option<(String, String)> {
    let table = DeTable::parse(text).ok()?;
    let named =
        at(table.get_ref(), &["package", "workspace"]).and_then(|path| path.get_ref().as_str());
    let ways: Vec<String> = match named {
        Some(path) => vec![format!("/{path}")],
        None => (0..folder.ancestors().count())
            .map(|up| "/..".repeat(up))
            .collect(),
    };
    ways.into_iter().find_map(|way| {
        let file = format!("{way}/Cargo.toml");
        let mut path: PathBuf = folder.to_owned();
        path.extend(file.split('/').filter(|part| !part.is_empty()));
        let text = text_of(&path)?;
        let table = DeTable::parse(&text).ok()?;
        table.get_ref().get("workspace")?;
        Some((file, text))
    })
}

/// The value under these keys.
fn at<'t, 'i>(table: &'t DeTable<'i>, keys: &[&str]) -> Option<&'t Spanned<DeValue<'i>>> {
    let (first, rest) = keys.split_first()?;
    let value = table.get(*first)?;
    rest.iter()
        .try_fold(value, |value, key| value.get_ref().get(*key))
}

/// Reads one file.
struct Reader<'t> {
    text: &'t str,
    /// What the file is called in messages.
    file: &'static str,
    found: Vec<Entry>,
    mistakes: Vec<Mistake>,
}

/// A level and its place among the others.
struct Entry {
    priority: i64,
    level: LintLevel,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, file: &'static str) -> Self {
        Self {
            text,
            file,
            found: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// `Cargo.toml, line 12`.
    fn line(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("{}, line {line}", self.file)
    }

    fn mistake(&mut self, span: &Range<usize>, message: &str, help: impl Into<String>) {
        let message = format!("{message} ({})", self.line(span));
        self.mistakes.push(Mistake {
            message,
            help: help.into(),
        });
    }

    fn manifest(mut self, section: &str) -> Manifest {
        // What is not TOML is cargo's to report.
        if concerns(self.text)
            && let Ok(table) = DeTable::parse(self.text)
            && let Some(damper) = at(table.get_ref(), &[section, "metadata", "damper"])
        {
            self.damper(damper, section);
        }
        Manifest {
            levels: ordered(self.found),
            mistakes: self.mistakes,
            files: Vec::new(),
        }
    }

    fn damper(&mut self, damper: &Spanned<DeValue<'_>>, section: &str) {
        let name = format!("{section}.metadata.damper");
        let Some(table) = damper.get_ref().as_table() else {
            let help = format!("`[{name}.lints]`");
            return self.mistake(&damper.span(), &format!("`{name}` wants a table"), help);
        };
        for (key, value) in in_order(table) {
            match (key.get_ref().as_ref(), value.get_ref().as_table()) {
                ("lints", Some(lints)) => self.lints(lints, section),
                ("lints", None) => {
                    let message = format!("`{name}.lints` wants a table");
                    self.mistake(&value.span(), &message, format!("`[{name}.lints]`"));
                }
                (other, _) => {
                    let message = format!("`{name}` has no `{other}`");
                    self.mistake(&key.span(), &message, format!("`[{name}.lints]`"));
                }
            }
        }
    }

    fn lints(&mut self, lints: &DeTable<'_>, section: &str) {
        let inherited = section == "package"
            && lints
                .get("workspace")
                .and_then(|value| value.get_ref().as_bool())
                == Some(true);
        for (key, value) in in_order(lints) {
            let name = key.get_ref().as_ref();
            if inherited && name == "workspace" {
                continue;
            }
            if inherited {
                let message = format!("`{name}` next to `workspace = true`");
                let help = "one of them: the table of the workspace is taken whole";
                self.mistake(&key.span(), &message, help);
            } else {
                self.entry(name, &key.span(), value);
            }
        }
    }

    fn entry(&mut self, name: &str, span: &Range<usize>, value: &Spanned<DeValue<'_>>) {
        let group = canonical(&format!("{PREFIX}{name}"));
        let is_group = groups().any(|word| group.strip_prefix(PREFIX) == Some(word));
        let mut entry = Entry {
            priority: 0,
            level: LintLevel {
                line: Some(self.line(span)),
                lint: if is_group { group } else { canonical(name) },
                ..LintLevel::default()
            },
        };
        let level = match value.get_ref() {
            DeValue::String(word) => {
                entry.level.forbid = word.as_ref() == "forbid";
                self.level(&value.span(), word)
            }
            DeValue::Table(table) => self.options(name, span, table, &mut entry),
            _ => {
                self.mistake(
                    &value.span(),
                    &format!("`{name}` wants a level"),
                    format!("`{name} = \"warn\"`, or {EXAMPLE}"),
                );
                None
            }
        };
        if let Some(level) = level {
            entry.level.level = level;
            self.found.push(entry);
        }
    }

    fn level(&mut self, span: &Range<usize>, word: &str) -> Option<Level> {
        let level = match word {
            "allow" => Level::Allow,
            "warn" => Level::Warn,
            "deny" | "forbid" => Level::Deny,
            _ => {
                let help = match suggest(word, ["allow", "warn", "deny", "forbid"]) {
                    Some(near) => format!("did you mean `\"{near}\"`?"),
                    None => "one of `\"allow\"`, `\"warn\"`, `\"deny\"`".to_owned(),
                };
                self.mistake(span, &format!("no level is called `{word}`"), help);
                return None;
            }
        };
        Some(level)
    }

    /// `{ level = "warn", priority = -1, max = 0.6, reason = ".." }`
    fn options(
        &mut self,
        name: &str,
        span: &Range<usize>,
        table: &DeTable<'_>,
        entry: &mut Entry,
    ) -> Option<Level> {
        for (key, value) in in_order(table) {
            let key = key.get_ref().as_ref();
            if let Some(wanted) = set(entry, key, value.get_ref()) {
                let help = if key == "priority" { OF_GROUP } else { EXAMPLE };
                self.mistake(&value.span(), &wanted, help);
            }
        }
        let level = table.get("level");
        if level.is_none() {
            self.mistake(span, &format!("`{name}` has no `level`"), EXAMPLE);
        }
        let level = level?;
        self.level(&level.span(), level.get_ref().as_str()?)
    }
}

/// Sets an option; else what it wants.
fn set(entry: &mut Entry, key: &str, value: &DeValue<'_>) -> Option<String> {
    match (key, value.as_str(), integer(value), number(value)) {
        ("level", Some(word), ..) => entry.level.forbid = word == "forbid",
        ("level" | "reason", None, ..) => return Some(format!("`{key}` wants a text")),
        ("reason", Some(text), ..) => entry.level.reason = Some(text.to_owned()),
        ("priority", _, Some(number), _) => entry.priority = number,
        ("priority", ..) => return Some("`priority` wants a whole number".to_owned()),
        (_, _, _, Some(number)) => entry.level.thresholds.push(Limit {
            id: damper_ir::Id::NONE,
            name: key.to_owned(),
            value: number,
        }),
        _ => return Some(format!("the threshold `{key}` wants a number")),
    }
    None
}

/// In the order of the file.
fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(
    &'t Spanned<toml::de::DeString<'i>>,
    &'t Spanned<DeValue<'i>>,
)> {
    let mut all: Vec<_> = table.iter().collect();
    all.sort_by_key(|(key, _)| key.span().start);
    all
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let float = || value.as_float()?.as_str().parse().ok();
    let number: f64 = integer(value).map(|number| number as f64).or_else(float)?;
    number.is_finite().then_some(number)
}

/// By priority, then as written. A lint's own name wins over a group unless that has the higher priority.
fn ordered(mut all: Vec<Entry>) -> Vec<LintLevel> {
    all.sort_by_key(|entry| entry.priority);
    let mut levels: Vec<LintLevel> = Vec::new();
    let mut rest = all.as_slice();
    while let Some((entry, above)) = rest.split_first() {
        let mut level = entry.level.clone();
        let lint = Lint::find(&level.lint);
        let group = above.iter().rev().find(|other| {
            other.priority > entry.priority
                && lint
                    .is_some_and(|lint| other.level.group().is_some_and(|group| lint.is_in(group)))
        });
        if let Some(group) = group {
            level.level = group.level.level;
            level.forbid = group.level.forbid;
        }
        levels.push(level);
        rest = above;
    }
    levels
}
