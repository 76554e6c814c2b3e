//! Published networks: they fit, and have as many parameters as their papers and `torchvision` say.

use crate::op;
use crate::tests::builder::*;
use crate::{
    Cell, Conv, InputKind, Layout, Model, OpKind, Padding, Pool, Recurrent, Reduction, Role, Shape,
    Source, Statement, Value,
};

/// `conv2d(out, kernel = k, padding = p, bias = false)`
fn conv2d(out: usize, kernel: usize, stride: usize, padding: usize) -> OpKind {
    OpKind::Conv(Conv {
        stride: vec![value(stride as f64)],
        padding: match padding {
            0 => Padding::Valid,
            some => Padding::Zeros(vec![value(some as f64)]),
        },
        bias: Value::truth(false),
        ..Conv::new(2, out, kernel)
    })
}

/// Another form of a convolution.
fn conv(axes: u8, out: usize, kernel: usize, edit: impl FnOnce(&mut Conv)) -> OpKind {
    let mut conv = Conv::new(axes, out, kernel);
    edit(&mut conv);
    OpKind::Conv(conv)
}

fn max_pool2d(kernel: usize, stride: usize, padding: usize) -> OpKind {
    OpKind::Pool(Pool {
        stride: vec![value(stride as f64)],
        padding: Padding::Zeros(vec![value(padding as f64)]),
        ..Pool::new(2, Reduction::Max, kernel)
    })
}

fn global_avg_pool() -> OpKind {
    OpKind::GlobalPool(op::GlobalPool(Reduction::Mean))
}

fn embedding(vocab: usize, dim: usize) -> OpKind {
    OpKind::Embedding(op::Embedding {
        vocab: value(vocab as f64),
        dim: value(dim as f64),
        dropout: None,
    })
}

fn recurrent(cell: Cell, hidden: usize, layers: usize) -> Recurrent {
    Recurrent {
        cell,
        hidden: value(hidden as f64),
        layers: value(layers as f64),
        bidirectional: Value::truth(false),
        merge: crate::op::recurrent::Directions::Concat,
        activation: crate::op::recurrent::StateFunction::Tanh,
        between: None,
        variational: None,
        recurrent: None,
        zoneout: None,
    }
}

fn lstm(hidden: usize, layers: usize) -> OpKind {
    OpKind::Recurrent(recurrent(Cell::Lstm, hidden, layers))
}

fn attention(heads: usize) -> OpKind {
    OpKind::Attention(op::Attention::new(value(heads as f64)))
}

fn linear_same() -> OpKind {
    OpKind::Linear(op::Linear {
        out: Value::unknown(),
        bias: Value::truth(true),
        same: true,
        tied: None,
    })
}

fn tied(out: usize, embedding: &str) -> OpKind {
    OpKind::Linear(op::Linear {
        out: value(out as f64),
        bias: Value::truth(true),
        same: false,
        tied: Some(embedding.to_owned()),
    })
}

/// A model that reads `tokens: [time] of int(vocab, pad = 0)`.
fn model_of_tokens(time: usize, vocab: usize, layers: Vec<Statement>) -> Model {
    let mut model = model_of(&[time], layers);
    "tokens".clone_into(&mut model.inputs[0].name);
    model.inputs[0].kind = InputKind::Int {
        vocab: Some(value(vocab as f64)),
        pad: Some(value(0.0)),
    };
    model
}

fn parameters(model: &Model) -> usize {
    let inferred = model.infer();
    assert_eq!(inferred.findings, []);
    let counts = model.checked().counts();
    assert!(!counts.incomplete);
    let listed: usize = model
        .parameters()
        .iter()
        .filter(|parameter| parameter.role != Role::Running)
        .map(|parameter| parameter.count().expect("a known shape"))
        .sum();
    assert_eq!(listed, counts.parameters);
    listed
}

/// Two 3x3 convolutions around the identity or a strided projection.
fn basic(name: &str, out: usize, stride: usize) -> Statement {
    let body = vec![
        layer("first", [conv2d(out, 3, stride, 1), batch_norm(), relu()]),
        layer("second", [conv2d(out, 3, 1, 1), batch_norm()]),
    ];
    let shortcut = if stride == 1 {
        vec![]
    } else {
        vec![layer("project", [conv2d(out, 1, stride, 0), batch_norm()])]
    };
    layer(name, [residual_with(body, shortcut), relu()])
}

