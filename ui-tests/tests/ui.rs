//! Wrong declarations: rustc's words for each are in the `.stderr` beside it.

#[test]
#[rustversion::attr(
    not(stable(1.95)),
    ignore = "the expected texts are those of rustc 1.95"
)]
fn mistakes_are_reported_where_they_stand() {
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}

/// The README shows a mistake in its first model and what rustc says of it: that is the case `readme`.
#[test]
fn the_readme_quotes_rustc() {
    let readme = include_str!("../../README.md");
    let case = include_str!("../ui/lint/readme.rs");
    let said = include_str!("../ui/lint/readme.stderr").replace("ui/lint/readme.rs", "src/main.rs");
    let right = case
        .replace("head: linear(10) with dropout(0.5);", "head: linear(10);")
        .replace("\nfn main() {}\n", "");
    assert!(
        readme.contains(&right),
        "the model is not the README's:\n{right}"
    );
    assert!(
        readme.contains(said.trim()),
        "the README does not quote:\n{said}"
    );
}

/// It shows what rustc says of the model of burn's guide, too: that is the case `burn_guide`.
#[test]
fn the_readme_quotes_rustc_on_burns_guide() {
    let readme = include_str!("../../README.md");
    let case = include_str!("../ui/lint/burn_guide.rs");
    let said = include_str!("../ui/lint/burn_guide.stderr")
        .replace("ui/lint/burn_guide.rs", "src/main.rs");
    let start = case.find("model! {").unwrap();
    let end = case.find("\nfn main() {}").unwrap();
    assert!(
        readme.contains(case[start..end].trim()),
        "the model is not the README's:\n{}",
        &case[start..end]
    );
    assert!(
        readme.contains(said.trim()),
        "the README does not quote:\n{said}"
    );
}
