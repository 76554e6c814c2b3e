//! A `help:` can be pasted: what stands in backticks there is a piece of the language.

mod common;

use damper_ir::{LINTS, Lint};
use damper_macros_core::words;
use std::fs;
use std::path::Path;

fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diagnostics");
    let files = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            let path = entry.expect("it can be read").path();
            let text = fs::read_to_string(&path).expect("it can be read");
            (
                path.file_stem()
                    .expect("it has a name")
                    .to_string_lossy()
                    .into_owned(),
                text,
            )
        });
    let pages = LINTS
        .iter()
        .map(|lint| (lint.name.to_owned(), wrong_example(lint)));
    files.chain(pages).collect()
}

/// What stands in the `model!` of the page's first example.
fn wrong_example(lint: &Lint) -> String {
    let [wrong, _] = lint.examples();
    let (_, inside) = wrong.split_once("model! {").expect("an example is a model");
    let (inside, _) = inside.rsplit_once('}').expect("its brace is closed");
    inside.to_owned()
}

/// Helps that are sentences: what to take away or to choose has no code of its own.
const SENTENCES: &[&str] = &[
    "keep one of them",
    "another name, or one declaration",
    "another default, or a divisor that is never 0",
    "a larger default, or less to subtract",
    "a value within it, or a wider domain",
    "a wider layer, or no dropout here",
    "remove it, or drop earlier",
    "leave it out",
    "leave it out: the batch axis is implied",
    "leave it out: what comes in is known",
    "remove one of them",
    "remove the attribute",
    "start with one or two",
    "one weight for each unit of the output",
    "remove it, and keep it on layers that no norm follows",
    "the larger kernel for both, or the smaller one twice",
    "larger sizes, or less to subtract",
    "a divisor that is never 0",
    "smaller sizes",
    "a value with these axes, or another block",
    "move what changes the number of axes out of the block",
    "declare it above this block",
    "another name for the number of a copy",
    "a number, a constant, or a layer of the language",
    "write it in the model",
    "16 channels or more",
    "32 channels or more",
];

/// What stands in backticks; without them, the whole line is code.
fn pieces(help: &str) -> Vec<&str> {
    let quoted: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
    match quoted.is_empty() {
        true if SENTENCES.contains(&help) => Vec::new(),
        true => vec![help],
        false => quoted,
    }
}

/// What a reader puts in the place of `..`, and `conv1d/2d/3d` is three words.
fn spelled_out(piece: &str) -> String {
    let filled = piece
        .replace("parallel { .. }", "parallel { a: ..; b: ..; }")
        .replace(
            "layers with decay(l2 = 0.01) { .. }",
            "layers with decay(l2 = 0.01) { s: linear(4); }",
        )
        .replace("{ .. }", "{ linear(4); }")
        .replace(": ..;", ": linear(4);")
        .replace("add(.., ", "add(s, ")
        .replace("_1: ..", "_1: linear(4)");
    filled
        .split('/')
        .next()
        .filter(|word| word.ends_with("1d"))
        .unwrap_or(&filled)
        .to_owned()
}

