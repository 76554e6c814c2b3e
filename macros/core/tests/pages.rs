//! Every lint has a page and every page a lint; what a page shows as wrong is found, and its fix is clean.

use damper_ir::{LINTS, Level, Lint};
use proc_macro2::TokenStream;

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
fn names_are_unique() {
    let mut names: Vec<&str> = LINTS.iter().map(|lint| lint.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), LINTS.len());
}

#[test]
fn a_page_has_all_sections() {
    for lint in LINTS {
        for section in ["# Why", "# Fix", "# When to allow it"] {
            let found = lint.page().lines().any(|line| line == section);
            assert!(found, "`{}` has no section `{section}`", lint.name);
        }
    }
}

/// Whether no attribute changes the level: the page says so.
fn is_fixed(lint: &Lint) -> bool {
    lint.page()
        .lines()
        .any(|line| line.ends_with("attribute itself is an error."))
}

#[test]
fn the_example_of_a_page_fails() {
    let silent: Vec<&str> = LINTS
        .iter()
        .filter(|lint| !is_fixed(lint))
        .filter(|lint| {
            let level = if lint.default_level == Level::Deny {
                "deny"
            } else {
                "warn"
            };
            // Behind the name stand the thresholds.
            let found = format!("[{level}({}", lint.name);
            let expansion = expand(&lint.examples()[0]);
            ![")]", ", "]
                .iter()
                .any(|end| expansion.contains(&format!("{found}{end}")))
        })
        .map(|lint| lint.name)
        .collect();
    assert!(
        silent.is_empty(),
        "not found in the examples of their pages: {silent:?}"
    );
}

#[test]
fn what_no_model_can_have_cannot_be_allowed() {
    let fixed: Vec<&Lint> = LINTS.iter().filter(|lint| is_fixed(lint)).collect();
    assert_eq!(fixed.len(), 3);
    for lint in fixed {
        let [wrong, right] = lint.examples();
        assert!(
            expand(&wrong).contains("compile_error"),
            "`{}` is silent",
            lint.name
        );
        let allowed = right.replace(
            "    Net\n",
            &format!("    #[allow({})]\n    Net\n", lint.name),
        );
        assert!(
            expand(&allowed).contains("cannot be allowed"),
            "`{}` can be allowed",
            lint.name
        );
    }
}

#[test]
fn the_fix_of_a_page_is_clean() {
    let faulty: Vec<(&str, String)> = LINTS
        .iter()
        .map(|lint| (lint.name, expand(&lint.examples()[1])))
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

#[test]
fn the_groups_of_the_readme_are_those_of_the_catalogue() {
    let readme = include_str!("../../../README.md");
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `damper::"));
    let mut groups: Vec<&str> = Vec::new();
    for row in rows {
        // What stands between backticks: the rest of the group's name, then lints.
        let mut words = row.split('`').step_by(2);
        let group = words.next().unwrap_or_default();
        groups.push(group);
        for name in words {
            let lint = Lint::find(name).unwrap_or_else(|| panic!("no lint is called `{name}`"));
            assert_eq!(lint.group.word(), group, "`{name}`");
        }
    }
    assert_eq!(groups, damper_ir::Group::ALL.map(damper_ir::Group::word));
}
