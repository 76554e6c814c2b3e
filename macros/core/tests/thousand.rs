//! Nothing in the language takes 1000 in silence: every number of every word is set to it in turn, and shares of one whole to
//! what is next to 0 and to 1. Where 1000 is a number that people want, it is in [`WANTED`], with the reason.

mod common;

use common::understood;
use damper_ir::families::{FAMILIES, family};
use damper_ir::words::{Argument, Fallback, Kind, Word};
use std::collections::BTreeSet;

/// `(word, argument, why 1000 is no mistake)`; a word of `*` stands for all words with such an argument.
const WANTED: &[(&str, &str, &str)] = &[
    ("*", "out", "ImageNet has 1000 classes"),
    ("*", "hidden", "recurrent layers of 1024 units are usual"),
    ("*", "dim", "BERT-large has 1024 features"),
    ("*", "vocab", "vocabularies have thousands of tokens"),
    (
        "transformer_encoder",
        "ff",
        "inner layers of 2048 to 4096 units are usual",
    ),
    (
        "transformer_encoder",
        "layers",
        "DeepNet has 1000 layers (arXiv 2203.00555)",
    ),
    (
        "transformer_decoder",
        "ff",
        "inner layers of 2048 to 4096 units are usual",
    ),
    (
        "transformer_decoder",
        "layers",
        "DeepNet has 1000 layers (arXiv 2203.00555)",
    ),
    (
        "attention",
        "window",
        "Mistral looks at 4096 steps (arXiv 2310.06825)",
    ),
    ("resize", "size", "maps of a thousand pixels are usual"),
    ("repeat", "times", "ResNet-1001 (arXiv 1603.05027)"),
    (
        "squeeze_excitation",
        "reduction",
        "an error: fewer channels than that",
    ),
    ("one_cycle", "final_divide", "PyTorch's default is 10,000"),
    ("multiclass", "classes", "ImageNet has 1000 classes"),
    ("multilabel", "labels", "tags are counted in thousands"),
    (
        "epochs",
        "",
        "small tables are trained for thousands of epochs",
    ),
    ("batch", "", "large batches are usual on accelerators"),
    ("seed", "", "any number is a seed"),
];

/// Models around a layer.
const LAYERS: &[&str] = &[
    "input x: [64]\nlayers {\nfc: linear(64) -> selu -> …;\nhead: linear(10);\n}",
    "input x: [3, 32, 32]\nlayers {\nstem: conv2d(8, kernel = 3) -> relu -> …;\nhead: global_avg_pool -> linear(10);\n}",
    "input x: [64]\nlayers {\ns: …;\nhead: linear(10);\n}",
    "input x: [64]\nlayers {\nfc: linear(64) -> relu -> …;\nhead: linear(10);\n}",
    "input x: [3, 32, 32]\nlayers {\ns: … -> relu;\nhead: flatten -> linear(10);\n}",
    "input x: [64, 32]\nlayers {\nplace: transpose;\ns: … -> relu;\nhead: flatten -> linear(10);\n}",
    "input x: [4, 8, 8, 8]\nlayers {\ns: … -> relu;\nhead: flatten -> linear(10);\n}",
    "input x: [16, 8]\nlayers {\nplace: positional(learned);\ns: …;\nlast: last_step;\nhead: linear(10);\n}",
    "input x: [16] of int(vocab = 50)\nlayers {\ns: …;\npool: mean(axis = time);\nhead: linear(10);\n}",
    "input x: [64]\nlayers {\ns: residual { linear(64) -> …; } -> relu;\nhead: linear(10);\n}",
    "input x: [64]\nlayers {\nfc: linear(64) -> …;\nhead: linear(10);\n}",
];

const ANNOTATIONS: &[&str] = &[
    "input x: [64]\nlayers {\nfc: linear(32) -> relu with …;\nhead: linear(10);\n}",
    "input x: [64]\nlayers {\nfc: linear(32) -> selu with …;\nhead: linear(10);\n}",
    "input x: [3, 32, 32]\nlayers {\nstem: conv2d(8, kernel = 3) -> relu with …;\nhead: global_avg_pool -> linear(10);\n}",
    "input x: [16, 8]\nlayers {\nrnn: lstm(16) with …;\nlast: last_step;\nhead: linear(10);\n}",
    "input x: [16, 8]\nlayers {\nplace: positional(learned);\na: residual { attention(heads = 2) with …; };\npool: mean(axis = time);\nhead: linear(10);\n}",
    "input x: [16] of int(vocab = 50)\nlayers {\nembed: embedding(50, 8) with …;\npool: mean(axis = time);\nhead: linear(10);\n}",
    "input x: [64]\nlayers {\ns: residual { linear(64) -> relu; } with …;\nhead: linear(10);\n}",
];

const NET: &str = "input x: [64]\nlayers {\nfc: linear(32) -> relu;\nhead: linear(10);\n}";

