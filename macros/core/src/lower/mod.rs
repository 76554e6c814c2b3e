//! [`ast`] to a description: names, defaults, places of annotations. What is wrong is reported, and
//! something of the same form takes its place.

mod annotations;
mod arguments;
mod blocks;
mod budget;
mod foreign;
mod formula;
mod layers;
mod names;
mod operations;
mod training;

use crate::ast::{self, Ends};
use crate::diag::Diagnostics;
use crate::evaluate::{self, Known};
use crate::words::{self, Kind, Read};
use crate::{Custom, Hole, HoleKind, Lowered, Nested, Spans};
use blocks::Declared;
use damper_ir::catalogue::PREFIX;
use damper_ir::{
    Checked, Domain, Finding, Formula, Hyper, HyperKind, Id, Input, InputKind, Level, Limit,
    LintLevel, Model, Value,
};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::{BTreeMap, BTreeSet};
use syn::{Attribute, Expr, RangeLimits};

/// What grows while a declaration is lowered.
struct Cx<'a> {
    diagnostics: &'a mut Diagnostics,
    spans: Spans,
    holes: Vec<Hole>,
    hyper: Vec<Known>,
    customs: BTreeMap<Id, Custom>,
    models: BTreeMap<Id, Nested>,
    docs: BTreeMap<Id, Vec<Attribute>>,
    loss_path: Option<TokenStream>,
    /// Statements of which a part was lost: what they lack is not reported again.
    broken: BTreeSet<Id>,
    /// The blocks that have been declared.
    blocks: Vec<Declared>,
    /// The blocks and models above this one.
    above: ast::Above,
    /// Those that are still to come, and the one that is being read.
    later: Vec<Ident>,
    /// The names whose values are known only where a block is used, and the numbers of copies.
    scoped: Vec<String>,
    formulas: Vec<Formula>,
    /// Findings of the lints that the front end has.
    own: Vec<Finding>,
}

impl Cx<'_> {
    fn id(&mut self, ends: Ends) -> Id {
        self.spans.add(ends)
    }

    /// Lint levels as the description holds them.
    fn levels(&mut self, levels: &[ast::LintLevel]) -> Vec<LintLevel> {
        let prefix = |level: &ast::LintLevel| if level.group { PREFIX } else { "" };
        levels
            .iter()
            .map(|level| LintLevel {
                id: self.id(level.ends),
                line: None,
                lint: damper_ir::catalogue::canonical(&format!("{}{}", prefix(level), level.lint)),
                level: level.level,
                forbid: level.forbid,
                expect: level.expect,
                reason: level.reason.clone(),
                thresholds: level
                    .thresholds
                    .iter()
                    .map(|limit| Limit {
                        id: self.id(limit.ends),
                        name: limit.name.to_string(),
                        value: limit.value,
                    })
                    .collect(),
            })
            .collect()
    }

    fn document(&mut self, id: Id, attrs: &ast::Attrs) {
        if !attrs.docs.is_empty() {
            self.docs.insert(id, attrs.docs.clone());
        }
    }
}

/// Lowers one declaration.
///
/// It comes with what was found here, at the levels that the model asks for.
pub(crate) fn lower(
    cx: &mut Diagnostics,
    krate: TokenStream,
    mut ast: ast::Model,
    crate_levels: &[LintLevel],
) -> Lowered {
    let mut cx = Cx {
        diagnostics: cx,
        spans: Spans::default(),
        holes: Vec::new(),
        hyper: Vec::new(),
        customs: BTreeMap::new(),
        models: BTreeMap::new(),
        docs: BTreeMap::new(),
        loss_path: None,
        broken: BTreeSet::new(),
        blocks: Vec::new(),
        above: ast.above.clone(),
        later: Vec::new(),
        scoped: Vec::new(),
        formulas: Vec::new(),
        own: Vec::new(),
    };
    let mut spec = model(&mut cx, &ast);
    spec.crate_levels = crate_levels.to_vec();
    let mut own = unused(&mut cx, &ast.hyper, "hyper-parameter");
    own.append(&mut cx.own);
    // A second one of a name has been reported; the stub has a field for the first.
    let mut names = BTreeSet::new();
    ast.hyper
        .retain(|hyper| names.insert(hyper.name.to_string()));
    let Cx {
        spans,
        holes,
        customs,
        models,
        docs,
        loss_path,
        ..
    } = cx;
    Lowered {
        krate,
        ast,
        spec: Checked::with_findings(spec, own),
        holes,
        customs,
        models,
        loss_path,
        docs,
        spans,
    }
}

