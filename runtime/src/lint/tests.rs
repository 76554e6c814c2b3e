//! Every lint has a page and every page a lint; what a page shows as wrong is found, and its fix is clean.

use super::{Page, convolution, dropout, normalisation, output, structure, training};
use damper_spec::{LINTS, Level};
use proc_macro2::TokenStream;
use std::collections::BTreeSet;

fn pages() -> impl Iterator<Item = &'static Page> {
    [
        output::PAGES,
        dropout::PAGES,
        normalisation::PAGES,
        structure::PAGES,
        convolution::PAGES,
        training::PAGES,
    ]
    .into_iter()
    .flatten()
}

impl Page {
    /// The level that the first line says.
    fn level(&self) -> Option<Level> {
        match self.lines[0].split("**").nth(1)? {
            "allow" => Some(Level::Allow),
            "warn" => Some(Level::Warn),
            "deny" => Some(Level::Deny),
            _ => None,
        }
    }

    /// The two declarations: the example that fails, and the fix.
    fn models(&self) -> [String; 2] {
        let text = self.lines.join("\n");
        let mut blocks = text.split("```").skip(1).step_by(2);
        [(); 2].map(|()| {
            blocks
                .next()
                .unwrap_or_default()
                .trim_start_matches("text")
                .to_owned()
        })
    }
}

/// What the macro makes of a declaration, as text.
fn expand(model: &str) -> String {
    let body = model
        .trim()
        .trim_start_matches("model! {")
        .trim_end_matches('}');
    let tokens: TokenStream = format!("::damper, {body}")
        .parse()
        .expect("the example is made of tokens");
    damper_macros_core::model(tokens).to_string()
}

#[test]
fn every_lint_has_a_page_and_every_page_a_lint() {
    let lints: BTreeSet<&str> = LINTS.iter().map(|lint| lint.name).collect();
    let pages: BTreeSet<&str> = pages().map(|page| page.name).collect();
    let missing: Vec<_> = lints.difference(&pages).collect();
    let unknown: Vec<_> = pages.difference(&lints).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "without a page: {missing:?}; without a lint: {unknown:?}"
    );
}

#[test]
fn a_page_begins_with_the_default_level() {
    for page in pages() {
        let lint = LINTS.iter().find(|lint| lint.name == page.name);
        assert_eq!(
            page.level(),
            lint.map(|lint| lint.default_level),
            "`{}`",
            page.name
        );
    }
}

#[test]
fn a_page_has_all_sections() {
    for page in pages() {
        for section in ["# Why", "# Fix", "# When to allow it"] {
            let found = page.lines.iter().any(|line| line.trim() == section);
            assert!(found, "`{}` has no section `{section}`", page.name);
        }
    }
}

/// Whether no attribute changes the level: the page says so.
fn is_fixed(page: &Page) -> bool {
    page.lines
        .iter()
        .any(|line| line.ends_with("attribute itself is an error."))
}

#[test]
fn the_example_of_a_page_fails() {
    let silent: Vec<&str> = pages()
        .filter(|page| !is_fixed(page))
        .filter(|page| {
            let level = if page.level() == Some(Level::Deny) {
                "deny"
            } else {
                "warn"
            };
            !expand(&page.models()[0]).contains(&format!("[{level}({})]", page.name))
        })
        .map(|page| page.name)
        .collect();
    assert!(
        silent.is_empty(),
        "not found in the examples of their pages: {silent:?}"
    );
}

#[test]
fn what_no_model_can_have_cannot_be_allowed() {
    let fixed: Vec<&Page> = pages().filter(|page| is_fixed(page)).collect();
    assert_eq!(fixed.len(), 3);
    for page in fixed {
        let [wrong, right] = page.models();
        assert!(
            expand(&wrong).contains("compile_error"),
            "`{}` is silent",
            page.name
        );
        let allowed = right.replace(
            "    Net\n",
            &format!("    #[allow({})]\n    Net\n", page.name),
        );
        assert!(
            expand(&allowed).contains("cannot be allowed"),
            "`{}` can be allowed",
            page.name
        );
    }
}

#[test]
fn the_fix_of_a_page_is_clean() {
    let faulty: Vec<(&str, String)> = pages()
        .map(|page| (page.name, expand(&page.models()[1])))
        .filter(|(_, expansion)| {
            expansion.contains("compile_error") || expansion.contains("deprecated")
        })
        .map(|(name, expansion)| (name, expansion.chars().take(600).collect()))
        .collect();
    assert!(faulty.is_empty(), "{faulty:#?}");
}
