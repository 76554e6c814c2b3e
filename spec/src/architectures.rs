//! Published networks: they fit, and have as many parameters as their papers and `torchvision` say.

use crate::build::*;
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
    OpKind::GlobalPool(Reduction::Mean)
}

fn embedding(vocab: usize, dim: usize) -> OpKind {
    OpKind::Embedding {
        vocab: value(vocab as f64),
        dim: value(dim as f64),
        dropout: None,
    }
}

fn recurrent(cell: Cell, hidden: usize, layers: usize) -> Recurrent {
    Recurrent {
        cell,
        hidden: value(hidden as f64),
        layers: value(layers as f64),
        bidirectional: Value::truth(false),
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
    OpKind::Attention {
        heads: value(heads as f64),
        causal: Value::truth(false),
        bias: Value::truth(true),
        rope: false,
        dropout: None,
    }
}

fn linear_same() -> OpKind {
    OpKind::Linear {
        out: Value::unknown(),
        bias: Value::truth(true),
        same: true,
        tied: None,
    }
}

fn tied(out: usize, embedding: &str) -> OpKind {
    OpKind::Linear {
        out: value(out as f64),
        bias: Value::truth(true),
        same: false,
        tied: Some(embedding.to_owned()),
    }
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
    let counts = model.counts();
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
    assert_eq!(net.counts().multiply_accumulates, 1_814_073_344);
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
                    OpKind::Positional { learned: true },
                ],
            ),
            layer("encoder", [repeat(12.0, encoder(12, 3072))]),
            layer(
                "head",
                [layer_norm(), OpKind::Step { last: false }, linear(1000)],
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
    assert_eq!(net.class_axis(), 1);
    let reader = net.layers[1].ops[0].id;
    assert_eq!(inferred.padding_of(reader), Some(("tokens", 0)));
    assert_eq!(
        net.task_kind().map(|task| task.to_string()),
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
        (net.class_axis(), inferred.output_layout()),
        (0, Layout::Channels)
    );
    let join = net
        .layers
        .iter()
        .find(|layer| layer.name == "join0")
        .expect("join0");
    assert_eq!(inferred.concat_axis(join.id), Some(0));
    assert_eq!(
        net.task_kind().map(|task| task.to_string()),
        Some("multiclass(2)".to_owned())
    );
}