/// A model above this one, with the values that it is given; `None` if they are not known here.
fn above(cx: &mut Cx, name: &Ident, assignments: &[(Ident, TokenStream)]) -> Option<Model> {
    let models = &cx.above.models;
    let place = models.iter().position(|ast| ast.name == *name)?;
    let mut ast = models[place].clone();
    ast.above = ast::Above {
        blocks: cx.above.blocks.clone(),
        models: models[..place].to_vec(),
    };
    for (name, tokens) in assignments {
        let hyper = ast.hyper.iter_mut().find(|hyper| hyper.name == *name)?;
        let written = ast::Expr::new(tokens.clone(), name.span());
        let known = evaluate::evaluate(cx.diagnostics, &cx.hyper, &written)?.known?;
        let literal = match hyper.kind {
            HyperKind::Usize => format!("{known:.0}"),
            HyperKind::F64 => format!("{known:?}"),
            HyperKind::Bool => (known != 0.0).to_string(),
        };
        hyper.default = ast::Expr::new(literal.parse().ok()?, name.span());
    }
    let lowered = cx
        .diagnostics
        .quietly(|cx| lower(cx, TokenStream::new(), ast, &[]));
    let denied = |finding: &Finding| finding.level == Level::Deny;
    if assignments.is_empty() && lowered.spec.findings().iter().any(denied) {
        // It is reported where the model is declared.
        cx.diagnostics.fail_elsewhere();
        return None;
    }
    Some(lowered.spec.model().clone())
}

fn model(cx: &mut Cx, ast: &ast::Model) -> Model {
    let levels = cx.levels(&ast.attrs.levels);
    let id = cx.id((ast.name.span(), ast.name.span()));
    let mut model = Model {
        name: ast.name.to_string(),
        id,
        levels,
        ..Model::default()
    };
    model.blocks = blocks::blocks(cx, ast);
    model.hyper = hypers(cx, &ast.hyper);
    model.inputs = inputs(cx, ast);
    if model.inputs.is_empty() {
        // Reported; `forward` keeps its form.
        model.inputs.push(Input {
            id: Id::NONE,
            name: "input".to_owned(),
            shape: vec![Value::unknown()],
            kind: InputKind::Float,
        });
    }
    match &ast.layers {
        Some(section) => {
            model.layer_levels = cx.levels(&section.attrs.levels);
            model.layers = layers::layers(cx, section, &model.inputs);
        }
        None if ast.broken => {}
        None => {
            cx.diagnostics
                .error(&ast.name, format!("`{}` has no `layers`", ast.name))
                .help("`layers { head: linear(10); }`");
        }
    }
    model.loss = ast
        .loss
        .as_ref()
        .and_then(|section| training::loss(cx, section));
    model.task = ast
        .task
        .as_ref()
        .and_then(|section| training::task(cx, section));
    if let Some(section) = &ast.metrics {
        no_levels(cx, &section.attrs, "metrics");
        model.metrics = training::metrics(cx, section);
    }
    model.train = ast
        .train
        .as_ref()
        .map(|section| training::train(cx, section));
    if let Some(section) = &ast.budget {
        no_levels(cx, &section.attrs, "budget");
        model.budget = budget::budget(cx, section);
    }
    model.formulas = std::mem::take(&mut cx.formulas);
    blocks::keep_used(&mut model);
    model.resolve();
    model
}

fn no_levels(cx: &mut Cx, attrs: &ast::Attrs, section: &str) {
    for level in &attrs.levels {
        cx.diagnostics
            .error(level.ends, format!("no lint looks at `{section}`"))
            .help("set the level on the model, `layers`, `loss`, `train`, a statement or an annotation");
    }
}

