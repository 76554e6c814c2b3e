//! `budget`.

use super::{Cx, arguments, unknown_word};
use crate::ast::{self, Section};
use crate::evaluate;
use crate::words::{self, Kind};
use damper_ir::{BudgetItem, Measure, Unit};

/// The limits; of two for one thing the first counts.
pub(super) fn budget(cx: &mut Cx, section: &Section<Vec<ast::BudgetItem>>) -> Vec<BudgetItem> {
    if section.content.is_empty() && !cx.diagnostics.failed() {
        cx.diagnostics
            .error(&section.word, "`budget` has no limit")
            .help("`budget { params <= 1_000_000 }`");
    }
    let mut all: Vec<BudgetItem> = Vec::new();
    for written in &section.content {
        let Some(item) = item(cx, written) else {
            evaluate::mark(&mut cx.hyper, &written.value.tokens);
            continue;
        };
        match all.iter().find(|first| first.measure == item.measure) {
            Some(first) => {
                let first = cx.spans.get(first.id).0;
                let message = format!("`{}` is limited twice", written.name);
                cx.diagnostics
                    .error(written.ends(), message)
                    .other(first, "the first limit is")
                    .help("keep one of them");
            }
            None => all.push(item),
        }
    }
    all
}

fn item(cx: &mut Cx, written: &ast::BudgetItem) -> Option<BudgetItem> {
    let name = written.name.to_string();
    let Some((measure, example)) = words::MEASURES
        .iter()
        .find(|(measure, _)| measure.word() == name)
    else {
        unknown_measure(cx, written);
        return None;
    };
    let what = format!("the limit of `{name}`");
    let help = format!("`{example}`");
    let kind = if *measure == Measure::Memory {
        Kind::Float
    } else {
        Kind::Size
    };
    let id = cx.id(written.ends());
    let unit = unit(cx, written, *measure).ok()?;
    let at_most = arguments::value(cx, &written.value, kind, &what, Some(&help));
    Some(BudgetItem {
        id,
        measure: *measure,
        at_most,
        unit,
    })
}

fn unknown_measure(cx: &mut Cx, written: &ast::BudgetItem) {
    let name = written.name.to_string();
    if matches!(name.as_str(), "macs" | "mac" | "multiply_accumulates") {
        let value = written.value.text();
        cx.diagnostics
            .error(
                &written.name,
                format!("unknown limit `{name}`: did you mean `flops`?"),
            )
            .help(format!(
                "`flops <= 2 * {}`",
                evaluate::in_parentheses(&value)
            ))
            .note("a multiply-accumulate is two floating-point operations");
        return;
    }
    let words: Vec<&'static str> = words::MEASURES
        .iter()
        .map(|(measure, _)| measure.word())
        .collect();
    unknown_word(cx, "limit", &written.name, &words);
}

/// The unit: memory has one, nothing else has. An error has been reported.
fn unit(cx: &mut Cx, written: &ast::BudgetItem, measure: Measure) -> Result<Option<Unit>, ()> {
    let (name, value) = (measure.word(), written.value.text());
    let Some(word) = &written.unit else {
        if measure != Measure::Memory {
            return Ok(None);
        }
        // Four digits and more were meant as bytes.
        let unit = if value.len() < 4 { "MiB" } else { "B" };
        cx.diagnostics
            .error(written.value.ends, "the limit of `memory` has no unit")
            .help(format!("`{name} <= {value} {unit}`"))
            .note(format!("units are {}", units()));
        return Err(());
    };
    let text = word.to_string();
    if measure != Measure::Memory {
        let report = cx.diagnostics.error(
            word,
            format!("the limit of `{name}` is a plain number, found the unit `{text}`"),
        );
        if Unit::ALL.into_iter().any(|unit| unit.word() == text) {
            report.help(format!("`memory <= {value} {text}`"));
        } else {
            report.help(format!("`{name} <= {value}`"));
        }
        return Err(());
    }
    let found = Unit::ALL.into_iter().find(|unit| unit.word() == text);
    if found.is_none() {
        let words = Unit::ALL.into_iter().map(Unit::word);
        let lower = text.to_lowercase();
        let near = Unit::ALL
            .into_iter()
            .map(Unit::word)
            .find(|word| word.to_lowercase() == lower || word.to_lowercase() == format!("{lower}b"))
            .or_else(|| damper_ir::suggest(&text, words));
        let ending = near.map_or(String::new(), |near| format!(": did you mean `{near}`?"));
        cx.diagnostics
            .error(word, format!("unknown unit `{text}`{ending}"))
            .help(format!("units are {}", units()));
    }
    found.map(Some).ok_or(())
}

fn units() -> String {
    let words: Vec<&str> = Unit::ALL.into_iter().map(Unit::word).collect();
    words::list(&words)
}
