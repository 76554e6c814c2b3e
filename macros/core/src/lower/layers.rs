//! `layers`: statements, sources, operations, blocks.

use super::annotations::{self, Slot, Where};
use super::arguments::{self, Arguments};
use super::operations::{kind_alone, only_inside};
use super::{Cx, above, blocks, names, operations, unknown_word};
use crate::ast::{self, Call, Ends, Node, Section, text};
use crate::words::{self, Read};
use crate::{Custom, Nested, evaluate};
use damper_ir::op;
use damper_ir::{Id, Input, Merge, Op, OpKind, Source, Statement};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Expr;

/// The `layers` section.
pub(super) fn layers(
    cx: &mut Cx,
    section: &Section<ast::Layers>,
    inputs: &[Input],
) -> Vec<Statement> {
    let content = &section.content;
    if content.body.is_empty() {
        // After another error, the layers may be what was lost.
        if !cx.diagnostics.failed() {
            cx.diagnostics
                .error(&section.word, "`layers` is empty")
                .help("`layers { head: linear(10); }`");
        }
        return Vec::new();
    }
    let mut all: Vec<Statement> = content
        .body
        .iter()
        .map(|written| statement(cx, written, Where::Top))
        .collect();
    annotations::defaults(cx, &content.with, &mut all);
    names::assign(cx, &mut all, inputs);
    all
}

fn statement(cx: &mut Cx, written: &ast::Statement, place: Where) -> Statement {
    let levels = cx.levels(&written.attrs.levels);
    let ends = match (&written.name, written.chain.first()) {
        (Some(name), _) => (name.span(), name.span()),
        (None, Some(node)) => node.ends(),
        (None, None) => cx.spans.get(Id::NONE),
    };
    let id = cx.id(ends);
    cx.document(id, &written.attrs);
    if written.broken {
        cx.broken.insert(id);
    }
    let mut nodes = written.chain.iter().peekable();
    let mut source = Source::Previous;
    let mut source_id = Id::NONE;
    if let Some(node) =
        nodes.next_if(|node| !node.is_path && words::SOURCES.contains(&node.word().as_str()))
    {
        source_id = cx.id(node.ends());
        source = source_of(cx, node);
    }
    let mut slots: Vec<Slot> = Vec::new();
    let mut rope = None;
    while let Some(node) = nodes.next() {
        slot(cx, &mut slots, node, place, id, &mut rope);
        if node.is_word("parallel") {
            let found = nodes.next_if(|next| merge_of(next).is_some());
            merge(cx, &mut slots, node, found);
        }
    }
    if let Some(ends) = rope {
        rope_elsewhere(cx, ends);
    }
    let ops = annotations::place(cx, &written.with, slots, id, place);
    let name = written
        .name
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    Statement {
        id,
        name,
        source,
        source_id,
        ops,
        levels,
    }
}

/// The merge that a word after `parallel` means, and whether it is that word.
fn merge_of(node: &Node) -> Option<(Merge, &'static str, bool)> {
    if node.is_path {
        return None;
    }
    let word = node.word();
    let (merge, name) = match word.as_str() {
        "concat" | "cat" | "concatenate" | "stack" | "join" => (Merge::Concat, "concat"),
        "add" | "sum" | "plus" => (Merge::Add, "add"),
        "mul" | "multiply" | "product" | "times" => (Merge::Mul, "mul"),
        _ => return None,
    };
    Some((merge, name, word == name))
}

/// Gives the last operation, a `parallel`, its merge.
fn merge(cx: &mut Cx, slots: &mut [Slot], parallel: &Node, found: Option<&Node>) {
    let written = found.and_then(|node| merge_of(node).map(|merge| (node, merge)));
    let Some((node, (kind, name, exact))) = written else {
        cx.diagnostics
            .error(
                parallel.ends(),
                "the branches of `parallel` are not merged: it must be followed by `concat`, `add` or `mul`",
            )
            .help("`parallel { a: ..; b: ..; } -> concat`");
        return;
    };
    if !exact {
        let message = format!("unknown merge `{}`: did you mean `{name}`?", node.word());
        cx.diagnostics
            .error(node.ends(), message)
            .help(format!("one of {}", words::list(Merge::WORDS)));
    } else if node.args.is_some() || node.body.is_some() {
        cx.diagnostics
            .error(
                node.ends(),
                format!("`{name}` after `parallel` takes nothing: it merges the branches"),
            )
            .help(format!("`parallel {{ a: ..; b: ..; }} -> {name}`"));
    }
    if let Some(OpKind::Parallel { merge, .. }) = slots.last_mut().map(|slot| &mut slot.op.kind) {
        *merge = kind;
    }
}

