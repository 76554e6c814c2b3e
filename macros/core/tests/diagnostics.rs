//! What is reported, where, and how often. `fixtures/diagnostics/NAME.rs` is one mistake each, drawn in
//! `snapshots/diagnostics__NAME.snap`.

mod common;

use common::{PATH, draw, understood};
use damper_ir::Level;
use damper_macros_core::diag::{Diagnostic, MAX};
use proc_macro2::{TokenStream, TokenTree};
use std::fs;
use std::path::Path;

const DIGITS: &str = include_str!("fixtures/models/digits.rs");
const RESIDUAL: &str = include_str!("fixtures/models/residual.rs");
const SOURCES: [&str; 6] = [
    DIGITS,
    RESIDUAL,
    include_str!("fixtures/models/sentiment.rs"),
    include_str!("fixtures/expand/parallel.rs"),
    include_str!("fixtures/expand/convolution.rs"),
    include_str!("fixtures/expand/padded_sequence.rs"),
];

#[test]
fn mistakes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diagnostics");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .map(|path| {
            path.file_stem()
                .expect("it has a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert!(names.len() > 60);
    let mut failed = Vec::new();
    for name in names {
        let path = format!(
            "{}/tests/fixtures/diagnostics/{name}.rs",
            env!("CARGO_MANIFEST_DIR")
        );
        let drawn = draw(&fs::read_to_string(path).expect("it can be read"));
        assert_ne!(drawn, "no reports\n", "{name} has no mistake");
        let result = std::panic::catch_unwind(|| insta::assert_snapshot!(name.clone(), drawn));
        if result.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "changed: {failed:?}");
}

/// A model around some layers.
fn around(layers: &str) -> String {
    format!("Net<hidden: usize = 8, rate: f64 = 0.1>\ninput x: [4]\nlayers {{\n{layers}\n}}\n")
}

fn errors(source: &str) -> Vec<Diagnostic> {
    understood(source)
        .0
        .into_iter()
        .filter(|report| report.level == Level::Deny)
        .collect()
}

#[test]
fn an_error_stands_at_the_tokens_it_is_about() {
    let cases = [
        ("a: linaer(hidden * rate as usize) -> relu;", "linaer"),
        ("a: linear(0.5);", "0.5"),
        ("a: linear(-3);", "-3"),
        ("a: linear(rate);", "rate"),
        ("a: linear(hidden - 20);", "hidden - 20"),
        ("a: linear(hidden / 0);", "hidden / 0"),
        ("a: linear(8, bias = 1);", "1"),
        ("a: linear(8, bais = true);", "bais"),
        ("a: linear(8, 9);", "9"),
        ("a: linear(8, bias = true, bias = false);", "bias = false"),
        ("a: linear;", "linear"),
        ("a: linear(8) -> relu(1);", "1"),
        ("a: linear(8) with dropout(\"x\");", "\"x\""),
        ("a: linear(8) -> relu with dropout(0.1) after rleu;", "rleu"),
        (
            "a: linear(8) -> relu -> linear(8) -> relu with dropout(0.1) after relu;",
            "relu",
        ),
        ("a: relu with decay(l2 = 0.1);", "decay(l2 = 0.1)"),
        ("a: linear(8) with decay(0.1);", "0.1"),
        ("a: linear(8) with decay(l2 = 0.1) on weights;", "weights"),
        ("a: linear(8) with dropout(0.1) on all;", "all"),
        ("match: linear(8);", "match"),
        ("hidden: linear(8);", "hidden"),
        ("x: linear(8);", "x"),
        ("linear(8);", "linear(8)"),
        ("a: conv2d(8);", "conv2d(8)"),
        ("a: linear(8) => relu;", "="),
        ("a: residual { linear(4) ->; };", ";"),
    ];
    for (layers, needle) in cases {
        let source = around(layers);
        let found = errors(&source);
        let texts: Vec<String> = found.iter().map(Diagnostic::text).collect();
        assert_eq!(found.len(), 1, "`{layers}`: {texts:#?}");
        let (start, end) = (found[0].ends.0.start().column, found[0].ends.1.end().column);
        assert_eq!(&layers[start..end], needle, "{texts:#?}");
        // Names are repeated behind `after`, numbers within other numbers: the last one is meant.
        let first = matches!(needle, "x" | "hidden" | "linear" | ";");
        let place = if first {
            layers.find(needle)
        } else {
            layers.rfind(needle)
        };
        assert_eq!(Some(start), place, "{texts:#?}");
    }
}