fn hypers(cx: &mut Cx, written: &[ast::Hyper]) -> Vec<Hyper> {
    let mut all = Vec::new();
    for (index, hyper) in written.iter().enumerate() {
        let name = hyper.name.to_string();
        if let Some(first) = written[..index]
            .iter()
            .find(|first| first.name == hyper.name)
        {
            cx.diagnostics
                .error(
                    &hyper.name,
                    format!("the hyper-parameter `{name}` is declared twice"),
                )
                .other(first.name.span(), "the first one is")
                .help("another name, or one declaration");
            continue;
        }
        let (kind, hole_kind) = match hyper.kind {
            HyperKind::Usize => (Kind::Size, HoleKind::Size),
            HyperKind::F64 => (Kind::Float, HoleKind::Float),
            HyperKind::Bool => (Kind::Bool, HoleKind::Bool),
        };
        let example = match hyper.kind {
            HyperKind::Usize => format!("`{name}: usize = 64`"),
            HyperKind::F64 => format!("`{name}: f64 = 0.5`"),
            HyperKind::Bool => format!("`{name}: bool = true`"),
        };
        let holes = cx.holes.len();
        let default = arguments::value(
            cx,
            &hyper.default,
            kind,
            &format!("the default of `{name}`"),
            Some(&example),
        );
        // The default is the macro's business; the description has a place for the value passed.
        cx.holes.truncate(holes);
        if names_any(&hyper.default.tokens, written) {
            cx.diagnostics
                .error(
                    hyper.default.ends,
                    "a default cannot name another hyper-parameter",
                )
                .help(format!(
                    "a number, and the arithmetic where `{name}` is used"
                ));
        }
        let domain = hyper
            .domain
            .as_ref()
            .and_then(|domain| domain_of(cx, domain, kind, &name));
        let id = cx.id((hyper.name.span(), hyper.name.span()));
        let place = cx.holes.len();
        let ident = &hyper.name;
        cx.holes.push(Hole {
            tokens: quote!(#ident),
            kind: hole_kind,
            id,
            spans: (ident.span(), ident.span()),
            uses_hyper: true,
        });
        let value = Value {
            id,
            known: default.known,
            hole: u32::try_from(place).ok(),
            formula: None,
        };
        all.push((
            Hyper {
                name: name.clone(),
                kind: hyper.kind,
                value,
                domain,
            },
            Known {
                name,
                kind: hyper.kind,
                default: default.known,
                used: false,
            },
        ));
    }
    let (hyper, known) = all.into_iter().unzip();
    cx.hyper = known;
    hyper
}

fn names_any(tokens: &TokenStream, hyper: &[ast::Hyper]) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        proc_macro2::TokenTree::Ident(ident) => hyper.iter().any(|hyper| hyper.name == ident),
        proc_macro2::TokenTree::Group(group) => names_any(&group.stream(), hyper),
        _ => false,
    })
}

