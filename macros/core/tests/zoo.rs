//! The zoo: published architectures as declarations. Each has the published number of parameters, and no lint speaks.
//!
//! The first lines of a file say what it is, `published: COUNT`, and where it is known how many lines the same network takes in
//! PyTorch's own words, `torch: N lines`. The model with that count is `Net`.

use damper_macros_core::{Manifest, diagnose_in, split};
use proc_macro2::{TokenStream, TokenTree};
use std::fs;
use std::path::Path;

struct Animal {
    name: String,
    text: String,
}

fn zoo() -> Vec<Animal> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui-tests/zoo");
    let mut all: Vec<Animal> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .map(|path| Animal {
            name: path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            text: fs::read_to_string(&path).expect("it can be read"),
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

impl Animal {
    /// The number after a word of the first lines.
    fn said(&self, word: &str) -> Option<usize> {
        let line = self.text.lines().find_map(|line| {
            line.strip_prefix("//! ")?
                .strip_prefix(word)?
                .strip_prefix(": ")
        })?;
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    }

    /// The inside of its `model!`, one part for each model.
    fn parts(&self) -> Vec<TokenStream> {
        let tokens: TokenStream = self.text.parse().expect("Rust's tokens");
        let groups = tokens.into_iter().filter_map(|tree| match tree {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        let body = groups.last().expect("a `model!`");
        split(quote::quote!(::damper, #body))
    }

    /// Lines of the declaration that are neither blank nor a comment, without those of the macro itself.
    fn lines(&self) -> usize {
        let lines = self.text.lines().map(str::trim);
        let written = lines
            .filter(|line| !(line.is_empty() || line.starts_with("//") || line.starts_with("#[")));
        written.count() - 2
    }
}

#[test]
fn each_has_the_published_count_and_no_lint_speaks() {
    let mut wrong = Vec::new();
    let zoo = zoo();
    assert!(zoo.len() >= 15, "{}", zoo.len());
    for animal in &zoo {
        let mut counted = None;
        for part in animal.parts() {
            let (reports, lowered) = diagnose_in(part, &Manifest::default());
            wrong.extend(
                reports
                    .iter()
                    .map(|report| format!("{}: {}", animal.name, report.message)),
            );
            let spec = lowered.map(|lowered| lowered.spec);
            if let Some(spec) = spec.filter(|spec| spec.model().name == "Net") {
                counted = Some(spec.counts().parameters);
            }
        }
        let published = animal.said("published");
        if counted != published || published.is_none() {
            wrong.push(format!(
                "{}: {counted:?}, published {published:?}",
                animal.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn none_is_twice_as_long_as_in_torch() {
    for animal in zoo() {
        let Some(torch) = animal.said("torch") else {
            continue;
        };
        let lines = animal.lines();
        println!("{}: {lines} lines, {torch} in PyTorch", animal.name);
        assert!(lines < 2 * torch, "{}: {lines} and {torch}", animal.name);
    }
}
