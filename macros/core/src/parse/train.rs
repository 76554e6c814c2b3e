//! The sections `loss`, `metrics`, `train` and `budget`.

use super::common::{args, call_or_skip, checked, pieces, skip_section, value};
use crate::ast::{BudgetItem, Call, Loss, Setting, Target};
use crate::cursor::Cursor;
use crate::diag::Diagnostics;
use crate::words;
use proc_macro2::{Delimiter, Ident, TokenTree};
use std::fmt::Write as _;

pub(super) fn loss(cx: &mut Diagnostics, cursor: &mut Cursor) -> Loss {
    let call = call_or_skip(cx, cursor, "a loss", "`loss cross_entropy`");
    let mut target = None;
    if cursor.is_word("target") {
        let example = "`target in [-1, 1]`";
        let first = cursor.span();
        cursor.next();
        let has_in = cursor.is_word("in");
        if has_in {
            cursor.next();
        }
        if let (true, Some(group)) = (has_in, cursor.group(Delimiter::Bracket)) {
            let trees: Vec<TokenTree> = group.stream().into_iter().collect();
            let bounds = pieces(cx, &trees, group)
                .into_iter()
                .map(|(_, bound)| bound)
                .collect();
            target = Some(Target {
                ends: (first, group.span_close()),
                bounds,
            });
        } else {
            let message = format!("expected the range of the target, found {}", cursor.found());
            cx.error(first, message).help(example);
        }
    }
    Loss { call, target }
}

pub(super) fn metrics(cx: &mut Diagnostics, cursor: &mut Cursor) -> Vec<Call> {
    let mut all = Vec::new();
    loop {
        let Some(call) = call_or_skip(cx, cursor, "a metric", "`metrics accuracy, f1`") else {
            return all;
        };
        all.push(call);
        if !cursor.eat(',') {
            return all;
        }
        let section = cursor
            .peek_ident()
            .is_none_or(|word| words::SECTIONS.contains(&word.to_string().as_str()));
        if section {
            return all;
        }
    }
}

pub(super) fn train(cx: &mut Diagnostics, cursor: &mut Cursor) -> Vec<Setting> {
    let example = "`train { optimizer: adamw(lr = 1e-3), epochs: 10 }`";
    let lost = |cx: &mut Diagnostics, inner: &mut Cursor| {
        if inner.peek_ident().is_some() {
            missing_comma(cx, inner, "setting");
        } else {
            let message = format!("expected `,`, found {}", inner.found());
            cx.error(inner.span(), message);
            inner.take_until(|cursor| cursor.is_punct(',') || cursor.is_punct(';'));
            inner.next();
        }
    };
    braced_list(cx, cursor, ("train", "settings", example), setting, lost)
}

