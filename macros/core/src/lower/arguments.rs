//! The arguments of a word, read by its entry in [`words`].

use super::foreign::{capital, foreign, unnamed_input};
use super::{Cx, unknown_word};
use crate::ast::{self, Args, Call, Ends, Expr};
use crate::evaluate::{self, Type_, in_parentheses};
use crate::words::{self, Argument, Fallback, Kind, Read, Word, list};
use crate::{Hole, HoleKind, parse};
use damper_ir::{LARGEST_WHOLE, MetricKind, Value};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// What was given for one argument.
enum Given {
    Value(Value),
    Range(Value, Value),
    Values(Vec<Value>),
    Word(&'static str),
    Name(String),
    /// A word with arguments of its own.
    Call(Box<Arguments>),
    Rust(TokenStream),
    /// Wrong, and reported.
    Wrong,
}

/// The arguments that were given to a word.
pub(super) struct Arguments {
    word: &'static Word,
    given: BTreeMap<&'static str, (Given, Ends)>,
    /// Whether nothing was wrong with them.
    pub(super) fine: bool,
}

impl Arguments {
    /// Where a range was given.
    pub(super) fn range_ends(&self, name: &str) -> Option<Ends> {
        match self.given.get(name)? {
            (Given::Range(..), ends) => Some(*ends),
            _ => None,
        }
    }

    /// Where an argument was given, with its name.
    pub(super) fn ends(&self, name: &str) -> Option<Ends> {
        self.given.get(name).map(|(_, ends)| *ends)
    }

    /// A Rust expression.
    pub(super) fn rust(&self, name: &str) -> Option<TokenStream> {
        match &self.given.get(name)?.0 {
            Given::Rust(tokens) => Some(tokens.clone()),
            _ => None,
        }
    }

    fn default(&self, name: &str) -> Option<Value> {
        let argument = self.word.argument(name)?;
        argument.number().map(Value::known)
    }
}

impl Read for Arguments {
    fn word(&self) -> &'static Word {
        self.word
    }

    fn value(&self, name: &str) -> Value {
        match self.given.get(name) {
            None => self.default(name).unwrap_or_default(),
            Some((Given::Value(value) | Given::Range(_, value), _)) => *value,
            Some(_) => Value::unknown(),
        }
    }

    fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    fn optional(&self, name: &str) -> Option<Value> {
        match self.given.get(name)?.0 {
            Given::Value(value) => Some(value),
            Given::Wrong => Some(Value::unknown()),
            _ => None,
        }
    }

    fn low(&self, name: &str) -> Option<Value> {
        match self.given.get(name)?.0 {
            Given::Range(low, _) => Some(low),
            _ => None,
        }
    }

    fn values(&self, name: &str) -> Vec<Value> {
        match self.given.get(name) {
            Some((Given::Values(values), _)) => values.clone(),
            // One number is for every axis, also one that is not known.
            Some(_) => {
                let per_axis = |argument: &&Argument| argument.kind.axes().is_some();
                let argument = self.word.argument(name).filter(per_axis);
                argument.map(|_| Value::unknown()).into_iter().collect()
            }
            None => self.default(name).into_iter().collect(),
        }
    }

    fn choice(&self, name: &str) -> Option<&'static str> {
        match self.given.get(name)?.0 {
            Given::Word(word) => Some(word),
            _ => None,
        }
    }

    fn name(&self, name: &str) -> Option<String> {
        match &self.given.get(name)?.0 {
            Given::Name(name) => Some(name.clone()),
            _ => None,
        }
    }

    fn call(&self, name: &str) -> Option<&dyn Read> {
        match &self.given.get(name)?.0 {
            Given::Call(arguments) => Some(&**arguments),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> String {
        self.rust(name).as_ref().map(ast::text).unwrap_or_default()
    }
}

/// How something is written, for reports: text is made of it only where something is wrong.
#[derive(Clone, Copy)]
pub(super) enum Help<'a> {
    None,
    Text(&'a str),
    /// A word with its arguments.
    Word(&'a Word),
}

impl Help<'_> {
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Text(text) => Some(text.to_owned()),
            Self::Word(word) => Some(written(word)),
        }
    }
}

/// A word as it is written with its arguments.
fn written(word: &Word) -> String {
    format!("`{}`", word.signature())
}

/// An argument and the word it belongs to, for reports.
struct ArgumentOf(&'static str, &'static str);

