//! What each command says of the examples of this repository.

#![allow(
    clippy::format_collect,
    reason = "texts of thousands of lines are written once"
)]

use cargo_damper::{Drawing, Error, Format, check, expand, explain, graph, markdown, summary};
use damper_ir::LINTS;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

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
    let text = summary("digits.rs", DIGITS, None)?;
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

/// `DAMPER_UPDATE=1` writes it anew.
#[test]
fn the_document_of_the_language_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/LANGUAGE.md");
    let made = cargo_damper::language::markdown();
    if std::env::var_os("DAMPER_UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), made);
}

/// `DAMPER_UPDATE=1` writes it anew.
#[test]
fn the_readme_has_every_word() {
    const BEGIN: &str = "<!-- words: made from the tables in ir/src -->\n";
    const END: &str = "<!-- end of words -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let made = format!(
        "{before}{BEGIN}{}{END}{after}",
        cargo_damper::language::table()
    );
    if std::env::var_os("DAMPER_UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), made);
}

const TWO: &str = "damper::model! { A input x: [4] layers { head: linear(2); } loss mse }
damper::model! { B input x: [4] layers { head: linear(3); } loss mse }";

#[test]
fn one_model_of_several() -> Result<(), Error> {
    let both = summary("two.rs", TWO, None)?;
    assert!(both.contains("10 parameters") && both.contains("15 parameters"));
    let second = summary("two.rs", TWO, Some("B"))?;
    assert!(second.starts_with("B\n") && !second.contains("10 parameters"));
    let error = summary("two.rs", TWO, Some("C")).expect_err("no such model");
    assert_eq!(
        error.to_string(),
        "`two.rs` has no model `C`; it has `A`, `B`"
    );
    let error = graph("two.rs", TWO, None, Drawing::Svg).expect_err("which one?");
    assert_eq!(
        error.to_string(),
        "`two.rs` has several models, choose one with `--model`: `A`, `B`"
    );
    Ok(())
}

#[test]
fn a_model_is_drawn() -> Result<(), Error> {
    let drawn = |drawing| graph("digits.rs", DIGITS, None, drawing);
    let svg = drawn(Drawing::Svg)?;
    assert!(
        svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    assert!(drawn(Drawing::Dot)?.starts_with("digraph \"Digits\" {\n"));
    assert!(drawn(Drawing::Mermaid)?.starts_with("flowchart TD\n"));
    Ok(())
}

#[test]
fn an_expansion_reads_like_a_source() -> Result<(), Error> {
    let text = expand("two.rs", TWO, Some("A"))?;
    assert!(
        text.contains("\n    /// | layer | operation | output |"),
        "{text}"
    );
    assert!(text.contains("\n        pub fn forward("), "{text}");
    assert!(!text.contains("__hints"), "{text}");
    assert!(!text.contains("struct B"), "{text}");
    Ok(())
}

/// The binary with these arguments, and this on its standard input.
fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-damper"))
        .arg("damper")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

const WRONG: &str =
    "damper::model! { Net input x: [4] layers { head: linear(2) -> softmax; } loss cross_entropy }";

#[test]
fn the_exit_code_says_what_was_found() {
    let clean = run(&["check", "-"], TWO);
    assert_eq!(
        (clean.status.code(), clean.stdout.as_slice()),
        (Some(0), &b""[..])
    );
    let wrong = run(&["check", "-"], WRONG);
    let text = String::from_utf8(wrong.stdout).unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text.starts_with("error[damper::softmax_before_logits_loss]: "),
        "{text}"
    );
    assert!(
        text.ends_with("\nerror: 1 error and 0 warnings in 1 model\n"),
        "{text}"
    );
    let nothing = run(&["check", "-"], "fn main() {}");
    let text = String::from_utf8(nothing.stderr).unwrap();
    assert_eq!(nothing.status.code(), Some(2));
    assert_eq!(text, "error: `-` has no `model! { .. }`\n");
}

