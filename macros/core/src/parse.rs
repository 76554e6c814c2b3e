//! Tokens to [`ast`]. Recovering: what was understood but is wrong is reported and kept, what is lost
//! is skipped up to the next `;` or section.

use crate::ast::{
    self, Annotation, Arg, Args, Attrs, BudgetItem, Call, Expr, Hyper, Input, Layers, Loss, Model,
    Node, Section, Setting, Side, Statement, Target, ends, text,
};
use crate::attrs::{Place, attributes};
use crate::cursor::{Cursor, DEEPEST, is_readable, too_deep};
use crate::diag::Diagnostics;
use crate::words;
use damper_ir::HyperKind;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use std::fmt::Write as _;

/// `$crate, model`: the path of the runtime, and the model unless its name was lost.
pub(crate) fn model(cx: &mut Diagnostics, input: TokenStream) -> (TokenStream, Option<Model>) {
    if let Some(group) = too_deep(input.clone()) {
        let message = format!("more than {DEEPEST} delimiters inside one another");
        cx.error(group.span_open(), message)
            .help("a part of the model as a model of its own: `crate::Encoder`");
        return (TokenStream::new(), None);
    }
    let trees: Vec<TokenTree> = input.into_iter().collect();
    let here = Span::call_site();
    let mut cursor = Cursor::new(&trees, here, here);
    let krate: TokenStream = cursor
        .take_until(|cursor| cursor.is_punct(','))
        .into_iter()
        .collect();
    cursor.eat(',');
    // What is missing at the end is reported at the last token: there is no closing brace to point at.
    cursor.close = trees.last().map_or(here, |tree| match tree {
        TokenTree::Group(group) => group.span_close(),
        tree => tree.span(),
    });
    let model = header(cx, &mut cursor).map(|model| sections(cx, &mut cursor, model));
    (krate, model)
}

