//! Values: literals and arithmetic over the hyper-parameters' defaults, as the compiler would do it.

use crate::ast::{self, Ends, ends, text};
use crate::diag::Diagnostics;
use damper_ir::{HyperKind, LARGEST_WHOLE, Operator};
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{BinOp, Expr, Lit, Type, UnOp};

/// A hyper-parameter as values see it.
pub(crate) struct Known {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: HyperKind,
    /// Its default, unless only the compiler knows it.
    pub default: Option<f64>,
    /// Whether a value has named it.
    pub used: bool,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type_ {
    /// A literal without a suffix, or arithmetic over such: also a float where one is wanted.
    Whole,
    /// `usize`
    Size,
    /// `f64`
    Float,
    /// `bool`
    Bool,
    /// Not known to the macro.
    Unknown,
}

impl Type_ {
    /// The type as a message names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Whole => "a whole number",
            Self::Size => "`usize`",
            Self::Float => "`f64`",
            Self::Bool => "`bool`",
            Self::Unknown => "unknown",
        }
    }
}

/// What a value came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evaluated {
    /// Its type.
    pub ty: Type_,
    /// The number (0 or 1 for a truth value).
    pub known: Option<f64>,
    /// Whether every part of it was a literal.
    pub literal: bool,
}

impl Evaluated {
    const UNKNOWN: Self = Self {
        ty: Type_::Unknown,
        known: None,
        literal: false,
    };
}

/// Evaluates tokens; `None` if they are wrong, which has been reported.
pub(crate) fn evaluate(
    cx: &mut Diagnostics,
    hyper: &[Known],
    expr: &ast::Expr,
) -> Option<Evaluated> {
    match syn::parse2::<Expr>(expr.tokens.clone()) {
        Ok(parsed) => value(cx, hyper, &parsed),
        Err(error) => {
            let message = format!("`{}` is not a value: {error}", expr.text());
            cx.error(expr.ends, message).help(
                "a number, a hyper-parameter, a constant, or arithmetic with them: `hidden / 2`",
            );
            None
        }
    }
}

/// Marks the hyper-parameters that the tokens name; whether there were any.
pub(crate) fn mark(hyper: &mut [Known], tokens: &TokenStream) -> bool {
    let mut any = false;
    for tree in tokens.clone() {
        match tree {
            TokenTree::Ident(ident) => {
                for known in hyper.iter_mut().filter(|known| ident == known.name) {
                    known.used = true;
                    any = true;
                }
            }
            TokenTree::Group(group) => any |= mark(hyper, &group.stream()),
            _ => {}
        }
    }
    any
}

fn place(expr: &Expr) -> Ends {
    ends(expr).unwrap_or((Span::call_site(), Span::call_site()))
}