fn rope_elsewhere(cx: &mut Cx, ends: Ends) {
    cx.diagnostics
        .error(
            ends,
            "`positional(rope)` rotates the queries and keys of an attention: it must be directly before `attention`",
        )
        .help("`layer_norm -> positional(rope) -> attention(heads = 4)`, or `positional(learned)` here")
        .note("rotary position embedding (Su et al., arXiv 2104.09864) adds nothing to the value itself");
}

fn source_of(cx: &mut Cx, node: &Node) -> Source {
    let word = node.word();
    let mut names = Vec::new();
    let (mut fine, mut along_time) = (true, false);
    for item in node.args.iter().flat_map(|args| &args.items) {
        let name = syn::parse2::<Ident>(item.value.tokens.clone());
        let along = item.name.as_ref().filter(|name| *name == "axis");
        if let (Some(_), "concat") = (along, word.as_str()) {
            along_time = item.value.text() == "time";
            if !along_time {
                let message = format!(
                    "`axis` of `concat` can only be `time`, found `{}`: without it the features are joined, of maps the channels",
                    item.value.text()
                );
                cx.diagnostics
                    .error(item.value.ends, message)
                    .help("`concat(a, b)`, or `concat(a, b, axis = time)`");
                fine = false;
            }
        } else if let (Ok(name), None) = (name, &item.name) {
            names.push(name.to_string());
        } else {
            let message = format!("`{word}` takes names of inputs and statements");
            cx.diagnostics
                .error(item.value.ends, message)
                .help(source_help(&word));
            fine = false;
        }
    }
    if node.body.is_some() {
        cx.diagnostics
            .error(node.ends(), format!("`{word}` takes no block"));
    }
    let (fits, wanted) = match word.as_str() {
        "from" => (names.len() == 1, "one name"),
        "sub" | "div" | "matmul" | "sample_normal" => (names.len() == 2, "two names"),
        _ => (names.len() >= 2, "two names or more"),
    };
    if fine && !fits {
        let message = format!("`{word}` takes {wanted}, found {}", names.len());
        cx.diagnostics
            .error(node.ends(), message)
            .help(source_help(&word));
    }
    match word.as_str() {
        "add" => Source::Add(names),
        "sub" => Source::Sub(names),
        "mul" => Source::Mul(names),
        "div" => Source::Div(names),
        "concat" if along_time => Source::ConcatTime(names),
        "concat" => Source::Concat(names),
        "matmul" => Source::Matmul(names),
        "sample_normal" => Source::SampleNormal(names),
        _ => names.pop().map_or(Source::Previous, Source::From),
    }
}

fn source_help(word: &str) -> &'static str {
    match word {
        "from" => "`from(name)`",
        "add" => "`add(a, b)`",
        "sub" => "`sub(a, b)`",
        "mul" => "`mul(a, b)`",
        "div" => "`div(a, b)`",
        "matmul" => "`matmul(a, b)`",
        "sample_normal" => "`sample_normal(mean, log_variance)`",
        _ => "`concat(a, b)`",
    }
}

