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

/// The larger examples of the language's description, and a short form.
#[test]
fn the_architectures_of_the_documentation_are_clean() {
    let models = [
        "model! {
            ResNet<width: usize = 64, depth: usize = 2>
            input image: [3, 32, 32]
            layers with decay(l2 = 5e-4) {
                stem:   conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
                stage1: repeat(depth) {
                    block: residual {
                        conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm -> relu;
                        conv2d(width, kernel = 3, padding = same, bias = false) -> batch_norm;
                    } -> relu;
                } with drop_path(0.0..0.1);
                stage2: residual {
                    conv2d(2 * width, kernel = 3, stride = 2, padding = 1, bias = false) -> batch_norm -> relu;
                    conv2d(2 * width, kernel = 3, padding = same, bias = false) -> batch_norm;
                } shortcut {
                    conv2d(2 * width, kernel = 1, stride = 2, bias = false) -> batch_norm;
                } -> relu;
                pool:   global_avg_pool;
                head:   linear(10);
            }
            loss cross_entropy
        }",
        "model! {
            Sentiment<dim: usize = 128, heads: usize = 4>
            input tokens: [64] of int(vocab = 8000, pad = 0)
            layers {
                embed:   embedding(8000, dim) -> positional(learned) with dropout(0.1);
                encoder: repeat(4) {
                    attend: residual { layer_norm -> attention(heads = heads) with attention_dropout(0.1), dropout(0.1) after attention; };
                    feed:   residual { layer_norm -> linear(4 * dim) -> gelu -> linear(dim) with dropout(0.1) after gelu; };
                } with drop_path(0.0..0.1);
                pool:    layer_norm -> mean(axis = time);
                head:    linear(2);
            }
            loss cross_entropy
            train { optimizer: adamw(lr = 3e-4, weight_decay = 0.01) }
        }",
        "model! {
            Rows
            input image: [28, 28]
            layers {
                rnn:  lstm(128, layers = 2) with variational_dropout(0.25), dropout(0.2);
                last: last_step;
                head: linear(10);
            }
            loss cross_entropy
        }",
        "model! {
            Bert
            input tokens: [64] of int(vocab = 8000, pad = 0)
            layers {
                embed:   embedding(8000, 64) -> positional(learned) -> layer_norm -> dropout(0.1);
                encoder: transformer_encoder(2, heads = 4, ff = 256, dropout = 0.1, norm_first = false);
                pool:    first_step -> linear(64) -> tanh -> dropout(0.1);
                head:    linear(2);
            }
            loss cross_entropy
        }",
    ];
    for model in models {
        let expansion = expand(model);
        for sign in ["compile_error", "deprecated"] {
            let found = expansion
                .find(sign)
                .map(|at| expansion.chars().skip(at).take(400).collect::<String>());
            assert_eq!(found, None, "{model}");
        }
    }
}