fn value(cx: &mut Diagnostics, hyper: &[Known], expr: &Expr) -> Option<Evaluated> {
    match expr {
        Expr::Lit(lit) => literal(cx, &lit.lit),
        Expr::Paren(inner) => value(cx, hyper, &inner.expr),
        Expr::Group(inner) => value(cx, hyper, &inner.expr),
        Expr::Path(path) => {
            let Some(ident) = path.path.get_ident() else {
                return Some(Evaluated::UNKNOWN);
            };
            let known = hyper.iter().find(|known| *ident == known.name);
            Some(known.map_or(Evaluated::UNKNOWN, |known| Evaluated {
                ty: match known.kind {
                    HyperKind::Usize => Type_::Size,
                    HyperKind::F64 => Type_::Float,
                    HyperKind::Bool => Type_::Bool,
                },
                known: known.default,
                literal: false,
            }))
        }
        Expr::Unary(unary) => {
            let inner = value(cx, hyper, &unary.expr)?;
            match (unary.op, inner.ty) {
                (_, Type_::Unknown) => Some(inner),
                (UnOp::Neg(_), Type_::Whole | Type_::Float) => Some(Evaluated {
                    known: inner.known.map(|x| -x),
                    ..inner
                }),
                (UnOp::Not(_), Type_::Bool) => Some(Evaluated {
                    known: inner.known.map(|x| 1.0 - x),
                    ..inner
                }),
                (UnOp::Neg(_), ty) => {
                    cx.error(place(expr), format!("{} cannot be negated", ty.name()));
                    None
                }
                _ => Some(Evaluated::UNKNOWN),
            }
        }
        Expr::Binary(binary) => {
            let left = value(cx, hyper, &binary.left);
            let right = value(cx, hyper, &binary.right);
            let operator =
                Operator::from_sign(&quote::ToTokens::to_token_stream(&binary.op).to_string());
            match operator.filter(|operator| operator.is_comparison()) {
                Some(operator) => Some(comparison(operator, left?, right?)),
                None => arithmetic(cx, binary, left?, right?),
            }
        }
        Expr::Cast(cast) => {
            let inner = value(cx, hyper, &cast.expr)?;
            let ty = match &*cast.ty {
                Type::Path(path) => path.path.get_ident().map(ToString::to_string),
                _ => None,
            };
            Some(match ty.as_deref() {
                Some("f64") => Evaluated {
                    ty: Type_::Float,
                    ..inner
                },
                // A cast to an unsigned integer truncates, and stops at 0.
                Some("usize") => Evaluated {
                    ty: Type_::Size,
                    known: inner
                        .known
                        .map(|x| if x.is_nan() { 0.0 } else { x.trunc().max(0.0) }),
                    ..inner
                },
                _ => Evaluated::UNKNOWN,
            })
        }
        Expr::If(choice) => {
            let condition = value(cx, hyper, &choice.cond)?;
            let yes = single(&choice.then_branch).map(|one| value(cx, hyper, one));
            let no = choice.else_branch.as_ref();
            let no = no.map(|(_, other)| value(cx, hyper, other));
            let (Some(yes), Some(no)) = (yes, no) else {
                return Some(Evaluated::UNKNOWN);
            };
            Some(chosen(condition, yes?, no?))
        }
        Expr::Block(block) => match single(&block.block) {
            Some(inner) => value(cx, hyper, inner),
            None => Some(Evaluated::UNKNOWN),
        },
        Expr::Assign(_) => {
            let written = text(&quote::quote!(#expr));
            cx.error(place(expr), format!("`{written}` is not a value"))
                .help("one value for each argument, and `,` between two");
            None
        }
        _ => Some(Evaluated::UNKNOWN),
    }
}

/// The truth of a comparison.
fn comparison(operator: Operator, left: Evaluated, right: Evaluated) -> Evaluated {
    let known = left.known.zip(right.known);
    Evaluated {
        ty: Type_::Bool,
        known: known.and_then(|(left, right)| operator.of(left, right, false).ok()),
        literal: left.literal && right.literal,
    }
}

/// The value of an `if`: the type is that of both branches.
fn chosen(condition: Evaluated, yes: Evaluated, no: Evaluated) -> Evaluated {
    let ty = match (yes.ty, no.ty) {
        (Type_::Whole, other) | (other, Type_::Whole) => other,
        (one, other) if one == other => one,
        _ => Type_::Unknown,
    };
    let known = match condition.known {
        Some(0.0) => no.known,
        Some(_) => yes.known,
        None => None,
    };
    Evaluated {
        ty,
        known,
        literal: false,
    }
}

/// The expression that a block consists of.
pub(crate) fn single(block: &syn::Block) -> Option<&Expr> {
    match block.stmts.as_slice() {
        [syn::Stmt::Expr(expr, None)] => Some(expr),
        _ => None,
    }
}

fn literal(cx: &mut Diagnostics, lit: &Lit) -> Option<Evaluated> {
    let of = |ty, known| {
        Some(Evaluated {
            ty,
            known: Some(known),
            literal: true,
        })
    };
    let number = match lit {
        Lit::Int(int) => {
            let ty = match int.suffix() {
                "" => Type_::Whole,
                "f64" | "f32" => Type_::Float,
                "usize" | "u8" | "u16" | "u32" | "u64" | "u128" | "isize" | "i8" | "i16"
                | "i32" | "i64" | "i128" => Type_::Size,
                suffix => {
                    unknown_suffix(cx, lit, int.base10_digits(), suffix);
                    return None;
                }
            };
            (ty, int.base10_digits().parse::<f64>())
        }
        Lit::Float(float) if !matches!(float.suffix(), "" | "f64" | "f32") => {
            unknown_suffix(cx, lit, float.base10_digits(), float.suffix());
            return None;
        }
        Lit::Float(float) => (Type_::Float, float.base10_digits().parse::<f64>()),
        Lit::Bool(flag) => return of(Type_::Bool, f64::from(u8::from(flag.value))),
        lit => {
            let at = ends(lit).unwrap_or((Span::call_site(), Span::call_site()));
            let written = text(&quote::quote!(#lit));
            let report = cx.error(at, format!("expected a number, found the text `{written}`"));
            if let Lit::Str(text) = lit
                && text.value().parse::<f64>().is_ok()
            {
                report.help(format!("without quotation marks: `{}`", text.value()));
            }
            return None;
        }
    };
    match number {
        (ty, Ok(known)) if known.is_finite() => of(ty, known),
        _ => {
            let at = ends(lit).unwrap_or((Span::call_site(), Span::call_site()));
            cx.error(at, format!("`{}` is too large", text(&quote::quote!(#lit))));
            None
        }
    }
}

/// `10M`: no number of Rust.
fn unknown_suffix(cx: &mut Diagnostics, lit: &Lit, digits: &str, suffix: &str) {
    let at = ends(lit).unwrap_or((Span::call_site(), Span::call_site()));
    let written = text(&quote::quote!(#lit));
    let zeros = match suffix {
        "k" | "K" => "_000",
        "M" => "_000_000",
        "G" | "B" => "_000_000_000",
        _ => "",
    };
    let number = match lit {
        Lit::Int(_) => format!("{digits}{zeros}"),
        _ => digits.to_owned(),
    };
    cx.error(
        at,
        format!("`{written}` has a suffix that Rust does not know: `{suffix}`"),
    )
    .help(format!("`{number}`"));
}

fn arithmetic(
    cx: &mut Diagnostics,
    binary: &syn::ExprBinary,
    left: Evaluated,
    right: Evaluated,
) -> Option<Evaluated> {
    let at = ends(binary).unwrap_or((Span::call_site(), Span::call_site()));
    let literal = left.literal && right.literal;
    if !matches!(
        binary.op,
        BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_)
    ) {
        return Some(Evaluated::UNKNOWN);
    }
    let ty = match (left.ty, right.ty) {
        (a, b) if a == b => a,
        (Type_::Unknown, Type_::Whole) | (Type_::Whole, Type_::Unknown) => Type_::Unknown,
        (Type_::Unknown, ty) | (ty, Type_::Unknown) => ty,
        (Type_::Whole, Type_::Size) | (Type_::Size, Type_::Whole) => Type_::Size,
        (a, b) => {
            let (x, y) = (&binary.left, &binary.right);
            let (x, y) = (text(&quote::quote!(#x)), text(&quote::quote!(#y)));
            let report = cx.error(at, format!("`{x}` is {}, `{y}` is {}", a.name(), b.name()));
            match (a, b) {
                (Type_::Float, Type_::Whole) if !y.contains(|c: char| !c.is_ascii_digit()) => {
                    report.help(format!("`{y}.0`"));
                }
                (Type_::Whole, Type_::Float) if !x.contains(|c: char| !c.is_ascii_digit()) => {
                    report.help(format!("`{x}.0`"));
                }
                (Type_::Float, Type_::Size) => {
                    report.help(format!("`{} as f64`", in_parentheses(&y)));
                }
                (Type_::Size, Type_::Float) => {
                    report.help(format!("`{} as f64`", in_parentheses(&x)));
                }
                _ => {}
            }
            return None;
        }
    };
    if ty == Type_::Bool {
        cx.error(at, "there is no arithmetic with truth values");
        return None;
    }
    let (Some(a), Some(b)) = (left.known, right.known) else {
        return Some(Evaluated {
            ty,
            known: None,
            literal,
        });
    };
    let whole = matches!(ty, Type_::Size | Type_::Whole);
    if whole && b == 0.0 && matches!(binary.op, BinOp::Div(_) | BinOp::Rem(_)) {
        let message = format!(
            "`{}` divides by zero with the defaults",
            text(&quote::quote!(#binary))
        );
        cx.error(at, message)
            .help("another default, or a divisor that is never 0");
        return None;
    }
    let known = match binary.op {
        BinOp::Add(_) => a + b,
        BinOp::Sub(_) => a - b,
        BinOp::Mul(_) => a * b,
        BinOp::Div(_) if whole => (a / b).trunc(),
        BinOp::Div(_) => a / b,
        _ => a % b,
    };
    if ty == Type_::Size && known < 0.0 {
        let message = format!(
            "`{}` is {a} - {b} with the defaults: a `usize` cannot be negative",
            text(&quote::quote!(#binary))
        );
        cx.error(at, message)
            .help("a larger default, or less to subtract");
        return None;
    }
    if whole && known.abs() > LARGEST_WHOLE {
        cx.error(
            at,
            format!("`{}` is too large", text(&quote::quote!(#binary))),
        );
        return None;
    }
    Some(Evaluated {
        ty,
        known: Some(known),
        literal,
    })
}

/// A text that can be written before `as`.
pub(crate) fn in_parentheses(text: &str) -> String {
    if text.contains(' ') {
        format!("({text})")
    } else {
        text.to_owned()
    }
}
