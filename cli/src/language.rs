//! The words of the language as Markdown: `docs/LANGUAGE.md`, and the table of the README.

use damper_ir::families;
use damper_ir::words::{self, Argument, Fallback, Range, Word, available};
use damper_ir::{op, rule, train};

/// The grammar, before the words.
const GRAMMAR: &str = include_str!("grammar.md");

/// The families of words in the order of the document, each with what it is.
const FAMILIES: &[(&str, &str, &str)] = &[
    (
        "layer",
        "Layers and activations",
        "The operations of a chain.",
    ),
    (
        "annotation",
        "Annotations",
        "After `with`: on a statement, on a block, or on `layers` as a default.",
    ),
    ("loss", "Losses", "Each is the mean over the samples."),
    (
        "task",
        "Tasks",
        "They follow from the loss, and may be written.",
    ),
    ("metric", "Metrics", "Each is over the whole epoch."),
    ("optimizer", "Optimizers", "The defaults are PyTorch's."),
    (
        "schedule",
        "Schedules",
        "A factor of the optimizer's learning rate.",
    ),
    ("setting", "Settings", "What `train` may hold."),
    (
        "backend",
        "Backends",
        "Each is a cargo feature of `damper`.",
    ),
    ("input", "Inputs", "After `of`."),
    ("on", "Reach", "After `on`: what a rule on weights reaches."),
    ("value", "Values", "Words that arguments may be."),
    ("budget", "Limits", "What `budget` may limit."),
];

/// `docs/LANGUAGE.md`.
pub fn markdown() -> String {
    let mut text = format!(
        "# The language\n\nMade from the tables in `ir/src` and from `cli/src/grammar.md` by `DAMPER_UPDATE=1 cargo test -p \
         cargo-damper`.\n\n{GRAMMAR}"
    );
    for (family, title, about) in FAMILIES {
        text += &format!("\n## {title}\n\n{about}\n");
        let mut before: Option<&Word> = None;
        for word in families::family(family) {
            text += &page(word, before.filter(|before| is_alike(before, word)));
            // Of words that differ in their axes, the first one has the arguments.
            if !before.is_some_and(|before| is_alike(before, word)) {
                before = Some(word);
            }
        }
    }
    text
}

/// Whether two words differ in their axes alone: `conv1d` and `conv2d`.
fn is_alike(first: &Word, word: &Word) -> bool {
    let stem = |word: &Word| {
        let name = word.name.strip_suffix('d').unwrap_or_default();
        name.trim_end_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    };
    !stem(word).is_empty() && stem(first) == stem(word)
}

/// The page of a word: its signature, what it does, its arguments.
fn page(word: &Word, alike: Option<&Word>) -> String {
    let mut text = format!("\n### `{}`\n\n{}\n", word.signature(), plain(word.docs));
    if !word.arguments.is_empty() {
        text.push('\n');
    }
    if let Some(first) = alike {
        text += &format!("Arguments: those of `{}`.\n", first.name);
        return text;
    }
    for argument in word.arguments {
        let about = plain(argument.docs).replace('\n', " ");
        text += &format!("- {}: {about}\n", written(argument));
    }
    text
}

/// An argument with what it may be and its default.
fn written(argument: &Argument) -> String {
    let range = match argument.range {
        Range::Positive => ", above 0",
        Range::NotNegative => ", from 0",
        Range::Share => ", in `0..=1`",
        Range::BelowOne | Range::Rate => ", in `0..1`",
        Range::Between => ", above 0 and below 1",
        Range::UpToOne => ", above 0 and at most 1",
        Range::Finite | Range::Elsewhere => "",
    };
    let fallback = match argument.fallback {
        Fallback::Required => String::new(),
        Fallback::Nothing => "; optional".to_owned(),
        Fallback::Number(number) if argument.kind == words::Kind::Bool => {
            format!("; `{}` by default", number != 0.0)
        }
        Fallback::Number(number) => {
            format!("; {} by default", damper_ir::Value::known(number))
        }
    };
    let usual = argument.usual.map_or_else(String::new, |usual| {
        let [low, high] = [usual.low, usual.high].map(damper_ir::Value::known);
        format!("; usual: {low} to {high}")
    });
    format!(
        "`{}` ({}{range}{usual}{fallback})",
        argument.name,
        argument.kind.wanted()
    )
}

/// Documentation without the marks of rustdoc: lines begin with a space, and links to other words are code.
fn plain(docs: &str) -> String {
    let lines: Vec<&str> = docs
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    lines
        .join("\n")
        .trim()
        .replace("[`", "`")
        .replace("`]", "`")
}

/// The table of the README: every word, by what it is for.
pub fn table() -> String {
    let of = |tables: &[&'static [Word]]| -> Vec<&'static str> {
        tables
            .iter()
            .copied()
            .flatten()
            .map(|word| word.name)
            .collect()
    };
    let layers: Vec<&'static str> = of(op::TABLES)
        .into_iter()
        .filter(|name| !op::blocks::BLOCKS.contains(name))
        .collect();
    let mut training = of(&[op::stochastic::WORDS]);
    training.extend(families::INSIDE);
    training.push(families::DROP_CONNECT);
    let mut weights = of(&[rule::WORDS]);
    weights.retain(|name| *name != families::DROP_CONNECT);
    let rows: [(&str, Vec<&'static str>); 11] = [
        ("layers", layers),
        ("blocks", op::blocks::BLOCKS.to_vec()),
        ("activations", of(&[op::activation::WORDS])),
        ("while training", training),
        ("on weights", weights),
        ("on values", of(&[op::activity::WORDS])),
        ("losses", of(&[damper_ir::loss::WORDS])),
        ("metrics", of(&[damper_ir::metric::WORDS])),
        ("optimizers", of(&[train::optimizer::WORDS])),
        ("schedules", of(&[train::schedule::WORDS])),
        ("settings", of(&[train::WORDS])),
    ];
    let mut text = String::from("| what | words |\n| --- | --- |\n");
    for (what, words) in rows {
        // `available` writes a sentence; a table has commas only.
        let words = available(&words).replace(" and `", ", `");
        text += &format!("| {what} | {words} |\n");
    }
    text
}
