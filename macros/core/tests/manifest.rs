//! Lint levels of a whole crate: what a `Cargo.toml` says, and that models obey it.

use damper_ir::Level;
use damper_macros_core::diag::Diagnostic;
use damper_macros_core::{Manifest, diagnose_in, model_in};
use proc_macro2::TokenStream;
use std::fs;
use std::path::Path;

const NET: &str = "::damper,
Net
input x: [64]
layers {
    fc:   linear(32) -> relu -> dropout(0.7);
    head: linear(10);
}
loss cross_entropy
";

fn tokens(model: &str) -> TokenStream {
    model.parse().expect("the source has tokens")
}

fn table(lines: &str) -> Manifest {
    Manifest::parse(&format!(
        "[package]\nname = \"net\"\n\n[package.metadata.damper.lints]\n{lines}\n"
    ))
}

fn reports(manifest: &Manifest, model: &str) -> Vec<Diagnostic> {
    diagnose_in(tokens(model), manifest).0
}

/// Level and lint of each report on `NET`.
fn found(lines: &str) -> Vec<(Level, String)> {
    let reports = reports(&table(lines), NET).into_iter();
    reports
        .map(|report| (report.level, report.lint.unwrap_or(report.message)))
        .collect()
}

fn high(level: Level) -> Vec<(Level, String)> {
    vec![(level, "high_dropout_rate".to_owned())]
}

#[test]
fn a_level_holds_for_every_model_of_the_crate() {
    assert_eq!(found(""), high(Level::Warn));
    assert_eq!(found("high_dropout_rate = \"deny\""), high(Level::Deny));
    assert_eq!(found("high_dropout_rate = \"forbid\""), high(Level::Deny));
    assert_eq!(found("high_dropout_rate = \"allow\""), []);
    assert_eq!(found("high_dropout_rate = { level = \"allow\" }"), []);
}

#[test]
fn a_report_names_the_line_of_the_table() {
    let deny = table("high_dropout_rate = \"deny\"");
    let notes = &reports(&deny, NET)[0].notes;
    let origin = "`#[deny(high_dropout_rate, max = 0.5)]` because of `high_dropout_rate` in Cargo.toml, line 5";
    assert_eq!(notes.last().map(String::as_str), Some(origin));
}

#[test]
fn a_threshold_holds_for_every_model_of_the_crate() {
    assert_eq!(
        found("high_dropout_rate = { level = \"warn\", max = 0.7 }"),
        []
    );
    assert_eq!(
        found("high_dropout_rate = { level = \"warn\", max = 1 }"),
        []
    );
    let at = "high_dropout_rate = { level = \"deny\", max = 0.6 }";
    assert_eq!(found(at), high(Level::Deny));
}

#[test]
fn an_attribute_wins_over_the_table() {
    let allow = table("regularization = \"deny\"");
    let model = NET.replace("Net\n", "#[allow(damper::all)] Net\n");
    assert!(reports(&allow, &model).is_empty());
}

#[test]
fn what_the_table_forbids_no_attribute_lowers() {
    let forbid = table("high_dropout_rate = \"forbid\"");
    let model = |attribute: &str| NET.replace("Net\n", &format!("{attribute} Net\n"));
    let named = reports(&forbid, &model("#[allow(high_dropout_rate)]"));
    let error = named.iter().find(|report| report.lint.is_none());
    let error = error.expect("the attribute is an error");
    assert_eq!(
        error.message,
        "`high_dropout_rate` is forbidden here: no attribute lowers it"
    );
    assert_eq!(
        error.notes,
        ["`high_dropout_rate = \"forbid\"` in Cargo.toml, line 5"]
    );
    // A group passes the rest.
    let group = reports(&forbid, &model("#[allow(damper::all)]"));
    assert_eq!(group.len(), 1);
    assert_eq!(group[0].level, Level::Deny);
}

#[test]
fn groups_stand_without_their_prefix() {
    let feeding = (Level::Deny, "dropout_feeding_head".to_owned());
    assert_eq!(found("regularization = \"allow\""), []);
    assert_eq!(found("\"damper::regularization\" = \"allow\""), []);
    assert_eq!(
        found("strict = \"deny\"\nhigh_dropout_rate = \"allow\""),
        [feeding]
    );
}

