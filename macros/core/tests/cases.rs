//! Declarations as people had them, and as they were mended: `fixtures/cases/NN-name-bad.rs` and `-good.rs`.
//!
//! Of each bad one, something is reported at a line that the mending changes; `snapshots/cases__NAME.snap` shows what. The
//! good one is silent.

mod common;

use common::{draw, understood};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What only the data can tell: columns that are not scaled.
const OF_DATA: &str = "49-unscaled-sgd";

/// Dropout behind the last batch norm does little harm, and is denied all the same: the `allow` that its page names.
const ALLOWED: (&str, &str) = (
    "46-dropout-twice-around-bn",
    "#[allow(dropout_with_batch_norm, reason = \"after the last batch norm\")]",
);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases")
}

/// The names of all cases, without `-bad.rs`.
fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("the folder is there");
    let names: BTreeSet<String> = files
        .map(|entry| entry.expect("it can be read").file_name())
        .filter_map(|name| Some(name.to_str()?.strip_suffix("-bad.rs")?.to_owned()))
        .collect();
    names.into_iter().collect()
}

/// What stands between the braces of `model!`.
fn source(name: &str, which: &str) -> String {
    let path = folder().join(format!("{name}-{which}.rs"));
    let text = fs::read_to_string(path).expect("it can be read");
    let (_, inside) = text.split_once("model! {\n").expect("a model");
    let (inside, _) = inside.rsplit_once('}').expect("its brace is closed");
    inside.to_owned()
}

#[test]
fn a_bad_one_is_found_at_the_line_that_is_mended() {
    let mut wrong = Vec::new();
    for name in names() {
        let (bad, good) = (source(&name, "bad"), source(&name, "good"));
        if name == OF_DATA {
            continue;
        }
        let drawn = draw(&bad);
        let (lines, mended): (Vec<&str>, Vec<&str>) =
            (bad.lines().collect(), good.lines().collect());
        assert_eq!(lines.len(), mended.len(), "{name}");
        let (reports, _) = understood(&bad);
        // Sources begin on line 2.
        let mut places = reports
            .iter()
            .map(|report| report.ends.0.start().line.wrapping_sub(2));
        let at_the_line = places.any(|line| lines.get(line) != mended.get(line));
        if !at_the_line {
            wrong.push(format!("{name}:\n{drawn}"));
        }
        let snapshot = name.replace('-', "_");
        let result = std::panic::catch_unwind(|| insta::assert_snapshot!(snapshot, drawn));
        if result.is_err() {
            wrong.push(format!("{name}: the snapshot has changed"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_good_one_is_silent() {
    let mut wrong = Vec::new();
    for name in names() {
        let mut good = source(&name, "good");
        if name == ALLOWED.0 {
            assert!(draw(&good).contains(ALLOWED.1), "the help names it");
            good = format!("{}\n{good}", ALLOWED.1);
        }
        let drawn = draw(&good);
        if drawn != "no reports\n" {
            wrong.push(format!("{name}:\n{drawn}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
