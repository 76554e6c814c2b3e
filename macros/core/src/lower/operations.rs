//! Layers without a block, from their arguments.

use super::Cx;
use super::arguments::Arguments;
use crate::ast::Ends;
use crate::words::Word;
use damper_ir::{
    Axis, Cell, Conv, Id, Op, OpKind, Padding, Pool, Recurrent, Reduction, Source, Statement,
    Stochastic, Value,
};

/// What a layer of the table does. `None` for what has a block or is not a layer alone.
pub(super) fn kind(cx: &mut Cx, word: &Word, arguments: &Arguments) -> Option<OpKind> {
    let of = |name| arguments.value(name);
    Some(match word.name {
        "linear" => {
            let same = arguments.word("out").is_some();
            OpKind::Linear {
                out: if same { Value::unknown() } else { of("out") },
                bias: of("bias"),
                same,
                tied: arguments.name("tied"),
            }
        }
        "swiglu" => OpKind::Swiglu {
            out: of("out"),
            bias: of("bias"),
        },
        "batch_norm" => OpKind::BatchNorm {
            epsilon: of("epsilon"),
            momentum: of("momentum"),
        },
        "layer_norm" => OpKind::LayerNorm {
            epsilon: of("epsilon"),
        },
        "group_norm" => OpKind::GroupNorm {
            groups: of("groups"),
            epsilon: of("epsilon"),
        },
        "instance_norm" => OpKind::InstanceNorm {
            epsilon: of("epsilon"),
        },
        "rms_norm" => OpKind::RmsNorm {
            epsilon: of("epsilon"),
        },
        "global_avg_pool" => OpKind::GlobalPool(Reduction::Mean),
        "global_max_pool" => OpKind::GlobalPool(Reduction::Max),
        "flatten" => OpKind::Flatten,
        "reshape" => OpKind::Reshape {
            shape: arguments.values("shape"),
        },
        "to_sequence" => OpKind::ToSequence,
        "transpose" => OpKind::Transpose,
        "embedding" => OpKind::Embedding {
            vocab: of("vocab"),
            dim: of("dim"),
            dropout: None,
        },
        "lstm" => recurrent(Cell::Lstm, arguments),
        "gru" => recurrent(Cell::Gru, arguments),
        "rnn" => recurrent(Cell::Rnn, arguments),
        "first_step" => OpKind::Step { last: false },
        "last_step" => OpKind::Step { last: true },
        "mean" => reduce(Reduction::Mean, arguments),
        "max" => reduce(Reduction::Max, arguments),
        "attention" => OpKind::Attention {
            heads: of("heads"),
            causal: of("causal"),
            bias: of("bias"),
            rope: false,
            dropout: None,
        },
        "positional" => OpKind::Positional {
            learned: arguments.word("encoding") == Some("learned"),
        },
        "class_token" => OpKind::ClassToken,
        name => {
            let (name, axes) = axes(name)?;
            match name {
                "max_pool" => pool(cx, word, arguments, axes, Reduction::Max),
                "avg_pool" => pool(cx, word, arguments, axes, Reduction::Mean),
                "adaptive_avg_pool" => OpKind::Pool(Pool {
                    axes,
                    reduction: Reduction::Mean,
                    adaptive: true,
                    kernel: each(cx, word, arguments, "size", axes),
                    stride: Vec::new(),
                    padding: Padding::Valid,
                }),
                "conv" | "conv_transpose" | "depthwise_conv" => {
                    conv(cx, word, arguments, name, axes)
                }
                _ => return None,
            }
        }
    })
}

/// `conv2d` is `conv` with 2 axes.
fn axes(name: &str) -> Option<(&str, u8)> {
    let name = name.strip_suffix('d')?;
    let digit = name.chars().last()?.to_digit(10)?;
    Some((&name[..name.len() - 1], u8::try_from(digit).ok()?))
}

/// The values of an argument that may have one for each axis.
fn each(
    cx: &mut Cx,
    word: &Word,
    arguments: &Arguments,
    name: &'static str,
    axes: u8,
) -> Vec<Value> {
    let values = arguments.axes(name);
    if let (Some(ends), false) = (
        arguments.ends(name),
        matches!(values.len(), 1) || values.len() == usize::from(axes),
    ) {
        let wanted = match axes {
            1 => "one number".to_owned(),
            n => format!("one number, or {n} (one for each axis)"),
        };
        let example = match axes {
            1 => "3",
            2 => "[3, 3]",
            _ => "[3, 3, 3]",
        };
        let message = format!(
            "`{name}` of `{}` wants {wanted}, found {}",
            word.name,
            values.len()
        );
        cx.diagnostics
            .error(ends, message)
            .help(format!("`{name} = {example}`"));
        return vec![Value::unknown()];
    }
    values
}

