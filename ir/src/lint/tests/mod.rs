//! Every lint: a model on which it speaks, and a near one on which it does not.

mod kinds;
mod published;
mod words;

use crate::op;
use crate::tests::builder::*;
use crate::{
    Cell, EarlyStop, Finding, Id, LINTS, Level, LintLevel, LossKind, Merge, Model, OpKind,
    OptimizerKind, Reach, Reads, RuleKind, SetBy,
};
use crate::{ScheduleKind, Source, Stochastic, TaskKind, Value};
use std::collections::BTreeSet;
use words::*;

/// A pair of models for a lint: the first breaks the rule, the second keeps it. `allow` lints are raised.
struct Case {
    lint: &'static str,
    breaks: Model,
    keeps: Model,
}

fn raised(model: Model, lint: &str) -> Model {
    let silent = LINTS
        .iter()
        .any(|known| known.name == lint && known.default_level == Level::Allow);
    if silent {
        model.level(attribute(lint, Level::Warn))
    } else {
        model
    }
}

fn fc(ops: [OpKind; 3]) -> Vec<crate::Statement> {
    vec![layer("fc", ops)]
}

fn smoothed(share: f64) -> LossKind {
    LossKind::CrossEntropy {
        label_smoothing: Some(value(share)),
        weights: vec![],
        from: Reads::Logits,
        z: None,
    }
}

fn read_from(from: Reads) -> LossKind {
    LossKind::CrossEntropy {
        label_smoothing: None,
        weights: vec![],
        from,
        z: None,
    }
}

fn weighted(weights: &[f64]) -> LossKind {
    let weights = weights.iter().map(|weight| value(*weight)).collect();
    LossKind::CrossEntropy {
        label_smoothing: None,
        weights,
        from: Reads::Logits,
        z: None,
    }
}

fn head(units: usize) -> Model {
    model(vec![
        layer("fc", [linear(32), relu()]),
        layer("head", [linear(units)]),
    ])
}

fn head_with(units: usize, last: &str) -> Model {
    model(vec![
        layer("fc", [linear(32), relu()]),
        layer("head", [linear(units), act(last)]),
    ])
}

fn adam_with(epsilon: f64) -> OptimizerKind {
    OptimizerKind::Adam {
        beta1: value(0.9),
        beta2: value(0.999),
        epsilon: value(epsilon),
        amsgrad: Value::truth(false),
    }
}

fn patience(epochs: f64, patience: f64) -> Model {
    head(10).loss(cross_entropy()).train(|train| {
        train.epochs = Some(value(epochs));
        train.early_stop = Some(EarlyStop {
            id: Id::NONE,
            patience: value(patience),
            metric: None,
            min_delta: value(0.0),
        });
    })
}

fn batch(size: f64) -> Model {
    classifier(fc([linear_without_bias(32), batch_norm(), relu()]))
        .train(|train| train.batch = Some(value(size)))
}

/// `linear(64) -> ACTIVATION` a few times.
fn stack(activation: &str, depth: usize) -> Model {
    let layers =
        (0..depth).map(|index| layer(&format!("fc{index}"), [linear(64), act(activation)]));
    classifier(layers.collect())
}