/// Tokens as a value. In the place of one that is too long, which is reported, stands a name that nobody knows.
fn value(cx: &mut Diagnostics, trees: Vec<TokenTree>, before: Span) -> Expr {
    let value = Expr::new(trees.into_iter().collect(), before);
    if is_readable(cx, &value.tokens, "value") {
        return value;
    }
    let unread = Ident::new("unread", value.ends.0);
    Expr {
        tokens: quote!(#unread),
        ..value
    }
}

fn header(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Model> {
    let attrs = attributes(cx, cursor, Place::Model);
    let mut vis = TokenStream::new();
    if let Some(group) = cursor.group(Delimiter::None) {
        // `$vis` of a `macro_rules!`, which may be nothing.
        vis = group.stream();
    } else if cursor.is_word("pub") {
        vis.extend(cursor.next().cloned());
        if let Some(group) = cursor.group(Delimiter::Parenthesis) {
            vis.extend([TokenTree::Group(group.clone())]);
        }
    }
    if !vis.is_empty() && syn::parse2::<syn::Visibility>(vis.clone()).is_err() {
        let at = ends(&vis).unwrap_or((cursor.last_span(), cursor.last_span()));
        cx.error(at, format!("`{}` is not a visibility", text(&vis)))
            .help("`pub`, `pub(crate)` or nothing");
        vis = quote!(pub);
    }
    if cursor.is_word("struct") || cursor.is_word("model") || cursor.is_word("mod") {
        cx.error(
            cursor.span(),
            format!("{} is not needed here", cursor.found()),
        )
        .help("a model begins with its visibility and its name: `pub Digits`");
        cursor.next();
    }
    let example = "a model begins with its visibility and its name: `pub Digits`";
    let Some(name) = cursor.ident() else {
        let message = format!("expected the name of the model, found {}", cursor.found());
        cx.error(cursor.span(), message).help(example);
        return None;
    };
    if words::SECTIONS.contains(&name.to_string().as_str()) {
        cx.error(
            name,
            format!("expected the name of the model before `{name}`"),
        )
        .help(example);
        return None;
    }
    if syn::parse2::<Ident>(quote!(#name)).is_err() {
        cx.error(
            name,
            format!("`{name}` is a word of Rust and cannot name a model"),
        )
        .help(example);
        return None;
    }
    let hyper = if cursor.is_punct('<') {
        hypers(cx, cursor)
    } else {
        Vec::new()
    };
    Some(Model {
        attrs,
        vis,
        name: name.clone(),
        hyper,
        input: None,
        layers: None,
        loss: None,
        task: None,
        metrics: None,
        train: None,
        budget: None,
        broken: false,
        unknown: Vec::new(),
    })
}

fn hypers(cx: &mut Diagnostics, cursor: &mut Cursor) -> Vec<Hyper> {
    let open = cursor.span();
    cursor.next();
    let closed = cursor.trees[cursor.at..].iter().any(|tree| is(tree, '>'));
    if !closed {
        cx.error(open, "this `<` is never closed")
            .help("`Name<hidden: usize = 128>`");
    }
    let trees = cursor.take_until(|cursor| {
        if closed {
            cursor.is_punct('>')
        } else {
            cursor
                .peek_ident()
                .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()))
        }
    });
    let close = cursor.span();
    cursor.eat('>');
    let mut inner = Cursor::new(&trees, open, close);
    let mut all: Vec<Hyper> = Vec::new();
    while !inner.at_end() {
        let before = inner.at;
        if let Some(hyper) = hyper(cx, &mut inner) {
            all.push(hyper);
        }
        if !inner.at_end() && !inner.eat(',') {
            let message = format!("expected `,`, found {}", inner.found());
            cx.error(inner.span(), message)
                .help("`hidden: usize = 64, rate: f64 = 0.5`");
            if inner.peek_ident().is_none() || !inner.is_colon(1) {
                inner.take_until(|cursor| cursor.is_punct(','));
                inner.eat(',');
            }
        }
        if inner.at == before {
            inner.next();
        }
    }
    all
}

fn hyper(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Hyper> {
    let example = "a hyper-parameter has a type and a default: `hidden: usize = 128`";
    let attrs = attributes(cx, cursor, Place::Documented);
    let Some(name) = cursor.ident().cloned() else {
        let message = format!(
            "expected the name of a hyper-parameter, found {}",
            cursor.found()
        );
        cx.error(cursor.span(), message).help(example);
        cursor.take_until(|cursor| cursor.is_punct(','));
        return None;
    };
    let name = checked(cx, &name, "a hyper-parameter");
    let mut kind = None;
    if cursor.is_colon(0) {
        cursor.next();
        let ty = cursor.take_until(|cursor| {
            cursor.is_punct(',') || cursor.is_punct('=') || cursor.is_word("in")
        });
        let ty: TokenStream = ty.into_iter().collect();
        kind = match text(&ty).as_str() {
            "usize" => Some((HyperKind::Usize, ty)),
            "f64" => Some((HyperKind::F64, ty)),
            "bool" => Some((HyperKind::Bool, ty)),
            "" => {
                cx.error(cursor.last_span(), "expected a type after `:`")
                    .help(example);
                Some((HyperKind::Usize, quote!(usize)))
            }
            other => {
                let instead = match other {
                    "f32" | "float" => Some("f64"),
                    "u8" | "u16" | "u32" | "u64" | "i32" | "i64" | "isize" | "int" => Some("usize"),
                    _ => None,
                };
                let at = ends(&ty).unwrap_or((name.span(), name.span()));
                let report = cx.error(
                    at,
                    format!("a hyper-parameter is `usize`, `f64` or `bool`, not `{other}`"),
                );
                if let Some(instead) = instead {
                    report.help(format!("`{name}: {instead}`"));
                }
                Some(match instead {
                    Some("f64") => (HyperKind::F64, quote!(f64)),
                    _ => (HyperKind::Usize, quote!(usize)),
                })
            }
        };
    } else {
        cx.error(&name, format!("`{name}` has no type"))
            .help(example);
    }
    let (kind, ty) = kind.unwrap_or((HyperKind::Usize, quote!(usize)));
    let domain = cursor.is_word("in").then(|| {
        cursor.next();
        let before = cursor.last_span();
        let taken = cursor.take_until(|cursor| {
            let after_dots = cursor
                .at
                .checked_sub(1)
                .and_then(|at| cursor.trees.get(at))
                .is_some_and(|tree| is(tree, '.'));
            cursor.is_punct(',') || (cursor.is_punct('=') && !after_dots)
        });
        value(cx, taken, before)
    });
    let default = if cursor.eat('=') {
        let before = cursor.last_span();
        // A name with a colon begins the next one: the comma before it was forgotten.
        let taken = cursor.take_until(|cursor| {
            cursor.is_punct(',') || (cursor.peek_ident().is_some() && cursor.is_colon(1))
        });
        let tokens: TokenStream = taken.iter().cloned().collect();
        if taken.is_empty() {
            cx.error(before, "expected a default after `=`")
                .help(example);
            Vec::new()
        } else if !is_readable(cx, &tokens, "value") {
            Vec::new()
        } else if let Err(error) = syn::parse2::<syn::Expr>(tokens.clone()) {
            let at = ends(&tokens).unwrap_or((before, before));
            let message = format!("`{}` is not a value: {error}", text(&tokens));
            cx.error(at, message).help(example);
            Vec::new()
        } else {
            taken
        }
    } else {
        if cursor.at_end() || cursor.is_punct(',') {
            cx.error(&name, format!("`{name}` has no default"))
                .help(example)
                .note("every check at compile time uses the defaults");
        } else {
            let message = format!("expected `=` and a default, found {}", cursor.found());
            cx.error(cursor.span(), message).help(example);
            cursor.take_until(|cursor| cursor.is_punct(','));
        }
        Vec::new()
    };
    let mut default: TokenStream = default.into_iter().collect();
    if default.is_empty() {
        default = match kind {
            HyperKind::Usize => quote!(1),
            HyperKind::F64 => quote!(0.0),
            HyperKind::Bool => quote!(false),
        };
    }
    let default = Expr::new(default, name.span());
    Some(Hyper {
        attrs,
        name,
        kind,
        ty,
        domain,
        default,
    })
}

/// A name that can be a field and a parameter: one that cannot is reported, and gets a `_`.
fn checked(cx: &mut Diagnostics, name: &Ident, what: &str) -> Ident {
    let text = name.to_string();
    let plain = text.strip_prefix("r#").unwrap_or(&text);
    if plain == text && is_name(name) {
        return name.clone();
    }
    let message = if plain == text {
        format!("`{text}` is a word of Rust and cannot name {what}")
    } else {
        format!("`{text}` cannot name {what}: it becomes a path of the saved weights")
    };
    cx.error(name, message).help(format!("`{plain}_`"));
    Ident::new(&format!("{plain}_"), name.span())
}

/// What a path may begin with.
fn is_root(name: &Ident) -> bool {
    name == "crate" || name == "self" || name == "super"
}

/// Whether it is no word of Rust.
fn is_name(name: &Ident) -> bool {
    syn::parse2::<Ident>(quote!(#name)).is_ok()
}

fn is(tree: &TokenTree, c: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == c)
}

fn sections(cx: &mut Diagnostics, cursor: &mut Cursor, mut model: Model) -> Model {
    while !cursor.at_end() {
        let attrs = attributes(cx, cursor, Place::Leveled);
        let Some(word) = cursor.peek_ident() else {
            if cursor.at_end() {
                cx.error(
                    cursor.last_span(),
                    "expected a section after this attribute",
                );
                break;
            }
            let message = format!("expected a section, found {}", cursor.found());
            cx.error(cursor.span(), message)
                .help(format!("sections are {}", words::list(words::SECTIONS)));
            model.broken = true;
            skip_section(cursor);
            continue;
        };
        let mut name = word.to_string();
        cursor.next();
        if !words::SECTIONS.contains(&name.as_str()) {
            let Some(meant) = unknown_section(cx, word) else {
                model.broken = true;
                model.unknown.push(word.clone());
                skip_section(cursor);
                continue;
            };
            meant.clone_into(&mut name);
        }
        if cursor.is_colon(0) {
            cx.error(
                cursor.span(),
                format!("no `:` after the section's word `{word}`"),
            )
            .help("remove the `:`");
            cursor.next();
        }
        let word = word.clone();
        match name.as_str() {
            "input" => {
                let content = inputs(cx, cursor);
                place(
                    cx,
                    &mut model.input,
                    Section {
                        attrs,
                        word,
                        content,
                    },
                );
            }
            "layers" => {
                let content = layers(cx, cursor);
                place(
                    cx,
                    &mut model.layers,
                    Section {
                        attrs,
                        word,
                        content,
                    },
                );
            }
            "loss" => {
                let content = loss(cx, cursor);
                place(
                    cx,
                    &mut model.loss,
                    Section {
                        attrs,
                        word,
                        content,
                    },
                );
            }
            "task" => {
                let content = call_or_skip(cx, cursor, "a task", "`task multiclass(10)`");
                place(
                    cx,
                    &mut model.task,
                    Section {
                        attrs,
                        word,
                        content,
                    },
                );
            }
            "metrics" => {
                let content = metrics(cx, cursor);
                place(
                    cx,
                    &mut model.metrics,
                    Section {
                        attrs,
                        word,
                        content,
                    },
                );
            }
            "budget" => {
                let content = budget(cx, cursor, &word);
                place(
                    cx,
                    &mut model.budget,
                    Section {
                        attrs,
                        word,
                        content,
                    },
                );
            }
            _ => {
                let content = train(cx, cursor, &word);
                place(
                    cx,
                    &mut model.train,
                    Section {
                        attrs,
                        word,
                        content,
                    },
                );
            }
        }
    }
    model
}

/// A section stands at most once; the first one counts.
fn place<T>(cx: &mut Diagnostics, slot: &mut Option<Section<T>>, section: Section<T>) {
    match slot {
        Some(first) => {
            let word = &section.word;
            cx.error(word, format!("the section `{word}` stands twice"))
                .other(first.word.span(), "the first one is")
                .help("keep one of them");
        }
        None => *slot = Some(section),
    }
}

/// Reports a word that begins no section; the section that was meant, if that can be told.
fn unknown_section(cx: &mut Diagnostics, word: &Ident) -> Option<&'static str> {
    let name = word.to_string();
    let instead = match name.as_str() {
        "inputs" => Some("input"),
        "layer" | "net" | "network" | "model" | "architecture" => Some("layers"),
        "losses" | "objective" => Some("loss"),
        "training" | "optimizer" | "fit" => Some("train"),
        "limits" | "limit" | "cost" | "costs" => Some("budget"),
        _ => damper_ir::suggest(&name, words::SECTIONS.iter().copied()),
    };
    let message = match instead {
        Some(instead) => format!("unknown section `{name}`: did you mean `{instead}`?"),
        None => format!("unknown section `{name}`"),
    };
    cx.error(word, message)
        .help(format!("sections are {}", words::list(words::SECTIONS)));
    instead
}

fn skip_section(cursor: &mut Cursor) {
    cursor.take_until(|cursor| {
        cursor.is_punct('#')
            || cursor
                .peek_ident()
                .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()))
    });
}

