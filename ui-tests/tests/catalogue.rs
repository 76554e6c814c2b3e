//! Both examples of every lint's page, as sources that are compiled: the wrong ones stand in `ui/page/`, the right ones in
//! `pass/pages.rs`. `DAMPER_UPDATE=1 cargo test -p damper-ui-tests --test catalogue` writes them anew.

use damper_ir::{LINTS, Level, Lint};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Examples as modules called after their lints.
fn modules<'l>(lints: impl Iterator<Item = &'l Lint>, example: usize) -> String {
    let mut text = String::new();
    for lint in lints {
        let _ = write!(text, "\nmod {} {{\n    use damper::model;\n\n", lint.name);
        for line in lint.examples()[example].lines() {
            let _ = match line {
                "" => writeln!(text),
                line => writeln!(text, "    {line}"),
            };
        }
        text += "}\n";
    }
    text
}

const WRITTEN: &str =
    "// Written from the catalogue in `ir/src/catalogue`: see `ui-tests/tests/catalogue.rs`.\n";

/// Path and text of each source.
fn sources() -> [(&'static str, String); 3] {
    let of = |is_error: bool| {
        LINTS
            .iter()
            .filter(move |lint| (lint.default_level == Level::Deny) == is_error)
    };
    let (errors, warnings) = (modules(of(true), 0), modules(of(false), 0));
    let right = modules(LINTS.iter(), 1);
    [
        (
            "ui/page/errors.rs",
            format!("{WRITTEN}{errors}\nfn main() {{}}\n"),
        ),
        (
            "ui/page/warnings.rs",
            format!("{WRITTEN}#![deny(deprecated)]\n{warnings}\nfn main() {{}}\n"),
        ),
        ("pass/pages.rs", format!("{WRITTEN}{right}")),
    ]
}

#[test]
fn the_examples_of_the_pages_are_those_that_are_compiled() {
    for (path, text) in sources() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if std::env::var_os("DAMPER_UPDATE").is_some() {
            fs::write(&path, &text).expect("it can be written");
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "{} is old", path.display());
    }
}

/// Errors of shape have no level and do not say their names.
const NAMELESS: &[&str] = &[
    "shape_mismatch",
    "missing_flatten",
    "residual_shape_mismatch",
];

/// Each wrong example makes its lint speak in rustc's output.
#[test]
fn every_lint_is_reported_by_the_compiler() {
    let said = include_str!("../ui/page/errors.stderr").to_owned()
        + include_str!("../ui/page/warnings.stderr");
    for lint in LINTS.iter().filter(|lint| !NAMELESS.contains(&lint.name)) {
        let name = format!("({})]`", lint.name);
        let with_threshold = format!("({}, ", lint.name);
        let speaks = said.contains(&name) || said.contains(&with_threshold);
        assert!(speaks, "rustc is silent on `{}`", lint.name);
    }
    let reports = said.lines().filter(|line| line.starts_with("error: "));
    assert!(reports.count() >= LINTS.len());
}