#[expect(clippy::too_many_lines, reason = "a table with an entry for each rule")]
fn cases() -> Vec<Case> {
    let ok = || head(10).loss(cross_entropy());
    let mut cases = Vec::new();
    let mut case = |lint, breaks: Model, keeps: Model| {
        cases.push(Case {
            lint,
            breaks: raised(breaks, lint),
            keeps: raised(keeps, lint),
        });
    };
    // Output and loss.
    case(
        "softmax_before_logits_loss",
        head_with(10, "softmax").loss(cross_entropy()),
        head_with(10, "softmax").loss(read_from(Reads::Probabilities)),
    );
    case(
        "log_softmax_before_logits_loss",
        head_with(10, "log_softmax").loss(cross_entropy()),
        head_with(10, "log_softmax").loss(read_from(Reads::LogProbabilities)),
    );
    case(
        "sigmoid_before_bce_logits",
        head_with(1, "sigmoid").loss(binary_cross_entropy()),
        head(1).loss(binary_cross_entropy()),
    );
    case(
        "logits_into_probability_loss",
        head(10).loss(read_from(Reads::Probabilities)),
        head_with(10, "softmax").loss(read_from(Reads::Probabilities)),
    );
    case(
        "softmax_single_unit",
        head_with(1, "softmax"),
        head_with(2, "softmax"),
    );
    case(
        "sigmoid_into_cross_entropy",
        head_with(10, "sigmoid").loss(cross_entropy()),
        ok(),
    );
    case(
        "bce_for_multiclass",
        head(5)
            .loss(binary_cross_entropy())
            .task(TaskKind::Multiclass(value(5.0))),
        head(5)
            .loss(binary_cross_entropy())
            .task(TaskKind::Multilabel(value(5.0))),
    );
    let probabilities = || LossKind::BinaryCrossEntropy {
        label_smoothing: None,
        weights: vec![],
        from: Reads::Probabilities,
        positive_weight: None,
    };
    case(
        "softmax_into_bce",
        head_with(3, "softmax").loss(probabilities()),
        head_with(3, "sigmoid").loss(probabilities()),
    );
    case(
        "relu_on_logits",
        head_with(10, "relu").loss(cross_entropy()),
        head_with(10, "softplus").loss(LossKind::Mse),
    );
    case(
        "bounded_regression_output",
        head_with(1, "tanh").loss(LossKind::Mse),
        head_with(1, "tanh").loss(LossKind::Mse).target(-1.0, 1.0),
    );
    case(
        "mse_for_classification",
        head(10)
            .loss(LossKind::Mse)
            .task(TaskKind::Multiclass(value(10.0))),
        head(10).loss(LossKind::Mse),
    );
    case(
        "output_units_mismatch",
        head(6)
            .loss(cross_entropy())
            .task(TaskKind::Multiclass(value(7.0))),
        head(7)
            .loss(cross_entropy())
            .task(TaskKind::Multiclass(value(7.0))),
    );
    case(
        "loss_target_shape_mismatch",
        head(20)
            .loss(cross_entropy())
            .task(TaskKind::Multilabel(value(20.0))),
        head(20)
            .loss(binary_cross_entropy())
            .task(TaskKind::Multilabel(value(20.0))),
    );
    case(
        "label_smoothing_out_of_range",
        head(10).loss(smoothed(1.0)),
        head(10).loss(smoothed(0.1)),
    );
    case(
        "class_weights_len_mismatch",
        head(4).loss(weighted(&[1.0, 2.0, 1.0])),
        head(3).loss(weighted(&[1.0, 2.0, 1.0])),
    );
    // Dropout.
    case(
        "dropout_before_output",
        model(vec![layer("head", [linear(10), dropout(0.5)])]).loss(cross_entropy()),
        model(vec![layer("features", [linear(10), dropout(0.5)])]),
    );
    case(
        "dropout_feeding_head",
        classifier(fc([linear(32), relu(), dropout(0.5)])),
        ok(),
    );
    case(
        "dropout_before_batch_norm",
        classifier(vec![layer(
            "fc",
            [linear(32), relu(), dropout(0.3), batch_norm()],
        )]),
        classifier(vec![layer(
            "fc",
            [linear(32), relu(), dropout(0.3), layer_norm()],
        )]),
    );
    case(
        "dropout_with_batch_norm",
        classifier(vec![layer(
            "fc",
            [linear_without_bias(32), batch_norm(), relu(), dropout(0.5)],
        )]),
        classifier(vec![layer(
            "fc",
            [linear(32), layer_norm(), relu(), dropout(0.5)],
        )]),
    );
    case(
        "dropout_upstream_of_batch_norm",
        classifier(vec![
            layer("a", [linear(32), relu(), dropout(0.5)]),
            layer("b", [linear_without_bias(32), batch_norm(), relu()]),
        ]),
        classifier(vec![
            layer("a", [linear_without_bias(32), batch_norm(), relu()]),
            layer("b", [linear(32), relu(), dropout(0.5)]),
        ]),
    );
    case(
        "dropout_before_activation",
        classifier(fc([linear(32), dropout(0.5), relu()])),
        classifier(fc([linear(32), relu(), dropout(0.5)])),
    );
    case(
        "dropout_rate_out_of_range",
        classifier(fc([linear(32), relu(), dropout(20.0)])),
        classifier(fc([linear(32), relu(), dropout(0.2)])),
    );
    case(
        "high_dropout_rate",
        classifier(fc([linear(32), relu(), dropout(0.8)])),
        classifier(fc([linear(32), relu(), dropout(0.5)])),
    );
    case(
        "dropout_rate_zero",
        classifier(fc([linear(32), relu(), dropout(0.0)])),
        classifier(fc([linear(32), relu(), dropout(0.1)])),
    );
    let stacked = |rate, depth| {
        classifier(
            (0..depth)
                .map(|index: usize| {
                    layer(&format!("fc{index}"), [linear(64), relu(), dropout(rate)])
                })
                .collect(),
        )
    };
    case("stacked_high_dropout", stacked(0.5, 4), stacked(0.1, 24));
    // One rate does not stack, and the layer after it drops nothing.
    case("stacked_high_dropout", stacked(0.95, 2), stacked(0.95, 1));
    case(
        "consecutive_dropout",
        classifier(vec![layer(
            "fc",
            [linear(32), relu(), dropout(0.3), dropout(0.2)],
        )]),
        stacked(0.3, 2),
    );
    case(
        "dropout_on_input",
        classifier(vec![layer("fc", [dropout(0.4), linear(32), relu()])]),
        classifier(vec![layer("fc", [dropout(0.2), linear(32), relu()])]),
    );
    case(
        "dropout_on_tiny_layer",
        classifier(fc([linear(4), relu(), dropout(0.5)])),
        classifier(fc([linear(8), relu(), dropout(0.5)])),
    );
    case("uniform_dropout_rate", stacked(0.3, 2), stacked(0.3, 1));
    let two_rates = |a, b| {
        classifier(vec![
            layer("a", [linear(64), relu(), dropout(a)]),
            layer("b", [linear(64), relu(), dropout(b)]),
        ])
    };
    case(
        "dropout_rate_increases",
        two_rates(0.2, 0.4),
        two_rates(0.4, 0.2),
    );
    case(
        "plain_dropout_with_selu",
        classifier(fc([linear(32), act("selu"), dropout(0.1)])),
        classifier(fc([linear(32), act("selu"), alpha_dropout(0.1)])),
    );
    case(
        "alpha_dropout_without_selu",
        classifier(fc([linear(32), relu(), alpha_dropout(0.1)])),
        classifier(fc([linear(32), act("selu"), alpha_dropout(0.1)])),
    );
    case(
        "norm_with_selu",
        classifier(fc([linear(32), act("selu"), layer_norm()])),
        classifier(fc([linear(32), layer_norm(), act("selu")])),
    );
    let branch = |end| {
        vec![
            layer("a", [linear(64), relu()]),
            layer("b", [linear(64), end]),
        ]
    };
    case(
        "drop_path_outside_residual",
        classifier(fc([linear(64), relu(), drop_path(0.1)])),
        classifier(vec![layer("block", [residual(branch(drop_path(0.1)))])]),
    );
    let depth = |first, last| {
        classifier(vec![layer(
            "block",
            [stochastic_depth(
                vec![layer("a", [linear(64), relu(), linear(64)])],
                first,
                last,
            )],
        )])
    };
    case("drop_path_rate_high", depth(0.0, 0.7), depth(0.0, 0.2));
    // Normalization.
    case(
        "redundant_bias_before_norm",
        classifier(fc([linear(32), batch_norm(), relu()])),
        classifier(fc([linear(32), layer_norm(), relu()])),
    );
    case(
        "norm_after_output",
        model(vec![layer("head", [linear(10), layer_norm()])]).loss(cross_entropy()),
        model(vec![layer("features", [linear(10), layer_norm()])]),
    );
    case("batch_norm_single_value", batch(1.0), batch(8.0));
    case("batch_norm_tiny_batch", batch(4.0), batch(8.0));
    case(
        "consecutive_norm",
        classifier(vec![layer(
            "fc",
            [linear_without_bias(32), batch_norm(), layer_norm(), relu()],
        )]),
        classifier(fc([linear(32), layer_norm(), relu()])),
    );
    case(
        "l2_through_batch_norm",
        classifier(vec![
            layer("fc", [linear_without_bias(32), batch_norm(), relu()]).with(decay(0.0, 1e-3)),
        ]),
        classifier(vec![
            layer("fc", [linear(32), layer_norm(), relu()]).with(decay(0.0, 1e-3)),
        ]),
    );
    case(
        "activation_before_norm",
        classifier(fc([linear(32), relu(), layer_norm()])),
        classifier(fc([linear(32), layer_norm(), relu()])),
    );
    // Structure.
    case(
        "missing_nonlinearity",
        classifier(vec![layer("fc", [linear(32)])]),
        classifier(vec![layer("fc", [linear(32), layer_norm()])]),
    );
    case(
        "redundant_activation",
        classifier(fc([linear(32), relu(), act("sigmoid")])),
        classifier(vec![layer(
            "fc",
            [linear(32), relu(), layer_norm(), relu()],
        )]),
    );
    case(
        "softmax_in_hidden_layer",
        classifier(vec![layer("fc", [linear(32), act("softmax")])]),
        gated(),
    );
    case(
        "saturating_hidden_stack",
        stack("sigmoid", 3),
        stack("sigmoid", 2),
    );
    case(
        "width_one_bottleneck",
        classifier(vec![layer("fc", [linear(1), relu()])]),
        classifier(vec![layer("fc", [linear(2), relu()])]),
    );
    let aside = |used: bool| {
        let source = if used {
            Source::Concat(names(&["main", "aside"]))
        } else {
            Source::From("main".to_owned())
        };
        classifier(vec![
            layer("main", [linear(32), relu()]),
            layer("aside", [linear(32), relu()]).from(Source::From("x".to_owned())),
            layer("next", [linear(32), relu()]).from(source),
        ])
    };
    case("unused_layer", aside(false), aside(true));
    case(
        "relu_before_residual_add",
        classifier(vec![layer("block", [residual(branch(relu()))])]),
        classifier(vec![layer(
            "block",
            [residual(vec![layer("a", [linear(64), relu(), linear(64)])])],
        )]),
    );
    case(
        "dense_width_increases",
        classifier(vec![
            layer("a", [linear(16), relu()]),
            layer("b", [linear(32), relu()]),
        ]),
        classifier(vec![
            layer("a", [linear(32), relu()]),
            layer("b", [linear(16), relu()]),
        ]),
    );
    // Feature maps and sequences.
    let maps = |ops: [OpKind; 3]| seeing(vec![layer("stem", ops)]);
    case(
        "elementwise_dropout_on_feature_maps",
        maps([biased(16, 3), relu(), dropout(0.3)]),
        maps([biased(16, 3), relu(), spatial_dropout(0.1)]),
    );
    case(
        "spatial_dropout_on_vector",
        classifier(fc([linear(32), relu(), spatial_dropout(0.1)])),
        maps([biased(16, 3), relu(), spatial_dropout(0.1)]),
    );
    case(
        "spatial_dropout_rate_high",
        maps([biased(16, 3), relu(), spatial_dropout(0.3)]),
        maps([biased(16, 3), relu(), spatial_dropout(0.2)]),
    );
    case(
        "drop_block_too_large",
        maps([biased(16, 3), relu(), drop_block(0.1, 33)]),
        maps([biased(16, 3), relu(), drop_block(0.1, 7)]),
    );
    let pooled = |ops: [OpKind; 4]| seeing(vec![layer("stem", ops)]);
    case(
        "dropout_before_max_pool",
        pooled([biased(16, 3), relu(), dropout(0.3), max_pool(2)]),
        pooled([biased(16, 3), relu(), spatial_dropout(0.1), max_pool(2)]),
    );
    let rows = |recurrent: OpKind| {
        model_of(
            &[28, 28],
            vec![
                layer("rnn", [recurrent, last_step()]),
                layer("head", [linear(10)]),
            ],
        )
        .loss(cross_entropy())
    };
    let between = |layers| recurrent(Cell::Lstm, 64, layers, |lstm| lstm.between = rate(0.2));
    case(
        "rnn_dropout_single_layer",
        rows(between(1)),
        rows(between(2)),
    );
    case(
        "variational_dropout_on_non_rnn",
        classifier(fc([linear(32), relu(), variational_dropout(0.2)])),
        model_of(
            &[28, 28],
            vec![
                layer("rnn", [lstm(64, 1), variational_dropout(0.2), last_step()]),
                layer("head", [linear(10)]),
            ],
        )
        .loss(cross_entropy()),
    );
    let attends = |rate| {
        let attend = residual(vec![layer(
            "self",
            [layer_norm(), attention(4, false, rate)],
        )]);
        model_of(
            &[28, 28],
            vec![
                layer("attend", [attend, mean_over_time()]),
                layer("head", [linear(10)]),
            ],
        )
        .loss(cross_entropy())
    };
    case("attention_dropout_high", attends(0.4), attends(0.1));
    case(
        "pool_as_only_nonlinearity",
        seeing(vec![
            layer("a", [biased(16, 3), max_pool(2)]),
            layer("b", [biased(32, 3), relu()]),
        ]),
        seeing(vec![
            layer("a", [biased(16, 3), relu(), max_pool(2)]),
            layer("b", [biased(32, 3), relu()]),
        ]),
    );
    let convs = |ops: [OpKind; 3], pool: fn(usize) -> Option<OpKind>| {
        let layers = ops.into_iter().enumerate().map(|(index, op)| {
            let mut statement = layer(&format!("c{index}"), [op, relu()]);
            if let Some(pool) = pool(index) {
                statement.ops.extend(layer("p", [pool]).ops);
            }
            statement
        });
        seeing(layers.collect())
    };
    let growing = || [biased(8, 3), biased(16, 3), biased(32, 3)];
    let second = |index| (index == 1).then(|| max_pool(2));
    case(
        "pool_after_every_conv",
        convs(growing(), |_| Some(max_pool(2))),
        convs(growing(), second),
    );
    case(
        "conv_window_shrinks",
        convs([biased(8, 7), biased(16, 3), biased(32, 3)], second),
        convs(growing(), second),
    );
    case(
        "filters_not_increasing",
        convs([biased(8, 3), biased(32, 3), biased(16, 3)], second),
        convs(growing(), second),
    );
    case(
        "inhomogeneous_conv_block",
        convs([biased(8, 3), biased(16, 3), biased(16, 3)], second),
        convs([biased(8, 3), biased(8, 3), biased(16, 3)], second),
    );
    case(
        "avg_pool_instead_of_max",
        convs(growing(), |index| (index == 1).then(|| avg_pool(2))),
        convs(growing(), second),
    );
    case(
        "missing_down_sampling",
        convs(growing(), |_| None),
        convs(growing(), second),
    );
    case(
        "even_kernel_size",
        convs([biased(8, 4), biased(16, 3), biased(32, 3)], second),
        convs([strided(8, 2, 2), biased(16, 3), biased(32, 3)], second),
    );
    let table = |on: Reach| {
        let mut embed = layer("embed", [embedding(100, 16, 0.0)]).with(decay(0.0, 1e-3));
        embed.ops[0].rules[0].on = on;
        reading(
            20,
            100,
            vec![embed, layer("head", [mean_over_time(), linear(2)])],
        )
        .loss(cross_entropy())
    };
    case(
        "weight_decay_on_embedding",
        table(Reach::Embedding),
        table(Reach::Weights),
    );
    // Optimizer and training.
    case(
        "adam_coupled_weight_decay",
        ok().optimizer(adam(), 1e-3, Some(1e-2)),
        ok().optimizer(adamw(), 1e-3, Some(1e-2)),
    );
    let penal = || {
        classifier(vec![
            layer("fc", [linear(32), relu()]).with(penalty_l2(1e-3)),
        ])
    };
    case(
        "l2_penalty_under_adaptive_optimizer",
        penal().optimizer(adam(), 1e-3, None),
        penal().optimizer(sgd(), 0.1, None),
    );
    case(
        "double_l2",
        penal().optimizer(sgd(), 0.1, Some(1e-4)),
        penal().optimizer(sgd(), 0.1, None),
    );
    let decays = || layer("fc", [linear(32), relu()]).with(decay(0.0, 1e-3));
    case(
        "weight_decay_on_norm_and_bias",
        classifier(vec![decays().on_all()]),
        classifier(vec![decays()]),
    );
    case(
        "weight_decay_out_of_range",
        ok().optimizer(sgd(), 0.1, Some(10.0)),
        ok().optimizer(sgd(), 0.1, Some(5e-4)),
    );
    case(
        "learning_rate_out_of_range",
        ok().optimizer(adamw(), 0.0, None),
        ok().optimizer(sgd(), 0.5, None),
    );
    case(
        "adam_epsilon_out_of_range",
        ok().optimizer(adam_with(1e-12), 1e-3, None),
        ok().optimizer(adam_with(1e-5), 1e-3, None),
    );
    case(
        "warmup_longer_than_training",
        ok().schedule(ScheduleKind::Constant, 1.0),
        ok().schedule(ScheduleKind::Constant, 0.1),
    );
    case(
        "early_stop_never_triggers",
        patience(10.0, 10.0),
        patience(10.0, 3.0),
    );
    case(
        "no_regularization",
        ok().train(|_| {}),
        classifier(fc([linear(32), relu(), dropout(0.1)])).train(|_| {}),
    );
    let many = layer("fc", [linear(32), relu(), dropout(0.1)])
        .with(decay(0.0, 1e-3))
        .with(RuleKind::MaxNorm { limit: value(3.0) });
    let few = many.clone();
    case(
        "over_regularized",
        classifier(vec![many.with(RuleKind::UnitNorm)]),
        classifier(vec![few]),
    );
    case(
        "unfulfilled_expectation",
        ok().level(expect("dropout_before_output")),
        head_with(10, "softmax")
            .loss(cross_entropy())
            .level(expect("softmax_before_logits_loss")),
    );
    for (lint, breaks, keeps) in kinds::rows() {
        case(lint, breaks, keeps);
    }
    cases
}