/// Places of a model in which a piece may stand.
const FRAMES: &[&str] = &[
    "layers { s: …; }",
    "layers { s: … -> flatten -> linear(2); }",
    "layers { s: linear(8) …; }",
    "layers { s: linear(8) -> relu …; }",
    "layers { s: linear(8) … }",
    "layers { s: linear(8) -> relu with …; }",
    "layers { … }",
    "layers { …; }",
    "layers { a: linear(8); b: from(x) -> linear(8); … }",
    "layers { a: linear(8); b: from(x) -> linear(8); name: add(a, b); c: from(b) -> relu; d: from(name) -> relu; s: …; }",
    "layers { …(8); }",
    "layers { wide: linear(8); s: linear(8); out: …; }",
    "layers { s: residual { linear(32); } …; }",
    "layers { s: conv2d(8, kernel = 3, …) -> relu; }",
    "layers { s: conv1d(8, kernel = 3, …) -> relu; }",
    "layers { s: to_sequence -> attention(heads = 1) with …; }",
    "layers { s: … -> attention(heads = 4) -> flatten; }",
    "layers { s: attention(heads = 4, …) -> flatten; }",
    "layers { s: lstm(8, …) -> flatten; }",
    "layers { s: linear(2); } loss …",
    "layers { s: linear(2) -> softmax; } loss …",
    "layers { s: linear(2) -> log_softmax; } loss …",
    "layers { s: linear(2) -> sigmoid; } loss …",
    "layers { s: linear(2); } loss cross_entropy(…)",
    "layers { s: linear(8); } loss mse train { optimizer: …, epochs: 30 }",
    "layers { s: linear(8); } loss mse train { optimizer: adam(lr = 1e-3, …), epochs: 30 }",
    "layers { s: linear(8); } loss mse train { optimizer: adam(lr = 1e-3), epochs: 30, schedule: cosine(…) }",
    "layers { s: linear(8); } loss mse train { optimizer: adam(lr = 1e-3), epochs: 30, schedule: step(10, …) }",
    "layers { s: conv2d(8, …) -> relu; }",
    "layers { s: linear(8) -> relu; } …",
    "layers { s: linear(8); } loss mse …",
    "layers { s: linear(8); } loss mse budget { … }",
    "layers { s: linear(8); } loss mse train { … }",
    "layers { s: linear(8); } loss mse train { optimizer: sgd(lr = 0.1), epochs: 30, … }",
    "layers { #[allow(high_dropout_rate, …)] s: linear(8) -> relu; }",
];

/// Places of a value or an argument.
const VALUES: &[&str] = &[
    "layers { s: conv2d(8, kernel = 3, padding = …) -> relu; }",
    "layers { s: flatten -> linear(…); }",
    "layers { s: flatten -> linear(8) -> dropout(…); }",
    "layers { s: conv2d(8, …) -> relu; }",
    "layers { s: to_sequence -> transformer_encoder(2, heads = 2, ff = 8, …) -> last_step; }",
    "layers { s: to_sequence -> positional(…) -> flatten; }",
    "layers { s: flatten -> linear(2); } loss mse train { optimizer: sgd(lr = 0.1), epochs: 9, augment(…) }",
    "layers { s: flatten -> linear(8) -> relu with dropout(0.5) …; }",
    "layers { s: to_sequence -> attention(heads = 1) with dropout(0.5) …; }",
    "layers { s: flatten -> linear(8) -> relu with decay(l2 = 1e-3) …; }",
    "layers { …: flatten -> linear(8); }",
];

/// Whole sections and models.
const WHOLE: &[&str] = &[
    "Net<…>\ninput x: [4]\nlayers { s: linear(2); }",
    "Net<… = 1>\ninput x: [4]\nlayers { s: linear(2); }",
    "Net<… = 0.5>\ninput x: [4]\nlayers { s: linear(2); }",
    "Net\n…\nlayers { s: linear(2); }",
    "Net\ninput x: [4]\n…",
    "Net\ninput x: [4] of …\nlayers { s: embedding(8000, 4); }",
    "Net\ninput x: [4] …\nlayers { s: embedding(8000, 4); }",
    "…\nNet\ninput x: [4]\nlayers { s: linear(2); }",
    "…\ninput x: [4]\nlayers { s: linear(2); }",
];

const INPUTS: &[&str] = &[
    "x: [4]",
    "x: [3, 32, 32]",
    "x: [16, 8]",
    "x: [16] of int(vocab = 8000)",
];

/// A mark, a word before others, or a signature: `decay(l1 = .., l2 = ..)`.
fn is_mark(piece: &str) -> bool {
    let marks = [
        "damper::", "model!", "->", ",", ";", ":", "=", "with", "false",
    ];
    let is_signature = || {
        let name = piece.split('(').next().unwrap_or_default();
        let families = [
            "layer",
            "annotation",
            "setting",
            "optimizer",
            "schedule",
            "loss",
            "input",
        ];
        families
            .iter()
            .filter_map(|family| words::word_of(family, name))
            .any(|word| word.signature() == piece)
    };
    marks.contains(&piece) || is_signature()
}

