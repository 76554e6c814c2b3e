//! What each command says of the examples of this repository.

use cargo_damper::{Error, Format, check, explain, markdown, summary};
use damper_spec::LINTS;
use serde_json::Value;

const DIGITS: &str = include_str!("../../examples/examples/digits.rs");

#[test]
fn a_page_is_explained_and_a_slip_is_corrected() -> Result<(), Error> {
    assert!(explain("damper::softmax_before_logits_loss")?.contains("# Why"));
    let error = explain("softmax_before_logit_loss").expect_err("no such lint");
    assert!(
        error
            .to_string()
            .contains("did you mean `softmax_before_logits_loss`?"),
        "{error}"
    );
    Ok(())
}

#[test]
fn the_table_of_an_example() -> Result<(), Error> {
    // 64 * 128 + 128, 128 * 64 + 64 and 64 * 10 + 10 parameters.
    let text = summary("digits.rs", DIGITS)?;
    assert!(
        text.starts_with("Digits\n") && text.contains("17,226 parameters"),
        "{text}"
    );
    Ok(())
}

#[test]
fn an_example_is_clean() -> Result<(), Error> {
    let report = check("digits.rs", DIGITS, Format::Human)?;
    assert_eq!((report.errors, report.text.as_str()), (0, ""));
    Ok(())
}

#[test]
fn a_span_points_at_the_tokens_behind_letters_of_two_bytes() -> Result<(), Error> {
    let source = "// äöü\nmod inner { fn f() { damper::model! { Net input x: [4]\n/* ü */ layers { head: linear(2) -> softmax; } loss cross_entropy } } }";
    let report = check("a.rs", source, Format::Json)?;
    assert_eq!(report.errors, 1);
    let line: Value = serde_json::from_str(report.text.lines().next().unwrap()).unwrap();
    assert_eq!(line["level"], "error");
    assert_eq!(line["code"]["code"], "damper::softmax_before_logits_loss");
    let span = &line["spans"][0];
    let place = |name: &str| usize::try_from(span[name].as_u64().unwrap()).unwrap();
    assert_eq!(&source[place("byte_start")..place("byte_end")], "softmax");
    assert_eq!(place("line_start"), 3);
    assert!(
        line["children"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
    Ok(())
}

/// Without that table its second model would have an error.
#[test]
fn the_lint_levels_of_the_crate_hold() -> Result<(), Error> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/renamed/src/lib.rs");
    let source = cargo_damper::read(path)?;
    assert_eq!(check(path, &source, Format::Human)?.text, "");
    let elsewhere = check("lib.rs", &source, Format::Human)?.text;
    assert!(elsewhere.contains("`#[deny(dropout_before_output)]` on by default"));
    Ok(())
}

#[test]
fn a_file_without_a_model() {
    let error = check("a.rs", "fn main() {}", Format::Human).expect_err("no model");
    assert_eq!(error.to_string(), "`a.rs` has no `model! { .. }`");
}

/// `DAMPER_UPDATE=1` writes it anew.
#[test]
fn the_document_of_lints_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/LINTS.md");
    if std::env::var_os("DAMPER_UPDATE").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, markdown());
    for lint in LINTS {
        assert!(written.contains(&format!("\n### {}\n", lint.name)));
    }
}