/// A mixture of experts: softmax, then a product.
fn gated() -> Model {
    classifier(vec![
        layer("gate", [linear(32), act("softmax")]),
        layer("expert", [linear(32), relu()]).from(Source::From("x".to_owned())),
        layer("mixed", []).from(Source::Mul(names(&["gate", "expert"]))),
    ])
}

#[test]
fn each_lint_speaks_where_its_rule_is_broken() {
    for Case { lint, breaks, .. } in cases() {
        assert!(
            breaks.lints().contains(&lint),
            "{lint} is silent: {:?}",
            breaks.check()
        );
    }
}

#[test]
fn each_lint_is_silent_where_its_rule_is_kept() {
    for Case { lint, keeps, .. } in cases() {
        assert!(
            !keeps.lints().contains(&lint),
            "{lint} speaks: {:?}",
            keeps.check()
        );
        assert!(
            !keeps.lints().contains(&"error"),
            "{lint}: {:?}",
            keeps.check()
        );
    }
}

#[test]
fn every_lint_has_a_case() {
    let cases = cases();
    let mut covered: BTreeSet<&str> = cases.iter().map(|case| case.lint).collect();
    covered.extend(crate::catalogue::FIXED);
    // A description does not say where its values come from: the macro finds it.
    covered.insert("unused_hyper_parameter");
    let all: BTreeSet<&str> = LINTS.iter().map(|lint| lint.name).collect();
    assert_eq!(covered, all);
}