fn resnet18() -> Model {
    let mut layers = vec![layer(
        "stem",
        [
            conv2d(64, 7, 2, 3),
            batch_norm(),
            relu(),
            max_pool2d(3, 2, 1),
        ],
    )];
    for (stage, out) in [64, 128, 256, 512].into_iter().enumerate() {
        let stride = if stage == 0 { 1 } else { 2 };
        layers.push(basic(&format!("stage{stage}a"), out, stride));
        layers.push(basic(&format!("stage{stage}b"), out, 1));
    }
    layers.push(layer("head", [global_avg_pool(), linear(1000)]));
    model_of(&[3, 224, 224], layers)
}

#[test]
fn resnet_18() {
    let net = resnet18();
    assert_eq!(parameters(&net), 11_689_512);
    // Table 1 of arXiv 1512.03385 says 1.8e9.
    assert_eq!(net.checked().counts().multiply_accumulates, 1_814_073_344);
    let inferred = net.infer();
    assert_eq!(
        inferred.value_of("stage3b"),
        Some(&Shape::known([512, 7, 7]))
    );
    assert_eq!(
        inferred.layout_of(net.layers[1].ops[0].id),
        Layout::Channels
    );
}

#[test]
fn mobilenet_v2() {
    let depthwise = |stride: usize| {
        conv(2, 1, 3, |conv| {
            let strided = conv2d(1, 3, stride, 1);
            if let OpKind::Conv(other) = strided {
                *conv = other;
            }
            conv.depthwise = true;
        })
    };
    let relu6 = || act("relu6");
    let mut layers = vec![layer("stem", [conv2d(32, 3, 2, 1), batch_norm(), relu6()])];
    let mut channels = 32;
    for (stage, (expand, out, times, stride)) in [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    .into_iter()
    .enumerate()
    {
        for copy in 0..times {
            let stride = if copy == 0 { stride } else { 1 };
            let mut body = Vec::new();
            if expand > 1 {
                let wide = conv2d(expand * channels, 1, 1, 0);
                body.push(layer("expand", [wide, batch_norm(), relu6()]));
            }
            body.push(layer("depth", [depthwise(stride), batch_norm(), relu6()]));
            body.push(layer("project", [conv2d(out, 1, 1, 0), batch_norm()]));
            if stride == 1 && channels == out {
                layers.push(layer(&format!("s{stage}c{copy}"), [residual(body)]));
            } else {
                layers.append(&mut body);
            }
            channels = out;
        }
    }
    layers.push(layer(
        "last",
        [conv2d(1280, 1, 1, 0), batch_norm(), relu6()],
    ));
    layers.push(layer("head", [global_avg_pool(), linear(1000)]));
    assert_eq!(parameters(&model_of(&[3, 224, 224], layers)), 3_504_872);
}

/// The pre-norm block of a transformer.
fn encoder(heads: usize, wide: usize) -> Vec<Statement> {
    vec![
        layer(
            "attend",
            [residual(vec![layer(
                "norm",
                [layer_norm(), attention(heads)],
            )])],
        ),
        layer(
            "feed",
            [residual(vec![layer(
                "norm",
                [layer_norm(), linear(wide), act("gelu"), linear_same()],
            )])],
        ),
    ]
}

#[test]
fn vit_b_16() {
    let mut net = model_of(
        &[3, 224, 224],
        vec![
            layer(
                "patches",
                [
                    conv(2, 768, 16, |conv| conv.stride = vec![value(16.0)]),
                    OpKind::ToSequence,
                    OpKind::ClassToken,
                    OpKind::Positional(op::Positional { learned: true }),
                ],
            ),
            layer("encoder", [repeat(12.0, encoder(12, 3072))]),
            layer(
                "head",
                [
                    layer_norm(),
                    OpKind::Step(op::Step { last: false }),
                    linear(1000),
                ],
            ),
        ],
    );
    net.resolve();
    assert_eq!(parameters(&net), 86_567_656);
    assert_eq!(
        net.infer().value_of("patches"),
        Some(&Shape::known([197, 768]))
    );
}

#[test]
fn awd_lstm() {
    // The language model of arXiv 1708.02182 on the Penn treebank: three layers of 1150, vectors of 400, the
    // weight of the output is the embedding's. The paper says 24 million.
    let net = model_of_tokens(
        70,
        10_000,
        vec![
            layer("embed", [embedding(10_000, 400)]),
            layer("rnn", [lstm(1150, 2)]),
            layer("last", [lstm(400, 1)]),
            layer("head", [tied(10_000, "embed")]),
        ],
    )
    .loss(cross_entropy());
    assert_eq!(parameters(&net), 24_221_600);
    let inferred = net.infer();
    assert_eq!(inferred.output(), Some(&Shape::known([70, 10_000])));
    assert_eq!(net.infer().class_axis(), 1);
    let reader = net.layers[1].ops[0].id;
    assert_eq!(inferred.padding_of(reader), Some(("tokens", 0)));
    assert_eq!(
        net.checked().task().cloned().map(|task| task.to_string()),
        Some("multiclass(10000)".to_owned())
    );
}

/// Two convolutions that keep the size.
fn double(name: &str, out: usize) -> Statement {
    layer(
        name,
        [
            conv(2, out, 3, |conv| conv.padding = Padding::Same),
            relu(),
            conv(2, out, 3, |conv| conv.padding = Padding::Same),
            relu(),
        ],
    )
}

#[test]
fn u_net() {
    let up = |name: &str, out: usize| {
        layer(
            name,
            [conv(2, out, 2, |conv| {
                conv.transposed = true;
                conv.stride = vec![value(2.0)];
            })],
        )
    };
    let halve = |name: &str| layer(name, [max_pool2d(2, 2, 0)]);
    let mut layers = Vec::new();
    for (stage, out) in [64, 128, 256, 512].into_iter().enumerate() {
        layers.push(double(&format!("down{stage}"), out));
        layers.push(halve(&format!("halve{stage}")));
    }
    layers.push(double("bottom", 1024));
    for (stage, out) in [64, 128, 256, 512].into_iter().enumerate().rev() {
        layers.push(up(&format!("up{stage}"), out));
        let joined = double(&format!("join{stage}"), out);
        layers.push(joined.from(Source::Concat(names(&[
            &format!("up{stage}"),
            &format!("down{stage}"),
        ]))));
    }
    layers.push(layer("head", [conv(2, 2, 1, |_| {})]));
    let net = model_of(&[1, 512, 512], layers).loss(cross_entropy());
    // arXiv 1505.04597 with a single channel and two classes.
    assert_eq!(parameters(&net), 31_030_658);
    let inferred = net.infer();
    assert_eq!(inferred.output(), Some(&Shape::known([2, 512, 512])));
    assert_eq!(
        (net.infer().class_axis(), inferred.output_layout()),
        (0, Layout::Channels)
    );
    let join = net
        .layers
        .iter()
        .find(|layer| layer.name == "join0")
        .expect("join0");
    assert_eq!(inferred.concat_axis(join.id), Some(0));
    assert_eq!(
        net.checked().task().cloned().map(|task| task.to_string()),
        Some("multiclass(2)".to_owned())
    );
}

mod rules {
    use super::*;
    use crate::{Finding, Merge, Reparameterization, RuleKind};

    fn only(model: &Model) -> Finding {
        let mut findings = model.infer().findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }

    fn language(head: OpKind) -> Model {
        model_of_tokens(
            9,
            100,
            vec![
                layer("embed", [embedding(100, 8)]),
                layer("rnn", [lstm(8, 1)]),
                layer("head", [head]),
            ],
        )
    }

    #[test]
    fn a_tied_weight_is_an_embedding_of_this_block() {
        assert_eq!(language(tied(100, "embed")).infer().findings, []);
        let unknown = only(&language(tied(100, "embd")));
        assert_eq!(unknown.message, "no embedding is called `embd` here");
        assert_eq!(unknown.help.as_deref(), Some("tied = embed"));
        let other = only(&language(tied(100, "rnn")));
        assert_eq!(
            other.message,
            "`tied = rnn` wants the name of an `embedding`, `rnn` is `lstm(8)`"
        );
    }

    #[test]
    fn indices_and_numbers_are_not_mixed_up() {
        let floats = only(&model_of(&[9], vec![layer("e", [embedding(100, 8)])]));
        assert_eq!(
            floats.message,
            "`embedding` wants class indices, `x` holds numbers"
        );
        assert_eq!(
            floats.help.as_deref(),
            Some("input x: [9] of int(vocab = 100)")
        );
        let tokens = only(&model_of_tokens(9, 100, vec![layer("fc", [linear(8)])]));
        assert_eq!(
            tokens.help.as_deref(),
            Some("`embedding(100, 64)` before `linear`")
        );
    }

    #[test]
    fn branches_take_the_same_value_and_are_merged() {
        let branches = || {
            vec![
                layer("a", [conv2d(8, 3, 1, 1)]),
                layer("b", [conv2d(4, 1, 1, 0)]),
            ]
        };
        let of = |merge| {
            let body = branches();
            let parallel = OpKind::Parallel { body, merge };
            model_of(&[3, 6, 6], vec![layer("mix", [parallel])])
        };
        let net = of(Merge::Concat);
        assert_eq!(net.infer().output(), Some(&Shape::known([12, 6, 6])));
        assert_eq!(net.infer().concat_axis(net.layers[0].ops[0].id), Some(0));
        assert_eq!(parameters(&net), 8 * 3 * 9 + 4 * 3);
        assert_eq!(
            only(&of(Merge::Add)).help.as_deref(),
            Some("bring both to one size, such as `conv2d(8, kernel = 1)` at the end of `b`")
        );
    }

    #[test]
    fn padding_follows_the_steps() {
        let net = model_of_tokens(
            9,
            100,
            vec![
                layer("embed", [embedding(100, 8), OpKind::ClassToken]),
                layer(
                    "attend",
                    [residual(vec![layer("a", [layer_norm(), attention(2)])])],
                ),
                layer("turn", [OpKind::Transpose, OpKind::Transpose, attention(2)]),
            ],
        );
        let inferred = net.infer();
        assert_eq!(inferred.findings, []);
        let OpKind::Residual { body, .. } = &net.layers[1].ops[0].kind else {
            panic!("a residual");
        };
        assert_eq!(inferred.padding_of(body[0].ops[1].id), Some(("tokens", 1)));
        assert_eq!(inferred.padding_of(net.layers[2].ops[2].id), None);
    }

    #[test]
    fn a_repeat_says_what_an_open_input_was() {
        let body = vec![layer("rnn", [relu(), lstm(28, 1)])];
        let net = model_of(&[28, 28], vec![layer("deep", [repeat(2.0, body)])]);
        let OpKind::Repeat { body, .. } = &net.layers[0].ops[0].kind else {
            panic!("a repeat");
        };
        let inferred = net.infer();
        assert_eq!(inferred.findings, []);
        assert_eq!(inferred.layout_of(body[0].ops[0].id), Layout::Sequence);
    }

    #[test]
    fn weight_norm_adds_a_length_for_each_unit() {
        let net = model_of(
            &[3, 8, 8],
            vec![
                layer("c", [conv2d(16, 3, 1, 1)]).with(RuleKind::WeightNorm),
                layer("head", [OpKind::Flatten, linear(10)]).with(RuleKind::SpectralNorm),
            ],
        );
        assert_eq!(parameters(&net), 16 * 3 * 9 + 16 + 1024 * 10 + 10);
        let all = net.parameters();
        let find = |path: &str| all.iter().find(|one| one.path == path).expect("a path");
        let lengths = find("c.weight.weight_norm.length");
        assert_eq!(
            (lengths.role, lengths.shape.as_slice()),
            (Role::Gain, &[16][..])
        );
        let weight = find("c.weight");
        assert_eq!(weight.reparameterized, Some(Reparameterization::WeightNorm));
        assert_eq!(weight.unit_axis, 0);
        assert_eq!(lengths.reparameterized, None);
    }

    #[test]
    fn layer_decay_counts_copies_from_the_end() {
        let block = vec![layer("fc", [linear(64), relu()])];
        let net = model(vec![
            layer("stem", [linear(64), batch_norm(), relu()]),
            layer("deep", [repeat(2.0, block)]),
            layer("drop", [dropout(0.1)]),
            layer("head", [linear(10)]),
        ])
        .train(|train| train.layer_decay = Some(value(0.5)));
        let scales: Vec<(String, f64)> = net
            .parameters()
            .into_iter()
            .filter(|parameter| parameter.path.ends_with("weight"))
            .map(|parameter| (parameter.path, parameter.rate_scale))
            .collect();
        let expected = [
            ("stem.weight", 0.125),
            ("deep.0.fc.weight", 0.25),
            ("deep.1.fc.weight", 0.5),
            ("head.weight", 1.0),
        ];
        assert_eq!(
            scales,
            expected.map(|(path, scale)| (path.to_owned(), scale))
        );
    }
}
