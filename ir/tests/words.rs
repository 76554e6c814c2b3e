//! The tables of words agree with each other, and every word is documented.

use damper_ir::Setting;
use damper_ir::families::{self, FAMILIES, INSIDE, SECTIONS, SOURCES, family, word_of};
use damper_ir::words::{self, Fallback, Kind, Word};
use std::collections::BTreeSet;

fn all() -> impl Iterator<Item = (&'static str, &'static Word)> {
    FAMILIES
        .iter()
        .flat_map(|name| family(name).into_iter().map(|word| (*name, word)))
}

fn names(name: &str) -> Vec<&'static str> {
    family(name).into_iter().map(|word| word.name).collect()
}

#[test]
fn every_word_is_there_once_and_documented() {
    let mut seen = BTreeSet::new();
    for (family, word) in all() {
        assert!(
            seen.insert((family, word.name)),
            "two words of `{family}` are called `{}`",
            word.name
        );
        assert!(!word.docs.trim().is_empty(), "`{}`", word.name);
        for argument in word.arguments {
            let text = argument.docs.trim();
            assert!(
                text.ends_with('.'),
                "`{}` of `{}`: {text}",
                argument.name,
                word.name
            );
        }
    }
    assert!(seen.len() > 150, "{}", seen.len());
}

#[test]
fn arguments_without_a_name_come_first_and_no_two_have_one_name() {
    for (family, word) in all() {
        let positional: Vec<bool> = word
            .arguments
            .iter()
            .map(|argument| argument.positional)
            .collect();
        assert!(
            positional.is_sorted_by(|a, b| a >= b),
            "`{}` of `{family}`",
            word.name
        );
        let unique: BTreeSet<&str> = word
            .arguments
            .iter()
            .map(|argument| argument.name)
            .collect();
        assert_eq!(unique.len(), word.arguments.len(), "`{}`", word.name);
    }
}

#[test]
fn a_default_is_what_its_argument_may_be() {
    for (_, word) in all() {
        for argument in word.arguments {
            let Some(number) = argument.number() else {
                continue;
            };
            let name = argument.of(word.name);
            assert!(argument.range.holds(number), "{name} is {number}");
            assert!(
                !argument.kind.is_size() || (number >= 1.0 && number.fract() == 0.0),
                "{name} is {number}"
            );
        }
    }
}

#[test]
fn what_may_be_left_out_is_not_written_first() {
    for (_, word) in all() {
        let required = word
            .arguments
            .iter()
            .filter(|argument| argument.positional)
            .map(|argument| argument.fallback == Fallback::Required);
        assert!(required.is_sorted_by(|a, b| a >= b), "`{}`", word.name);
    }
}

#[test]
fn the_words_without_a_table_are_those_of_the_language() {
    assert_eq!(names("section"), SECTIONS);
    for source in SOURCES {
        assert!(word_of("layer", source).is_some(), "{source}");
    }
    for inside in INSIDE {
        assert!(families::inside(inside).is_some(), "{inside}");
    }
    assert_eq!(names("on"), ["all", "embedding"]);
    assert_eq!(names("backend"), damper_ir::Backend::WORDS);
    assert_eq!(names("budget"), ["params", "flops", "memory"]);
}

#[test]
fn every_word_that_is_a_value_has_a_page() {
    let values: BTreeSet<&str> = names("value").into_iter().collect();
    let mut used = BTreeSet::from(["loss"]);
    for (_, word) in all() {
        for argument in word.arguments {
            match argument.kind {
                Kind::Word(words) | Kind::Padding(_, words) => used.extend(words),
                Kind::SizeOr(word) => {
                    used.insert(word);
                }
                _ => {}
            }
        }
    }
    assert_eq!(values, used);
}

#[test]
fn every_setting_is_written_as_its_example_says() {
    assert_eq!(Setting::all().count(), family("setting").len());
    for setting in Setting::all() {
        let (word, example) = (setting.word(), setting.example());
        assert!(example.starts_with(word), "{example}");
        let is_call = setting.form() == damper_ir::Form::Call;
        assert_eq!(example[word.len()..].starts_with('('), is_call, "{example}");
    }
}

/// A suggestion that does not exist would be worse than none.
#[test]
fn what_other_libraries_call_a_word_is_one_here() {
    let words: BTreeSet<&str> = all().map(|(_, word)| word.name).collect();
    let arguments: BTreeSet<&str> = all()
        .flat_map(|(_, word)| word.arguments)
        .map(|argument| argument.name)
        .collect();
    let source = include_str!("../src/words/aliases.rs");
    let (aliases, of_arguments) = source
        .split_once("pub fn argument_aliases")
        .expect("both tables");
    let quoted = |text: &str, after: &str| -> Vec<String> {
        text.split(after)
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    };
    for word in quoted(aliases, "Some(\"") {
        assert!(words.contains(word.as_str()), "{word}");
    }
    for line in of_arguments
        .lines()
        .filter_map(|line| line.split_once("=> &["))
    {
        for name in line.1.split('"').skip(1).step_by(2) {
            assert!(arguments.contains(name), "{name}");
        }
    }
}

/// A program sets what is one number by the setting alone; all others have setters of their own.
#[test]
fn a_setting_of_one_number_takes_it() {
    for setting in Setting::all() {
        let word = words::find(damper_ir::train::WORDS, setting.word()).expect("a word");
        let is_one = match setting.form() {
            damper_ir::Form::Value(_) => true,
            damper_ir::Form::Call => word.arguments.len() == 1,
            _ => false,
        };
        let mut train = damper_ir::Train::default();
        assert_eq!(train.set(setting, 3_usize.into()), is_one, "{setting:?}");
        assert_eq!(train != damper_ir::Train::default(), is_one, "{setting:?}");
        train.clear(setting);
        assert_eq!(train, damper_ir::Train::default(), "{setting:?}");
    }
}
