//! What the macro reports, as rustc would print it or as rustc's JSON.

use crate::{Error, declarations, read};
use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};
use damper_ir::Level;
use damper_macros_core::diag::Diagnostic;
use serde_json::{Value, json};
use std::ops::Range;

/// How reports are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As rustc prints them.
    Human,
    /// One JSON object a line, in the fields of rustc's `--error-format=json`.
    Json,
}

/// More reports of a file than these are counted, and not printed: each shows its line, however long that is.
const MOST_SHOWN: usize = 100;

/// The reports of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// What to print.
    pub text: String,
    /// How many errors there are.
    pub errors: usize,
    /// How many warnings there are.
    pub warnings: usize,
    /// How many models were read.
    pub models: usize,
}

/// Checks the models of several files; `-` is the standard input.
///
/// The report is followed by what could not be checked. A file without a model is no mistake where another one has one.
/// For people, the last line counts what was found.
pub fn check_all(paths: &[String], format: Format) -> (Report, Vec<Error>) {
    let (mut all, mut failures) = (Report::default(), Vec::new());
    for path in paths {
        match read(path).and_then(|source| check(path, &source, format)) {
            Ok(report) => {
                all.text += &report.text;
                all.errors += report.errors;
                all.warnings += report.warnings;
                all.models += report.models;
            }
            Err(error) => failures.push(error),
        }
    }
    if all.models > 0 {
        failures.retain(|error| !matches!(error, Error::NoModel { .. }));
    }
    if format == Format::Human && all.errors + all.warnings > 0 {
        let level = if all.errors > 0 { "error" } else { "warning" };
        let (errors, warnings) = (
            counted(all.errors, "error"),
            counted(all.warnings, "warning"),
        );
        let models = counted(all.models, "model");
        all.text += &format!("{level}: {errors} and {warnings} in {models}\n");
    }
    (all, failures)
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// Checks each model of a source; of its reports the first hundred are printed, errors before warnings.
///
/// # Errors
///
/// When the source is not made of Rust's tokens, or has no model.
pub fn check(path: &str, source: &str, format: Format) -> Result<Report, Error> {
    let all = declarations(path, source)?;
    let mut found = Report {
        models: all.len(),
        ..Report::default()
    };
    let reports = || all.iter().flat_map(|declaration| &declaration.reports);
    let is_error = |report: &&Diagnostic| report.level == Level::Deny;
    found.errors = reports().filter(is_error).count();
    found.warnings = reports().count() - found.errors;
    let (mut errors, mut warnings) = (found.errors.min(MOST_SHOWN), MOST_SHOWN);
    warnings = warnings.saturating_sub(errors);
    let shown = reports().filter(|report| {
        let left = if is_error(report) {
            &mut errors
        } else {
            &mut warnings
        };
        let shows = *left > 0;
        *left -= usize::from(shows);
        shows
    });
    let text: Vec<String> = shown
        .map(|report| match format {
            Format::Human => human(path, source, report) + "\n\n",
            Format::Json => json(path, source, report).to_string() + "\n",
        })
        .collect();
    found.text = text.concat();
    let hidden = found.errors + found.warnings - text.len();
    if hidden > 0 && format == Format::Human {
        found.text += &format!("{hidden} more reports of `{path}` are not shown\n\n");
    }
    Ok(found)
}

/// The bytes of the tokens that a report is about, inside the source.
fn bytes(source: &str, report: &Diagnostic) -> Range<usize> {
    let (first, last) = report.ends;
    // Spans of this library count characters; byte offsets come from lines and columns.
    let offset = |at: proc_macro2::LineColumn| {
        let line = source.split_inclusive('\n').take(at.line.saturating_sub(1));
        let start: usize = line.map(str::len).sum();
        let letters = source
            .get(start..)
            .unwrap_or_default()
            .chars()
            .take(at.column);
        start + letters.map(char::len_utf8).sum::<usize>()
    };
    let start = offset(first.start()).min(source.len());
    start..offset(last.end()).clamp(start, source.len())
}

fn human(path: &str, source: &str, report: &Diagnostic) -> String {
    let title = if report.level == Level::Deny {
        Title::ERROR
    } else {
        Title::WARNING
    };
    let snippet = Snippet::source(source)
        .path(path)
        .annotation(AnnotationKind::Primary.span(bytes(source, report)));
    let helps = report
        .helps
        .iter()
        .map(|help| Title::HELP.message(help.as_str()));
    let notes = report
        .notes
        .iter()
        .map(|note| Title::NOTE.message(note.as_str()));
    let title = title.primary_title(report.message.as_str());
    let title = match &report.lint {
        Some(lint) => title.id(format!("damper::{lint}")),
        None => title,
    };
    let group = title.element(snippet).elements(helps.chain(notes));
    Renderer::plain().render(&[group])
}

fn json(path: &str, source: &str, report: &Diagnostic) -> Value {
    let range = bytes(source, report);
    let (start, end) = (report.ends.0.start(), report.ends.1.end());
    let lines = source
        .lines()
        .enumerate()
        .skip(start.line.saturating_sub(1));
    let text: Vec<Value> = lines
        .take((end.line + 1).saturating_sub(start.line))
        .map(|(index, line)| {
            let from = if index + 1 == start.line {
                start.column
            } else {
                0
            };
            let to = if index + 1 == end.line {
                end.column
            } else {
                line.chars().count()
            };
            json!({ "text": line, "highlight_start": from + 1, "highlight_end": to + 1 })
        })
        .collect();
    let child = |level: &str, message: &String| json!({ "message": message, "code": null, "level": level, "spans": [], "children": [], "rendered": null });
    let helps = report.helps.iter().map(|help| child("help", help));
    let children: Vec<Value> = helps
        .chain(report.notes.iter().map(|note| child("note", note)))
        .collect();
    let code = report
        .lint
        .as_ref()
        .map(|lint| json!({ "code": format!("damper::{lint}"), "explanation": null }));
    json!({
        "$message_type": "diagnostic",
        "message": report.message,
        "code": code,
        "level": if report.level == Level::Deny { "error" } else { "warning" },
        "spans": [{
            "file_name": path,
            "byte_start": range.start,
            "byte_end": range.end,
            "line_start": start.line,
            "line_end": end.line,
            "column_start": start.column + 1,
            "column_end": end.column + 1,
            "is_primary": true,
            "text": text,
            "label": null,
            "suggested_replacement": null,
            "suggestion_applicability": null,
            "expansion": null,
        }],
        "children": children,
        "rendered": human(path, source, report) + "\n",
    })
}