/// Lowers one operation of a chain. `drop_connect` acts on the weights of the one before.
///
/// `rope` is the place of a `positional(rope)` whose `attention` is still to come.
fn slot(
    cx: &mut Cx,
    slots: &mut Vec<Slot>,
    node: &Node,
    place: Where,
    statement: Id,
    rope: &mut Option<Ends>,
) {
    let ends = node.ends();
    let word = node.word();
    let rotated = rope.take();
    if node.path.len() == 1 && word == "drop_connect" {
        let Some(call) = node.call() else { return };
        if let Some(rule) = annotations::rule(cx, &call, None, Vec::new()) {
            match slots.last_mut().filter(|last| last.op.kind.drops_weights()) {
                Some(last) => last.op.rules.push(rule),
                None => {
                    cx.diagnostics
                        .error(
                            ends,
                            "`drop_connect` must come after the layer whose weights it drops",
                        )
                        .help("`linear(64) -> drop_connect(0.1) -> relu`");
                }
            }
        }
        return;
    }
    if node.is_word("positional") && is_rope(node) {
        if let Some(first) = rotated {
            rope_elsewhere(cx, first);
        }
        *rope = Some(ends);
        return;
    }
    let id = cx.id(ends);
    let mut kind = operation(cx, node, id, place).unwrap_or_else(|| {
        cx.broken.insert(statement);
        // Unknown to the rules: neither its shape nor its weights give a second message.
        OpKind::Model {
            path: text(&node.path_tokens),
            model: None,
        }
    });
    if let Some(ends) = rotated {
        match &mut kind {
            OpKind::Attention(op::Attention { rope, .. }) => *rope = true,
            // What is unknown may be the attention.
            OpKind::Model { .. } if cx.broken.contains(&statement) => {}
            _ => rope_elsewhere(cx, ends),
        }
    }
    let op = Op {
        id,
        field: None,
        kind,
        rules: Vec::new(),
        levels: Vec::new(),
    };
    slots.push(Slot::new(word, op));
}

/// Whether the only argument is `rope`.
fn is_rope(node: &Node) -> bool {
    let items = node.args.iter().flat_map(|args| &args.items);
    let mut items = items.map(|item| item.value.text());
    items.next().as_deref() == Some("rope") && items.next().is_none()
}

/// What an operation does; `None` if that is unknown, which has been reported.
fn operation(cx: &mut Cx, node: &Node, id: Id, place: Where) -> Option<OpKind> {
    if let Some(condition) = &node.condition {
        let body = block(cx, node, Where::When);
        return Some(blocks::when(cx, condition, body));
    }
    let call = node.call()?;
    let name = node.word();
    if node.is_path {
        let failed = cx.diagnostics.count();
        let used = blocks::used(cx, node);
        if used.is_some() || cx.diagnostics.count() > failed {
            return used;
        }
        return path(cx, node, id);
    }
    if name == "repeat"
        && let Some((index, node)) = blocks::numbered(cx, node)
    {
        let mut kind = blocks::with_index(cx, &index, |cx| operation(cx, &node, id, place));
        if let Some(OpKind::Repeat { index: name, .. }) = &mut kind {
            *name = Some(index.to_string());
        }
        return kind;
    }
    let is_block = words::BLOCKS.contains(&name.as_str());
    if !is_block && (node.body.is_some() || node.shortcut.is_some()) {
        let known = words::chain().contains(&name.as_str());
        if known {
            cx.diagnostics
                .error(node.ends(), format!("`{name}` takes no block"))
                .help("blocks are `residual { .. }`, `repeat(4) { .. }` and `parallel { .. } -> concat`");
        }
    }
    let Some(word) = words::operation(&name) else {
        unknown(cx, node, &call);
        return None;
    };
    let arguments = arguments::read(cx, &call, word);
    only_inside(cx, word, &arguments);
    Some(match word.name {
        "custom" => return custom(cx, id, &arguments, node.ends()),
        "transformer_encoder" | "transformer_decoder" => {
            operations::transformer(cx, id, &arguments)
        }
        "repeat" => {
            if let Some((shortcut, _)) = &node.shortcut {
                cx.diagnostics
                    .error(shortcut, "`repeat` has no shortcut")
                    .help("`repeat(4) { residual { .. } shortcut { .. }; }`");
            }
            let body = block(cx, node, Where::Repeat);
            OpKind::repeat(arguments.value("times"), body)
        }
        "parallel" => {
            if let Some((shortcut, _)) = &node.shortcut {
                cx.diagnostics
                    .error(shortcut, "`parallel` has no shortcut")
                    .help("one more branch: `parallel { a: ..; b: ..; } -> add`");
            }
            let body = block(cx, node, Where::Parallel);
            OpKind::Parallel {
                body,
                merge: Merge::Concat,
            }
        }
        "residual" => {
            let body = block(
                cx,
                node,
                Where::Residual {
                    repeated: place == Where::Repeat,
                },
            );
            let shortcut = node.shortcut.as_ref().map(|(word, statements)| {
                if statements.is_empty() {
                    cx.diagnostics
                        .error(word, "this shortcut is empty")
                        .help("without `shortcut`, the block's input is added as it is");
                }
                let all: Vec<Statement> = statements
                    .iter()
                    .map(|written| statement(cx, written, Where::Shortcut))
                    .collect();
                all
            });
            OpKind::Residual {
                body,
                shortcut: shortcut.unwrap_or_default(),
                drop_path: None,
            }
        }
        _ => {
            let Some(kind) = OpKind::read(&arguments) else {
                unknown(cx, node, &call);
                return None;
            };
            kind_alone(cx, kind, &arguments)
        }
    })
}

