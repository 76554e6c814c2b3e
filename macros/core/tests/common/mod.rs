//! Sources of models, and reports drawn as rustc draws them.

#[allow(dead_code)]
pub mod apply;
#[allow(dead_code)]
pub mod found;

use damper_ir::Level;
use damper_macros_core::diag::Diagnostic;
use damper_macros_core::{Lowered, diagnose};
use proc_macro2::TokenStream;
use std::fmt::Write;

/// The first line of a source: it stands where `macro_rules! model` puts the path of the runtime.
pub const PATH: &str = "::damper,";

/// Reports and result of a source that begins on line 2.
pub fn understood(source: &str) -> (Vec<Diagnostic>, Option<Lowered>) {
    let tokens: TokenStream = format!("{PATH}\n{source}")
        .parse()
        .expect("the source has tokens");
    diagnose(tokens)
}

/// The reports with the lines they are about, and carets.
#[allow(dead_code)]
pub fn draw(source: &str) -> String {
    let (reports, _) = understood(source);
    let rows: Vec<&str> = source.lines().collect();
    let mut out = String::new();
    for report in &reports {
        let head = if report.level == Level::Deny {
            "error"
        } else {
            "warning"
        };
        let lint = report
            .lint
            .as_ref()
            .map(|lint| format!("[{lint}]"))
            .unwrap_or_default();
        let _ = writeln!(out, "{head}{lint}: {}", report.text().replace('\n', "\n  "));
        let (start, end) = (report.ends.0.start(), report.ends.1.end());
        let row = rows
            .get(start.line.wrapping_sub(2))
            .copied()
            .unwrap_or_default();
        let last = if end.line == start.line {
            end.column
        } else {
            row.chars().count()
        };
        let _ = writeln!(out, "{:>3} | {row}", start.line);
        let carets = "^".repeat(last.saturating_sub(start.column).max(1));
        let _ = writeln!(out, "    | {}{carets}\n", " ".repeat(start.column));
    }
    if out.is_empty() {
        "no reports\n".to_owned()
    } else {
        out
    }
}