#[test]
fn messages_keep_the_style() {
    for Case { lint, breaks, .. } in cases() {
        let finding = breaks.found(lint);
        assert!(
            !finding.message.ends_with('.'),
            "{lint}: {}",
            finding.message
        );
        assert!(
            !finding.message.starts_with(char::is_uppercase),
            "{lint}: {}",
            finding.message
        );
        assert!(!finding.place.is_empty(), "{lint} has no place");
        assert!(!finding.at.is_none(), "{lint} has no id");
    }
}

#[test]
fn pooling_between_batch_norm_and_dropout_is_enough() {
    let with = |first: OpKind, second: OpKind| {
        let ops = [conv(32, 3), batch_norm(), relu(), first, second];
        pictures(32, vec![layer("stem", ops), layer("head", [linear(10)])])
            .loss(cross_entropy())
            .lints()
    };
    assert_eq!(with(global_avg_pool(), dropout(0.3)), Vec::<&str>::new());
    let alongside = with(dropout(0.3), global_avg_pool());
    assert!(
        alongside.contains(&"dropout_with_batch_norm"),
        "{alongside:?}"
    );
}

#[test]
fn batch_norm_is_found_through_residuals_and_merges() {
    let body = vec![layer(
        "a",
        [biased(16, 3), relu(), spatial_dropout(0.1), biased(16, 3)],
    )];
    let net = seeing(vec![
        layer("stem", [biased(16, 3), relu()]),
        layer("block", [residual(body)]),
        layer("norm", [batch_norm(), relu()]),
    ]);
    let finding = net.found("dropout_upstream_of_batch_norm");
    assert_eq!(
        finding.message,
        "`spatial_dropout(0.1)` shifts the variance that the batch norm `norm` sees at inference"
    );
    let branches = vec![
        layer("one", [biased(8, 3), relu(), spatial_dropout(0.1)]),
        layer("two", [biased(8, 3), relu()]),
    ];
    let net = seeing(vec![
        layer("mixed", [parallel(branches, Merge::Concat)]),
        layer("norm", [batch_norm(), relu()]),
    ]);
    assert_eq!(net.lints(), ["dropout_upstream_of_batch_norm"]);
}