impl Display for ArgumentOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}`", self.0, self.1)
    }
}

/// Reads the arguments of a call.
pub(super) fn read(cx: &mut Cx, call: &Call, word: &'static Word) -> Arguments {
    let mut arguments = Arguments {
        word,
        given: BTreeMap::new(),
        fine: true,
    };
    if let Some(args) = &call.args {
        items(cx, args, &mut arguments);
    }
    for argument in word.arguments {
        let missing = argument.fallback == Fallback::Required;
        // One mistake in the list may be the reason for the lack: it is enough to say that.
        if missing && arguments.fine && !arguments.given.contains_key(argument.name) {
            let message = format!(
                "`{}` needs {} for `{}`",
                word.name,
                argument.kind.wanted(),
                argument.name
            );
            cx.diagnostics
                .error(call.ends(), message)
                .help(written(word));
            arguments.fine = false;
        }
    }
    arguments
}

fn items(cx: &mut Cx, args: &Args, arguments: &mut Arguments) {
    let word = arguments.word;
    let unnamed = word
        .arguments
        .iter()
        .filter(|argument| argument.positional)
        .count();
    let mut count = 0;
    for item in &args.items {
        let found = if let Some(name) = &item.name {
            let text = name.to_string();
            let found = word.arguments.iter().find(|argument| argument.name == text);
            if found.is_none() {
                let names: Vec<&str> = word
                    .arguments
                    .iter()
                    .map(|argument| argument.name)
                    .collect();
                let instead = words::instead_of_argument(&text);
                let suggestion = words::argument_aliases(&text)
                    .iter()
                    .copied()
                    .find(|alias| names.contains(alias))
                    .or_else(|| damper_ir::suggest(&text, names.iter().copied()))
                    .filter(|_| instead.is_none());
                let message = match (word.arguments.is_empty(), suggestion) {
                    (true, _) => format!("`{}` takes no arguments", word.name),
                    (_, Some(suggestion)) => format!(
                        "`{}` has no argument `{text}`: did you mean `{suggestion}`?",
                        word.name
                    ),
                    _ => format!("`{}` has no argument `{text}`", word.name),
                };
                let report = cx.diagnostics.error(name, message);
                match instead {
                    Some(instead) => report.help(instead),
                    None => report.help(written(word)),
                };
            }
            found
        } else {
            let found = word
                .arguments
                .iter()
                .filter(|argument| argument.positional)
                .nth(count);
            count += 1;
            if found.is_none() {
                let message = match (word.arguments.is_empty(), unnamed) {
                    (true, _) => format!("`{}` takes no arguments", word.name),
                    (_, 0) => format!("the arguments of `{}` need their names", word.name),
                    (_, 1) => format!("`{}` takes only one argument without a name", word.name),
                    (_, n) => format!("`{}` takes only {n} arguments without a name", word.name),
                };
                match unnamed_input(args, word, count) {
                    Some((what, call)) => cx
                        .diagnostics
                        .error(item.value.ends, format!("{message}: {what}"))
                        .help(call),
                    None => cx
                        .diagnostics
                        .error(item.value.ends, message)
                        .help(written(word)),
                };
            }
            found
        };
        let Some(argument) = found else {
            evaluate::mark(&mut cx.hyper, &item.value.tokens);
            arguments.fine = false;
            continue;
        };
        let first = item
            .name
            .as_ref()
            .map_or(item.value.ends.0, proc_macro2::Ident::span);
        let ends = (first, item.value.ends.1);
        if let Some((_, (before, _))) = arguments.given.get(argument.name) {
            let message = format!("`{}` is given twice to `{}`", argument.name, word.name);
            cx.diagnostics
                .error(ends, message)
                .other(*before, "the first one is")
                .help(written(word));
            arguments.fine = false;
            continue;
        }
        let given = given(cx, &item.value, argument, word);
        arguments.fine &= !matches!(given, Given::Wrong);
        arguments.given.insert(argument.name, (given, ends));
    }
}

/// The word that an expression is, if it is one that no hyper-parameter has and that is written as a variable is.
fn plain_word(cx: &Cx, expr: &Expr) -> Option<String> {
    let name = syn::parse2::<Ident>(expr.tokens.clone()).ok()?.to_string();
    let variable = name
        .chars()
        .all(|c| c == '_' || c.is_ascii_digit() || c.is_ascii_lowercase());
    let known = cx.hyper.iter().any(|hyper| hyper.name == name);
    (variable && !known).then_some(name)
}

fn given(cx: &mut Cx, expr: &Expr, argument: &Argument, word: &Word) -> Given {
    let what = ArgumentOf(argument.name, word.name);
    let help = Help::Word(word);
    let wrong = |cx: &mut Cx| {
        let message = format!(
            "{what} is {}, found `{}`",
            argument.kind.wanted(),
            expr.text()
        );
        cx.diagnostics.error(expr.ends, message).help(written(word));
        Given::Wrong
    };
    let one = |cx: &mut Cx, kind: Kind| {
        checked(cx, expr, kind, &what, help).map_or(Given::Wrong, Given::Value)
    };
    match argument.kind {
        Kind::Size | Kind::Whole | Kind::Float | Kind::Bool => {
            value_of_another(cx, expr, argument, word).unwrap_or_else(|| one(cx, argument.kind))
        }
        Kind::FloatOrRange | Kind::WholeRange => match syn::parse2(expr.tokens.clone()) {
            Ok(syn::Expr::Range(range)) => {
                let (Some(start), Some(end)) = (&range.start, &range.end) else {
                    return wrong(cx);
                };
                let start = Expr::new(quote!(#start), expr.ends.0);
                let end = Expr::new(quote!(#end), expr.ends.1);
                let kind = argument.kind.element();
                let low = checked(cx, &start, kind, &what, help);
                let high = checked(cx, &end, kind, &what, help);
                low.zip(high)
                    .map_or(Given::Wrong, |(low, high)| Given::Range(low, high))
            }
            _ if argument.kind == Kind::WholeRange => wrong(cx),
            _ => one(cx, Kind::Float),
        },
        Kind::SizePerAxis(axes) | Kind::WholePerAxis(axes) => sizes(cx, expr, axes, argument, word),
        Kind::Padding(axes, words) => match plain_word(cx, expr).or_else(|| capital(expr, words)) {
            Some(text) => match words.iter().find(|word| **word == text) {
                Some(word) => Given::Word(word),
                None => cannot_be(cx, expr, words, &what, &argument.kind.wanted()),
            },
            None => sizes(cx, expr, axes, argument, word),
        },
        Kind::SizeOr(word) => match plain_word(cx, expr) {
            Some(text) if text == word => Given::Word(word),
            Some(text) if damper_ir::suggest(&text, [word]).is_some() => {
                cannot_be(cx, expr, &[word], &what, &argument.kind.wanted())
            }
            _ => one(cx, Kind::Size),
        },
        Kind::Name => match syn::parse2::<Ident>(expr.tokens.clone()) {
            Ok(name) => Given::Name(name.to_string()),
            Err(_) => wrong(cx),
        },
        Kind::Sizes | Kind::Wholes | Kind::Floats => {
            let kind = argument.kind.element();
            let Some(elements) = parse::list_of(cx.diagnostics, expr) else {
                return wrong(cx);
            };
            let elements = elements.iter();
            let values = elements.map(|element| checked(cx, element, kind, &what, help));
            // All of them are read, so that each mistake is reported.
            let values: Vec<Option<Value>> = values.collect();
            let values: Option<Vec<Value>> = values.into_iter().collect();
            values.map_or(Given::Wrong, Given::Values)
        }
        Kind::Word(words) => {
            let text = expr.text();
            if let Some(word) = words.iter().find(|word| **word == text) {
                return Given::Word(word);
            }
            cannot_be(cx, expr, words, &what, &format!("one of {}", list(words)))
        }
        Kind::Metric => {
            if expr.text() == "loss" {
                return Given::Word("loss");
            }
            let Some(call) = parse::call_of(cx.diagnostics, expr) else {
                return wrong(cx);
            };
            let word = known_or(cx, "metric", damper_ir::metric::WORDS, &call, &["loss"]);
            word.map_or(Given::Wrong, |word| {
                Given::Call(Box::new(read(cx, &call, word)))
            })
        }
        Kind::Rust | Kind::RustType => {
            evaluate::mark(&mut cx.hyper, &expr.tokens);
            let tokens = expr.tokens.clone();
            let is_rust = match argument.kind {
                Kind::RustType => syn::parse2::<syn::Type>(tokens).is_ok(),
                _ => syn::parse2::<syn::Expr>(tokens).is_ok(),
            };
            if is_rust {
                Given::Rust(expr.tokens.clone())
            } else {
                wrong(cx)
            }
        }
    }
}

/// Reports a plain word that is a value of another argument of the same word.
fn value_of_another(cx: &mut Cx, expr: &Expr, argument: &Argument, word: &Word) -> Option<Given> {
    let text = plain_word(cx, expr)?;
    let is = |other: &&Argument| matches!(other.kind, Kind::Word(words) if words.contains(&text.as_str()));
    let other = word.arguments.iter().find(is)?.name;
    let message = format!(
        "{} is {}, `{text}` is a value of `{other}`",
        ArgumentOf(argument.name, word.name),
        argument.kind.wanted()
    );
    let report = cx.diagnostics.error(expr.ends, message);
    report.help(format!("`{other} = {text}`"));
    Some(Given::Wrong)
}

/// One number for every axis, or a list with one for each.
fn sizes(cx: &mut Cx, expr: &Expr, axes: u8, argument: &Argument, word: &Word) -> Given {
    let what = ArgumentOf(argument.name, word.name);
    let help = Help::Word(word);
    let Some(elements) = parse::list_of(cx.diagnostics, expr) else {
        if let Ok(syn::Expr::Tuple(tuple)) = syn::parse2(expr.tokens.clone()) {
            let elements = tuple.elems.iter();
            let elements: Vec<String> = elements.map(|one| ast::text(&quote!(#one))).collect();
            let message = format!("{what} is {}, found a tuple", argument.kind.wanted());
            let list = elements.join(", ");
            cx.diagnostics
                .error(expr.ends, message)
                .help(format!("`{} = [{list}]`", argument.name));
            return Given::Wrong;
        }
        return checked(cx, expr, Kind::Size, &what, help)
            .map_or(Given::Wrong, |value| Given::Values(vec![value]));
    };
    let values: Vec<Value> = elements
        .iter()
        .filter_map(|element| checked(cx, element, Kind::Size, &what, help))
        .collect();
    if values.len() < elements.len() {
        return Given::Wrong;
    }
    if values.len() == 1 || values.len() == usize::from(axes) {
        return Given::Values(values);
    }
    // `[2, 0]` along a line: before and after.
    if let (Kind::Padding(1, _), [first, last]) = (argument.kind, values.as_slice()) {
        let help = match (first.size(), last.size()) {
            (Some(before), Some(0)) if before > 0 => "`padding = causal`: zeros before the first position alone, as many as the kernel needs".to_owned(),
            _ => format!("`padding = {first}`, on both sides"),
        };
        let message = format!("{what} wants one number, found 2");
        cx.diagnostics.error(expr.ends, message).help(help);
        return Given::Wrong;
    }
    let wanted = match axes {
        1 => "one number".to_owned(),
        n => format!("one number, or {n} (one for each axis)"),
    };
    let example = match axes {
        1 => values
            .first()
            .map_or_else(|| "3".to_owned(), ToString::to_string),
        2 => "[3, 3]".to_owned(),
        _ => "[3, 3, 3]".to_owned(),
    };
    cx.diagnostics
        .error(
            expr.ends,
            format!("{what} wants {wanted}, found {}", values.len()),
        )
        .help(format!("`{} = {example}`", argument.name));
    Given::Wrong
}

fn cannot_be(cx: &mut Cx, expr: &Expr, words: &[&str], what: &dyn Display, wanted: &str) -> Given {
    let text = expr.text();
    let suggestion = damper_ir::suggest(&text, words.iter().copied());
    let ending = suggestion.map_or(String::new(), |s| format!(": did you mean `{s}`?"));
    cx.diagnostics
        .error(expr.ends, format!("{what} cannot be `{text}`{ending}"))
        .help(format!("it is {wanted}"));
    Given::Wrong
}

/// A value of a kind; unknown where it is wrong. `what` says whose it is, `help` how to write it.
pub(super) fn value(cx: &mut Cx, expr: &Expr, kind: Kind, what: &str, help: Option<&str>) -> Value {
    let help = help.map_or(Help::None, Help::Text);
    checked(cx, expr, kind, &what, help).unwrap_or_default()
}

/// A word like a variable's that is almost the name of a hyper-parameter: constants are written in capitals.
fn misspelt(cx: &mut Cx, expr: &Expr) -> bool {
    let Ok(word) = syn::parse2::<proc_macro2::Ident>(expr.tokens.clone()) else {
        return false;
    };
    let name = word.to_string();
    let is_variable = name
        .chars()
        .all(|c| c == '_' || c.is_ascii_digit() || c.is_ascii_lowercase());
    if !is_variable || cx.hyper.iter().any(|known| known.name == name) {
        return false;
    }
    let names = cx.hyper.iter().map(|known| known.name.as_str());
    let Some(near) = damper_ir::suggest(&name, names).map(str::to_owned) else {
        return false;
    };
    cx.diagnostics
        .error(
            expr.ends,
            format!("no hyper-parameter is called `{name}`: did you mean `{near}`?"),
        )
        .help(format!("`{near}`"));
    for known in cx.hyper.iter_mut().filter(|known| known.name == near) {
        known.used = true;
    }
    true
}

fn checked(
    cx: &mut Cx,
    expr: &Expr,
    kind: Kind,
    what: &dyn Display,
    help: Help<'_>,
) -> Option<Value> {
    let id = cx.id(expr.ends);
    if misspelt(cx, expr) || foreign(cx, expr, kind, what, help) {
        return None;
    }
    let uses_hyper = evaluate::mark(&mut cx.hyper, &expr.tokens);
    let evaluated = evaluate::evaluate(cx.diagnostics, &cx.hyper, expr)?;
    let (hole, fits) = match kind {
        Kind::Size | Kind::Whole => (
            HoleKind::Size,
            matches!(evaluated.ty, Type_::Whole | Type_::Size),
        ),
        Kind::Bool => (HoleKind::Bool, evaluated.ty == Type_::Bool),
        _ => (
            HoleKind::Float,
            matches!(evaluated.ty, Type_::Whole | Type_::Float),
        ),
    };
    if !fits && evaluated.ty != Type_::Unknown {
        let written = expr.text();
        let message = if evaluated.literal {
            format!("{what} must be {}, found `{written}`", kind.wanted())
        } else {
            let ty = evaluated.ty.name();
            format!("{what} must be {}, `{written}` is {ty}", kind.wanted())
        };
        let report = cx.diagnostics.error(expr.ends, message);
        match (hole, evaluated.ty) {
            (HoleKind::Float, Type_::Size) => {
                report.help(format!("`{} as f64`", in_parentheses(&written)));
            }
            // A rate where a number of epochs is wanted: as a whole number it would be 0.
            (HoleKind::Size, Type_::Float)
                if !evaluated.literal && evaluated.known.is_none_or(|known| known >= 1.0) =>
            {
                report.help(format!("`{} as usize`", in_parentheses(&written)));
            }
            (HoleKind::Size, Type_::Float) if !evaluated.literal => {
                report.help("a whole number, such as `10`");
            }
            _ => {
                report.helps.extend(help.text());
            }
        }
        return None;
    }
    if let (HoleKind::Size, Some(known)) = (hole, evaluated.known)
        && !(0.0..=LARGEST_WHOLE).contains(&known)
    {
        let side = if known < 0.0 {
            "cannot be negative"
        } else {
            "is too large"
        };
        let report = cx
            .diagnostics
            .error(expr.ends, format!("{what} {side}, found `{}`", expr.text()));
        report.helps.extend(help.text());
        return None;
    }
    if super::formula::is_scoped(cx, &expr.tokens) {
        return super::formula::of(cx, expr, id);
    }
    let place = (!evaluated.literal).then(|| {
        cx.holes.push(Hole {
            tokens: expr.tokens.clone(),
            kind: hole,
            id,
            spans: expr.ends,
            uses_hyper,
        });
        u32::try_from(cx.holes.len() - 1).unwrap_or(u32::MAX)
    });
    Some(Value {
        id,
        known: evaluated.known,
        hole: place,
        formula: None,
    })
}

/// The word of a table, or an error; arguments that are not read still count as used.
pub(super) fn known(
    cx: &mut Cx,
    what: &str,
    table: &'static [Word],
    call: &Call,
) -> Option<&'static Word> {
    known_or(cx, what, table, call, &[])
}

/// As [`known`], where other words may stand there as well: for suggestions.
fn known_or(
    cx: &mut Cx,
    what: &str,
    table: &'static [Word],
    call: &Call,
    others: &[&'static str],
) -> Option<&'static Word> {
    let found = words::find(table, &call.word.to_string());
    if found.is_none() {
        let others = others.iter().copied();
        let candidates: Vec<&'static str> = words::names(table).chain(others).collect();
        unknown_word(cx, what, &call.word, &candidates);
        for item in call.args.iter().flat_map(|args| &args.items) {
            evaluate::mark(&mut cx.hyper, &item.value.tokens);
        }
    }
    found
}

/// A metric with its arguments.
pub(super) fn metric(cx: &mut Cx, call: &Call) -> Option<MetricKind> {
    let word = known(cx, "metric", damper_ir::metric::WORDS, call)?;
    let arguments = read(cx, call, word);
    MetricKind::read(&arguments)
}
