//! Declared blocks, their uses, and `repeat` with a number for each copy.

use super::{Cx, arguments, formula, layers, unused};
use crate::ast::{self, Arg, Args, Node, text};
use crate::evaluate::{self, Known};
use crate::words::Kind;
use damper_ir::{
    Block, BlockAxis, BlockParameter, HyperKind, Id, Input, InputKind, Model, OpKind, Statement,
    Value, op,
};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::{Expr, RangeLimits};

/// A block that can be used.
pub(super) struct Declared {
    name: Ident,
    parameters: Vec<(String, HyperKind, bool)>,
}

/// All declared blocks, in the order of the source.
pub(super) fn blocks(cx: &mut Cx, ast: &ast::Model) -> Vec<Block> {
    let mut all = Vec::new();
    cx.later = ast.blocks.iter().map(|block| block.name.clone()).collect();
    // Their own mistakes have been reported.
    let above = &ast.above.blocks;
    let written = above.iter().map(|block| (block, true));
    let own = ast.blocks.iter().map(|block| (block, false));
    for (written, is_above) in written.chain(own) {
        let known = cx.blocks.iter().map(|block| &block.name);
        let same = known
            .chain([&ast.name])
            .find(|name| **name == written.name)
            .map(Ident::span);
        if let Some(first) = same.filter(|_| !is_above) {
            let name = &written.name;
            cx.diagnostics
                .error(name, format!("the name `{name}` is declared twice"))
                .other(first, "the other one is")
                .help(format!("another name, for example `{name}2`"));
            continue;
        }
        let lowered = if is_above {
            quietly(cx, |cx| block(cx, written))
        } else {
            block(cx, written)
        };
        // From here on: a block can use those declared before it, and not itself.
        cx.later.retain(|name| *name != written.name);
        cx.blocks.push(Declared {
            name: written.name.clone(),
            parameters: written
                .parameters
                .iter()
                .map(|one| (one.name.to_string(), one.kind, one.has_default))
                .collect(),
        });
        all.extend(lowered);
    }
    all
}

/// Lowers what has been reported elsewhere.
fn quietly<T>(cx: &mut Cx, lower: impl FnOnce(&mut Cx) -> T) -> T {
    let own = cx.own.len();
    let outer = std::mem::take(cx.diagnostics);
    let lowered = lower(cx);
    let inner = std::mem::replace(cx.diagnostics, outer);
    cx.diagnostics.quietly(|quiet| *quiet = inner);
    cx.own.truncate(own);
    lowered
}

fn block(cx: &mut Cx, written: &ast::Block) -> Option<Block> {
    let name = written.name.to_string();
    let id = cx.id((written.name.span(), written.name.span()));
    cx.document(id, &written.attrs);
    let failed = cx.diagnostics.count();
    let mut parameters: Vec<BlockParameter> = Vec::new();
    for parameter in &written.parameters {
        let own = parameter.name.to_string();
        if parameters.iter().any(|first| first.name == own) {
            cx.diagnostics
                .error(&parameter.name, format!("`{own}` is declared twice"))
                .help("another name, or one declaration");
            continue;
        }
        let default = parameter.has_default.then(|| {
            let what = format!("the default of `{own}`");
            arguments::value(cx, &parameter.default, kind_of(parameter.kind), &what, None)
        });
        parameters.push(BlockParameter {
            name: own,
            kind: parameter.kind,
            default,
        });
    }
    let known = |one: &BlockParameter| Known {
        name: one.name.clone(),
        kind: one.kind,
        default: None,
        used: false,
    };
    let outer = std::mem::replace(&mut cx.hyper, parameters.iter().map(known).collect());
    cx.scoped = parameters.iter().map(|one| one.name.clone()).collect();
    let (input_id, input, axes) = input(cx, written);
    let mut statements = statements(cx, written, input_id, &input);
    let levels = cx.levels(&written.attrs.levels);
    for statement in &mut statements {
        // Those of the statement come later: they win.
        statement.levels.splice(0..0, levels.iter().cloned());
    }
    if cx.diagnostics.count() == failed {
        let findings = unused(cx, &written.parameters, "parameter");
        cx.own.extend(findings);
    }
    cx.hyper = outer;
    cx.scoped.clear();
    (!written.broken && !statements.is_empty()).then_some(Block {
        id,
        name,
        parameters,
        input_id,
        input,
        axes,
        layers: statements,
    })
}

fn kind_of(kind: HyperKind) -> Kind {
    match kind {
        HyperKind::Usize => Kind::Size,
        HyperKind::F64 => Kind::Float,
        HyperKind::Bool => Kind::Bool,
    }
}

