//! Annotations that act inside of a layer: a rate on attention weights, on embeddings, on the states of a recurrence.

use super::super::operations::each_statement;
use super::super::{Cx, arguments};
use super::slot::Slot;
use super::text::{sample, side_word};
use super::values::on_values;
use crate::ast::Annotation;
use crate::words::{self, Read, Word};
use damper_ir::op;
use damper_ir::{Id, LintLevel, Op, OpKind, Rate, Statement};

/// What an annotation sets inside a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::lower) enum Inner {
    Attention,
    Embedding,
    Zoneout,
    Variational,
    State,
    Between,
}

impl Inner {
    /// What this annotation sets inside the layers of its statement, if it does that.
    pub(in crate::lower) fn of(annotation: &Annotation, slots: &[Slot]) -> Option<Self> {
        let ops = || slots.iter().map(|slot| &slot.op);
        match annotation.call.word.to_string().as_str() {
            "variational_dropout" if annotation.place.is_none() => {
                ops().any(has_recurrent).then_some(Self::Variational)
            }
            "dropout" if annotation.place.is_none() => {
                let last = ops().rfind(|op| {
                    op.kind.drops_weights()
                        || matches!(
                            op.kind,
                            OpKind::Linear(_)
                                | OpKind::Attention(_)
                                | OpKind::Embedding(_)
                                | OpKind::Custom(_)
                                | OpKind::Model { .. }
                                | OpKind::Residual { .. }
                                | OpKind::Repeat { .. }
                                | OpKind::Parallel { .. }
                        )
                })?;
                matches!(last.kind, OpKind::Recurrent(_)).then_some(Self::Between)
            }
            word => Self::of_word(word),
        }
    }

    pub(in crate::lower) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "attention_dropout" => Self::Attention,
            "embedding_dropout" => Self::Embedding,
            "zoneout" => Self::Zoneout,
            _ => return None,
        })
    }

    /// The layers it is for.
    pub(in crate::lower) fn layers(self) -> &'static str {
        match self {
            Self::Attention => "`attention`",
            Self::Embedding => "`embedding`",
            Self::Zoneout | Self::Variational | Self::State | Self::Between => {
                "`lstm`, `gru` and `rnn`"
            }
        }
    }

    /// The place of the rate in a layer that has one.
    pub(in crate::lower) fn place(self, kind: &mut OpKind) -> Option<&mut Option<Rate>> {
        match (kind, self) {
            (OpKind::Attention(op::Attention { dropout, .. }), Self::Attention)
            | (OpKind::Embedding(op::Embedding { dropout, .. }), Self::Embedding) => Some(dropout),
            (OpKind::Recurrent(layer), Self::Zoneout) => Some(&mut layer.zoneout),
            (OpKind::Recurrent(layer), Self::Variational) => Some(&mut layer.variational),
            (OpKind::Recurrent(layer), Self::State) => Some(&mut layer.recurrent),
            (OpKind::Recurrent(layer), Self::Between) => Some(&mut layer.between),
            _ => None,
        }
    }
}

/// Whether it is a recurrent layer, or a block with one.
pub(in crate::lower) fn has_recurrent(op: &Op) -> bool {
    let is_recurrent = matches!(op.kind, OpKind::Recurrent(_));
    let mut inner = op.kind.blocks().flat_map(|(_, block)| block);
    is_recurrent || inner.any(|statement| statement.ops.iter().any(has_recurrent))
}

/// A statement with an annotation that acts inside a layer, as an example writes it.
pub(in crate::lower) fn inside_example(word: &Word) -> String {
    let layer = match word.name {
        "attention_dropout" => "attention(heads = 4)",
        "embedding_dropout" => "embedding(8000, 128)",
        _ => "lstm(128)",
    };
    format!("{layer} with {}", sample(word))
}

/// Sets a rate inside the layers of a statement, and inside those of its blocks that have none of their own.
pub(in crate::lower) fn inside(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: &[LintLevel],
    inner: Inner,
    ops: &mut [&mut Op],
    statement: Id,
) {
    let Some((word, rates)) = rates(cx, annotation, levels, inner) else {
        return;
    };
    let mut any = false;
    let mut twice = None;
    for (inner, rate) in &rates {
        for op in ops.iter_mut() {
            if let Some(place) = inner.place(&mut op.kind) {
                any = true;
                match place {
                    Some(first) => twice = Some(first.id),
                    None => *place = Some(rate.clone()),
                }
            }
            any |= inside_blocks(op, *inner, rate);
        }
    }
    if let Some(first) = twice {
        let first = cx.spans.get(first).0;
        cx.diagnostics
            .error(
                annotation.call.ends(),
                format!("`{}` is written twice on one statement", word.name),
            )
            .other(first, "the first one is")
            .help("keep one of them");
    }
    if !any && !cx.broken.contains(&statement) {
        nothing_inside(cx, annotation, inner, word);
    }
}

pub(in crate::lower) fn nothing_inside(
    cx: &mut Cx,
    annotation: &Annotation,
    inner: Inner,
    word: &Word,
) {
    let report = cx.diagnostics.error(
        annotation.call.ends(),
        format!(
            "`{}` acts inside {}, and there is none here",
            word.name,
            inner.layers()
        ),
    );
    report.help(format!("`{}`", inside_example(word)));
    if inner == Inner::Attention || inner == Inner::Embedding {
        report.help("on the value that passes: `dropout(0.1)`");
    }
}

/// The rates of an annotation that acts inside layers. It has no place of its own there.
pub(in crate::lower) fn rates(
    cx: &mut Cx,
    annotation: &Annotation,
    levels: &[LintLevel],
    inner: Inner,
) -> Option<(&'static Word, Vec<(Inner, Rate)>)> {
    let call = &annotation.call;
    let name = call.word.to_string();
    let word = words::inside(&name).or_else(|| words::stochastic(&name))?;
    if let Some((side, place)) = &annotation.place {
        let side = side_word(*side);
        cx.diagnostics
            .error(
                place,
                format!(
                    "`{name}` acts inside {}: `{side} {place}` has no meaning",
                    inner.layers()
                ),
            )
            .help(format!("without `{side} {place}`"));
    }
    on_values(cx, annotation);
    let arguments = arguments::read(cx, call, word);
    let mut rate = |rate| Rate {
        id: cx.id(call.ends()),
        rate,
        levels: levels.to_vec(),
    };
    let mut rates = vec![(inner, rate(arguments.value("rate")))];
    if inner == Inner::Variational
        && let Some(state) = arguments.optional("recurrent")
    {
        rates.push((Inner::State, rate(state)));
    }
    Some((word, rates))
}

/// Sets a rate in the layers of the blocks of an operation that have none.
pub(in crate::lower) fn inside_blocks(op: &mut Op, inner: Inner, rate: &Rate) -> bool {
    let mut any = false;
    for block in op.kind.blocks_mut() {
        any |= inside_default(block, inner, rate);
    }
    any
}

pub(in crate::lower) fn inside_default(
    statements: &mut [Statement],
    inner: Inner,
    rate: &Rate,
) -> bool {
    let mut any = false;
    each_statement(statements, &mut |statement| {
        for op in &mut statement.ops {
            if let Some(place) = inner.place(&mut op.kind) {
                any = true;
                place.get_or_insert_with(|| rate.clone());
            }
        }
    });
    any
}