/// What was called so before.
#[test]
fn the_british_names_are_read_too() {
    assert_eq!(found("regularisation = \"allow\""), []);
    assert_eq!(found("\"damper::regularisation\" = \"allow\""), []);
    let silenced = |group: &str| {
        let net = NET.replace("Net", &format!("#[allow(damper::{group})] Net"));
        reports(&table("strict = \"warn\""), &net).len()
    };
    assert_eq!(silenced("regularisation"), silenced("regularization"));
    assert_ne!(silenced("regularisation"), silenced("convolution"));
    let saved = r#"{"lint": "damper::normalisation", "level": "allow"}"#;
    let level: damper_ir::LintLevel = serde_json::from_str(saved).unwrap();
    assert_eq!(level.lint, "damper::normalization");
}

#[test]
fn the_higher_priority_wins_and_at_equal_ones_the_name_of_a_lint() {
    let lint = "high_dropout_rate = \"allow\"";
    assert_eq!(
        found(&format!(
            "{lint}\noutput = \"deny\"\nregularization = {{ level = \"warn\", priority = -1 }}"
        ))
        .len(),
        1
    );
    let raised = format!("{lint}\nregularization = {{ level = \"deny\", priority = 1 }}");
    assert_eq!(found(&raised).len(), 2);
    let two = "all = { level = \"allow\", priority = 1 }\nregularization = \"deny\"";
    assert_eq!(found(two), []);
}

/// The reports of a table that is wrong, with their help.
fn wrong(lines: &str) -> Vec<(String, String)> {
    let reports = reports(&table(lines), NET).into_iter();
    let errors = reports.filter(|report| report.lint.is_none());
    errors
        .map(|error| (error.message, error.helps.join(" ")))
        .collect()
}

#[track_caller]
fn assert_wrong(line: &str, message: &str, help: &str) {
    let message = format!("{message} (Cargo.toml, line 5)");
    assert_eq!(wrong(line), [(message, help.to_owned())]);
}

#[test]
fn mistakes_of_the_table_name_their_line() {
    assert_wrong(
        "high_dropout_rat = \"allow\"",
        "no lint is called `high_dropout_rat`",
        "did you mean `high_dropout_rate`?",
    );
    assert_wrong(
        "strikt = \"warn\"",
        "no lint is called `strikt`",
        "did you mean `strict`?",
    );
    assert_wrong(
        "high_dropout_rate = \"wran\"",
        "no level is called `wran`",
        "did you mean `\"warn\"`?",
    );
    assert_wrong(
        "high_dropout_rate = true",
        "`high_dropout_rate` wants a level",
        "`high_dropout_rate = \"warn\"`, or `high_dropout_rate = { level = \"warn\", max = 0.6 }`",
    );
    assert_wrong(
        "high_dropout_rate = { max = 0.6 }",
        "`high_dropout_rate` has no `level`",
        "`high_dropout_rate = { level = \"warn\", max = 0.6 }`",
    );
    assert_wrong(
        "high_dropout_rate = { level = \"warn\", maks = 0.6 }",
        "`high_dropout_rate` has no threshold `maks`",
        "did you mean `max`?",
    );
    assert_wrong(
        "high_dropout_rate = { level = \"warn\", max = \"0.6\" }",
        "the threshold `max` wants a number",
        "`high_dropout_rate = { level = \"warn\", max = 0.6 }`",
    );
    assert_wrong(
        "high_dropout_rate = { level = \"warn\", max = nan }",
        "the threshold `max` wants a number",
        "`high_dropout_rate = { level = \"warn\", max = 0.6 }`",
    );
    assert_wrong(
        "high_dropout_rate = { level = \"allow\", max = 0.6 }",
        "`allow` switches `high_dropout_rate` off: `max` says nothing",
        "`high_dropout_rate = { level = \"warn\", max = 0.6 }`",
    );
    assert_wrong(
        "strict = { level = \"warn\", priority = \"low\" }",
        "`priority` wants a whole number",
        "`strict = { level = \"warn\", priority = -1 }`",
    );
    assert_wrong(
        "shape_mismatch = \"allow\"",
        "`shape_mismatch` cannot be allowed: such a model cannot be built",
        "",
    );
}

#[test]
fn all_mistakes_are_reported_at_the_name_of_the_model() {
    let manifest = table("banana = \"warn\"\nhigh_dropout_rate = 3\nstrict = \"warn\"");
    let reports = reports(&manifest, NET);
    let errors: Vec<&Diagnostic> = reports
        .iter()
        .filter(|report| report.level == Level::Deny)
        .collect();
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| error.place() == (2, 0)));
}