#[test]
fn a_recurrent_layers_own_dropout_is_seen_by_batch_norm() {
    let net = model_of(
        &[28, 28],
        vec![
            layer(
                "rnn",
                [
                    recurrent(Cell::Lstm, 64, 2, |lstm| lstm.between = rate(0.2)),
                    last_step(),
                ],
            ),
            layer("fc", [linear_without_bias(32), batch_norm(), relu()]),
            layer("head", [linear(10)]),
        ],
    );
    assert_eq!(
        net.loss(cross_entropy()).lints(),
        ["dropout_upstream_of_batch_norm"]
    );
}

#[test]
fn a_bias_before_instance_norm_is_redundant_and_before_group_norm_not() {
    let with = |norm| seeing(vec![layer("stem", [biased(16, 3), norm, relu()])]);
    let finding = with(instance_norm()).found("redundant_bias_before_norm");
    assert_eq!(finding.help, Some(conv(16, 3).to_string()));
    assert_eq!(with(batch_norm()).lints(), ["redundant_bias_before_norm"]);
    assert_eq!(with(group_norm(4)).lints(), Vec::<&str>::new());
}

#[test]
fn convolutions_in_series_are_judged_by_what_they_save() {
    let level = |first, second| {
        seeing(vec![layer("pair", [first, second, relu()])])
            .check()
            .iter()
            .find(|finding| finding.lint == Some("missing_nonlinearity"))
            .map(|finding| finding.level)
    };
    // 3 -> 64 -> 32 channels: one 1 x 1 convolution.
    assert_eq!(level(biased(64, 1), biased(32, 1)), Some(Level::Deny));
    assert_eq!(level(biased(2, 1), biased(32, 1)), Some(Level::Warn));
    assert_eq!(level(biased(64, 3), biased(32, 1)), Some(Level::Deny));
    assert_eq!(level(biased(16, 3), biased(32, 1)), Some(Level::Warn));
    assert_eq!(level(flat(64, 5, 1), flat(64, 1, 5)), Some(Level::Warn));
    assert_eq!(level(biased(64, 3), biased(32, 3)), Some(Level::Warn));
    assert_eq!(level(depthwise(3, 1), biased(32, 1)), None);
    assert_eq!(level(biased(32, 1), depthwise(3, 1)), None);
}

#[test]
fn embeddings_attention_and_tied_heads_are_no_wasted_layers() {
    let net = reading(
        20,
        100,
        vec![
            layer("embed", [embedding(100, 16, 0.0)]),
            layer("in", [linear(16)]),
            layer("attend", [attention(4, true, 0.1)]),
            layer("out", [linear(16)]),
            layer("head", [tied(100, "embed")]),
        ],
    );
    assert_eq!(net.loss(cross_entropy()).lints(), Vec::<&str>::new());
}

#[test]
fn batch_norm_counts_positions() {
    let with = |side: usize| {
        let stem = layer("stem", [conv(8, 3), batch_norm(), relu()]);
        let head = layer("head", [global_avg_pool(), linear(10)]);
        pictures(side, vec![stem, head])
            .loss(cross_entropy())
            .train(|train| train.batch = Some(value(1.0)))
            .lints()
    };
    assert_eq!(with(32), Vec::<&str>::new());
    assert_eq!(with(2), ["batch_norm_tiny_batch"]);
    assert_eq!(with(1), ["batch_norm_single_value"]);
}

#[test]
fn rates_inside_operations_are_checked_and_settled_on_their_annotation() {
    let own = |number: f64, levels: Vec<LintLevel>| {
        let lstm = recurrent(Cell::Lstm, 64, 1, |lstm| {
            lstm.variational = rate(number).map(|rate| crate::Rate { levels, ..rate });
        });
        let layers = vec![
            layer("rnn", [lstm, last_step()]),
            layer("head", [linear(10)]),
        ];
        model_of(&[28, 28], layers).loss(cross_entropy())
    };
    let finding = own(25.0, vec![]).found("dropout_rate_out_of_range");
    assert_eq!(
        finding.help.as_deref(),
        Some("did you mean `variational_dropout(0.25)`?")
    );
    assert_eq!(own(0.8, vec![]).lints(), ["high_dropout_rate"]);
    let allow = || vec![attribute("high_dropout_rate", Level::Allow)];
    assert_eq!(own(0.8, allow()).lints(), Vec::<&str>::new());
    assert_eq!(
        own(0.2, vec![expect("high_dropout_rate")]).lints(),
        ["unfulfilled_expectation"]
    );
    assert_eq!(
        own(0.2, vec![attribute("hihg_dropout_rate", Level::Allow)]).lints(),
        ["error"]
    );
}

#[test]
fn a_recurrent_layer_drops_its_input_itself() {
    let net = reading(
        20,
        100,
        vec![
            layer("embed", [embedding(100, 16, 0.0), variational_dropout(0.2)]),
            layer(
                "rnn",
                [
                    recurrent(Cell::Gru, 32, 1, |gru| gru.variational = rate(0.2)),
                    last_step(),
                ],
            ),
            layer("head", [linear(2)]),
        ],
    );
    assert_eq!(net.loss(cross_entropy()).lints(), ["consecutive_dropout"]);
}

#[test]
fn the_units_of_maps_and_sequences_are_counted_along_the_classes() {
    let maps = |classes| {
        pictures(16, vec![layer("head", [biased(classes, 1)])])
            .loss(cross_entropy())
            .task(TaskKind::Multiclass(value(5.0)))
    };
    assert_eq!(maps(5).lints(), Vec::<&str>::new());
    let finding = maps(6).found("output_units_mismatch");
    assert_eq!(
        finding.help,
        Some(format!("end the model with `{}`", biased(5, 1)))
    );
    let tags = |classes| {
        reading(
            20,
            100,
            vec![
                layer("embed", [embedding(100, 16, 0.0)]),
                layer("head", [linear(classes)]),
            ],
        )
        .loss(weighted(&[1.0, 2.0, 3.0]))
    };
    assert_eq!(tags(3).lints(), Vec::<&str>::new());
    assert_eq!(tags(4).lints(), ["class_weights_len_mismatch"]);
}

