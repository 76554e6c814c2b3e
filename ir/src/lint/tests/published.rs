//! Published networks pass, or need the attribute that their page names.

use super::words::*;
use crate::tests::builder::*;
use crate::{Cell, Finding, Level, Merge, Model, OpKind, RuleKind, Source, Statement, Value};

/// What `check` finds, and what it finds with these lints allowed.
fn allowing(model: Model, lints: &[&str]) -> (Vec<&'static str>, Vec<Finding>) {
    let found = model.lints();
    let allowed = lints.iter().fold(model, |model, lint| {
        model.level(attribute(lint, Level::Allow))
    });
    (found, allowed.check())
}

fn conv_norm_relu(name: &str, out: usize, kernel: usize, stride: usize) -> Statement {
    layer(name, [strided(out, kernel, stride), batch_norm(), relu()])
}

#[test]
fn vgg_16() {
    let mut layers = Vec::new();
    for (stage, (width, depth)) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
        .into_iter()
        .enumerate()
    {
        for index in 0..depth {
            layers.push(layer(
                &format!("conv{stage}_{index}"),
                [biased(width, 3), relu()],
            ));
        }
        layers.push(layer(&format!("pool{stage}"), [max_pool(2)]));
    }
    layers.push(layer("flat", [OpKind::Flatten]));
    layers.push(layer("fc1", [linear(4096), relu(), dropout(0.5)]));
    layers.push(layer("fc2", [linear(4096), relu(), dropout(0.5)]));
    layers.push(layer("head", [linear(1000)]));
    assert_eq!(pictures(224, layers).loss(cross_entropy()).check(), []);
}

/// A basic block of `ResNet`, with a projection where the maps become smaller.
fn basic(name: &str, width: usize, stride: usize, dropped: Option<f64>) -> Statement {
    let mut body = vec![conv_norm_relu("a", width, 3, stride)];
    if let Some(rate) = dropped {
        body.push(layer("drop", [dropout(rate)]));
    }
    body.push(layer("b", [conv(width, 3), batch_norm()]));
    let shortcut = if stride == 1 {
        vec![]
    } else {
        vec![layer("project", [strided(width, 1, stride), batch_norm()])]
    };
    layer(name, [residual_with(body, shortcut), relu()])
}

fn resnet(dropped: Option<f64>) -> Model {
    let mut layers = vec![
        conv_norm_relu("stem", 64, 7, 2),
        layer("pool", [max_pool(2)]),
        basic("block0a", 64, 1, dropped),
        basic("block0b", 64, 1, dropped),
    ];
    for (stage, width) in [128, 256, 512].into_iter().enumerate() {
        layers.push(basic(&format!("block{}a", stage + 1), width, 2, dropped));
        layers.push(basic(&format!("block{}b", stage + 1), width, 1, dropped));
    }
    layers.push(layer("features", [global_avg_pool()]));
    layers.push(layer("head", [linear(1000)]));
    pictures(224, layers).loss(cross_entropy())
}

#[test]
fn resnet_18() {
    assert_eq!(resnet(None).check(), []);
}

#[test]
fn wide_resnets_dropout_between_convolutions_needs_attributes() {
    let (found, left) = allowing(
        resnet(Some(0.3)),
        &[
            "dropout_with_batch_norm",
            "elementwise_dropout_on_feature_maps",
        ],
    );
    assert!(found.contains(&"dropout_with_batch_norm"), "{found:?}");
    assert_eq!(left, []);
}

fn inverted(name: &str, channels: usize, out: usize, stride: usize, path: f64) -> Statement {
    let hidden = channels * 6;
    let body = vec![
        layer("expand", [conv(hidden, 1), batch_norm(), act("relu6")]),
        layer("depth", [depthwise(3, stride), batch_norm(), act("relu6")]),
        layer("project", [conv(out, 1), batch_norm()]),
    ];
    if channels == out {
        layer(name, [stochastic_depth(body, path, path)])
    } else {
        layer(name, [repeat(1.0, body)])
    }
}

/// The blocks of `MobileNetV2` and, with stochastic depth, of `EfficientNet` (without squeeze and excitation).
fn inverted_residuals(path: f64) -> Model {
    let mut layers = vec![layer(
        "stem",
        [strided(32, 3, 2), batch_norm(), act("relu6")],
    )];
    let mut channels = 32;
    for (index, (out, stride)) in [(24, 2), (24, 1), (32, 2), (64, 2), (64, 1), (96, 1)]
        .into_iter()
        .enumerate()
    {
        let body = inverted(&format!("block{index}"), channels, out, stride, path);
        layers.extend(if channels == out {
            vec![body]
        } else {
            // A block without a shortcut is its statements.
            let OpKind::Repeat { body, .. } = body.ops.into_iter().next().expect("a block").kind
            else {
                unreachable!()
            };
            body.into_iter()
                .map(|mut statement| {
                    statement.name = format!("block{index}_{}", statement.name);
                    statement
                })
                .collect()
        });
        channels = out;
    }
    layers.push(layer("last", [conv(1280, 1), batch_norm(), act("relu6")]));
    layers.push(layer("features", [global_avg_pool(), dropout(0.2)]));
    layers.push(layer("head", [linear(1000)]));
    pictures(224, layers).loss(cross_entropy())
}