#[test]
fn one_mistake_gives_one_error() {
    for word in [
        "linear",
        "relu",
        "dropout",
        "decay",
        "input",
        "layers",
        "loss",
        "cross_entropy",
    ] {
        let broken = DIGITS.replacen(word, "banana", 1);
        let found = errors(&broken);
        let missing = if word == "input" || word == "layers" {
            2
        } else {
            1
        };
        let texts: Vec<String> = found.iter().map(Diagnostic::text).collect();
        assert!(
            !found.is_empty() && found.len() <= missing,
            "`{word}`: {texts:#?}"
        );
    }
}

#[test]
fn several_broken_statements_give_several_errors() {
    let source =
        around("a: linaer(8);\nb: linear();\nc: linear(8) ->;\nd: linear(8) relu;\ne: linear(8);");
    let lines: Vec<usize> = errors(&source)
        .iter()
        .map(|error| error.place().0 - 4)
        .collect();
    assert_eq!(lines, [1, 2, 3, 4]);
}

#[test]
fn more_than_the_cap_is_counted() {
    let layers: Vec<String> = (0..MAX + 4)
        .map(|index| format!("a{index}: banana(1);"))
        .collect();
    let source = around(&layers.join("\n"));
    assert_eq!(errors(&source).len(), MAX + 4);
    let tokens: TokenStream = format!("{PATH}\n{source}")
        .parse()
        .expect("the source has tokens");
    let expansion = damper_macros_core::model(tokens).to_string();
    assert!(expansion.contains("4 more mistakes"));
    assert_eq!(expansion.matches("unknown layer").count(), MAX);
}

#[test]
fn warnings_do_not_crowd_out_errors() {
    let hyper: Vec<String> = (0..MAX + 4)
        .map(|index| format!("h{index}: usize = 1"))
        .collect();
    let source = format!(
        "Net<{}>\ninput x: [4]\nlayers {{ a: linaer(8); }}\n",
        hyper.join(", ")
    );
    assert_eq!(errors(&source).len(), 1);
}

/// The source up to every token, also within its groups; open groups are closed.
fn half_typed(tokens: TokenStream, act: &mut dyn FnMut(TokenStream)) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for end in 0..=trees.len() {
        act(trees[..end].iter().cloned().collect());
        if let Some(TokenTree::Group(group)) = trees.get(end) {
            let (delimiter, before) = (group.delimiter(), trees[..end].to_vec());
            half_typed(group.stream(), &mut |part| {
                let part = TokenTree::Group(proc_macro2::Group::new(delimiter, part));
                act(before.iter().cloned().chain([part]).collect());
            });
        }
    }
}

#[track_caller]
fn assert_rust(expansion: &TokenStream) {
    if let Err(error) = syn::parse2::<syn::File>(expansion.clone()) {
        panic!("{error} in {:.2000}", expansion.to_string());
    }
}

#[test]
fn half_typed_models_are_reported_and_never_panic() {
    for source in SOURCES {
        let tokens: TokenStream = format!("{PATH}\n{source}")
            .parse()
            .expect("the source has tokens");
        let mut count = 0;
        half_typed(tokens, &mut |part| {
            let expansion = damper_macros_core::model(part);
            assert!(!expansion.is_empty());
            assert_rust(&expansion);
            count += 1;
        });
        assert!(count > 100);
    }
}

#[test]
fn scrambled_models_never_panic() {
    for source in SOURCES {
        let tokens: TokenStream = format!("{PATH}\n{source}")
            .parse()
            .expect("the source has tokens");
        // The path of the runtime is not the user's.
        for drop in 4..400 {
            let mut index = 0;
            let scrambled = without(tokens.clone(), drop, &mut index);
            let expansion = damper_macros_core::model(scrambled);
            assert_rust(&expansion);
        }
    }
}

/// The tokens without the one of this number, counted through all groups.
fn without(tokens: TokenStream, drop: usize, index: &mut usize) -> TokenStream {
    let mut out = TokenStream::new();
    for tree in tokens {
        *index += 1;
        if *index - 1 == drop {
            continue;
        }
        out.extend([match tree {
            TokenTree::Group(group) => {
                let inner = without(group.stream(), drop, index);
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner))
            }
            tree => tree,
        }]);
    }
    out
}
