//! What declarations become.

mod common;

use common::understood;
use damper_macros_core::Lowered;

fn lowered(source: &str) -> Lowered {
    let (reports, lowered) = understood(source);
    let texts: Vec<String> = reports
        .iter()
        .map(damper_macros_core::diag::Diagnostic::text)
        .collect();
    assert!(
        !reports
            .iter()
            .any(|report| report.level == damper_spec::Level::Deny),
        "{texts:#?}"
    );
    lowered.expect("the model has a name")
}

fn json(source: &str) -> String {
    serde_json::to_string_pretty(&lowered(source).spec).expect("a description is plain data")
}

#[test]
fn digits() {
    insta::assert_snapshot!(json(include_str!("fixtures/models/digits.rs")));
}

#[test]
fn residual() {
    insta::assert_snapshot!(json(include_str!("fixtures/models/residual.rs")));
}