/// The models in which a word of a family may stand.
fn frames(family: &str) -> Vec<String> {
    let layered = |frames: &[&str]| -> Vec<String> {
        let closed = frames.iter().map(|frame| {
            format!("Net\n{frame}\nloss cross_entropy\ntrain {{ optimizer: sgd(lr = 0.1), epochs: 30 }}\n")
        });
        closed.collect()
    };
    let trained = |setting: &str| {
        format!(
            "Net\n{NET}\nloss cross_entropy\ntrain {{ optimizer: sgd(lr = 0.1), epochs: 30, {setting} }}\n"
        )
    };
    match family {
        "layer" => layered(LAYERS),
        "annotation" => layered(ANNOTATIONS),
        "loss" => ["10", "2", "1"]
            .iter()
            .map(|units| format!("Net\ninput x: [64]\nlayers {{\nfc: linear(32) -> relu;\nhead: linear({units});\n}}\nloss …\n"))
            .collect(),
        "metric" => vec![format!("Net\n{NET}\nloss cross_entropy\nmetrics …\n")],
        "task" => vec![
            "Net\ninput x: [64]\nlayers {\nfc: linear(32) -> relu;\nhead: linear(1000);\n}\ntask …\nloss cross_entropy\n".to_owned(),
            "Net\ninput x: [64]\nlayers {\nfc: linear(32) -> relu;\nhead: linear(1000);\n}\ntask …\nloss binary_cross_entropy\n".to_owned(),
        ],
        "optimizer" => vec![format!("Net\n{NET}\nloss cross_entropy\ntrain {{ optimizer: …, epochs: 30 }}\n")],
        "schedule" => vec![trained("schedule: …")],
        "setting" => vec![
            trained("…"),
            "Net\ninput x: [3, 32, 32]\nlayers {\nstem: conv2d(8, kernel = 3) -> relu;\nhead: global_avg_pool -> linear(10);\n}\nloss cross_entropy\ntrain { optimizer: sgd(lr = 0.1), … }\n".to_owned(),
            format!("Net\n{NET}\nloss cross_entropy\ntrain {{ optimizer: sgd(lr = 0.1), … }}\n"),
        ],
        _ => Vec::new(),
    }
}

/// A value that an argument may well have.
fn sample(word: &str, argument: &Argument) -> String {
    match (word, argument.name, argument.kind) {
        (_, "kernel" | "size", _) => "3".to_owned(),
        (_, "heads", _) => "2".to_owned(),
        (_, "memory", _) => "place".to_owned(),
        (_, "dim", _) => "8".to_owned(),
        (_, "vocab", _) => "50".to_owned(),
        ("step", "every", _) => "10".to_owned(),
        (_, "classes" | "labels", _) => "1000".to_owned(),
        (_, "patience", _) => "5".to_owned(),
        (_, "from_epoch", _) => "20".to_owned(),
        ("max_norm", ..) => "3.0".to_owned(),
        ("noise", ..) => "0.1".to_owned(),
        ("exponential", ..) => "0.95".to_owned(),
        ("ema", ..) => "0.999".to_owned(),
        ("layer_decay", ..) => "0.75".to_owned(),
        ("orthogonal", ..) => "1e-4".to_owned(),
        ("mixup" | "cutmix", ..) => "0.2".to_owned(),
        (_, "output" | "shape", Kind::Sizes) => "[8, 8]".to_owned(),
        (_, _, Kind::Word(words)) => words[0].to_owned(),
        (_, _, kind) if kind.is_size() => "4".to_owned(),
        _ => "0.1".to_owned(),
    }
}

/// The word with its required arguments, and with one set.
fn call(word: &Word, set: Option<(&str, &str)>) -> String {
    let mut given: Vec<String> = Vec::new();
    for argument in word.arguments {
        let value = match set {
            Some((name, value)) if name == argument.name => value.to_owned(),
            _ if argument.fallback == Fallback::Required => sample(word.name, argument),
            // Rules without a strength are refused.
            _ => continue,
        };
        given.push(format!("{} = {value}", argument.name));
    }
    if given.is_empty() && matches!(word.name, "decay" | "penalty" | "activity") {
        given.push("l2 = 1e-4".to_owned());
    }
    if given.is_empty() && word.name == "clip" {
        given.push("norm = 1.0".to_owned());
    }
    if given.is_empty() && word.name == "augment" {
        given.push("flip = true".to_owned());
    }
    if given.is_empty() {
        word.name.to_owned()
    } else {
        format!("{}({})", word.name, given.join(", "))
    }
}