#[test]
fn mobile_net_v2s_linear_bottlenecks_are_warned_of() {
    let net = inverted_residuals(0.0);
    let levels: Vec<Level> = net.check().iter().map(|finding| finding.level).collect();
    assert!(
        levels.iter().all(|level| *level == Level::Warn),
        "{levels:?}"
    );
    let (found, left) = allowing(net, &["missing_nonlinearity"]);
    assert!(
        found.iter().all(|lint| *lint == "missing_nonlinearity"),
        "{found:?}"
    );
    assert_eq!(left, []);
}

#[test]
fn efficient_nets_blocks_with_stochastic_depth() {
    let (_, left) = allowing(inverted_residuals(0.2), &["missing_nonlinearity"]);
    assert_eq!(left, []);
}

fn dense_net(rate: f64) -> Model {
    let mut layers = vec![layer("stem", [conv(24, 3)])];
    let mut before = "stem".to_owned();
    for index in 0..3 {
        let new = layer(
            &format!("new{index}"),
            [
                batch_norm(),
                relu(),
                conv(48, 1),
                batch_norm(),
                relu(),
                conv(12, 3),
                dropout(rate),
            ],
        );
        layers.push(new.from(Source::From(before.clone())));
        let all = format!("all{index}");
        layers.push(layer(&all, []).from(Source::Concat(vec![before, format!("new{index}")])));
        before = all;
    }
    layers.push(layer("end", [batch_norm(), relu(), global_avg_pool()]));
    layers.push(layer("head", [linear(10)]));
    pictures(32, layers).loss(cross_entropy())
}

#[test]
fn dense_net_with_and_without_dropout() {
    let rate_zero: Vec<_> = dense_net(0.0).check();
    assert_eq!(rate_zero, []);
    let (found, left) = allowing(
        dense_net(0.2),
        &[
            "dropout_upstream_of_batch_norm",
            "elementwise_dropout_on_feature_maps",
        ],
    );
    assert!(
        found.contains(&"dropout_upstream_of_batch_norm"),
        "{found:?}"
    );
    assert_eq!(left, []);
}

#[test]
fn u_net() {
    let twice = |name: &str, width| {
        layer(
            name,
            [
                conv(width, 3),
                batch_norm(),
                relu(),
                conv(width, 3),
                batch_norm(),
                relu(),
            ],
        )
    };
    let net = pictures(
        64,
        vec![
            twice("down1", 16),
            layer("pool1", [max_pool(2)]),
            twice("down2", 32),
            layer("pool2", [max_pool(2)]),
            twice("bottom", 64),
            layer("up2", [up(32)]),
            layer("both2", []).from(Source::Concat(names(&["up2", "down2"]))),
            twice("decode2", 32),
            layer("up1", [up(16)]),
            layer("both1", []).from(Source::Concat(names(&["up1", "down1"]))),
            twice("decode1", 16),
            layer("head", [biased(5, 1)]),
        ],
    );
    assert_eq!(net.loss(cross_entropy()).check(), []);
}

#[test]
fn inception_blocks_are_parallel() {
    let branch = |name: &str, out, kernel| layer(name, [conv(out, kernel), batch_norm(), relu()]);
    let block = |name: &str| {
        let body = vec![
            branch("one", 16, 1),
            branch("three", 24, 3),
            branch("five", 8, 5),
        ];
        layer(name, [parallel(body, Merge::Concat)])
    };
    let net = seeing(vec![
        conv_norm_relu("stem", 16, 3, 1),
        block("mixed1"),
        block("mixed2"),
    ]);
    assert_eq!(net.check(), []);
}

#[test]
fn an_awd_lstm_language_model() {
    let net = reading(
        70,
        10_000,
        vec![
            layer("embed", [embedding(10_000, 400, 0.1)]),
            layer(
                "lstm",
                [recurrent(Cell::Lstm, 1150, 2, |lstm| {
                    lstm.variational = rate(0.25);
                })],
            )
            .with(RuleKind::DropConnect { rate: value(0.5) }),
            layer(
                "top",
                [
                    recurrent(Cell::Lstm, 400, 1, |lstm| lstm.variational = rate(0.25)),
                    variational_dropout(0.4),
                ],
            ),
            layer("head", [tied(10_000, "embed")]),
        ],
    );
    assert_eq!(net.loss(cross_entropy()).check(), []);
}

