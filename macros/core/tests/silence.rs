//! A help ends in silence: what it says is done to the declaration, and checked again, in at most two rounds.
//!
//! Tried are the lints and shape errors of all declarations of the other tests: pages, fixtures, cases. What a help offers as
//! an alternative (`X, or Y; or Z`) is tried by itself: at least one must apply, and none that applies may lead to another
//! finding.

mod common;

use common::apply::{Found, Offer, applied, count, found, is_shape, offers};
use damper_ir::LINTS;
use std::fs;
use std::path::Path;

/// Helps that ask for a decision: which of two things is kept, what shall be wider, where another value is merged.
const DECISIONS: &[&str] = &[
    // Which kinds are given up is what tuning is for.
    "start with one or two",
    // Another architecture.
    "two convolutions of `kernel = 3` before each pooling",
    // What is in the block is taken apart.
    "move what changes the number of axes out of the block",
    // All rates of a path together.
    "lower rates: `dropout(0.2)`",
];

/// The help is about the end of another statement.
const ANOTHER_VALUE: &str = "an axis of size 1 spreads";

fn is_decision(found: &Found) -> bool {
    found
        .helps
        .iter()
        .any(|help| DECISIONS.contains(&help.as_str()) || help.ends_with(ANOTHER_VALUE))
}

fn sources() -> Vec<(String, String)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = ["diagnostics", "cases"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(here.join(folder)).expect("the folder is there"));
    let mut all: Vec<(String, String)> = files
        .map(|entry| entry.expect("it can be read").path())
        .map(|path| {
            let name = path
                .file_stem()
                .expect("it has a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(&path).expect("it can be read"))
        })
        .filter(|(name, _)| !name.ends_with("-good"))
        .map(|(name, text)| (name, inside(&text)))
        .collect();
    all.extend(
        LINTS
            .iter()
            .map(|lint| (lint.name.to_owned(), inside(&lint.examples()[0]))),
    );
    let kinds = common::found::FOUND.iter().enumerate();
    all.extend(kinds.map(|(index, (lint, text))| {
        (format!("{lint}, row {index}"), text.replace(['«', '»'], ""))
    }));
    all.sort();
    all
}

/// What stands in the `model!`, if the text has one.
fn inside(text: &str) -> String {
    let Some((_, inside)) = text.split_once("model! {\n") else {
        return text.to_owned();
    };
    let (inside, _) = inside.rsplit_once('}').expect("its brace is closed");
    inside.to_owned()
}

/// The declaration after so many rounds in which the first offer of each finding is done, and what is left of it.
fn mended(source: &str, rounds: usize) -> (String, Vec<Found>) {
    let mut source = source.to_owned();
    let mut left = found(&source);
    for _ in 0..rounds {
        for _ in 0..left.len() {
            let next = found(&source).into_iter().find_map(|found| {
                let offers: Vec<Offer> = found.helps.iter().flat_map(|help| offers(help)).collect();
                offers
                    .iter()
                    .find_map(|offer| applied(&source, &found, offer))
            });
            let Some(next) = next else { break };
            source = next;
        }
        left = found(&source);
        if left.is_empty() {
            break;
        }
    }
    (source, left)
}

#[test]
fn every_help_ends_in_silence() {
    let (mut wrong, mut done) = (Vec::new(), 0);
    for (name, source) in sources() {
        let all = found(&source);
        // Where the language itself is not right, nothing is judged.
        if all.iter().any(|found| !found.is_lint) {
            continue;
        }
        for one in &all {
            let Some(help) = one.helps.first() else {
                wrong.push(format!("{name}: no help for {}", one.message));
                continue;
            };
            if is_decision(one) {
                continue;
            }
            let mut any = false;
            for offer in offers(help) {
                let Some(edited) = applied(&source, one, &offer) else {
                    continue;
                };
                any = true;
                done += 1;
                // The other findings of the declaration have helps of their own.
                let after = found(&edited);
                let fresh = after
                    .iter()
                    .find(|found| count(&all, &found.kind) < count(&after, &found.kind));
                // No lint runs where shapes do not fit: what comes then was there before.
                let fresh = fresh.filter(|_| !is_shape(&one.kind));
                // A help shows numbers: the hyper-parameter in whose place one stands is read no more.
                let fresh = fresh.filter(|fresh| fresh.kind != "unused_hyper_parameter");
                if let Some(fresh) = fresh {
                    wrong.push(format!(
                        "{name}: `{help}` leads to {}: {}\n{edited}",
                        fresh.kind, fresh.message
                    ));
                }
            }
            if !any {
                wrong.push(format!("{name} ({}): nothing comes of `{help}`", one.kind));
            }
        }
        let hidden = all.iter().any(|found| is_shape(&found.kind));
        let (_, left) = mended(&source, 2 + usize::from(hidden));
        // What is decided may change what the others are about.
        let decides = all.iter().any(is_decision);
        if !decides && left.iter().any(|found| !is_decision(found)) {
            wrong.push(format!(
                "{name}: after two rounds {:?}",
                left.iter().map(|found| &found.kind).collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(done > 100, "{done} offers");
}

#[test]
fn what_the_user_wanted_is_still_there() {
    let stacked = [
        ("18-dropout-after-sigmoid-bad", "lstm(50)", 2),
        ("19-stacked-lstm-bad", "lstm(100)", 2),
        ("steps_flattened", "gru(16)", 1),
        ("steps_averaged", "attention(heads = 2)", 1),
        ("16-channels-last-bad", "conv2d(32, kernel = 3)", 2),
        ("48-sktime-cnn-mse-bad", "linear(5)", 1),
    ];
    let sources = sources();
    for (name, layer, times) in stacked {
        let (_, source) = sources
            .iter()
            .find(|(other, _)| other == name)
            .expect("a source");
        let (after, left) = mended(source, 3);
        assert!(left.is_empty(), "{name}: {left:#?}");
        assert_eq!(after.matches(layer).count(), times, "{name}:\n{after}");
        // A sequence of one step is none.
        assert!(!after.contains("reshape([1,"), "{name}:\n{after}");
    }
}