/// The input's place, name and axes; names of axes can be used in values.
fn input(cx: &mut Cx, written: &ast::Block) -> (Id, String, Vec<BlockAxis>) {
    let name = &written.name;
    let none = (Id::NONE, "x".to_owned(), Vec::new());
    let example = "`input x: [channels, height, width]`";
    let Some(section) = &written.input else {
        if !written.broken {
            cx.diagnostics
                .error(name, format!("the block `{name}` has no `input`"))
                .help(example);
        }
        return none;
    };
    let [input] = section.content.as_slice() else {
        cx.diagnostics
            .error(
                &section.word,
                format!(
                    "a block has one input, `{name}` has {}",
                    section.content.len()
                ),
            )
            .help(example);
        return none;
    };
    if let Some(of) = &input.of {
        cx.diagnostics
            .error(of.ends(), "a block takes numbers, not class indices")
            .help("the `embedding` before its use");
    }
    let id = cx.id((input.name.span(), input.name.span()));
    let mut axes = Vec::new();
    for axis in &input.shape {
        let word = syn::parse2::<Ident>(axis.tokens.clone()).ok();
        let word = word.filter(|word| word.to_string().starts_with(char::is_lowercase));
        let Some(word) = word else {
            let what = format!("an axis of `{name}`");
            let size = arguments::value(cx, axis, Kind::Size, &what, Some(example));
            axes.push(BlockAxis::Size(size));
            continue;
        };
        let text = word.to_string();
        if cx.scoped.contains(&text) {
            cx.diagnostics
                .error(&word, format!("`{text}` is declared twice"))
                .help("each axis, and each parameter, has a name of its own");
        }
        cx.scoped.push(text.clone());
        cx.hyper.push(Known {
            name: text.clone(),
            kind: HyperKind::Usize,
            default: None,
            used: true,
        });
        axes.push(BlockAxis::Any(text));
    }
    if axes.is_empty() && !input.broken {
        cx.diagnostics
            .error(input.ends, format!("the input of `{name}` has no axis"))
            .help(example);
    }
    (id, input.name.to_string(), axes)
}

fn statements(cx: &mut Cx, written: &ast::Block, input_id: Id, input: &str) -> Vec<Statement> {
    let Some(section) = &written.layers else {
        if !written.broken {
            let name = &written.name;
            cx.diagnostics
                .error(name, format!("the block `{name}` has no `layers`"))
                .help("`layers { fc: linear(64) -> relu; }`");
        }
        return Vec::new();
    };
    let input = Input {
        id: input_id,
        name: input.to_owned(),
        shape: Vec::new(),
        kind: InputKind::Float,
    };
    layers::layers(cx, section, &[input])
}

/// The use of a declared block: `MbConv(24, stride = 2)`; `None` if no block is called so.
pub(super) fn used(cx: &mut Cx, node: &Node) -> Option<OpKind> {
    let [name] = node.path.as_slice() else {
        return None;
    };
    if let Some(later) = cx.later.iter().find(|later| *later == name) {
        let first = later.span();
        cx.diagnostics
            .error(name, format!("`{name}` is not declared before this block"))
            .other(first, "it is declared")
            .help("declare it above this block");
        return None;
    }
    let found = cx.blocks.iter().find(|block| block.name == *name)?;
    let (declared, parameters) = (found.name.span(), found.parameters.clone());
    if node.body.is_some() {
        cx.diagnostics
            .error(node.ends(), format!("the block `{name}` takes no block"));
    }
    let mut given: Vec<(String, Value)> = Vec::new();
    let items = node.args.iter().flat_map(|args| &args.items);
    for (index, item) in items.enumerate() {
        let parameter = match &item.name {
            None if index == 0 => parameters.first(),
            None => None,
            Some(word) => parameters.iter().find(|one| *word == one.0),
        };
        let Some((parameter, kind, _)) = parameter else {
            wrong_argument(cx, name, item, &parameters);
            continue;
        };
        if given.iter().any(|(first, _)| first == parameter) {
            cx.diagnostics
                .error(
                    item.value.ends,
                    format!("`{parameter}` is given twice to `{name}`"),
                )
                .help("keep one of them");
            continue;
        }
        let what = format!("`{parameter}` of `{name}`");
        let value = arguments::value(cx, &item.value, kind_of(*kind), &what, None);
        given.push((parameter.clone(), value));
    }
    for (parameter, _, has_default) in &parameters {
        if !has_default && !given.iter().any(|(one, _)| one == parameter) {
            cx.diagnostics
                .error(
                    node.ends(),
                    format!("`{name}` needs `{parameter}`, which has no default"),
                )
                .other(declared, "the block is declared")
                .help(format!("`{name}({parameter} = 64)`"));
        }
    }
    Some(OpKind::Use(op::Use {
        block: name.to_string(),
        arguments: given,
        ..op::Use::default()
    }))
}