#[test]
fn the_table_may_be_written_in_any_form() {
    let inline = Manifest::parse(
        "package = { name = \"net\", metadata = { damper = { lints = { high_dropout_rate = \"allow\" } } } }",
    );
    assert_eq!(inline.levels.len(), 1);
    let dotted = Manifest::parse("[package]\nmetadata.damper.lints.high_dropout_rate = \"allow\"");
    assert_eq!(dotted.levels.len(), 1);
}

#[test]
fn other_tables_are_no_concern() {
    for text in [
        "",
        "[package]\nmetadata = 3",
        "metadata damper lints = [",
        "[lints]\nworkspace = true",
    ] {
        let manifest = Manifest::parse(text);
        assert!(manifest.levels.is_empty() && manifest.mistakes.is_empty());
    }
    let misspelt = Manifest::parse("[package.metadata.damper.lint]\nlints = 1");
    assert_eq!(
        misspelt.mistakes[0].message,
        "`package.metadata.damper` has no `lint` (Cargo.toml, line 1)"
    );
}

#[test]
fn half_a_table_is_never_a_panic() {
    let text = "[package]\nmetadata.damper.lints = { strict = { level = \"warn\", priority = -1, max = 1e3 }, \"ä\" = \"deny\" }\n[package.metadata.damper.lints]\nhigh_dropout_rate = [[0x7fffffffffffffff, inf], 1979-05-27]";
    for end in text.char_indices().map(|(index, _)| index) {
        let manifest = Manifest::parse(&text[..end]);
        assert!(manifest.levels.len() + manifest.mistakes.len() < 3);
    }
    let deep = format!(
        "[package.metadata.damper.lints]\nstrict = {}",
        "[".repeat(100_000)
    );
    assert!(Manifest::parse(&deep).levels.is_empty());
}

fn write(folder: &Path, text: &str) {
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("Cargo.toml"), text).expect("a file");
}

#[test]
fn the_table_of_the_workspace_is_taken_whole() {
    let root = tempfile::tempdir().expect("a folder");
    let member = root.path().join("crates/net");
    write(
        root.path(),
        "[workspace]\nmembers = [\"crates/*\"]\n[workspace.metadata.damper.lints]\nhigh_dropout_rate = \"allow\"\nbanana = \"warn\"\n",
    );
    write(
        &member,
        "[package]\nname = \"net\"\n[package.metadata.damper.lints]\nworkspace = true\n",
    );
    let manifest = Manifest::of_package(&member);
    let reports = reports(&manifest, NET);
    assert_eq!(reports.len(), 1);
    assert_eq!(
        reports[0].message,
        "no lint is called `banana` (Cargo.toml of the workspace, line 5)"
    );
    let expansion = model_in(tokens(NET), &manifest).to_string();
    assert!(expansion.contains("\"/Cargo.toml\""));
    assert!(expansion.contains("\"/../../Cargo.toml\""));

    write(
        &member,
        "[package]\nworkspace = \"../..\"\n[package.metadata.damper.lints]\nworkspace = true\nstrict = \"warn\"\n",
    );
    let manifest = Manifest::of_package(&member);
    assert_eq!(manifest.levels.len(), 2);
    assert_eq!(
        manifest.mistakes[0].message,
        "`strict` next to `workspace = true` (Cargo.toml, line 5)"
    );
}

#[test]
fn a_package_without_its_workspace_is_no_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        "[package.metadata.damper.lints]\nworkspace = true\n",
    );
    let manifest = Manifest::of_package(folder.path());
    assert!(manifest.levels.is_empty() && manifest.mistakes.is_empty());
}

#[test]
fn a_file_belongs_to_the_nearest_package() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        folder.path(),
        "[package.metadata.damper.lints]\nhigh_dropout_rate = \"deny\"\n",
    );
    let source = folder.path().join("src/model/net.rs");
    assert_eq!(Manifest::of_file(&source).levels.len(), 1);
}

#[test]
fn every_expansion_tracks_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let expand = |manifest| model_in(tokens(NET), &manifest).to_string();
    assert!(!expand(Manifest::of_package(folder.path())).contains("include_bytes"));
    // A table may be added to it.
    write(folder.path(), "[package]\nname = \"net\"\n");
    let expansion = expand(Manifest::of_package(folder.path()));
    assert_eq!(expansion.matches("include_bytes").count(), 1);
}
