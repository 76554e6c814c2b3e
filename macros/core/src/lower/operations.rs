//! Operations from their words: what several places need, and the short forms `transformer_encoder` and `transformer_decoder`.

use super::Cx;
use super::arguments::Arguments;
use crate::ast::Ends;
use crate::words::{Read, Word};
use damper_ir::{Id, Op, OpKind, Source, Statement, Stochastic, Value, op};

/// `transformer_encoder(layers, heads, ff, dropout, norm_first)`, and `transformer_decoder` with `memory`: the `repeat` that it is
/// short for.
pub(super) fn transformer(cx: &mut Cx, id: Id, arguments: &Arguments) -> OpKind {
    let word = arguments.word().name;
    let decodes = word == "transformer_decoder";
    let written = arguments.value("norm_first");
    if written.hole.is_some() || (written.known.is_none() && arguments.fine) {
        let ends: Ends = arguments
            .ends("norm_first")
            .unwrap_or_else(|| cx.spans.get(id));
        cx.diagnostics
            .error(
                ends,
                format!("`norm_first` of `{word}` is `true` or `false` itself: it decides which layers there are"),
            )
            .help("`norm_first = true`");
    }
    let norm_first = written.known != Some(0.0);
    let rate = arguments.value("dropout");
    let drops = rate.known != Some(0.0) || rate.hole.is_some();
    let (heads, ff) = (arguments.value("heads"), arguments.value("ff"));
    let mut encoder = Encoder {
        cx,
        id,
        rate: drops.then_some(rate),
        norm_first,
    };
    let attention = encoder.attention(op::Attention {
        causal: Value::truth(decodes),
        ..op::Attention::new(heads)
    });
    let mut body = vec![encoder.residual("attend", vec![attention])];
    if decodes {
        let attention = encoder.attention(op::Attention {
            from: arguments.name("memory"),
            ..op::Attention::new(heads)
        });
        body.push(encoder.residual("recall", vec![attention]));
    }
    let mut feed = vec![encoder.op(OpKind::Linear(op::Linear {
        out: ff,
        bias: Value::known(1.0),
        same: false,
        tied: None,
    }))];
    feed.push(encoder.op(OpKind::Activation(damper_ir::Activation {
        kind: damper_ir::ActivationKind::Gelu,
        arguments: Vec::new(),
    })));
    feed.extend(encoder.dropout());
    feed.push(encoder.op(OpKind::Linear(op::Linear {
        out: Value::unknown(),
        bias: Value::known(1.0),
        same: true,
        tied: None,
    })));
    body.push(encoder.residual("feed", feed));
    OpKind::repeat(arguments.value("layers"), body)
}

/// The parts of a short form; all of them are at the place of the short form.
struct Encoder<'c, 'd> {
    cx: &'c mut Cx<'d>,
    id: Id,
    rate: Option<Value>,
    norm_first: bool,
}

impl Encoder<'_, '_> {
    fn op(&mut self, kind: OpKind) -> Op {
        Op {
            id: self.cx.spans.again(self.id),
            field: None,
            kind,
            rules: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// An attention with the dropout of its weights.
    fn attention(&mut self, attention: op::Attention) -> Op {
        let dropout = self.rate.map(|rate| damper_ir::Rate {
            id: self.cx.spans.again(self.id),
            rate,
            levels: Vec::new(),
        });
        self.op(OpKind::Attention(op::Attention {
            dropout,
            ..attention
        }))
    }

    fn dropout(&mut self) -> Option<Op> {
        let rate = self.rate?;
        Some(self.op(OpKind::Stochastic(Stochastic::Dropout { rate })))
    }

    fn norm(&mut self) -> Op {
        self.op(OpKind::LayerNorm(op::LayerNorm {
            epsilon: Value::known(1e-5),
            axis: op::norm::NormAxis::Features,
        }))
    }

    fn statement(&mut self, name: &str, ops: Vec<Op>) -> Statement {
        Statement {
            id: self.cx.spans.again(self.id),
            name: name.to_owned(),
            source: Source::Previous,
            source_id: Id::NONE,
            ops,
            levels: Vec::new(),
        }
    }

    /// `name: residual { layer_norm -> .. -> dropout; }`, or with the norm after the sum.
    fn residual(&mut self, name: &str, inner: Vec<Op>) -> Statement {
        let mut branch = Vec::new();
        if self.norm_first {
            branch.push(self.norm());
        }
        branch.extend(inner);
        branch.extend(self.dropout());
        let body = vec![self.statement("", branch)];
        let mut ops = vec![self.op(OpKind::Residual {
            body,
            shortcut: Vec::new(),
            drop_path: None,
        })];
        if !self.norm_first {
            ops.push(self.norm());
        }
        self.statement(name, ops)
    }
}

/// `variational_dropout(p, recurrent = q)` outside of a recurrent layer.
pub(super) fn only_inside(cx: &mut Cx, word: &Word, arguments: &Arguments) {
    if word.name == "variational_dropout"
        && let Some(ends) = arguments.ends("recurrent")
    {
        cx.diagnostics
            .error(
                ends,
                "`recurrent` drops connections inside `lstm`, `gru` and `rnn`: this `variational_dropout` is outside of one",
            )
            .help("on the layer, without a place: `lstm(128) with variational_dropout(0.25, recurrent = 0.25)`");
    }
}

/// An operation without a block: a range of rates needs copies to be spread over.
pub(super) fn kind_alone(cx: &mut Cx, kind: OpKind, arguments: &Arguments) -> OpKind {
    if let (OpKind::Stochastic(Stochastic::DropPath { .. }), Some(ends)) =
        (&kind, arguments.range_ends("rate"))
    {
        range_needs_repeat(cx, ends);
    }
    kind
}

/// A range of rates outside of a `repeat`.
pub(super) fn range_needs_repeat(cx: &mut Cx, ends: Ends) {
    cx.diagnostics
        .error(
            ends,
            "a range of rates needs a `repeat`, whose copies it is spread over",
        )
        .help("`repeat(4) { residual { .. }; } with drop_path(0.0..0.1)`, or a single rate");
}

/// Every statement of a block and of the blocks in it.
pub(super) fn each_statement(statements: &mut [Statement], act: &mut impl FnMut(&mut Statement)) {
    for statement in statements {
        act(statement);
        for block in statement.ops.iter_mut().flat_map(|op| op.kind.blocks_mut()) {
            each_statement(block, act);
        }
    }
}
