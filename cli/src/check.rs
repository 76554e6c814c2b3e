//! What the macro reports, as rustc would print it or as rustc's JSON.

use crate::{Error, declarations};
use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};
use damper_macros_core::diag::Diagnostic;
use damper_spec::Level;
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

/// The reports of a file.
#[derive(Debug)]
pub struct Report {
    /// What to print.
    pub text: String,
    /// How many errors there are.
    pub errors: usize,
}

/// Checks each model of a source.
///
/// # Errors
///
/// When the source is not made of Rust's tokens, or has no model.
pub fn check(path: &str, source: &str, format: Format) -> Result<Report, Error> {
    let (mut text, mut errors) = (String::new(), 0);
    for declaration in declarations(path, source)? {
        for report in &declaration.reports {
            errors += usize::from(report.level == Level::Deny);
            match format {
                Format::Human => text.extend([&human(path, source, report), "\n\n"]),
                Format::Json => text.extend([&json(path, source, report).to_string(), "\n"]),
            }
        }
    }
    Ok(Report { text, errors })
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
    let group = title
        .primary_title(report.message.as_str())
        .element(snippet)
        .elements(helps.chain(notes));
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
