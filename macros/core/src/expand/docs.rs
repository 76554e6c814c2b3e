//! The documentation of generated items.

use super::context::Context;
use damper_ir::{Block, Model, Op, OpKind, Parameter, Role, Statement, TaskKind};
use proc_macro2::TokenStream;
use quote::quote;
use std::fmt::Write as _;
use syn::Attribute;

/// Documentation, one attribute a line, as if written by hand.
pub(super) fn lines<'t>(texts: impl IntoIterator<Item = &'t str>) -> TokenStream {
    let lines = texts
        .into_iter()
        .flat_map(|text| text.split('\n'))
        .map(|line| {
            let line = if line.is_empty() {
                String::new()
            } else {
                format!(" {line}")
            };
            quote!(#[doc = #line])
        });
    quote!(#(#lines)*)
}

/// One paragraph.
pub(super) fn line(text: &str) -> TokenStream {
    lines([text])
}

/// The struct: what the user wrote, the table of layers, what `predict` gives.
pub(super) fn model(cx: &Context<'_>) -> TokenStream {
    let written = written(&cx.lowered.ast.attrs.docs);
    let begin = if cx.lowered.ast.attrs.docs.is_empty() {
        line(&format!("The declared model `{}`.", cx.name))
    } else {
        TokenStream::new()
    };
    if cx.stub {
        return quote!(#written #begin);
    }
    let spec = cx.lowered.model();
    let table = cx.lowered.spec.summary().markdown();
    let table = table.trim_end();
    let rest = lines([
        "",
        table,
        "",
        "These are the declared defaults; `Digits::spec` prints the table of a built model."
            .replace("Digits", &cx.name.to_string())
            .as_str(),
    ]);
    let allowed = lines(
        [allowed(spec).as_str()]
            .into_iter()
            .filter(|text| !text.is_empty()),
    );
    let drawing = drawing(cx);
    quote!(#written #begin #rest #allowed #drawing)
}

/// Which lints are silent, where and why.
fn allowed(spec: &Model) -> String {
    let mut text = String::new();
    for (level, place) in spec.allowed() {
        if text.is_empty() {
            text += "\nAllowed lints:\n";
        }
        let _ = write!(text, "\n* `{}` in {place}", level.lint);
        if let Some(reason) = &level.reason {
            // A reason is one paragraph, whatever was written.
            let reason: Vec<&str> = reason.split_whitespace().collect();
            text.extend([": ", &reason.join(" ").replace('<', "\\<")]);
        }
    }
    text
}

/// The graph, for `cargo doc` alone: a compiler and an editor do not read it.
fn drawing(cx: &Context<'_>) -> TokenStream {
    // The `div` ends the Markdown before it; a line of Markdown that began with `<svg` would be a part of it.
    let text = format!(
        "\n<div>\n{}\n</div>",
        damper_ir::draw::svg(&cx.lowered.spec)
    );
    quote!(#[cfg_attr(doc, doc = #text)])
}

/// A field: its operation, the shapes, the number of its parameters.
pub(super) fn field(cx: &Context<'_>, statement: &Statement, op: &Op, path: &str) -> TokenStream {
    let first = statement
        .ops
        .iter()
        .find(|op| op.field.is_some())
        .is_some_and(|first| first.id == op.id);
    let written = cx
        .lowered
        .docs
        .get(&statement.id)
        .filter(|_| first)
        .map(|docs| {
            let written = written(docs);
            quote!(#written #[doc = ""])
        });
    let mut text = format!("`{}`", op.kind);
    // The sizes in a declared block are those of each use.
    if cx.inside().is_none()
        && let (Some(input), Some(output)) = (cx.shapes.input_of(op.id), cx.shapes.output_of(op.id))
    {
        if input == output {
            text.extend([" on `", &output.to_string(), "`"]);
        } else {
            text.extend([
                ": `",
                &input.to_string(),
                "` to `",
                &output.to_string(),
                "`",
            ]);
        }
        if let Some(parameters) = parameters(cx, path) {
            text.extend([", ", &parameters, " parameters"]);
        }
        if let OpKind::Activity(_) | OpKind::Stochastic(_) = op.kind {
            text += ", while training";
        }
    }
    let text = line(&text);
    quote!(#written #text)
}

/// How many parameters the field has, if it has any.
fn parameters(cx: &Context<'_>, path: &str) -> Option<String> {
    let inside = |parameter: &&Parameter| {
        parameter.role != Role::Running
            && parameter
                .path
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    // They are sorted by path.
    let from = cx
        .parameters
        .partition_point(|parameter| parameter.path.as_str() < path);
    let count = cx.parameters[from..]
        .iter()
        .take_while(|parameter| parameter.path.starts_with(path))
        .filter(inside)
        .filter_map(Parameter::count)
        .fold(0, usize::saturating_add);
    (count > 0).then(|| damper_ir::grouped(count))
}

/// The documentation comments of the declaration.
pub(super) fn written(docs: &[Attribute]) -> TokenStream {
    quote!(#(#docs)*)
}

/// The struct of a residual's branch.
pub(super) fn residual(path: &str) -> TokenStream {
    line(&format!(
        "The residual block `{path}`: its branch plus what came in."
    ))
}

/// The struct of a shortcut.
pub(super) fn shortcut(path: &str) -> TokenStream {
    line(&format!("The shortcut of `{path}`."))
}

/// The struct of one copy of a `repeat`.
pub(super) fn copy(path: &str) -> TokenStream {
    line(&format!("One copy of `{path}`."))
}

/// The struct of a declared block.
pub(super) fn declared(cx: &Context<'_>, block: &Block) -> TokenStream {
    if let Some(docs) = cx.lowered.docs.get(&block.id) {
        return written(docs);
    }
    line(&format!("The block `{}`.", block.name))
}

/// The struct of what an `if` holds.
pub(super) fn when(path: &str) -> TokenStream {
    line(&format!("What `{path}` does where its condition is true."))
}

/// The struct of the branches of a `parallel`.
pub(super) fn parallel(path: &str) -> TokenStream {
    line(&format!(
        "The branches of `{path}`: each takes what came in, and their values are merged."
    ))
}

/// What `predict` gives.
pub(super) fn prediction(task: Option<&TaskKind>, shape: &str) -> String {
    match task {
        Some(TaskKind::Multiclass(_)) => {
            format!("the probabilities of the classes, `{shape}`; each row sums to 1")
        }
        Some(TaskKind::Binary) => format!("the probability of yes, `{shape}`"),
        Some(TaskKind::Multilabel(_)) => format!("the probability of each label, `{shape}`"),
        Some(TaskKind::Regression) => format!("the predicted values, `{shape}`"),
        None => format!("the model's output, `{shape}`"),
    }
}