/// A number as it is written for a kind; `None` where it holds no number.
fn written(argument: &Argument, number: f64) -> Option<String> {
    let whole = number.fract() == 0.0 && number >= 0.0;
    let float = format!("{number:?}");
    match argument.kind {
        Kind::Size
        | Kind::Whole
        | Kind::SizePerAxis(_)
        | Kind::WholePerAxis(_)
        | Kind::SizeOr(_)
        | Kind::Padding(..) => whole.then(|| format!("{number}")),
        Kind::Float | Kind::FloatOrRange => Some(float),
        Kind::Floats => Some(format!("[{}, {float}]", ["1.0"; 9].join(", "))),
        Kind::Sizes | Kind::Wholes => whole.then(|| format!("[{number}]")),
        Kind::WholeRange => whole.then(|| format!("0..{number}")),
        Kind::Bool | Kind::Name | Kind::Word(_) | Kind::Metric | Kind::Rust | Kind::RustType => {
            None
        }
    }
}

/// What is reported of a model: one line each, without the numbers.
fn reports(source: &str) -> (usize, BTreeSet<String>) {
    let (reports, _) = understood(source);
    let errors = reports.iter().filter(|report| report.lint.is_none());
    let kinds = reports.iter().map(|report| {
        report
            .lint
            .clone()
            .unwrap_or_else(|| report.message.clone())
    });
    (errors.count(), kinds.collect())
}

/// Whether a number is reported in each model that fits the word; `None` if the word fits none.
fn is_reported(frames: &[String], word: &Word, name: &str, value: &str) -> Option<bool> {
    let plain = call(word, None);
    let with = call(word, Some((name, value)));
    let mut fits = None;
    for frame in frames {
        let (errors, before) = reports(&frame.replace('…', &plain));
        // What is reported of the place hides what is reported of the number.
        if errors > 0 || !before.is_empty() {
            continue;
        }
        let (_, after) = reports(&frame.replace('…', &with));
        let reported = after.iter().any(|kind| !before.contains(kind));
        fits = Some(fits.unwrap_or(true) && reported);
    }
    fits
}

fn is_wanted(word: &str, argument: &str) -> bool {
    WANTED
        .iter()
        .any(|(name, of, _)| (*name == word || *name == "*") && *of == argument)
}

/// Each argument that is a number, with its family and word.
fn numbers() -> impl Iterator<Item = (&'static str, &'static Word, &'static Argument)> {
    FAMILIES.iter().flat_map(|name| {
        let words = family(name).into_iter();
        words.flat_map(move |word| {
            word.arguments
                .iter()
                .map(move |argument| (*name, word, argument))
        })
    })
}

/// Written around a block, or with arguments of other words; or judged by the shape of the value, which a thousand does not fit.
const ELSEWHERE: &[&str] = &[
    "repeat",
    "custom",
    "int",
    "to_image",
    "permute",
    "slice",
    "pixel_shuffle",
    "pad",
    // Quantiles lie between 0 and 1: all else is an error.
    "quantile",
];

#[test]
fn nothing_takes_a_thousand_in_silence() {
    let (mut silent, mut count) = (Vec::new(), 0);
    for (family, word, argument) in numbers() {
        let Some(value) = written(argument, 1000.0).filter(|_| !ELSEWHERE.contains(&word.name))
        else {
            continue;
        };
        if is_wanted(word.name, argument.name) {
            continue;
        }
        count += 1;
        match is_reported(&frames(family), word, argument.name, &value) {
            Some(true) => {}
            Some(false) => silent.push(format!(
                "`{} = {value}` of `{}` ({family})",
                argument.name, word.name
            )),
            None => silent.push(format!("no model for `{}` ({family})", call(word, None))),
        }
    }
    assert!(
        silent.is_empty(),
        "{} of {count}:\n{}",
        silent.len(),
        silent.join("\n")
    );
    assert!(count > 100, "{count}");
}

#[test]
fn shares_next_to_0_or_1_are_reported() {
    let mut silent = Vec::new();
    for (family, word, argument) in numbers() {
        let is_rate = argument.range == damper_ir::words::Range::Rate;
        if !(argument.range.is_share() || is_rate) || ELSEWHERE.contains(&word.name) {
            continue;
        }
        let found = [1e-5, 0.9999].into_iter().any(|share| {
            let value = written(argument, share).expect("a share is a number");
            is_reported(&frames(family), word, argument.name, &value) == Some(true)
        });
        if !found {
            silent.push(format!("`{}` of `{}` ({family})", argument.name, word.name));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn settings_without_arguments_are_judged_or_wanted() {
    for setting in ["epochs", "batch", "seed", "accumulate"] {
        let frame = format!(
            "Net\n{NET}\nloss cross_entropy\ntrain {{ optimizer: sgd(lr = 0.1), {setting}: 1000 }}\n"
        );
        let silent = reports(&frame).1.is_empty();
        assert_eq!(silent, is_wanted(setting, ""), "{setting}");
    }
}

#[test]
fn a_wanted_number_exists() {
    let numbers: Vec<_> = numbers().collect();
    for (word, argument, _) in WANTED
        .iter()
        .filter(|(_, argument, _)| !argument.is_empty())
    {
        let exists = numbers
            .iter()
            .any(|(_, known, of)| (*word == "*" || known.name == *word) && of.name == *argument);
        assert!(exists, "`{argument}` of `{word}`");
    }
}