/// `{ item, item }` after the word of a section: `names` are the section's word, what the items are called, and an example.
/// `lost` is called where an item is followed by neither `,` nor `;`.
fn braced_list<T>(
    cx: &mut Diagnostics,
    cursor: &mut Cursor,
    (word, items, example): (&str, &str, &str),
    item: impl Fn(&mut Diagnostics, &mut Cursor) -> Option<T>,
    lost: impl Fn(&mut Diagnostics, &mut Cursor),
) -> Vec<T> {
    let Some(group) = cursor.group(Delimiter::Brace) else {
        let message = format!("expected `{{` after `{word}`, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        cx.error(at, message).help(example);
        skip_section(cursor);
        return Vec::new();
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut inner = Cursor::within(&trees, group);
    let mut all = Vec::new();
    while !inner.at_end() {
        all.extend(item(cx, &mut inner));
        if inner.at_end() || inner.eat(',') {
            continue;
        }
        if inner.is_punct(';') {
            cx.error(inner.span(), format!("{items} are separated by `,`"))
                .help("`,` in its place");
            inner.next();
        } else {
            lost(cx, &mut inner);
        }
    }
    all
}

fn missing_comma(cx: &mut Diagnostics, inner: &Cursor, item: &str) {
    let message = format!("expected `,` between this {item} and the next");
    cx.error(inner.last_span(), message).help("add `,` here");
}

fn setting(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Setting> {
    let mut example = "`epochs: 30` or `early_stop(patience = 5)`".to_owned();
    let Some(name) = cursor.ident().cloned() else {
        let message = format!("expected a setting, found {}", cursor.found());
        cx.error(cursor.span(), message).help(example);
        cursor.take_until(|cursor| cursor.is_punct(',') || cursor.is_punct(';'));
        return None;
    };
    let name = checked(cx, &name, "a setting");
    let assigned = cursor.is_punct('=');
    if assigned {
        cx.error(
            cursor.span(),
            format!("expected `:` after the setting `{name}`, found `=`"),
        )
        .help(format!("`{name}: ..`"));
    }
    if assigned || cursor.is_colon(0) {
        cursor.next();
        let before = cursor.last_span();
        // A name with a colon begins the next setting: the comma before it was forgotten.
        let mut taken = Vec::new();
        while !cursor.at_end() && !cursor.is_punct(',') && !cursor.is_punct(';') {
            let next = !taken.is_empty()
                && cursor.peek_ident().is_some()
                && (cursor.is_colon(1) || starts_setting(cursor));
            if next
                && !taken
                    .last()
                    .is_some_and(|tree| matches!(tree, TokenTree::Punct(_)))
            {
                break;
            }
            taken.extend(cursor.next().cloned());
        }
        if taken.is_empty() {
            example.clear();
            let _ = write!(
                example,
                "expected a value for `{name}`, found {}",
                cursor.found()
            );
            cx.error(before, example)
                .help(format!("a value after the `:`, or no `{name}` at all"));
            return None;
        }
        let value = value(cx, taken, before);
        return Some(Setting {
            name,
            value: Some(value),
            args: None,
        });
    }
    let args = args(cx, cursor);
    Some(Setting {
        name,
        value: None,
        args,
    })
}

/// Whether `name(..)` here can only be a setting.
fn starts_setting(cursor: &Cursor) -> bool {
    let called = matches!(cursor.nth(1), Some(TokenTree::Group(group))
        if group.delimiter() == Delimiter::Parenthesis);
    called
        && cursor
            .peek_ident()
            .is_some_and(|word| damper_ir::Setting::from_word(&word.to_string()).is_some())
}

pub(super) fn budget(cx: &mut Diagnostics, cursor: &mut Cursor) -> Vec<BudgetItem> {
    let example = "`budget { params <= 1_000_000, memory <= 4 MiB }`";
    let lost = |cx: &mut Diagnostics, inner: &mut Cursor| missing_comma(cx, inner, "limit");
    braced_list(cx, cursor, ("budget", "limits", example), budget_item, lost)
}

/// `name <= value unit`; at least one token is taken.
fn budget_item(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<BudgetItem> {
    let example = "`params <= 1_000_000`, `flops <= 50_000_000` or `memory <= 4 MiB`";
    let at_stop = |cursor: &Cursor| cursor.is_punct(',') || cursor.is_punct(';');
    let Some(name) = cursor.ident().cloned() else {
        let message = format!("expected what is limited, found {}", cursor.found());
        cx.error(cursor.span(), message).help(example);
        cursor.next();
        cursor.take_until(at_stop);
        return None;
    };
    if cursor.is_double(0, '<', '=') {
        cursor.next();
        cursor.next();
    } else {
        let message = format!("expected `<=` after `{name}`, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        cx.error(at, message).help(example);
        // `=`, `<`, `:`: what was meant is clear, and the rest of it is read.
        let mut signs = 0;
        while matches!(cursor.peek(), Some(TokenTree::Punct(_))) && !at_stop(cursor) {
            cursor.next();
            signs += 1;
        }
        if signs == 0 {
            cursor.take_until(at_stop);
            return None;
        }
    }
    let before = cursor.last_span();
    // A name with `<=` begins the next limit: the comma before it was forgotten.
    let mut taken = cursor.take_until(|cursor| {
        at_stop(cursor) || (cursor.peek_ident().is_some() && cursor.is_double(1, '<', '='))
    });
    let unit = unit_of(&mut taken);
    if taken.is_empty() {
        let message = format!("expected a limit for `{name}`, found {}", cursor.found());
        cx.error(before, message).help(example);
        return None;
    }
    let value = value(cx, taken, before);
    Some(BudgetItem { name, value, unit })
}

/// Takes the unit from the end of a limit: the word of `4 MiB`, the suffix of `4MiB`.
fn unit_of(taken: &mut Vec<TokenTree>) -> Option<Ident> {
    if let [TokenTree::Literal(literal)] = taken.as_slice() {
        let text = literal.to_string();
        let number = damper_ir::Unit::ALL
            .into_iter()
            .find_map(|unit| Some((text.strip_suffix(unit.word())?, unit)))
            .filter(|(number, _)| !number.starts_with("0x"))?;
        let mut bare: proc_macro2::Literal = number.0.parse().ok()?;
        bare.set_span(literal.span());
        let unit = Ident::new(number.1.word(), literal.span());
        *taken = vec![TokenTree::Literal(bare)];
        return Some(unit);
    }
    match taken.as_slice() {
        [.., TokenTree::Ident(cast), TokenTree::Ident(_)] if cast == "as" => None,
        [.., TokenTree::Punct(_), TokenTree::Ident(_)] | [_] | [] => None,
        [.., TokenTree::Ident(unit)] => {
            let unit = unit.clone();
            taken.pop();
            Some(unit)
        }
        _ => None,
    }
}
