//! What other languages and libraries write in the place of a value.

use super::Cx;
use super::arguments::Help;
use crate::ast::{Args, Expr};
use crate::words::{Kind, Word};
use std::fmt::Display;

/// `linear(64, 32)`: the call without the size of what comes in, which other libraries want first; of a convolution
/// `conv2d(8, 3)`, the call with the name of the kernel.
pub(super) fn unnamed_input(
    args: &Args,
    word: &Word,
    count: usize,
) -> Option<(&'static str, String)> {
    let first = word.arguments.first()?;
    if !matches!(first.name, "out" | "hidden") || count != 2 {
        return None;
    }
    let mut unnamed: Vec<String> = Vec::new();
    let mut named: Vec<String> = Vec::new();
    for item in &args.items {
        let text = item.value.text();
        match &item.name {
            Some(name) if word.argument(&name.to_string()).is_some() => {
                named.push(format!("{name} = {text}"));
            }
            // It has an error of its own.
            Some(_) => {}
            // A size: a number or the name of one.
            None if syn::parse2::<syn::Expr>(item.value.tokens.clone()).is_ok() => {
                unnamed.push(text);
            }
            None => return None,
        }
    }
    let kernel = word.argument("kernel").is_some();
    let has_kernel = named.iter().any(|argument| argument.starts_with("kernel"));
    let (what, mut all) = match unnamed.as_slice() {
        [out, size] if kernel && !has_kernel => (
            "the kernel needs its name",
            vec![out.clone(), format!("kernel = {size}")],
        ),
        [_, out, size] if kernel && !has_kernel => (
            "what comes in is known",
            vec![out.clone(), format!("kernel = {size}")],
        ),
        [_, out] => ("what comes in is known", vec![out.clone()]),
        _ => return None,
    };
    all.extend(named);
    Some((what, format!("`{}({})`", word.name, all.join(", "))))
}

/// One of the words in other letters, as another library writes it: `SAME`.
pub(super) fn capital(expr: &Expr, words: &[&str]) -> Option<String> {
    let text = expr.text();
    words
        .contains(&text.to_lowercase().as_str())
        .then_some(text)
}

/// What Python writes where one value is wanted: `True`, `None`, a list, a tuple.
pub(super) fn foreign(
    cx: &mut Cx,
    expr: &Expr,
    kind: Kind,
    what: &dyn Display,
    help: Help<'_>,
) -> bool {
    let text = expr.text();
    if cx.hyper.iter().any(|known| known.name == text) {
        return false;
    }
    let (message, instead) = match text.as_str() {
        "True" | "False" => {
            let rust = text.to_lowercase();
            let message = format!("{what} must be {}, found Python's `{text}`", kind.wanted());
            (message, (kind == Kind::Bool).then(|| format!("`{rust}`")))
        }
        "None" => {
            let message = format!("`None` is no value: {what} wants {}", kind.wanted());
            // The shape of a sample begins behind the batch axis.
            let instead = kind == Kind::Size && matches!(help, Help::None | Help::Text(_));
            (
                message,
                instead.then(|| "leave it out: the batch axis is implied".to_owned()),
            )
        }
        _ => match syn::parse2::<syn::Expr>(expr.tokens.clone()) {
            Ok(syn::Expr::Array(_)) => {
                let message = format!("{what} must be {}, found the list `{text}`", kind.wanted());
                (message, None)
            }
            Ok(syn::Expr::Tuple(_)) => {
                let message = format!("{what} must be {}, found the tuple `{text}`", kind.wanted());
                (message, None)
            }
            _ => return false,
        },
    };
    let report = cx.diagnostics.error(expr.ends, message);
    report.helps.extend(instead.or_else(|| help.text()));
    true
}