/// A model without a mistake that contains the piece; lints may fire.
fn model_with(piece: &str) -> Option<String> {
    let frames = FRAMES.iter().flat_map(|frame| {
        let rest = frame.replace('…', piece);
        INPUTS
            .iter()
            .map(move |input| format!("Net<hidden: usize = 8>\ninput {input}\n{rest}"))
    });
    let is_value = !piece.contains('(');
    let values = VALUES.iter().filter(|_| is_value).map(|frame| {
        let rest = frame.replace('…', piece);
        format!("Net<hidden: usize = 8>\ninput x: [3, 32, 32]\n{rest}")
    });
    let whole = WHOLE.iter().map(|frame| frame.replace('…', piece));
    frames.chain(values).chain(whole).find(|source| {
        let tokens = format!("{}\n{source}", common::PATH).parse();
        tokens.is_ok_and(|tokens| {
            let (reports, _) = damper_macros_core::diagnose(tokens);
            reports.iter().all(|report| report.lint.is_some())
        })
    })
}

#[test]
fn what_a_help_shows_is_a_piece_of_the_language() {
    let mut wrong = Vec::new();
    for (name, source) in sources() {
        for help in common::understood(&source)
            .0
            .iter()
            .flat_map(|report| &report.helps)
        {
            let foreign = pieces(help)
                .into_iter()
                .filter(|piece| !is_mark(piece) && model_with(&spelled_out(piece)).is_none());
            wrong.extend(foreign.map(|piece| format!("{name}: `{piece}` in `{help}`")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_report_says_what_to_do() {
    let mut wrong = Vec::new();
    for (name, source) in sources() {
        let (reports, _) = common::understood(&source);
        // The message itself says which values are right.
        let silent = reports
            .iter()
            .filter(|report| report.helps.is_empty() && !report.message.contains("must be"));
        wrong.extend(silent.map(|report| format!("{name}: {}", report.message)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_piece_of_the_language_is_found() {
    for piece in [
        "lineear(8)",
        "linear(8",
        "droput = 0.5",
        "-> -> relu",
        "with decoy(l2 = 1)",
        "epochs 3",
    ] {
        assert_eq!(model_with(piece), None, "{piece}");
    }
}

#[test]
fn a_lint_says_why_and_at_which_level() {
    let mut wrong = Vec::new();
    for lint in LINTS {
        let source = wrong_example(lint);
        let (reports, _) = common::understood(&source);
        let report = reports
            .iter()
            .find(|report| report.lint.as_deref() == Some(lint.name))
            .unwrap_or_else(|| panic!("`{}` is silent on its own example", lint.name));
        let (start, end) = (report.ends.0.start(), report.ends.1.end());
        let last = source.lines().count() + 1;
        assert!(
            (2..=last).contains(&start.line) && (start.line, start.column) < (end.line, end.column)
        );
        assert!(!report.helps.is_empty(), "`{}` has no help", lint.name);
        let is_level = |note: &&String| note.starts_with("`#[") && note.contains(lint.name);
        let is_place = |note: &&String| note.contains(", on line ");
        let reasons = |note: &&String| !is_level(note) && !is_place(note);
        let is_fixed = FIXED.contains(&lint.name);
        if !is_fixed && !report.notes.iter().any(|note| reasons(&note)) {
            wrong.push(format!("`{}` gives no reason", lint.name));
        }
        if !is_fixed && !report.notes.iter().any(|note| is_level(&note)) {
            wrong.push(format!("`{}` does not say its level", lint.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lints without levels: no such model exists. Their messages are the reason.
const FIXED: &[&str] = &[
    "shape_mismatch",
    "missing_flatten",
    "residual_shape_mismatch",
];