fn inputs(cx: &mut Diagnostics, cursor: &mut Cursor) -> Vec<Input> {
    let Some(group) = cursor.group(Delimiter::Brace) else {
        return input(cx, cursor).into_iter().collect();
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut inner = Cursor::within(&trees, group);
    let mut all = Vec::new();
    if inner.at_end() {
        cx.error(group.span_open(), "a model needs an input")
            .help("`input image: [64]`");
    }
    while !inner.at_end() {
        let before = inner.at;
        all.extend(input(cx, &mut inner));
        if !inner.at_end() && !inner.eat(',') {
            let message = format!("expected `,` between inputs, found {}", inner.found());
            cx.error(inner.span(), message)
                .help("`input { image: [1, 28, 28], age: [1] }`");
            if !inner.eat(';') && inner.peek_ident().is_none() {
                inner.take_until(|cursor| cursor.is_punct(','));
                inner.eat(',');
            }
        }
        if inner.at == before {
            inner.next();
        }
    }
    all
}

fn input(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Input> {
    let example = "an input has a name and the shape of one sample: `input image: [64]`";
    let attrs = attributes(cx, cursor, Place::Documented);
    let mut name = None;
    let start = cursor.span();
    if cursor.peek_ident().is_some_and(|word| {
        cursor.is_colon(1) || !words::SECTIONS.contains(&word.to_string().as_str())
    }) {
        name = cursor.ident().map(|name| checked(cx, name, "an input"));
        if cursor.is_colon(0) {
            cursor.next();
        } else if let Some(name) = &name {
            let message = format!("expected `:` after `{name}`, found {}", cursor.found());
            cx.error(name, message).help(example);
        }
    }
    let Some(group) = cursor.group(Delimiter::Bracket) else {
        let message = format!("expected a shape, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        if name.is_none() || cursor.is_colon(0) || !cursor.last_span_is(name.as_ref()) {
            cx.error(at, message).help(example);
        }
        if cursor.group(Delimiter::Parenthesis).is_some() {
            return None;
        }
        return name.map(|name| {
            let ends = (name.span(), name.span());
            Input {
                attrs,
                name,
                shape: Vec::new(),
                ends,
                of: None,
                broken: true,
            }
        });
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let shape: Vec<Expr> = pieces(cx, &trees, group)
        .into_iter()
        .map(|(_, expr)| expr)
        .collect();
    let of = cursor.is_word("of").then(|| {
        cursor.next();
        call_or_skip(cx, cursor, "what the numbers are", "`of int(vocab = 8000)`")
    });
    let name = name.unwrap_or_else(|| Ident::new("input", start));
    let ends = (group.span_open(), group.span_close());
    Some(Input {
        attrs,
        name,
        shape,
        ends,
        of: of.flatten(),
        broken: false,
    })
}

impl Cursor<'_> {
    /// Whether an error was just reported at this name, so that a second one would be noise.
    fn last_span_is(&self, name: Option<&Ident>) -> bool {
        matches!((self.at.checked_sub(1).and_then(|at| self.trees.get(at)), name),
            (Some(TokenTree::Ident(last)), Some(name)) if last == name)
    }
}

fn call_or_skip(
    cx: &mut Diagnostics,
    cursor: &mut Cursor,
    what: &str,
    example: &str,
) -> Option<Call> {
    let section = cursor
        .peek_ident()
        .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()));
    if section || cursor.peek_ident().is_none() {
        let message = format!("expected {what}, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        cx.error(at, message).help(example);
        return None;
    }
    call(cx, cursor)
}

fn call(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Call> {
    let word = cursor.ident()?.clone();
    let args = args(cx, cursor);
    if !is_name(&word) {
        cx.error(
            &word,
            format!("`{word}` is a word of Rust, not of the language"),
        );
        return None;
    }
    Some(Call { word, args })
}

fn args(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Args> {
    let group = cursor.group(Delimiter::Parenthesis)?;
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let items = pieces(cx, &trees, group)
        .into_iter()
        .map(|(name, value)| Arg { name, value })
        .collect();
    Some(Args {
        close: group.span_close(),
        items,
    })
}

/// Values between commas, each perhaps with `name =` before it.
fn pieces(cx: &mut Diagnostics, trees: &[TokenTree], group: &Group) -> Vec<(Option<Ident>, Expr)> {
    let mut cursor = Cursor::within(trees, group);
    let mut all = Vec::new();
    while !cursor.at_end() {
        let name = cursor
            .is_named()
            .then(|| {
                let name = cursor.ident().cloned();
                cursor.next();
                name
            })
            .flatten();
        let before = cursor.last_span();
        let is_type = name.as_ref().is_some_and(|name| name == "type");
        let taken = value_tokens(&mut cursor, is_type);
        if taken.is_empty() {
            let found = cursor.found();
            match &name {
                Some(name) => cx
                    .error(
                        before,
                        format!("expected a value for `{name}`, found {found}"),
                    )
                    .help(format!("a value behind the `=`, or no `{name}` at all")),
                None => cx
                    .error(cursor.span(), format!("expected a value, found {found}"))
                    .help("remove the `,`"),
            };
        } else {
            all.push((name, value(cx, taken, before)));
        }
        if !cursor.at_end() && !cursor.eat(',') {
            cx.error(
                cursor.span(),
                format!("expected `,`, found {}", cursor.found()),
            )
            .help("arguments are separated by `,`");
            cursor.next();
        }
    }
    all
}

/// Tokens up to the next comma that is not within `::<..>`.
fn value_tokens(cursor: &mut Cursor, is_type: bool) -> Vec<TokenTree> {
    let mut taken = Vec::new();
    let mut depth = 0_usize;
    while !cursor.at_end() && !cursor.is_punct(';') {
        if cursor.is_punct(',') && depth == 0 {
            break;
        }
        let complete = taken
            .last()
            .is_some_and(|tree| !matches!(tree, TokenTree::Punct(_)));
        if complete && cursor.is_named() {
            break;
        }
        let turbofish = cursor.is_double(0, ':', ':') && cursor.is_punct_at(2, '<');
        if turbofish && !is_type || is_type && cursor.is_punct('<') {
            depth += 1;
        } else if cursor.is_punct('>') && !taken.last().is_some_and(|tree| is(tree, '-')) {
            depth = depth.saturating_sub(1);
        }
        taken.extend(cursor.next().cloned());
    }
    taken
}

fn layers(cx: &mut Diagnostics, cursor: &mut Cursor) -> Layers {
    let with = if cursor.is_word("with") {
        annotations(cx, cursor).0
    } else {
        Vec::new()
    };
    let Some(group) = cursor.group(Delimiter::Brace) else {
        let message = format!("expected `{{` and the layers, found {}", cursor.found());
        let at = if cursor.at_end() {
            cursor.last_span()
        } else {
            cursor.span()
        };
        cx.error(at, message).help("`layers { head: linear(10); }`");
        skip_section(cursor);
        return Layers {
            with,
            body: Vec::new(),
        };
    };
    Layers {
        with,
        body: statements(cx, group),
    }
}

fn statements(cx: &mut Diagnostics, group: &Group) -> Vec<Statement> {
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut cursor = Cursor::within(&trees, group);
    let mut all = Vec::new();
    while !cursor.at_end() {
        let before = cursor.at;
        if cursor.is_punct(';') {
            cx.error(cursor.span(), "there is no statement before this `;`");
            cursor.next();
            continue;
        }
        all.push(statement(cx, &mut cursor));
        if cursor.at == before {
            cursor.next();
        }
    }
    all
}

fn statement(cx: &mut Diagnostics, cursor: &mut Cursor) -> Statement {
    let attrs = attributes(cx, cursor, Place::Statement);
    let mut statement = Statement {
        attrs,
        name: None,
        chain: Vec::new(),
        with: Vec::new(),
        broken: true,
        missing: None,
    };
    if cursor.at_end() {
        cx.error(
            cursor.last_span(),
            "expected a statement after this attribute",
        );
        return statement;
    }
    if cursor.peek_ident().is_some() && cursor.is_colon(1) {
        statement.name = cursor.ident().map(|name| checked(cx, name, "a statement"));
        cursor.next();
    } else if let (Some(name), Some(TokenTree::Ident(next))) = (cursor.peek_ident(), cursor.nth(1))
        && next != "with"
        && !cursor.is_colon(2)
        && !words::chain().contains(&name.to_string().as_str())
    {
        cx.error(
            name.span(),
            format!("expected `:` behind the name `{name}`"),
        )
        .help(format!("`{name}: {next}`"));
        statement.name = cursor.ident().map(|name| checked(cx, name, "a statement"));
    }
    loop {
        let Some(node) = node(cx, cursor) else {
            statement.missing = Some("layer");
            cursor.skip_statement();
            return statement;
        };
        statement.chain.push(node);
        if !cursor.is_arrow() {
            break;
        }
        cursor.next();
        cursor.next();
    }
    if cursor.is_word("with") {
        (statement.with, statement.missing) = annotations(cx, cursor);
    }
    statement.broken = false;
    end_of_statement(cx, cursor, &mut statement);
    statement
}

fn end_of_statement(cx: &mut Diagnostics, cursor: &mut Cursor, statement: &mut Statement) {
    if cursor.eat(';') {
        return;
    }
    let next_statement = cursor.at_end()
        || cursor.is_punct('#')
        || (cursor.peek_ident().is_some() && cursor.is_colon(1));
    if next_statement {
        cx.error(cursor.last_span(), "expected `;` after this statement")
            .help("add `;` here");
        return;
    }
    let at = cursor.span();
    if cursor.is_arrow() {
        cx.error(
            (at, cursor.nth(1).map_or(at, TokenTree::span)),
            "the annotations end a statement",
        )
        .help("write the rest of the chain before `with`");
    } else if cursor.is_punct(',') {
        cx.error(at, "expected `->`, `with` or `;`, found `,`")
            .help("statements end with `;`, operations are joined with `->`");
    } else {
        let what = if statement.with.is_empty() {
            "`->`, `with` or `;`"
        } else {
            "`,` or `;`"
        };
        let help = match cursor.peek_ident() {
            Some(word) if words::word_of("layer", &word.to_string()).is_some() => {
                format!("`-> {word}`")
            }
            _ => "`->` joins operations, annotations follow `with`, `;` ends the statement"
                .to_owned(),
        };
        cx.error(at, format!("expected {what}, found {}", cursor.found()))
            .help(help);
    }
    statement.broken = true;
    cursor.skip_statement();
}

/// One operation. `None`: nothing of it could be read, and that has been reported.
fn node(cx: &mut Diagnostics, cursor: &mut Cursor) -> Option<Node> {
    let mut path = Vec::new();
    let mut tokens = TokenStream::new();
    let mut is_path = false;
    if cursor.is_double(0, ':', ':') {
        tokens.extend(cursor.next().cloned());
        tokens.extend(cursor.next().cloned());
        is_path = true;
    }
    loop {
        let Some(ident) = cursor
            .peek_ident()
            .filter(|ident| *ident != "with" && (is_name(ident) || is_root(ident)))
        else {
            let what = if is_path { "a name" } else { "a layer" };
            let before = if cursor.is_word("with") && path.is_empty() {
                " before its annotations"
            } else {
                ""
            };
            let message = format!("expected {what}{before}, found {}", cursor.found());
            let at = if cursor.at_end() {
                cursor.last_span()
            } else {
                cursor.span()
            };
            cx.error(at, message).help("`linear(64) -> relu`");
            return None;
        };
        path.push(ident.clone());
        tokens.extend(cursor.next().cloned());
        if !cursor.is_double(0, ':', ':') {
            break;
        }
        tokens.extend(cursor.next().cloned());
        tokens.extend(cursor.next().cloned());
        is_path = true;
    }
    if let [only] = path.as_slice()
        && !is_name(only)
    {
        cx.error(only, format!("expected `::` and a name after `{only}`"))
            .help("another model is a layer by its path: `crate::Encoder`");
        return None;
    }
    is_path |= path
        .last()
        .is_some_and(|word| word.to_string().starts_with(char::is_uppercase));
    let args = args(cx, cursor);
    let body = cursor
        .group(Delimiter::Brace)
        .map(|group| statements(cx, group));
    let mut shortcut = None;
    if body.is_some() && cursor.is_word("shortcut") {
        let word = cursor.ident().cloned();
        match (word, cursor.group(Delimiter::Brace)) {
            (Some(word), Some(group)) => shortcut = Some((word, statements(cx, group))),
            (Some(word), None) => {
                let message = format!("expected `{{` after `shortcut`, found {}", cursor.found());
                cx.error(&word, message)
                    .help("`shortcut { linear(64, bias = false); }`");
            }
            _ => {}
        }
    }
    Some(Node {
        path,
        path_tokens: tokens,
        is_path,
        args,
        body,
        shortcut,
    })
}

/// `with a, b, ..`, and the family of what is still to be typed; the cursor stands at `with`.
fn annotations(
    cx: &mut Diagnostics,
    cursor: &mut Cursor,
) -> (Vec<Annotation>, Option<&'static str>) {
    let mut all = Vec::new();
    cursor.next();
    loop {
        let attrs = attributes(cx, cursor, Place::Leveled);
        if cursor.peek_ident().is_none() {
            let message = format!("expected an annotation, found {}", cursor.found());
            let at = if cursor.at_end() {
                cursor.last_span()
            } else {
                cursor.span()
            };
            cx.error(at, message)
                .help("`with dropout(0.5) after relu, decay(l2 = 1e-3)`");
            return (all, Some("annotation"));
        }
        if let Some(annotation) = annotation(cx, cursor, attrs) {
            all.push(annotation);
        }
        if cursor.eat(',') {
            continue;
        }
        let section = cursor
            .peek_ident()
            .is_some_and(|word| words::SECTIONS.contains(&word.to_string().as_str()));
        if section {
            return (all, None);
        }
        if cursor.is_word("with") {
            cx.error(
                cursor.span(),
                "`with` stands once, its annotations are separated by `,`",
            )
            .help("`,` in its place");
            cursor.next();
        } else if cursor.peek_ident().is_some() && !cursor.is_colon(1) {
            let last = cursor.last_span();
            cx.error(last, "expected `,` between this annotation and the next")
                .help("add `,` here");
        } else {
            return (all, None);
        }
    }
}

fn annotation(cx: &mut Diagnostics, cursor: &mut Cursor, attrs: Attrs) -> Option<Annotation> {
    let call = call(cx, cursor)?;
    let mut annotation = Annotation {
        attrs,
        call,
        place: None,
        on: None,
        missing: None,
    };
    loop {
        let word = cursor
            .peek_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        let side = match word.as_str() {
            "after" => Some(Side::After),
            "before" => Some(Side::Before),
            "on" => None,
            _ => return Some(annotation),
        };
        let keyword = cursor.span();
        cursor.next();
        let Some(name) = cursor.ident() else {
            let example = if side.is_some() {
                "`after relu`"
            } else {
                "`on all`"
            };
            let message = format!("expected a name after `{word}`, found {}", cursor.found());
            cx.error(keyword, message).help(example);
            annotation.missing = Some(if side.is_some() { "layer" } else { "on" });
            return Some(annotation);
        };
        let twice = match side {
            Some(side) => annotation.place.replace((side, name.clone())).is_some(),
            None => annotation.on.replace(name.clone()).is_some(),
        };
        if twice {
            cx.error(
                (keyword, name.span()),
                format!("this annotation has a second `{word}`"),
            );
        }
    }
}

fn loss(cx: &mut Diagnostics, cursor: &mut Cursor) -> Loss {
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

fn metrics(cx: &mut Diagnostics, cursor: &mut Cursor) -> Vec<Call> {
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

fn train(cx: &mut Diagnostics, cursor: &mut Cursor, word: &Ident) -> Vec<Setting> {
    let Some(group) = cursor.group(Delimiter::Brace) else {
        let message = format!("expected `{{` after `train`, found {}", cursor.found());
        let at = if cursor.at_end() {
            word.span()
        } else {
            cursor.span()
        };
        cx.error(at, message)
            .help("`train { optimizer: adamw(lr = 1e-3), epochs: 10 }`");
        skip_section(cursor);
        return Vec::new();
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut inner = Cursor::within(&trees, group);
    let mut all = Vec::new();
    while !inner.at_end() {
        all.extend(setting(cx, &mut inner));
        if inner.at_end() || inner.eat(',') {
            continue;
        }
        if inner.is_punct(';') {
            cx.error(inner.span(), "settings are separated by `,`")
                .help("`,` in its place");
            inner.next();
        } else if inner.peek_ident().is_some() {
            cx.error(
                inner.last_span(),
                "expected `,` between this setting and the next",
            )
            .help("add `,` here");
        } else {
            let message = format!("expected `,`, found {}", inner.found());
            cx.error(inner.span(), message);
            inner.take_until(|cursor| cursor.is_punct(',') || cursor.is_punct(';'));
            inner.next();
        }
    }
    all
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
                .help(format!("a value behind the `:`, or no `{name}` at all"));
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

/// Whether `name(..)` stands here where only a setting can be meant.
fn starts_setting(cursor: &Cursor) -> bool {
    let called = matches!(cursor.nth(1), Some(TokenTree::Group(group))
        if group.delimiter() == Delimiter::Parenthesis);
    called
        && cursor
            .peek_ident()
            .is_some_and(|word| damper_ir::Setting::from_word(&word.to_string()).is_some())
}

fn budget(cx: &mut Diagnostics, cursor: &mut Cursor, word: &Ident) -> Vec<BudgetItem> {
    let Some(group) = cursor.group(Delimiter::Brace) else {
        let message = format!("expected `{{` after `budget`, found {}", cursor.found());
        let at = if cursor.at_end() {
            word.span()
        } else {
            cursor.span()
        };
        cx.error(at, message)
            .help("`budget { params <= 1_000_000, memory <= 4 MiB }`");
        skip_section(cursor);
        return Vec::new();
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut inner = Cursor::within(&trees, group);
    let mut all = Vec::new();
    while !inner.at_end() {
        all.extend(budget_item(cx, &mut inner));
        if inner.at_end() || inner.eat(',') {
            continue;
        }
        if inner.is_punct(';') {
            cx.error(inner.span(), "limits are separated by `,`")
                .help("`,` in its place");
            inner.next();
        } else {
            let last = inner.last_span();
            cx.error(last, "expected `,` between this limit and the next")
                .help("add `,` here");
        }
    }
    all
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

/// A value that is a word with arguments, such as `adamw(lr = 1e-3)`.
pub(crate) fn call_of(cx: &mut Diagnostics, expr: &Expr) -> Option<Call> {
    let trees: Vec<TokenTree> = expr.tokens.clone().into_iter().collect();
    let mut cursor = Cursor::new(&trees, expr.ends.0, expr.ends.1);
    let call = call(cx, &mut cursor);
    if call.is_some() && cursor.at_end() {
        call
    } else {
        None
    }
}

/// The elements of `[a, b]`.
pub(crate) fn list_of(cx: &mut Diagnostics, expr: &Expr) -> Option<Vec<Expr>> {
    let mut trees = expr.tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Bracket => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            Some(
                pieces(cx, &inner, &group)
                    .into_iter()
                    .map(|(_, value)| value)
                    .collect(),
            )
        }
        _ => None,
    }
}

/// The arguments of a setting as a call.
pub(crate) fn setting_call(setting: &ast::Setting) -> Call {
    Call {
        word: setting.name.clone(),
        args: setting.args.clone(),
    }
}
