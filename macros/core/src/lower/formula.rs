//! Values that follow from names of a block, or from the number of a copy.

use super::Cx;
use crate::ast::{self, ends, text};
use crate::evaluate::{self, Type_, single};
use crate::{Hole, HoleKind};
use damper_ir::{Formula, Id, Operator, Value};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, UnOp};

/// Whether the tokens have a name whose value is known only where a block is used.
pub(super) fn is_scoped(cx: &Cx, tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => cx.scoped.iter().any(|name| ident == name),
        TokenTree::Group(group) => is_scoped(cx, &group.stream()),
        _ => false,
    })
}

/// The value as a formula; `None` if it cannot be one, which has been reported.
pub(super) fn of(cx: &mut Cx, expr: &ast::Expr, id: Id) -> Option<Value> {
    let parsed = syn::parse2::<Expr>(expr.tokens.clone()).ok()?;
    let formula = formula(cx, &parsed)?;
    cx.formulas.push(formula);
    let place = u32::try_from(cx.formulas.len() - 1).unwrap_or(u32::MAX);
    Some(Value {
        id,
        formula: Some(place),
        ..Value::unknown()
    })
}

fn formula(cx: &mut Cx, expr: &Expr) -> Option<Formula> {
    if !is_scoped(cx, &quote!(#expr)) {
        return plain(cx, expr);
    }
    let whole = |cx: &mut Cx, expr: &Expr| {
        let expr = ast::Expr::new(quote!(#expr), proc_macro2::Span::call_site());
        let ty = evaluate::evaluate(cx.diagnostics, &cx.hyper, &expr).map(|value| value.ty);
        matches!(ty, Some(Type_::Whole | Type_::Size))
    };
    Some(match expr {
        Expr::Paren(inner) => return formula(cx, &inner.expr),
        Expr::Group(inner) => return formula(cx, &inner.expr),
        Expr::Path(path) => Formula::Name(path.path.get_ident()?.to_string()),
        Expr::Unary(unary) => match unary.op {
            UnOp::Neg(_) => Formula::Negative(Box::new(formula(cx, &unary.expr)?)),
            UnOp::Not(_) => Formula::Not(Box::new(formula(cx, &unary.expr)?)),
            _ => return refuse(cx, expr),
        },
        Expr::Cast(cast) => {
            let inner = formula(cx, &cast.expr)?;
            match cast.ty.to_token_stream().to_string().as_str() {
                "usize" => Formula::Size(Box::new(inner)),
                "f64" => inner,
                _ => return refuse(cx, expr),
            }
        }
        Expr::Binary(binary) => {
            let Some(operator) = Operator::from_sign(&binary.op.to_token_stream().to_string())
            else {
                return refuse(cx, expr);
            };
            Formula::Binary {
                operator,
                whole: whole(cx, &binary.left) && whole(cx, &binary.right),
                left: Box::new(formula(cx, &binary.left)?),
                right: Box::new(formula(cx, &binary.right)?),
            }
        }
        Expr::If(choice) => {
            let (Some(yes), Some((_, no))) = (single(&choice.then_branch), &choice.else_branch)
            else {
                return refuse(cx, expr);
            };
            Formula::If {
                condition: Box::new(formula(cx, &choice.cond)?),
                yes: Box::new(formula(cx, yes)?),
                no: Box::new(formula(cx, no)?),
            }
        }
        Expr::Block(block) => match single(&block.block) {
            Some(inner) => return formula(cx, inner),
            None => return refuse(cx, expr),
        },
        _ => return refuse(cx, expr),
    })
}

/// A part without such names: a number, or a value that the generated code passes.
fn plain(cx: &mut Cx, expr: &Expr) -> Option<Formula> {
    let alone = match expr {
        Expr::Block(block) => single(&block.block),
        _ => None,
    };
    let tokens = alone.map_or(quote!(#expr), |one| quote!(#one));
    let written = ast::Expr::new(tokens.clone(), proc_macro2::Span::call_site());
    let evaluated = evaluate::evaluate(cx.diagnostics, &cx.hyper, &written)?;
    let id = cx.id(written.ends);
    let hole = (!evaluated.literal).then(|| {
        cx.holes.push(Hole {
            uses_hyper: evaluate::mark(&mut cx.hyper, &tokens),
            tokens,
            kind: match evaluated.ty {
                Type_::Float => HoleKind::Float,
                Type_::Bool => HoleKind::Bool,
                _ => HoleKind::Size,
            },
            id,
            spans: written.ends,
        });
        u32::try_from(cx.holes.len() - 1).unwrap_or(u32::MAX)
    });
    Some(Formula::Value(Value {
        id,
        known: evaluated.known,
        hole,
        formula: None,
    }))
}

fn refuse(cx: &mut Cx, expr: &Expr) -> Option<Formula> {
    let here = proc_macro2::Span::call_site();
    let at = ends(expr).unwrap_or((here, here));
    let written = text(&quote!(#expr));
    let message =
        format!("`{written}` has names of a block: only arithmetic, comparisons and `if` can");
    cx.diagnostics
        .error(at, message)
        .help("`2 * channels`, `if i == 0 { 2 } else { 1 }`");
    None
}