#[test]
fn softmax_over_the_width_of_a_map_gives_no_class_probabilities() {
    let net = pictures(16, vec![layer("head", [biased(5, 1), act("softmax")])]);
    let finding = net
        .loss(read_from(Reads::Probabilities))
        .found("logits_into_probability_loss");
    assert_eq!(
        finding.message,
        "the classes of [5, 16, 16] are the first axis, `softmax` acts along the last"
    );
}

#[test]
fn maps_of_one_position_are_vectors() {
    let net = seeing(vec![
        layer("stem", [biased(16, 3), relu(), max_pool(32), dropout(0.3)]),
        layer("squeeze", [biased(16, 1), relu()]),
    ]);
    assert_eq!(net.lints(), Vec::<&str>::new());
    let net = seeing(vec![layer(
        "stem",
        [biased(16, 3), relu(), max_pool(32), spatial_dropout(0.1)],
    )]);
    assert_eq!(net.found("spatial_dropout_on_vector").level, Level::Warn);
}

#[test]
fn gates_do_not_saturate() {
    let gate = |name: &str| {
        let body = vec![
            layer("scale", [linear(64), act("sigmoid")]),
            layer("value", [linear(64)]),
        ];
        layer(name, [parallel(body, Merge::Mul)])
    };
    let net = classifier(vec![gate("a"), gate("b"), gate("c"), gate("d")]);
    assert_eq!(net.lints(), Vec::<&str>::new());
}

#[test]
fn dropout_with_batch_norm_depends_on_the_rate() {
    let level = |rate| {
        classifier(vec![layer(
            "fc",
            [linear_without_bias(32), batch_norm(), relu(), dropout(rate)],
        )])
        .found("dropout_with_batch_norm")
        .level
    };
    assert_eq!(level(0.11), Level::Deny);
    assert_eq!(level(0.1), Level::Warn);
}

#[test]
fn dropout_before_sigmoid_is_denied_and_before_relu_warned_of() {
    let level = |name| {
        classifier(fc([linear(32), dropout(0.3), act(name)]))
            .found("dropout_before_activation")
            .level
    };
    assert_eq!(level("relu"), Level::Warn);
    assert_eq!(level("sigmoid"), Level::Deny);
}

#[test]
fn dropout_before_output_follows_merges_but_not_branches() {
    let merged = model(vec![
        layer("a", [linear(10), dropout(0.2)]),
        layer("b", [linear(10)]).from(Source::From("x".to_owned())),
        layer("sum", []).from(Source::Add(names(&["a", "b"]))),
    ]);
    assert!(
        merged
            .loss(cross_entropy())
            .lints()
            .contains(&"dropout_before_output")
    );
    let branch = vec![layer("a", [linear(64), relu(), linear(64), dropout(0.2)])];
    let ends_in_residual = model(vec![layer("block", [residual(branch)])]).loss(LossKind::Mse);
    assert_eq!(ends_in_residual.lints(), Vec::<&str>::new());
}

#[test]
fn noise_and_unknown_rates_count_before_the_output() {
    let with = |op| model(vec![layer("head", [linear(10), op])]).loss(cross_entropy());
    assert_eq!(with(noise(0.1)).lints(), ["dropout_before_output"]);
    let unknown = OpKind::Stochastic(Stochastic::Dropout {
        rate: Value::unknown(),
    });
    assert_eq!(with(unknown).lints(), ["dropout_before_output"]);
    assert_eq!(with(dropout(0.0)).lints(), Vec::<&str>::new());
}

#[test]
fn a_mistake_in_a_repeat_is_found_across_the_copies_and_said_once() {
    let body = vec![layer("fc", [linear(64)])];
    let copies = classifier(vec![layer("tower", [repeat(5.0, body), relu()])]);
    assert_eq!(copies.lints(), ["missing_nonlinearity"]);
    assert_eq!(
        copies.found("missing_nonlinearity").message,
        "the copies of `tower.fc` together are one linear layer"
    );
}

#[test]
fn the_copies_of_a_repeat_multiply() {
    let body = vec![layer("fc", [linear(64), relu(), dropout(0.5)])];
    assert!(
        classifier(vec![layer("tower", [repeat(4.0, body.clone())])])
            .lints()
            .contains(&"stacked_high_dropout")
    );
    assert!(
        !classifier(vec![layer("tower", [repeat(3.0, body)])])
            .lints()
            .contains(&"stacked_high_dropout")
    );
}

#[test]
fn low_rank_maps_are_only_warned_of() {
    let narrow = classifier(vec![layer("down", [linear(4)])]);
    assert_eq!(narrow.found("missing_nonlinearity").level, Level::Warn);
    let wide = classifier(vec![layer("up", [linear(128)])]);
    assert_eq!(wide.found("missing_nonlinearity").level, Level::Deny);
    let normed = classifier(vec![layer("fc", [linear_without_bias(128), batch_norm()])]);
    assert_eq!(normed.found("missing_nonlinearity").level, Level::Deny);
}

#[test]
fn swiglu_and_custom_layers_are_nonlinear_enough() {
    assert_eq!(
        classifier(vec![layer("feed", [swiglu(32)])]).lints(),
        Vec::<&str>::new()
    );
    assert_eq!(
        classifier(vec![layer("own", [custom(32)])]).lints(),
        Vec::<&str>::new()
    );
}

#[test]
fn a_layers_own_decay_replaces_the_default_of_adamw() {
    let net = |rule| {
        classifier(vec![layer("fc", [linear(32), relu()]).with(rule)]).optimizer(
            adamw(),
            1e-3,
            Some(0.01),
        )
    };
    assert_eq!(net(decay(0.0, 1e-3)).lints(), Vec::<&str>::new());
    assert!(net(penalty_l2(1e-3)).lints().contains(&"double_l2"));
}

#[test]
fn a_bounded_output_that_cannot_reach_the_target_is_an_error() {
    let net = head_with(1, "sigmoid")
        .loss(LossKind::Mse)
        .target(-1.0, 1.0);
    let finding = net.found("bounded_regression_output");
    assert_eq!(finding.level, Level::Deny);
    assert_eq!(
        finding.message,
        "the output lies in [0, 1], the target in [-1, 1]"
    );
}