#[test]
fn a_gru_classifier() {
    let net = reading(
        100,
        5000,
        vec![
            layer(
                "embed",
                [embedding(5000, 128, 0.0), variational_dropout(0.2)],
            ),
            layer(
                "gru",
                [recurrent(Cell::Gru, 128, 2, |gru| gru.between = rate(0.2))],
            ),
            layer("last", [last_step(), dropout(0.5)]),
            layer("head", [linear(2)]),
        ],
    );
    assert_eq!(net.loss(cross_entropy()).check(), []);
}

#[test]
fn a_bidirectional_tagger() {
    let net = reading(
        50,
        8000,
        vec![
            layer("embed", [embedding(8000, 100, 0.0), dropout(0.5)]),
            layer(
                "lstm",
                [
                    recurrent(Cell::Lstm, 200, 1, |lstm| {
                        lstm.bidirectional = Value::truth(true);
                    }),
                    dropout(0.5),
                ],
            ),
            layer("head", [linear(17)]),
        ],
    );
    assert_eq!(net.loss(cross_entropy()).check(), []);
}

#[test]
fn bert_normalizes_behind_each_residual() {
    let block = vec![
        layer(
            "attend",
            [
                residual(vec![layer(
                    "self",
                    [attention(12, false, 0.1), dropout(0.1)],
                )]),
                layer_norm(),
            ],
        ),
        layer(
            "feed",
            [
                residual(vec![layer(
                    "ff",
                    [linear(3072), act("gelu"), linear(768), dropout(0.1)],
                )]),
                layer_norm(),
            ],
        ),
    ];
    let net = reading(
        128,
        30_522,
        vec![
            layer(
                "embed",
                [
                    embedding(30_522, 768, 0.0),
                    positional(),
                    layer_norm(),
                    dropout(0.1),
                ],
            ),
            layer("encoder", [repeat(12.0, block)]),
            layer(
                "pooled",
                [first_step(), linear(768), act("tanh"), dropout(0.1)],
            ),
            layer("head", [linear(2)]),
        ],
    );
    let net = net
        .loss(cross_entropy())
        .optimizer(adamw(), 5e-5, Some(0.01));
    assert_eq!(net.check(), []);
}

/// A pre-norm block.
fn pre_norm(dim: usize, heads: usize, causal: bool, path: f64) -> Vec<Statement> {
    let attend = vec![layer(
        "self",
        [layer_norm(), attention(heads, causal, 0.1), dropout(0.1)],
    )];
    let feed = vec![layer(
        "ff",
        [
            layer_norm(),
            linear(4 * dim),
            act("gelu"),
            linear(dim),
            dropout(0.1),
        ],
    )];
    vec![
        layer("attend", [stochastic_depth(attend, 0.0, path)]),
        layer("feed", [stochastic_depth(feed, 0.0, path)]),
    ]
}

#[test]
fn a_vision_transformer() {
    let patches = conv_with(768, 16, |conv| {
        conv.stride = vec![value(16.0)];
        conv.padding = crate::Padding::Valid;
        conv.bias = Value::truth(true);
    });
    let net = pictures(
        224,
        vec![
            layer(
                "embed",
                [
                    patches,
                    OpKind::ToSequence,
                    OpKind::ClassToken,
                    positional(),
                    dropout(0.1),
                ],
            ),
            layer("encoder", [repeat(12.0, pre_norm(768, 12, false, 0.1))]),
            layer("class", [layer_norm(), first_step()]),
            layer("head", [linear(1000)]),
        ],
    );
    let net = net
        .loss(cross_entropy())
        .optimizer(adamw(), 1e-3, Some(0.1));
    assert_eq!(net.check(), []);
}

#[test]
fn gpt_2() {
    let net = reading(
        1024,
        50_257,
        vec![
            layer(
                "embed",
                [embedding(50_257, 768, 0.0), positional(), dropout(0.1)],
            ),
            layer("blocks", [repeat(12.0, pre_norm(768, 12, true, 0.0))]),
            layer("norm", [layer_norm()]),
            layer("head", [tied(50_257, "embed")]),
        ],
    );
    assert_eq!(net.loss(cross_entropy()).check(), []);
}

#[test]
fn squeeze_net_pools_clipped_scores() {
    let net = pictures(
        32,
        vec![
            layer("stem", [biased(64, 3), relu(), max_pool(2)]),
            layer("features", [biased(512, 3), relu(), spatial_dropout(0.1)]),
            layer("head", [biased(10, 1), relu(), global_avg_pool()]),
        ],
    );
    let finding = net.loss(cross_entropy()).found("relu_on_logits");
    assert_eq!(finding.level, Level::Warn);
}
