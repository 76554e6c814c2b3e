//! The catalogue of lints as text.

use crate::Error;
use damper_ir::{Group, LINTS, Level, Lint};

const fn level(lint: &Lint) -> &'static str {
    match lint.default_level {
        Level::Allow => "allow",
        Level::Warn => "warn",
        Level::Deny => "deny",
    }
}

/// `max = 0.5: what it means`, for each threshold.
fn thresholds(lint: &Lint) -> Vec<String> {
    let thresholds = lint.thresholds.iter();
    thresholds
        .map(|threshold| format!("`{threshold}`: {}", threshold.summary))
        .collect()
}

/// The page of a lint in Markdown; an error names the lint that was probably meant.
///
/// # Errors
///
/// When no lint has this name.
pub fn explain(name: &str) -> Result<String, Error> {
    let plain = name.trim_start_matches("damper::");
    let lint = Lint::find(plain).ok_or_else(|| Error::UnknownLint { name: plain.into() })?;
    Ok(format!("# {}\n\n{}", lint.name, page(lint)))
}

/// Level, group and thresholds, then the page.
fn page(lint: &Lint) -> String {
    let mut text = format!(
        "**{}** by default, in `damper::{}`: {}.\n\n",
        level(lint),
        lint.group,
        lint.summary
    );
    for threshold in thresholds(lint) {
        text.extend(["- ", &threshold, "\n"]);
    }
    if !lint.thresholds.is_empty() {
        text.push('\n');
    }
    text.push_str(&lint.page());
    text.push('\n');
    text
}

/// All lints, one a line: name, level, group, thresholds, summary.
pub fn table() -> String {
    let width = LINTS.iter().map(|lint| lint.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for lint in LINTS {
        let set: Vec<String> = lint.thresholds.iter().map(ToString::to_string).collect();
        let set = if set.is_empty() {
            String::new()
        } else {
            format!(" ({})", set.join(", "))
        };
        text += &format!(
            "{:width$}  {:5}  {:14}  {}{set}\n",
            lint.name,
            level(lint),
            lint.group.word(),
            lint.summary
        );
    }
    text
}

/// The whole catalogue in Markdown, by groups: `docs/LINTS.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Lints\n\nMade from the catalogue in `ir/src/catalogue` by `DAMPER_UPDATE=1 cargo test -p cargo-damper`.\n",
    );
    for group in Group::ALL {
        let lints: Vec<&Lint> = LINTS.iter().filter(|lint| lint.group == group).collect();
        if lints.is_empty() {
            continue;
        }
        text += &format!("\n- [`damper::{group}`](#damper{group})");
        for lint in lints {
            text += &format!(
                "\n  - [`{0}`](#{0}) ({1}): {2}",
                lint.name,
                level(lint),
                lint.summary
            );
        }
    }
    text.push('\n');
    for group in Group::ALL {
        let lints: Vec<&Lint> = LINTS.iter().filter(|lint| lint.group == group).collect();
        if lints.is_empty() {
            continue;
        }
        text += &format!("\n## damper::{group}\n");
        for lint in lints {
            // The page's own headings are two levels deeper here.
            let page = page(lint).replace("\n# ", "\n#### ");
            text += &format!("\n### {}\n\n{page}", lint.name);
        }
    }
    text
}