#[test]
fn every_path_of_messages_is_readable() {
    let net = model(vec![
        layer("fc", [linear(32), relu()]),
        layer("head", [linear(10), dropout(0.5)]),
    ]);
    let finding = net.loss(cross_entropy()).found("dropout_before_output");
    assert_eq!(
        finding.to_string(),
        "error[dropout_before_output] in layer `head`: `dropout(0.5)` on the class scores\n  \
         help: remove `dropout(0.5)`, or drop the features that feed it: `-> relu -> dropout(0.5); head: linear(10);`\n  \
         note: in training the loss compares targets with corrupted values; no weights follow that could make up for it"
    );
}

#[test]
fn the_innermost_level_wins() {
    let rate = [linear(32), relu(), dropout(0.8)];
    let net = |inner, outer| {
        classifier(vec![
            layer("fc", rate.clone()).level("high_dropout_rate", inner),
        ])
        .level(attribute("high_dropout_rate", outer))
        .check()
    };
    assert_eq!(net(Level::Allow, Level::Deny), []);
    assert_eq!(
        net(Level::Deny, Level::Allow)
            .first()
            .map(|finding| finding.level),
        Some(Level::Deny)
    );
}

#[test]
fn of_two_levels_on_one_thing_the_later_wins() {
    let fc = layer("fc", [linear(32), relu(), dropout(0.8)])
        .level("high_dropout_rate", Level::Deny)
        .level("high_dropout_rate", Level::Allow);
    assert_eq!(classifier(vec![fc]).check(), []);
}

#[test]
fn the_name_of_a_lint_wins_over_a_group_on_the_same_thing() {
    let net = |levels: [(&str, Level); 2]| {
        let fc = layer("fc", [linear(32), relu(), dropout(0.8)]);
        let net = levels
            .into_iter()
            .fold(fc, |fc, (name, level)| fc.level(name, level));
        classifier(vec![net]).lints()
    };
    let name = ("high_dropout_rate", Level::Allow);
    let group = ("damper::regularization", Level::Deny);
    assert_eq!(net([name, group]), ["dropout_feeding_head"]);
    assert_eq!(net([group, name]), ["dropout_feeding_head"]);
}

#[test]
fn a_group_on_the_inside_wins_over_a_name_around_it() {
    let net = classifier(vec![
        layer("fc", [linear(32), relu(), dropout(0.8)])
            .level("damper::regularization", Level::Allow),
    ]);
    let denied = net.level(attribute("high_dropout_rate", Level::Deny));
    assert_eq!(denied.check(), []);
}

#[test]
fn strict_raises_what_is_allowed_by_default_and_nothing_else() {
    let net = |groups: &[LintLevel]| {
        let fc = layer("fc", [linear(32), relu(), dropout(0.8)]);
        let levels = groups.iter().cloned();
        levels.fold(classifier(vec![fc]), Model::level)
    };
    let strict = net(&[attribute("damper::strict", Level::Deny)]);
    assert_eq!(
        strict.lints(),
        ["dropout_feeding_head", "high_dropout_rate"]
    );
    assert_eq!(strict.found("high_dropout_rate").level, Level::Warn);
    assert_eq!(strict.found("dropout_feeding_head").level, Level::Deny);
}

#[test]
fn no_group_reaches_what_cannot_be_allowed() {
    let net = classifier(vec![]).level(attribute("damper::structure", Level::Allow));
    assert_eq!(net.check(), []);
    let broken = model(vec![layer("head", [linear(0)])]);
    let all = attribute("damper::all", Level::Allow);
    assert_eq!(broken.level(all).lints(), ["error"]);
}

#[test]
fn an_expected_group_is_met_by_any_of_its_lints() {
    let net = |rate| {
        let fc = layer("fc", [linear(32), relu(), dropout(rate)]);
        classifier(vec![fc]).level(expect("damper::regularization"))
    };
    // By the dropout that feeds the head, or by the rate.
    assert_eq!(net(0.8).check(), []);
    assert_eq!(net(0.2).check(), []);
    let plain = classifier(vec![]).level(expect("damper::regularization"));
    assert_eq!(plain.lints(), ["unfulfilled_expectation"]);
}

#[test]
fn an_unmet_expectation_has_a_level_too() {
    let net = classifier(vec![])
        .level(expect("high_dropout_rate"))
        .level(attribute("unfulfilled_expectation", Level::Allow));
    assert_eq!(net.check(), []);
}

#[test]
fn the_levels_of_the_crate_stand_around_the_model() {
    let mut net = classifier(vec![layer("fc", [linear(32), relu(), dropout(0.8)])]);
    net.crate_levels = vec![LintLevel {
        line: Some("Cargo.toml, line 7".to_owned()),
        ..attribute("high_dropout_rate", Level::Deny)
    }];
    let finding = net.found("high_dropout_rate");
    assert_eq!(finding.level, Level::Deny);
    assert_eq!(
        finding.set_by,
        Some(SetBy::Manifest {
            line: "Cargo.toml, line 7".to_owned(),
            name: "high_dropout_rate".to_owned()
        })
    );
    let allowed = net.level(attribute("high_dropout_rate", Level::Allow));
    assert_eq!(allowed.check(), []);
}

#[test]
fn the_findings_of_a_front_end_have_levels_too() {
    let own = || {
        vec![Finding::lint(
            "unused_hyper_parameter",
            Level::Warn,
            Id(3),
            "unused",
        )]
    };
    let net = classifier(vec![]);
    assert_eq!(
        crate::Checked::with_findings(net.clone(), own())
            .findings()
            .len(),
        1
    );
    let allowed = net.level(attribute("damper::declaration", Level::Allow));
    assert_eq!(crate::Checked::with_findings(allowed, own()).findings(), []);
}