#[test]
fn what_cannot_be_read_hides_nothing_of_the_other_files() {
    let empty = concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs");
    let found = run(&["check", "no/such/file.rs", empty, "-"], WRONG);
    let (text, errors) = (
        String::from_utf8(found.stdout).unwrap(),
        String::from_utf8(found.stderr).unwrap(),
    );
    assert_eq!(found.status.code(), Some(2));
    assert!(
        text.contains("damper::softmax_before_logits_loss"),
        "{text}"
    );
    assert!(
        errors.starts_with("error: cannot read `no/such/file.rs`: "),
        "{errors}"
    );
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

/// A macro shows sixteen errors; here nothing is left out.
#[test]
fn all_reports_are_shown() -> Result<(), Error> {
    let layers: Vec<String> = (0..40).map(|n| format!("l{n}: linaer({n});")).collect();
    let layers = layers.concat();
    let source = format!("damper::model! {{ Net input x: [4] layers {{ {layers} }} loss mse }}");
    assert_eq!(check("a.rs", &source, Format::Json)?.errors, 40);
    Ok(())
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-damper"))
        .args(["lints", "--markdown"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

/// Ten thousand of each thing that a declaration can have many of: what is looked at once for each pair is felt here.
#[test]
fn long_sources_are_read_to_their_end() -> Result<(), Error> {
    const MANY: usize = 10_000;
    let all = |one: &dyn Fn(usize) -> String, between: &str| -> String {
        (0..MANY).map(one).collect::<Vec<_>>().join(between)
    };
    let letters = "q".repeat(140);
    let model = |hyper: &str, layers: &str| {
        format!(
            "model! {{ Net{hyper} input x: [4] layers {{ {layers} head: linear(2); }} loss mse }}"
        )
    };
    let drops = all(&|_| "dropout(0.1)".to_owned(), ", ");
    let decays = all(&|_| "decay(l2 = 0.1)".to_owned(), ", ");
    let hypers = all(&|n| format!("h{n}: usize = 3"), ", ");
    let words = all(&|n| format!("{letters}{n:010}"), " -> ");
    let names = all(
        &|n| format!("x{n}: from({letters}{n:010}) -> linear(2);"),
        " ",
    );
    let misspelt = all(&|n| format!("x{n}: linear({letters}{n:010});"), " ");
    for (source, reports) in [
        (
            model("", &format!("a: linear(2) -> relu with {drops};")),
            MANY - 1,
        ),
        (
            model("", &format!("a: linear(2) -> relu with {decays};")),
            MANY - 1,
        ),
        (model(&format!("<{hypers}>"), ""), MANY),
        (model("", &format!("a: linear(2) -> {words};")), MANY),
        (model("", &names), MANY),
        (model("", &misspelt), 1),
    ] {
        // With the text for people inside.
        let report = check("long.rs", &source, Format::Json)?;
        let found = report.errors + report.warnings;
        let start = &source[..60];
        assert!(found >= reports, "{found} reports, {start}");
        // A hundred are shown, each with its line.
        assert!(report.text.len() < 400 * (source.len() + 2_000), "{start}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = std::env::temp_dir().join(format!("cargo-damper-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("pipe.rs");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let long = folder.join("long.rs");
    let file = std::fs::File::create(&long).unwrap();
    file.set_len(10_000_000_000).unwrap();
    for (path, reason) in [
        (
            pipe.to_str().unwrap(),
            "it is not a file\nhelp: `-` reads the standard input",
        ),
        (
            "/dev/zero",
            "it is not a file\nhelp: `-` reads the standard input",
        ),
        (
            folder.to_str().unwrap(),
            "it is not a file\nhelp: `-` reads the standard input",
        ),
        (long.to_str().unwrap(), "it has more than 32 MiB"),
    ] {
        let found = run(&["check", path], "");
        let text = String::from_utf8(found.stderr).unwrap();
        assert_eq!(found.status.code(), Some(2));
        assert_eq!(text, format!("error: cannot read `{path}`: {reason}\n"));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_model_of_too_many_operations_blames_no_repeat_that_is_not_there() -> Result<(), Error> {
    let layers: String = (0..50_001)
        .map(|n| format!("l{n}: linear(4) -> relu;"))
        .collect();
    let source = format!("model! {{ Net input x: [4] layers {{ {layers} }} loss mse }}");
    let text = check("a.rs", &source, Format::Human)?.text;
    assert!(
        text.starts_with("error: the model has 100002 operations, it may have 100000"),
        "{}",
        &text[..200]
    );
    Ok(())
}