fn wrong_argument(
    cx: &mut Cx,
    block: &Ident,
    item: &Arg,
    parameters: &[(String, HyperKind, bool)],
) {
    evaluate::mark(&mut cx.hyper, &item.value.tokens);
    let known: Vec<&str> = parameters.iter().map(|one| one.0.as_str()).collect();
    let list = match known.as_slice() {
        [] => "it has no parameters".to_owned(),
        _ => format!("its parameters are `{}`", known.join("`, `")),
    };
    match &item.name {
        None => {
            let message = format!("only the first argument of `{block}` goes without a name");
            cx.diagnostics.error(item.value.ends, message).help(list);
        }
        Some(word) => {
            let near = damper_ir::suggest(&word.to_string(), known.iter().copied());
            let ending = near.map_or(String::new(), |near| format!(": did you mean `{near}`?"));
            let message = format!("`{block}` has no parameter `{word}`{ending}");
            cx.diagnostics.error(word, message).help(list);
        }
    }
}

/// `i in 0..n` of `repeat(i in 0..n)`: the name, and the node with the number alone.
pub(super) fn numbered(cx: &mut Cx, node: &Node) -> Option<(Ident, Node)> {
    let args = node.args.as_ref()?;
    let [item] = args.items.as_slice() else {
        return None;
    };
    let mut tokens = item.value.tokens.clone().into_iter();
    let (Some(TokenTree::Ident(index)), Some(TokenTree::Ident(word))) =
        (tokens.next(), tokens.next())
    else {
        return None;
    };
    if word != "in" {
        return None;
    }
    let rest: TokenStream = tokens.collect();
    let mut count = item.value.clone();
    let range = match syn::parse2::<Expr>(rest.clone()) {
        Ok(Expr::Range(range)) => Some(range),
        _ => None,
    };
    let from_zero =
        |start: &Expr| matches!(start, Expr::Lit(lit) if text(&quote::quote!(#lit)) == "0");
    let end = range.as_ref().and_then(|range| {
        let open = matches!(range.limits, RangeLimits::HalfOpen(_));
        let zero = range.start.as_deref().is_some_and(from_zero);
        range.end.as_deref().filter(|_| open && zero)
    });
    if let Some(end) = end {
        count = ast::Expr::new(quote::quote!(#end), item.value.ends.1);
    } else {
        let message = format!(
            "copies are numbered from 0: `{}` is no such range",
            text(&rest)
        );
        cx.diagnostics.error(item.value.ends, message).help(format!(
            "`repeat({index} in 0..4) {{ linear(64) -> relu; }}`"
        ));
        count.tokens = quote::quote!(1);
    }
    let node = Node {
        args: Some(Args {
            close: args.close,
            items: vec![Arg {
                name: None,
                value: count,
            }],
        }),
        ..node.clone()
    };
    Some((index, node))
}

/// Lowers what is inside of a `repeat` whose copies have numbers of this name.
pub(super) fn with_index<T>(cx: &mut Cx, index: &Ident, lower: impl FnOnce(&mut Cx) -> T) -> T {
    let name = index.to_string();
    if cx.hyper.iter().any(|known| known.name == name) {
        cx.diagnostics
            .error(index, format!("`{name}` is taken by a parameter"))
            .help("another name for the number of a copy");
    }
    cx.scoped.push(name.clone());
    cx.hyper.push(Known {
        name: name.clone(),
        kind: HyperKind::Usize,
        default: None,
        used: true,
    });
    let lowered = lower(cx);
    cx.hyper.pop();
    cx.scoped.pop();
    lowered
}

/// `if condition { .. }`
pub(super) fn when(cx: &mut Cx, condition: &ast::Expr, body: Vec<Statement>) -> OpKind {
    let example = "`if expand > 1 { conv2d(64, kernel = 1) -> relu }`";
    OpKind::When {
        condition: arguments::value(
            cx,
            condition,
            Kind::Bool,
            "the condition of `if`",
            Some(example),
        ),
        body,
    }
}

/// Reports names of a block in Rust code, which does not know them.
pub(super) fn no_names(cx: &mut Cx, tokens: &TokenStream, what: &str) -> bool {
    let scoped = formula::is_scoped(cx, tokens);
    if scoped {
        let here = Span::call_site();
        let at = ast::ends(tokens).unwrap_or((here, here));
        let message =
            format!("{what} cannot name what a block is used with: it is Rust of the crate");
        cx.diagnostics
            .error(at, message)
            .help("a number, a constant, or a layer of the language");
    }
    scoped
}

/// Leaves the blocks that the model uses: a description holds no others.
pub(super) fn keep_used(model: &mut Model) {
    let mut used = BTreeSet::new();
    let mut open: Vec<&[Statement]> = vec![&model.layers];
    while let Some(statements) = open.pop() {
        for op in statements.iter().flat_map(|statement| &statement.ops) {
            open.extend(op.kind.templates().map(|(_, block)| block));
            if let OpKind::Use(one) = &op.kind
                && used.insert(one.block.clone())
            {
                let blocks = model.blocks.iter();
                let layers = blocks.filter(|block| block.name == one.block);
                open.extend(layers.map(|block| block.layers.as_slice()));
            }
        }
    }
    model.blocks.retain(|block| used.contains(&block.name));
}