#[test]
fn the_innermost_threshold_wins() {
    let at = |max| with("high_dropout_rate", Level::Warn, "max", max);
    let net = |own: Vec<LintLevel>, around: Vec<LintLevel>| {
        let mut fc = layer("fc", [linear(32), relu(), dropout(0.7)]);
        fc.levels = own;
        around.into_iter().fold(classifier(vec![fc]), Model::level)
    };
    assert_eq!(net(vec![], vec![at(0.7)]).check(), []);
    assert_eq!(net(vec![at(0.7)], vec![at(0.6)]).check(), []);
    let found = net(vec![at(0.6)], vec![at(0.7)]).found("high_dropout_rate");
    assert_eq!(found.limits, [("max", "0.6".to_owned())]);
    let said = found.to_string();
    assert!(said.ends_with("note: judged by `max = 0.6`"), "{said}");
    // A level alone leaves the threshold around it in force.
    let level = attribute("high_dropout_rate", Level::Deny);
    assert_eq!(net(vec![level], vec![at(0.7)]).check(), []);
}

fn with(lint: &str, level: Level, threshold: &str, number: f64) -> LintLevel {
    LintLevel {
        thresholds: vec![crate::Limit {
            id: Id::NONE,
            name: threshold.to_owned(),
            value: number,
        }],
        ..attribute(lint, level)
    }
}

#[test]
fn a_level_beside_a_threshold_is_for_what_it_judges() {
    let lint = "learning_rate_out_of_range";
    let net = |rate| {
        let net = classifier(vec![]).level(with(lint, Level::Warn, "times", 20.0));
        net.optimizer(adamw(), rate, None).found(lint)
    };
    assert_eq!(net(0.5).level, Level::Warn);
    assert_eq!(net(0.0).level, Level::Deny);
}

#[test]
fn up_to_a_light_rate_the_level_is_one_lower() {
    let lint = "dropout_with_batch_norm";
    let net = |rate, level| {
        let fc = layer("fc", [linear(32), batch_norm(), relu(), dropout(rate)]);
        let net = classifier(vec![fc]).level(with(lint, level, "light", 0.2));
        let found = net
            .check()
            .into_iter()
            .find(|finding| finding.lint == Some(lint));
        found.map(|finding| finding.level)
    };
    assert_eq!(net(0.3, Level::Deny), Some(Level::Deny));
    assert_eq!(net(0.2, Level::Deny), Some(Level::Warn));
    assert_eq!(net(0.3, Level::Warn), Some(Level::Warn));
    assert_eq!(net(0.2, Level::Warn), None);
}

#[test]
fn the_attribute_that_set_a_level_is_named() {
    let net = classifier(vec![layer("fc", [linear(32), relu(), dropout(0.8)])])
        .level(attribute("high_dropout_rate", Level::Deny));
    assert_eq!(
        net.found("high_dropout_rate").set_by,
        Some(SetBy::Attribute {
            id: Id(1),
            name: "high_dropout_rate".to_owned()
        })
    );
}

#[test]
fn unknown_lints_are_errors_with_a_suggestion() {
    let net = classifier(vec![]).level(attribute("droput_before_output", Level::Allow));
    let findings = net.check();
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].message,
        "no lint is called `droput_before_output`"
    );
    assert_eq!(
        findings[0].help.as_deref(),
        Some("did you mean `dropout_before_output`?")
    );
}

#[test]
fn shape_errors_cannot_be_allowed() {
    let net = classifier(vec![]).level(attribute("shape_mismatch", Level::Allow));
    assert_eq!(net.lints(), ["error"]);
}

#[test]
fn an_expectation_is_met_or_reported() {
    let wrong = LintLevel {
        id: Id::NONE,
        ..expect("dropout_before_output")
    };
    let net = classifier(vec![]).level(wrong);
    assert_eq!(
        net.found("unfulfilled_expectation").message,
        "`dropout_before_output` was expected here and is silent"
    );
}

#[test]
fn lints_wait_for_the_shapes() {
    let net = model(vec![layer("head", [linear(0), dropout(0.9)])]).loss(cross_entropy());
    assert_eq!(net.lints(), ["error"]);
}

#[test]
fn published_networks_pass() {
    let hidden = |name: &str, units| layer(name, [linear(units), relu(), dropout(0.5)]);
    let srivastava = model_of(
        &[784],
        vec![
            layer("fc1", [dropout(0.2), linear(1024), relu(), dropout(0.5)])
                .with(RuleKind::MaxNorm { limit: value(3.0) }),
            hidden("fc2", 1024),
            hidden("fc3", 1024),
            layer("head", [linear(10)]),
        ],
    );
    assert_eq!(
        srivastava
            .loss(cross_entropy())
            .optimizer(sgd(), 0.1, None)
            .check(),
        []
    );
    let selu = |name: &str| layer(name, [linear(256), act("selu"), alpha_dropout(0.05)]);
    let normalizing = model(vec![
        selu("a"),
        selu("b"),
        selu("c"),
        layer("head", [linear(1)]),
    ]);
    assert_eq!(normalizing.loss(binary_cross_entropy()).check(), []);
    let block = vec![layer(
        "feed",
        [layer_norm(), swiglu(256), linear(64), dropout(0.1)],
    )];
    let transformer = classifier(vec![
        layer(
            "blocks",
            [repeat(
                4.0,
                vec![layer("feed", [stochastic_depth(block, 0.0, 0.1)])],
            )],
        ),
        layer("norm", [layer_norm()]),
    ]);
    assert_eq!(transformer.optimizer(adamw(), 1e-3, Some(0.05)).check(), []);
}

#[test]
fn absurd_numbers_are_findings_not_panics() {
    for number in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        0.5,
        1e300,
        0.0,
    ] {
        let net = model(vec![
            layer(
                "fc",
                [
                    OpKind::Linear(op::Linear {
                        out: value(number),
                        bias: value(number),
                        same: false,
                        tied: None,
                    }),
                    dropout(number),
                    noise(number),
                ],
            ),
            layer(
                "tower",
                [repeat(
                    number,
                    vec![layer("in", [linear(64), drop_path(number)])],
                )],
            ),
            layer("head", [linear(10)])
                .with(decay(number, number))
                .with(RuleKind::DropConnect {
                    rate: value(number),
                }),
        ]);
        let net = net
            .loss(smoothed(number))
            .optimizer(adam_with(number), number, Some(number));
        assert!(
            net.check()
                .iter()
                .any(|finding| finding.level == Level::Deny),
            "{number}"
        );
        let _ = (
            net.parameters(),
            net.checked().counts(),
            net.checked().summary().to_string(),
            net.training(),
        );
    }
}

#[test]
fn a_thousand_layers_are_quick() {
    let started = std::time::Instant::now();
    let net = stack("relu", 1000);
    assert_eq!(net.check(), []);
    assert_eq!(net.parameters().len(), 2002);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
