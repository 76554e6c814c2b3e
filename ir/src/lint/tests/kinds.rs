//! Cases of the lints about numbers, effects, targets and layouts.

use super::words::*;
use crate::op;
use crate::tests::builder::*;
use crate::{
    InputKind, LossKind, Model, OpKind, Reads, RuleKind, ScheduleKind, Source, TaskKind, Value,
};

/// What a lint is called, a model that breaks its rule, one that keeps it.
pub(super) type Row = (&'static str, Model, Model);

fn head(units: usize) -> Model {
    model(vec![
        layer("fc", [linear(32), relu()]),
        layer("head", [linear(units)]),
    ])
}

fn rectified(units: usize) -> Model {
    model(vec![
        layer("fc", [linear(32), relu()]),
        layer("head", [linear(units), relu()]),
    ])
}

fn weights(weights: &[f64]) -> Vec<Value> {
    weights.iter().map(|weight| value(*weight)).collect()
}

fn answers(of: &[f64]) -> Model {
    let loss = LossKind::BinaryCrossEntropy {
        label_smoothing: None,
        weights: weights(of),
        from: Reads::Logits,
        positive_weight: None,
    };
    head(3).task(TaskKind::Multilabel(value(3.0))).loss(loss)
}

fn classes(of: &[f64]) -> Model {
    head(3).loss(LossKind::CrossEntropy {
        label_smoothing: None,
        weights: weights(of),
        from: Reads::Logits,
        z: None,
    })
}

fn nesterov(momentum: f64) -> Model {
    let sgd = crate::OptimizerKind::Sgd {
        momentum: value(momentum),
        dampening: value(0.0),
        nesterov: Value::truth(true),
    };
    head(10).loss(cross_entropy()).optimizer(sgd, 0.1, None)
}

fn l1(rule: RuleKind) -> Model {
    classifier(vec![layer("fc", [linear(32), relu()]).with(rule)]).optimizer(sgd(), 0.1, None)
}

fn exponential(factor: f64) -> Model {
    head(10).loss(cross_entropy()).schedule(
        ScheduleKind::Exponential {
            factor: value(factor),
        },
        0.0,
    )
}

fn attending(causal: bool, positions: bool, units: usize) -> Model {
    let mut embed = layer("embed", [embedding(50, 32, 0.0)]);
    if positions {
        embed = layer("embed", [embedding(50, 32, 0.0), positional()]);
    }
    let attend = layer("self", [attention(4, causal, 0.0)]);
    reading(
        20,
        50,
        vec![
            embed,
            layer("attend", [residual(vec![attend])]),
            layer("head", [linear(units)]),
        ],
    )
    .loss(cross_entropy())
}

fn two_texts(pooled: bool) -> Model {
    let ops = |name: &str| {
        let from = Source::From(name.to_owned());
        if pooled {
            layer(
                &format!("{name}_read"),
                [embedding(50, 8, 0.0), mean_over_time()],
            )
            .from(from)
        } else {
            layer(&format!("{name}_read"), [embedding(50, 8, 0.0)]).from(from)
        }
    };
    let both = layer("both", []).from(Source::Concat(names(&["question_read", "answer_read"])));
    let end = if pooled {
        layer("head", [linear(2)])
    } else {
        layer("head", [mean_over_time(), linear(2)])
    };
    let mut net = model(vec![ops("question"), ops("answer"), both, end]);
    net.inputs = ["question", "answer"]
        .into_iter()
        .map(|name| {
            let mut input = input(name, &[20]);
            input.kind = InputKind::Int {
                vocab: Some(value(50.0)),
                pad: None,
            };
            input
        })
        .collect();
    net.loss(cross_entropy())
}

/// `conv2d(64, kernel = 8, stride = 8)`
fn patches() -> OpKind {
    conv_with(64, 8, |conv| {
        conv.stride = vec![value(8.0)];
        conv.padding = crate::Padding::Valid;
    })
}

fn reshaped(sizes: &[usize]) -> Model {
    let reshape = OpKind::Reshape(op::Reshape {
        shape: sizes.iter().map(|size| value(*size as f64)).collect(),
    });
    seeing(vec![layer("stem", [patches(), relu(), reshape])])
}

fn adaptive(side: usize) -> OpKind {
    let mut pool = avg_pool(side);
    if let OpKind::Pool(pool) = &mut pool {
        pool.adaptive = true;
    }
    pool
}

#[expect(clippy::too_many_lines, reason = "a table with an entry for each rule")]
pub(super) fn rows() -> Vec<Row> {
    let ok = || head(10).loss(cross_entropy());
    vec![
        (
            "unusual_value",
            ok().train(|train| train.ema = Some(value(0.001))),
            ok().train(|train| train.ema = Some(value(0.999))),
        ),
        (
            "l1_penalty_leaves_no_zeros",
            l1(RuleKind::Penalty {
                l1: Some(value(1e-4)),
                l2: None,
            }),
            l1(decay(1e-4, 0.0)),
        ),
        (
            "rule_without_effect",
            classifier(vec![
                layer("fc", [linear(32), relu()])
                    .with(decay(0.0, 1e-3))
                    .with(RuleKind::Freeze),
            ]),
            classifier(vec![
                layer("fc", [linear(32), relu()]).with(RuleKind::Freeze),
            ]),
        ),
        ("setting_without_effect", nesterov(0.0), nesterov(0.9)),
        ("runaway_schedule", exponential(1.5), exponential(0.95)),
        (
            "zero_class_weight",
            classes(&[1.0, 0.0, 2.0]),
            classes(&[1.0, 0.5, 2.0]),
        ),
        (
            "label_weights_scale_the_loss",
            answers(&[1.0, 2.0, 3.0]),
            answers(&[2.0, 2.0, 2.0]),
        ),
        (
            "dying_output",
            rectified(1).loss(LossKind::Mse),
            head(1).loss(LossKind::Mse),
        ),
        (
            "bounded_log_rate",
            rectified(1).loss(LossKind::Poisson),
            head(1).loss(LossKind::Poisson),
        ),
        (
            "mape_over_zero",
            head(1).loss(LossKind::Mape).target(-1.0, 1.0),
            head(1).loss(LossKind::Mape).target(1.0, 2.0),
        ),
        (
            "answer_at_each_step",
            model_of(
                &[24, 3],
                vec![layer("rnn", [lstm(16, 1)]), layer("head", [linear(1)])],
            )
            .loss(LossKind::Mse),
            model_of(
                &[24, 3],
                vec![
                    layer("rnn", [lstm(16, 1), last_step()]),
                    layer("head", [linear(1)]),
                ],
            )
            .loss(LossKind::Mse),
        ),
        (
            "channels_last",
            model_of(
                &[32, 32, 3],
                vec![
                    layer("conv", [biased(8, 3), relu(), global_avg_pool()]),
                    layer("head", [linear(10)]),
                ],
            )
            .loss(cross_entropy()),
            seeing(vec![layer("conv", [biased(8, 3), relu()])]),
        ),
        (
            "attention_without_order",
            attending(false, false, 3),
            attending(false, true, 3),
        ),
        (
            "target_in_sight",
            attending(false, true, 50),
            attending(true, true, 50),
        ),
        ("concat_of_sequences", two_texts(false), two_texts(true)),
        (
            "reshape_mixes_axes",
            {
                let reshape = OpKind::Reshape(op::Reshape {
                    shape: vec![value(16.0), value(64.0)],
                });
                pictures(
                    32,
                    vec![
                        layer("stem", [patches(), relu(), reshape]),
                        layer("rnn", [lstm(8, 1), last_step()]),
                        layer("head", [linear(10)]),
                    ],
                )
                .loss(cross_entropy())
            },
            reshaped(&[16, 16, 4]),
        ),
        (
            "pooling_enlarges",
            pictures(
                8,
                vec![
                    layer("conv", [biased(8, 3), relu(), adaptive(16)]),
                    layer("head", [OpKind::Flatten, linear(10)]),
                ],
            )
            .loss(cross_entropy()),
            pictures(
                8,
                vec![
                    layer("conv", [biased(8, 3), relu(), adaptive(4)]),
                    layer("head", [OpKind::Flatten, linear(10)]),
                ],
            )
            .loss(cross_entropy()),
        ),
        (
            "stride_skips_positions",
            seeing(vec![layer("conv", [strided(8, 3, 5), relu()])]),
            seeing(vec![layer("conv", [strided(8, 1, 2), relu()])]),
        ),
        (
            "windows_of_padding",
            seeing(vec![layer(
                "conv",
                [
                    conv_with(8, 3, |conv| {
                        conv.padding = crate::Padding::Zeros(vec![value(3.0)]);
                    }),
                    relu(),
                ],
            )]),
            seeing(vec![layer(
                "conv",
                [
                    conv_with(8, 3, |conv| {
                        conv.padding = crate::Padding::Zeros(vec![value(2.0)]);
                    }),
                    relu(),
                ],
            )]),
        ),
    ]
}