fn conv(cx: &mut Cx, word: &Word, arguments: &Arguments, name: &str, axes: u8) -> OpKind {
    let (transposed, depthwise) = (name == "conv_transpose", name == "depthwise_conv");
    let padding = match arguments.word("padding") {
        Some("same") => Padding::Same,
        Some(_) => Padding::Valid,
        None => zeros(cx, word, arguments, axes),
    };
    OpKind::Conv(Conv {
        axes,
        transposed,
        depthwise,
        out: arguments.value(if depthwise { "multiplier" } else { "out" }),
        kernel: each(cx, word, arguments, "kernel", axes),
        stride: each(cx, word, arguments, "stride", axes),
        padding,
        dilation: each(cx, word, arguments, "dilation", axes),
        groups: if depthwise {
            Value::known(1.0)
        } else {
            arguments.value("groups")
        },
        output_padding: if transposed {
            each(cx, word, arguments, "output_padding", axes)
        } else {
            Vec::new()
        },
        bias: arguments.value("bias"),
    })
}

fn pool(cx: &mut Cx, word: &Word, arguments: &Arguments, axes: u8, reduction: Reduction) -> OpKind {
    OpKind::Pool(Pool {
        axes,
        reduction,
        adaptive: false,
        kernel: each(cx, word, arguments, "kernel", axes),
        stride: each(cx, word, arguments, "stride", axes),
        padding: zeros(cx, word, arguments, axes),
    })
}

/// The written zeros around a value; without any, nothing is around it.
fn zeros(cx: &mut Cx, word: &Word, arguments: &Arguments, axes: u8) -> Padding {
    if arguments.ends("padding").is_none() {
        return Padding::Valid;
    }
    Padding::Zeros(each(cx, word, arguments, "padding", axes))
}

fn recurrent(cell: Cell, arguments: &Arguments) -> OpKind {
    OpKind::Recurrent(Recurrent {
        cell,
        hidden: arguments.value("hidden"),
        layers: arguments.value("layers"),
        bidirectional: arguments.value("bidirectional"),
        between: None,
        variational: None,
        recurrent: None,
        zoneout: None,
    })
}

fn reduce(reduction: Reduction, arguments: &Arguments) -> OpKind {
    let axis = match arguments.word("axis") {
        Some("channels") => Axis::Channels,
        Some("features") => Axis::Features,
        _ => Axis::Time,
    };
    OpKind::Reduce { reduction, axis }
}

/// `transformer_encoder(layers, heads, ff, dropout, norm_first)`: the `repeat` that it is short for.
pub(super) fn transformer_encoder(cx: &mut Cx, id: Id, arguments: &Arguments) -> OpKind {
    let written = arguments.value("norm_first");
    if written.hole.is_some() || (written.known.is_none() && arguments.fine) {
        let ends: Ends = arguments
            .ends("norm_first")
            .unwrap_or_else(|| cx.spans.get(id));
        cx.diagnostics
            .error(
                ends,
                "`norm_first` of `transformer_encoder` is `true` or `false` itself: it decides which layers there are",
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
    let attention = {
        let dropout = encoder.rate.map(|rate| damper_ir::Rate {
            id: encoder.cx.spans.again(id),
            rate,
            levels: Vec::new(),
        });
        encoder.op(OpKind::Attention {
            heads,
            causal: Value::known(0.0),
            bias: Value::known(1.0),
            rope: false,
            dropout,
        })
    };
    let attend = encoder.residual("attend", vec![attention]);
    let mut feed = vec![encoder.op(OpKind::Linear {
        out: ff,
        bias: Value::known(1.0),
        same: false,
        tied: None,
    })];
    feed.push(encoder.op(OpKind::Activation(damper_ir::Activation {
        kind: damper_ir::ActivationKind::Gelu,
        arguments: Vec::new(),
    })));
    feed.extend(encoder.dropout());
    feed.push(encoder.op(OpKind::Linear {
        out: Value::unknown(),
        bias: Value::known(1.0),
        same: true,
        tied: None,
    }));
    let feed = encoder.residual("feed", feed);
    OpKind::Repeat {
        times: arguments.value("layers"),
        body: vec![attend, feed],
    }
}

/// The parts of a short form; all of them stand where the short form stands.
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

    fn dropout(&mut self) -> Option<Op> {
        let rate = self.rate?;
        Some(self.op(OpKind::Stochastic(Stochastic::Dropout { rate })))
    }

    fn norm(&mut self) -> Op {
        self.op(OpKind::LayerNorm {
            epsilon: Value::known(1e-5),
        })
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

    /// `name: residual { layer_norm -> .. -> dropout; }`, or with the norm behind the sum.
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