fn block(cx: &mut Cx, node: &Node, place: Where) -> Vec<Statement> {
    let word = node.word();
    let statements = match &node.body {
        Some(statements) if statements.is_empty() => {
            cx.diagnostics
                .error(node.ends(), format!("the block of `{word}` is empty"))
                .help(format!("`{}`", block_example(&word)));
            return Vec::new();
        }
        Some(statements) => statements,
        None => {
            cx.diagnostics
                .error(node.ends(), format!("`{word}` needs a block"))
                .help(format!("`{}`", block_example(&word)));
            return Vec::new();
        }
    };
    statements
        .iter()
        .map(|written| statement(cx, written, place))
        .collect()
}

fn block_example(word: &str) -> &'static str {
    match word {
        "repeat" => "repeat(4) { linear(64) -> relu; }",
        "if" => "if expand > 1 { linear(64) -> relu }",
        "parallel" => "parallel { a: linear(64) -> relu; b: linear(64); } -> concat",
        _ => "residual { linear(64) -> relu; }",
    }
}

/// The layer that another library calls so: `MaxPooling2D`. A model may well be called `Encoder`.
fn class_of_another_library(name: &str, layers: &[&'static str]) -> Option<&'static str> {
    let may_be_a_model = [
        "encoder",
        "encoderlayer",
        "decoder",
        "decoderlayer",
        "seblock",
        "selayer",
        "transformer",
        "conv",
        "fc",
        "embed",
        "first",
        "last",
    ];
    let is_class = !may_be_a_model.contains(&name.to_lowercase().as_str());
    words::alias(name).filter(|word| is_class && layers.contains(word))
}

/// Another model: `crate::Encoder(hidden = 64)`.
fn path(cx: &mut Cx, node: &Node, id: Id) -> Option<OpKind> {
    let written = text(&node.path_tokens);
    let items = node
        .args
        .as_ref()
        .map(|args| args.items.as_slice())
        .unwrap_or_default();
    for item in items {
        evaluate::mark(&mut cx.hyper, &item.value.tokens);
        if blocks::no_names(cx, &item.value.tokens, "the value of another model") {
            return None;
        }
        if let Err(error) = syn::parse2::<Expr>(item.value.tokens.clone()) {
            let message = format!("`{}` is not a value: {error}", item.value.text());
            cx.diagnostics.error(item.value.ends, message);
        }
    }
    let is_above = |name: &Ident| cx.above.models.iter().any(|model| model.name == *name);
    if let [name] = node.path.as_slice()
        && !is_above(name)
    {
        let candidates = words::chain();
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        if let Some(word) = candidates
            .iter()
            .find(|word| plain(word) == plain(&name.to_string()))
            .copied()
            .or_else(|| class_of_another_library(&name.to_string(), &candidates))
        {
            cx.diagnostics
                .error(
                    name,
                    if plain(word) == plain(&name.to_string()) {
                        format!("layers are written in lower case: `{word}`, not `{name}`")
                    } else {
                        format!("what other libraries call `{name}` is `{word}`")
                    },
                )
                .help(format!("`{word}`"))
                .note("a name with a capital is another model declared with `model!`");
            return None;
        }
    }
    if node.body.is_some() {
        cx.diagnostics
            .error(node.ends(), format!("the model `{written}` takes no block"));
    }
    let mut assignments: Vec<(Ident, TokenStream)> = Vec::new();
    for item in items {
        match &item.name {
            None => {
                cx.diagnostics
                    .error(
                        item.value.ends,
                        "the hyper-parameters of a model need their names",
                    )
                    .help(format!("`{written}(hidden = {})`", item.value.text()));
            }
            Some(name) if assignments.iter().any(|(first, _)| first == name) => {
                cx.diagnostics
                    .error(name, format!("`{name}` is given twice to `{written}`"))
                    .help("keep one of them");
            }
            Some(name) => assignments.push((name.clone(), item.value.tokens.clone())),
        }
    }
    let model = match node.path.as_slice() {
        [name] => above(cx, name, &assignments).map(Box::new),
        _ => None,
    };
    cx.models.insert(
        id,
        Nested {
            path: node.path_tokens.clone(),
            assignments,
        },
    );
    Some(OpKind::Model {
        path: written,
        model,
    })
}

/// `custom(expr, output = [..], type = path)`
fn custom(cx: &mut Cx, id: Id, arguments: &Arguments, ends: Ends) -> Option<OpKind> {
    let expr = arguments.rust("expr")?;
    if blocks::no_names(cx, &expr, "`custom`") {
        return None;
    }
    let parsed = syn::parse2::<Expr>(expr.clone()).ok()?;
    let written = arguments.rust("type");
    // As a field has it: `A(b)` is a type elsewhere.
    if let Some(ty) = &written
        && syn::parse2::<syn::ItemStruct>(quote!(struct Holder { field: #ty })).is_err()
    {
        let at = crate::ast::ends(ty).unwrap_or(ends);
        cx.diagnostics
            .error(at, format!("`{}` is not a type", text(ty)))
            .help("`type = crate::Gate`");
        return None;
    }
    let ty = written.or_else(|| type_of(&parsed));
    let Some(ty) = ty else {
        cx.diagnostics
            .error(
                ends,
                format!(
                    "the type of `{}` does not follow from its text",
                    text(&expr)
                ),
            )
            .help(format!(
                "`custom({}, output = [..], type = crate::Gate)`",
                text(&expr)
            ));
        return None;
    };
    let kind = OpKind::Custom(op::Custom {
        text: text(&expr),
        output: arguments.values("output"),
    });
    cx.customs.insert(id, Custom { expr, ty });
    Some(kind)
}

/// The type that `Gate::new(64)`, `Gate { .. }` or `Gate` has.
fn type_of(expr: &Expr) -> Option<TokenStream> {
    let capital = |path: &syn::Path| {
        path.segments
            .last()
            .is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase))
    };
    let path = match expr {
        Expr::Paren(inner) => return type_of(&inner.expr),
        Expr::Struct(literal) => literal.path.clone(),
        Expr::Path(path) if path.qself.is_none() => path.path.clone(),
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) if function.qself.is_none() => {
                let mut path = function.path.clone();
                if !capital(&path) {
                    path.segments.pop();
                    path.segments.pop_punct();
                }
                path
            }
            _ => return None,
        },
        _ => return None,
    };
    // A type may not end in the arguments of a function: those of `new::<N>` were dropped above.
    capital(&path).then(|| quote!(#path))
}

/// Reports a word that is no layer, and says what it is instead.
fn unknown(cx: &mut Cx, node: &Node, call: &Call) {
    let name = node.word();
    let example = node.ends();
    for item in node.args.iter().flat_map(|args| &args.items) {
        evaluate::mark(&mut cx.hyper, &item.value.tokens);
    }
    let source = words::alias(&name).unwrap_or(&name);
    if words::SOURCES.contains(&source) {
        cx.diagnostics
            .error(
                example,
                format!("`{source}` begins a statement: it takes names, not the value before it"),
            )
            .help(format!(
                "a statement of its own: `name: {};`",
                source_help(source).trim_matches('`')
            ));
    } else if let Some(word) = words::inside(&name) {
        cx.diagnostics
            .error(example, format!("`{name}` is an annotation, not a layer"))
            .help(format!(
                "after `with`: `{}`",
                annotations::inside_example(word)
            ));
    } else if let Some(word) = words::rule(&name).or_else(|| words::activity(&name)) {
        let sample = annotations::sample(word);
        cx.diagnostics
            .error(example, format!("`{name}` is an annotation, not a layer"))
            .help(format!("after `with`: `linear(64) -> relu with {sample}`"));
    } else {
        unknown_word(cx, "layer", &call.word, &words::chain());
    }
}