fn domain_of(cx: &mut Cx, written: &ast::Expr, kind: Kind, name: &str) -> Option<Domain> {
    let help = format!("`{name}: f64 in 0.0..0.8 = 0.5`");
    let Ok(Expr::Range(range)) = syn::parse2::<Expr>(written.tokens.clone()) else {
        cx.diagnostics
            .error(
                written.ends,
                format!("`in` wants a range, found `{}`", written.text()),
            )
            .help(help);
        return None;
    };
    let mut bound = |expr: &Option<Box<Expr>>| {
        let expr = expr.as_ref()?;
        let expr = ast::Expr::new(quote!(#expr), written.ends.0);
        let holes = cx.holes.len();
        let value = arguments::value(cx, &expr, kind, &format!("the domain of `{name}`"), None);
        if cx.holes.len() > holes {
            cx.holes.truncate(holes);
            cx.diagnostics.error(
                expr.ends,
                format!(
                    "the bounds of a domain are literals, found `{}`",
                    expr.text()
                ),
            );
        }
        Some(value)
    };
    let (low, high) = (bound(&range.start), bound(&range.end));
    if let (Some(low), Some(high)) = (low.and_then(|x| x.known), high.and_then(|x| x.known))
        && low > high
    {
        cx.diagnostics.error(
            written.ends,
            format!("the domain `{}` is empty", written.text()),
        );
    }
    Some(Domain {
        low,
        high,
        inclusive: matches!(range.limits, RangeLimits::Closed(_)),
    })
}

fn inputs(cx: &mut Cx, ast: &ast::Model) -> Vec<Input> {
    let Some(section) = &ast.input else {
        if ast.broken {
            return Vec::new();
        }
        cx.diagnostics
            .error(&ast.name, format!("`{}` has no `input`", ast.name))
            .help("`input image: [64]`");
        return Vec::new();
    };
    no_levels(cx, &section.attrs, "input");
    let mut all: Vec<Input> = Vec::new();
    for input in &section.content {
        let name = input.name.to_string();
        if let Some(first) = all.iter().find(|first| first.name == name) {
            let first = cx.spans.get(first.id).0;
            cx.diagnostics
                .error(&input.name, format!("the input `{name}` is declared twice"))
                .other(first, "the first one is")
                .help("another name, or one declaration");
            continue;
        }
        if let Some(hyper) = ast.hyper.iter().find(|hyper| hyper.name == input.name) {
            cx.diagnostics
                .error(
                    &input.name,
                    format!("`{name}` is an input and a hyper-parameter"),
                )
                .help("another name for one of them")
                .other(hyper.name.span(), "the hyper-parameter is");
        }
        let id = cx.id((input.name.span(), input.name.span()));
        cx.document(id, &input.attrs);
        let what = format!("the input `{name}`");
        let mut shape: Vec<Value> = input
            .shape
            .iter()
            .map(|axis| arguments::value(cx, axis, Kind::Size, &what, Some("`input image: [64]`")))
            .collect();
        if input.broken {
            shape.push(Value::unknown());
        } else if shape.is_empty() {
            cx.diagnostics
                .error(input.ends, format!("the input `{name}` has no axis"))
                .help(format!("the shape of one sample: `input {name}: [64]`"));
        }
        let kind = input
            .of
            .as_ref()
            .map_or(InputKind::Float, |of| input_kind(cx, of));
        all.push(Input {
            id,
            name,
            shape,
            kind,
        });
    }
    all
}

/// `of int(vocab = 8000, pad = 0)`
fn input_kind(cx: &mut Cx, of: &ast::Call) -> InputKind {
    let word = &of.word;
    if word != "int" {
        for item in of.args.iter().flat_map(|args| &args.items) {
            evaluate::mark(&mut cx.hyper, &item.value.tokens);
        }
        cx.diagnostics
            .error(of.ends(), format!("unknown kind of input `{word}`"))
            .help("`of int(vocab = 8000)` for class indices; without `of`, an input is numbers");
        return InputKind::Float;
    }
    let Some(int) = words::word_of("input", "int") else {
        return InputKind::Float;
    };
    let arguments = arguments::read(cx, of, int);
    InputKind::Int {
        vocab: arguments.optional("vocab"),
        pad: arguments.optional("pad"),
    }
}

/// A hyper-parameter that no value names does nothing.
fn unused(cx: &mut Cx, written: &[ast::Hyper], what: &str) -> Vec<Finding> {
    // What would use it may be what was wrong.
    if cx.diagnostics.failed() {
        return Vec::new();
    }
    let names: Vec<String> = cx
        .hyper
        .iter()
        .filter(|known| !known.used && !known.name.starts_with('_'))
        .map(|known| known.name.clone())
        .collect();
    let mut findings = Vec::new();
    for name in names {
        if let Some(hyper) = written.iter().find(|hyper| hyper.name == name) {
            let lint = damper_ir::catalogue::names::unused_hyper_parameter;
            let id = cx.id((hyper.name.span(), hyper.name.span()));
            let text = format!("no value uses the {what} `{name}`");
            findings.push(
                Finding::lint(lint, Level::Warn, id, text)
                    .help(format!("remove it, or call it `_{name}`"))
                    .note("a user who sets it would see no difference"),
            );
        }
    }
    findings
}

/// So many words are listed behind one that was probably meant.
const MOST_LISTED: usize = 14;

/// The error for a word that does not exist: with a suggestion, and the list of those that do.
fn unknown_word(cx: &mut Cx, what: &str, word: &Ident, candidates: &[&'static str]) {
    let name = word.to_string();
    let suggestion = words::alias(&name)
        .filter(|alias| candidates.contains(alias))
        .or_else(|| damper_ir::suggest(&name, candidates.iter().copied()));
    let available = format!("available are {}", words::available(candidates));
    match suggestion {
        Some(suggestion) => {
            let report = cx.diagnostics.error(
                word,
                format!("unknown {what} `{name}`: did you mean `{suggestion}`?"),
            );
            report.help(format!("`{suggestion}`"));
            // A long list would hide the word that was meant.
            if candidates.len() <= MOST_LISTED {
                report.note(available);
            }
            report
        }
        None => cx
            .diagnostics
            .error(word, format!("unknown {what} `{name}`"))
            .help(available),
    };
}
