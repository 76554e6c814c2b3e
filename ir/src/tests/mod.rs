//! Shapes, counts, parameters, summary and storage of small models.

mod architectures;
pub(crate) mod builder;

use crate::op;
use crate::tests::builder::*;
use crate::{
    ActivationKind, Domain, Hyper, HyperKind, Id, InputKind, Level, LossKind, Metric, MetricKind,
    Model, OpKind, OptimizerKind, Reads, Role, RuleKind, ScheduleKind, Shape, Source, TaskKind,
    Value,
};

/// The one finding, as text.
fn only(model: &Model) -> String {
    let findings = model.check();
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings[0].to_string()
}

fn digits() -> Model {
    classifier(vec![
        layer("fc1", [linear(128), relu(), dropout(0.5)]).with(decay(0.0, 1e-3)),
        layer("fc2", [linear(64), relu(), dropout(0.25)]),
    ])
}

mod shapes {
    use super::*;

    #[test]
    fn follow_the_chain() {
        let net = digits();
        let inferred = net.infer();
        assert_eq!(inferred.findings, []);
        assert_eq!(inferred.output(), Some(&Shape::known([10])));
        assert_eq!(inferred.value_of("fc2"), Some(&Shape::known([64])));
        let op = net.layers[1].ops[0].id;
        assert_eq!(inferred.input_of(op), Some(&Shape::known([128])));
        assert_eq!(inferred.output_of(op), Some(&Shape::known([64])));
        assert_eq!(
            inferred.statement(net.layers[1].id),
            Some(&Shape::known([64]))
        );
    }

    #[test]
    fn merge_by_name() {
        let mut net = model(vec![
            layer("deep", [linear(32)]).from(Source::Concat(names(&["user", "item"]))),
            layer("wide", [linear(32)]).from(Source::From("item".to_owned())),
            layer("both", [relu()]).from(Source::Add(names(&["deep", "wide"]))),
        ]);
        net.inputs = vec![input("user", &[32]), input("item", &[64])];
        let inferred = net.infer();
        assert_eq!(inferred.findings, []);
        assert_eq!(
            inferred.input_of(net.layers[0].ops[0].id),
            Some(&Shape::known([96]))
        );
        assert_eq!(inferred.output(), Some(&Shape::known([32])));
    }

    #[test]
    fn misspelt_names_get_a_suggestion_and_the_list() {
        let net = model(vec![
            layer("deep", [linear(32), relu()]),
            layer("head", [linear(1)]).from(Source::From("deap".to_owned())),
        ]);
        assert_eq!(
            net.infer().findings[0].to_string(),
            "error in layer `head`: no value is called `deap` here\n  help: did you mean `deep`?\n  \
             note: inputs and earlier statements can be used here: `deep`, `x`"
        );
    }

    #[test]
    fn a_name_that_is_declared_too_late_is_shown() {
        let net = model(vec![
            layer("deep", [linear(32), relu()]).from(Source::From("head".to_owned())),
            layer("head", [linear(1)]),
        ]);
        let other = net.infer().findings[0].other.clone();
        assert_eq!(
            other,
            Some((net.layers[1].id, "`head` is declared too late".to_owned()))
        );
    }

    #[test]
    fn a_block_does_not_lend_its_names() {
        let net = model(vec![
            layer(
                "block",
                [residual(vec![layer("inside", [linear(64), relu()])])],
            ),
            layer("head", [linear(1)]).from(Source::From("inside".to_owned())),
        ]);
        assert_eq!(
            net.infer().findings[0].message,
            "no value is called `inside` here"
        );
    }

    #[test]
    fn residuals_need_one_shape() {
        let net = model(vec![layer(
            "block",
            [residual(vec![layer("a", [linear(128), relu()])])],
        )]);
        assert_eq!(
            only(&net),
            "error[residual_shape_mismatch] in layer `block`: `residual` adds its input to its branch: \
             the branch gives [128], the input is [64]\n  help: project the input: `shortcut { linear(128); }`"
        );
        let shortcut = residual_with(
            vec![layer("a", [linear(128), relu()])],
            vec![layer("b", [linear(128)])],
        );
        assert_eq!(model(vec![layer("block", [shortcut])]).check(), []);
    }

    #[test]
    fn each_copy_of_a_repeat_is_built_for_what_arrives() {
        let mut net = model(vec![
            layer(
                "tower",
                [repeat(3.0, vec![layer("fc", [linear(32), relu()])])],
            ),
            layer("head", [linear(10)]),
        ]);
        net.resolve();
        let checked = net.checked();
        assert_eq!(checked.findings(), []);
        let weights: Vec<String> = checked
            .parameters()
            .iter()
            .filter(|parameter| parameter.path.ends_with("weight"))
            .map(|parameter| format!("{} {:?}", parameter.path, parameter.shape))
            .collect();
        let expected = [
            "tower.0.fc.weight [64, 32]",
            "tower.1.fc.weight [32, 32]",
            "tower.2.fc.weight [32, 32]",
            "head.weight [32, 10]",
        ];
        assert_eq!(weights, expected);
        assert_eq!(
            checked.counts().parameters,
            64 * 32 + 2 * 32 * 32 + 3 * 32 + 330
        );
    }

    #[test]
    fn name_the_source_of_a_value_that_does_not_fit() {
        let net = model_of(&[1, 28, 28], vec![layer("fc", [linear(10)])]);
        assert_eq!(
            only(&net),
            "error[missing_flatten] in layer `fc`: `linear` wants [features], this value is [1, 28, 28] (from `x`)\n  \
             help: `flatten` before it gives all 784 numbers, `global_avg_pool` the mean of each channel"
        );
    }

    #[test]
    fn one_mistake_gives_one_finding() {
        let net = model(vec![
            layer("bad", [act("glu"), linear(7), act("glu"), linear(0)]),
            layer("next", [linear(3), relu()]),
            layer("sum", [linear(2)]).from(Source::Add(names(&["bad", "next"]))),
        ]);
        let messages: Vec<String> = net
            .infer()
            .findings
            .into_iter()
            .map(|finding| finding.message)
            .collect();
        assert_eq!(
            messages,
            [
                "`glu` wants an even number of features, this value is [7] (from `bad`)",
                "the number of units of `linear` is 0",
            ]
        );
    }

    #[test]
    fn unknown_sizes_pass() {
        let unknown = OpKind::Linear(op::Linear {
            out: Value::unknown(),
            bias: Value::truth(true),
            same: false,
            tied: None,
        });
        let net = model(vec![
            layer("fc", [unknown, relu(), act("glu")]),
            layer("head", [linear(10)]),
        ]);
        let inferred = net.infer();
        assert_eq!(inferred.findings, []);
        assert_eq!(inferred.value_of("fc"), Some(&Shape(vec![None])));
        assert_eq!(inferred.output(), Some(&Shape::known([10])));
    }

    #[test]
    fn sizes_are_whole_numbers_above_zero() {
        let with = |out: f64| {
            only(&model(vec![layer(
                "fc",
                [OpKind::Linear(op::Linear {
                    out: value(out),
                    bias: Value::truth(true),
                    same: false,
                    tied: None,
                })],
            )]))
        };
        assert!(with(0.5).contains("the number of units of `linear` is a whole number, not 0.5"));
        assert!(with(0.0).contains("the number of units of `linear` is 0"));
    }

    #[test]
    fn class_indices_need_an_embedding() {
        let mut net = model(vec![layer("fc", [linear(10)])]);
        net.inputs[0].kind = InputKind::Int {
            vocab: None,
            pad: None,
        };
        assert!(only(&net).contains("`linear` wants numbers, `x` holds class indices"));
    }

    #[test]
    fn a_nested_model_takes_what_it_declares() {
        let encoder = model_of(&[32], vec![layer("fc", [linear(8), relu()])]);
        let nested = |model| OpKind::Model {
            path: "Encoder".to_owned(),
            model,
        };
        let net = model(vec![layer("encoder", [nested(Some(Box::new(encoder)))])]);
        assert_eq!(
            net.infer().findings[0].message,
            "`Encoder` wants [32], this value is [64] (from `x`)"
        );
        assert_eq!(net.infer().output(), Some(&Shape::known([8])));
        let unknown = model(vec![
            layer("encoder", [nested(None)]),
            layer("head", [linear(3)]),
        ]);
        assert_eq!(unknown.check(), []);
    }

    #[test]
    fn too_many_copies_are_refused_at_once() {
        let inner = vec![layer("fc", [linear(64), relu()])];
        let net = model(vec![layer(
            "a",
            [repeat(1e9, vec![layer("b", [repeat(1e9, inner)])])],
        )]);
        assert!(only(&net).contains("this `repeat` makes more than 100000 operations"));
        assert_eq!(net.parameters(), []);
    }

    #[test]
    fn blocks_that_never_end_are_refused() {
        let mut body = vec![layer("fc", [linear(64), relu()])];
        for _ in 0..200 {
            body = vec![layer("block", [residual(body)])];
        }
        let net = model(body);
        assert!(
            net.check()
                .iter()
                .any(|finding| finding.message.contains("inside one another"))
        );
        let _ = (
            net.parameters(),
            net.checked().summary(),
            net.checked().counts(),
        );
    }

    #[test]
    fn hyper_parameters_stay_in_their_domain() {
        let mut net = digits();
        let domain = Domain {
            low: Some(value(0.0)),
            high: Some(value(0.8)),
            inclusive: false,
        };
        let rate = Hyper {
            name: "rate".to_owned(),
            kind: HyperKind::F64,
            value: value(0.8),
            domain: Some(domain),
        };
        net.hyper.push(rate);
        assert!(only(&net).contains("`rate` is 0.8, its domain is 0..0.8"));
        net.hyper[0].domain.as_mut().expect("a domain").inclusive = true;
        assert_eq!(net.check(), []);
    }

    #[test]
    fn classes_have_no_range() {
        assert!(
            only(&digits().target(0.0, 1.0)).contains("the targets of `cross_entropy` are classes")
        );
        let empty = model(vec![layer("head", [linear(1)])])
            .loss(LossKind::Mse)
            .target(1.0, -1.0);
        assert!(only(&empty).contains("the target's range [1, -1] is empty"));
    }

    #[test]
    fn numbers_are_shown_without_the_noise_of_arithmetic() {
        assert_eq!(value(0.1 + 0.2).to_string(), "0.3");
        assert_eq!(value(1e-5).to_string(), "1e-5");
    }

    #[test]
    fn metrics_suit_the_task() {
        let mut net = digits();
        net.metrics.push(Metric {
            id: Id::NONE,
            kind: MetricKind::R2,
        });
        assert!(only(&net).contains("`r2` does not measure the task `multiclass(10)`"));
    }

    #[test]
    fn models_without_input_or_layers_are_refused() {
        assert!(only(&model(vec![])).contains("a model has at least one layer"));
        assert!(
            only(&Model {
                inputs: vec![],
                ..digits()
            })
            .contains("a model has at least one input")
        );
    }
}

mod parameters {
    use super::*;

    fn paths(model: &Model) -> Vec<String> {
        model
            .parameters()
            .into_iter()
            .map(|parameter| parameter.path)
            .collect()
    }

    #[test]
    fn have_the_paths_of_the_module() {
        let block = vec![
            layer("linear_1", [linear(64), batch_norm(), act("prelu")]),
            layer("linear_2", [swiglu(64)]),
        ];
        let net = model(vec![layer(
            "stage1",
            [repeat(
                2.0,
                vec![layer(
                    "block",
                    [residual_with(
                        block,
                        vec![layer("linear", [linear_without_bias(64)])],
                    )],
                )],
            )],
        )]);
        let all = paths(&net);
        assert_eq!(
            all[..all.len() / 2],
            [
                "stage1.0.block.linear_1.weight",
                "stage1.0.block.linear_1.bias",
                "stage1.0.block.linear_1_batch_norm.gamma",
                "stage1.0.block.linear_1_batch_norm.beta",
                "stage1.0.block.linear_1_batch_norm.running_mean",
                "stage1.0.block.linear_1_batch_norm.running_var",
                "stage1.0.block.linear_1_prelu.alpha",
                "stage1.0.block.linear_2.linear_inner.weight",
                "stage1.0.block.linear_2.linear_outer.weight",
                "stage1.0.block.shortcut.linear.weight",
            ]
        );
        assert!(
            all[all.len() / 2..]
                .iter()
                .all(|path| path.starts_with("stage1.1.block."))
        );
    }

    #[test]
    fn decay_reaches_weights_only() {
        let net = digits().optimizer(adamw(), 1e-3, Some(0.01));
        let decays: Vec<(Role, f64)> = net
            .parameters()
            .iter()
            .map(|parameter| (parameter.role, parameter.decay_l2))
            .collect();
        assert_eq!(
            decays,
            [
                (Role::Weight, 1e-3),
                (Role::Bias, 0.0),
                (Role::Weight, 0.01),
                (Role::Bias, 0.0),
                (Role::Weight, 0.01),
                (Role::Bias, 0.0),
            ]
        );
    }

    #[test]
    fn on_all_reaches_biases_but_not_running_statistics() {
        let net = model(vec![
            layer("fc", [linear(8), batch_norm()])
                .with(decay(0.0, 0.1))
                .on_all(),
        ]);
        let norm = &net.parameters()[2..];
        let reached: Vec<(Role, f64)> = norm
            .iter()
            .map(|parameter| (parameter.role, parameter.decay_l2))
            .collect();
        assert_eq!(
            reached,
            [
                (Role::Gain, 0.1),
                (Role::Shift, 0.1),
                (Role::Running, 0.0),
                (Role::Running, 0.0)
            ]
        );
        assert!(!norm[2].trained());
    }

    #[test]
    fn coupled_decay_stays_apart() {
        let net = digits().optimizer(sgd(), 0.1, Some(5e-4));
        let weight = &net.parameters()[2];
        assert_eq!((weight.coupled_decay, weight.decay_l2), (5e-4, 0.0));
    }

    #[test]
    fn freeze_holds_the_whole_layer() {
        let net = model(vec![
            layer("fc", [linear(8), batch_norm()]).with(RuleKind::Freeze),
        ]);
        assert!(
            net.parameters()
                .iter()
                .all(|parameter| parameter.frozen && !parameter.trained())
        );
        assert_eq!(net.checked().counts().trained, 0);
    }

    #[test]
    fn every_rule_arrives() {
        let fc = layer("fc", [linear(8)])
            .with(RuleKind::Penalty {
                l1: Some(value(0.1)),
                l2: Some(value(0.2)),
            })
            .with(RuleKind::MaxNorm { limit: value(3.0) })
            .with(RuleKind::UnitNorm)
            .with(RuleKind::NonNegative)
            .with(RuleKind::Orthogonal {
                strength: value(0.3),
            })
            .with(RuleKind::DropConnect { rate: value(0.4) });
        let parameters = model(vec![fc]).parameters();
        let weight = &parameters[0];
        assert_eq!(
            (weight.penalty_l1, weight.penalty_l2, weight.orthogonal),
            (0.1, 0.2, 0.3)
        );
        assert_eq!(
            (weight.max_norm, weight.drop_connect),
            (Some(3.0), Some(0.4))
        );
        assert!(weight.unit_norm && weight.non_negative);
        assert_eq!(parameters[1].max_norm, None);
    }

    #[test]
    fn nested_models_are_included_with_their_own_rules() {
        let encoder = model(vec![
            layer("own", [linear(8), relu()]).with(decay(0.0, 0.5)),
            layer("plain", [linear(8)]),
        ]);
        let nested = OpKind::Model {
            path: "Encoder".to_owned(),
            model: Some(Box::new(encoder)),
        };
        let net = model(vec![
            layer("encoder", [nested]).with(decay(0.0, 0.1)),
            layer("head", [linear(1)]),
        ]);
        let weights: Vec<(String, f64)> = net
            .parameters()
            .into_iter()
            .filter(|parameter| parameter.role == Role::Weight)
            .map(|parameter| (parameter.path, parameter.decay_l2))
            .collect();
        assert_eq!(
            weights,
            [
                ("encoder.own.weight".to_owned(), 0.5),
                ("encoder.plain.weight".to_owned(), 0.1),
                ("head.weight".to_owned(), 0.0),
            ]
        );
    }
}

mod counts_and_summary {
    use super::*;

    #[test]
    fn counts_are_those_of_the_formulas() {
        let counts = digits().checked().counts();
        let parameters = (64 * 128 + 128) + (128 * 64 + 64) + (64 * 10 + 10);
        assert_eq!(
            (counts.parameters, counts.trained),
            (parameters, parameters)
        );
        assert_eq!(counts.multiply_accumulates, 64 * 128 + 128 * 64 + 64 * 10);
        assert_eq!(counts.activations, 3 * 128 + 3 * 64 + 10);
        assert!(!counts.incomplete);
    }

    #[test]
    fn counts_agree_with_the_parameters() {
        let block = vec![layer(
            "a",
            [linear(64), batch_norm(), act("prelu"), swiglu(64)],
        )];
        let net = model(vec![layer(
            "tower",
            [repeat(3.0, vec![layer("block", [residual(block)])])],
        )]);
        let listed: usize = net
            .parameters()
            .iter()
            .filter(|parameter| parameter.role != Role::Running)
            .filter_map(crate::Parameter::count)
            .sum();
        assert_eq!(net.checked().counts().parameters, listed);
        assert_eq!(
            net.checked()
                .counts_of(net.layers[0].ops[0].id)
                .map(|counts| counts.parameters),
            Some(listed)
        );
    }

    #[test]
    fn the_table_is_aligned() {
        assert_eq!(
            digits().checked().summary().to_string(),
            "\
Net
layer  operation            output  parameters   FLOPs  regularization
-----------------------------------------------------------------------------------------------
x      input                [64]
fc1    linear(128) -> relu  [128]        8,320  16,384  decay(l1 = 0, l2 = 0.001), dropout(0.5)
fc2    linear(64) -> relu   [64]         8,256  16,384  dropout(0.25)
head   linear(10)           [10]           650   1,280
-----------------------------------------------------------------------------------------------
17,226 parameters; for one sample 34,048 FLOPs, 586 activations, 69.6 KiB of memory
(FLOPs: matrix products alone, a multiplication and an addition for each multiply-accumulate. Memory: weights and \
activations of one sample, 4 bytes a number.)"
        );
    }

    #[test]
    fn blocks_are_indented_and_their_copies_counted() {
        let block = vec![layer("linear", [linear(64), relu()])];
        let tower = repeat(
            3.0,
            vec![layer("block", [stochastic_depth(block, 0.0, 0.1)])],
        );
        let rows = model(vec![layer("tower", [tower])])
            .checked()
            .summary()
            .rows;
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.depth,
                    row.layer.as_str(),
                    row.operation.as_str(),
                    row.parameters.as_str(),
                )
            })
            .collect();
        assert_eq!(
            shown[1..],
            [
                (0, "tower", "repeat(3)", "12,480"),
                (1, "block", "residual", "12,480"),
                (2, "linear", "linear(64) -> relu", "12,480"),
            ]
        );
        assert_eq!(rows[2].regularization, "drop_path(0..0.1)");
    }

    #[test]
    fn markdown_is_a_table_that_shows_unknown_sizes() {
        let unknown = OpKind::Linear(op::Linear {
            out: Value::unknown(),
            bias: Value::truth(true),
            same: false,
            tied: None,
        });
        let text = model(vec![layer("fc", [unknown])])
            .checked()
            .summary()
            .markdown();
        assert!(
            text.contains(
                "| layer | operation | output | parameters | FLOPs | regularization |\n| --- |"
            ),
            "{text}"
        );
        assert!(
            text.contains(r"| fc | linear(\_) | \[\_\] | \_ | \_ |  |"),
            "{text}"
        );
        assert!(
            text.contains("\n**In total** at least 0 parameters"),
            "{text}"
        );
    }
}

mod settings_and_task {
    use super::*;

    #[test]
    fn defaults_are_filled_in() {
        let settings = digits().training();
        assert_eq!(
            (settings.epochs, settings.batch, settings.seed),
            (10, 32, 42)
        );
        assert_eq!(settings.learning_rate.to_bits(), 1e-3_f64.to_bits());
        assert!(matches!(settings.optimizer, OptimizerKind::Adamw { .. }));
        assert_eq!(settings.early_stop, None);
    }

    #[test]
    fn what_is_written_counts() {
        let net = digits()
            .optimizer(sgd(), 0.5, Some(1e-4))
            .train(|train| train.epochs = Some(value(3.0)));
        let settings = net.training();
        assert_eq!((settings.epochs, settings.weight_decay), (3, 1e-4));
        assert!(matches!(
            settings.optimizer,
            OptimizerKind::Sgd { nesterov, .. } if nesterov.is_true() == Some(false)
        ));
    }

    #[test]
    fn the_task_follows_from_the_loss() {
        let task = |units, loss| {
            model(vec![layer("head", [linear(units)])])
                .loss(loss)
                .checked()
                .task()
                .cloned()
        };
        assert_eq!(
            task(7, cross_entropy()),
            Some(TaskKind::Multiclass(value(7.0)))
        );
        assert_eq!(task(1, binary_cross_entropy()), Some(TaskKind::Binary));
        assert_eq!(
            task(5, binary_cross_entropy()),
            Some(TaskKind::Multilabel(value(5.0)))
        );
        assert_eq!(task(5, LossKind::Mse), Some(TaskKind::Regression));
        assert_eq!(
            model(vec![layer("head", [linear(5)])])
                .checked()
                .task()
                .cloned(),
            None
        );
    }

    #[test]
    fn metrics_default_to_the_task() {
        assert_eq!(digits().checked().metrics(), [MetricKind::Accuracy]);
        let regression = model(vec![layer("head", [linear(1)])]).loss(LossKind::Mse);
        assert_eq!(
            regression.checked().metrics(),
            [MetricKind::Mae, MetricKind::R2]
        );
    }
}

mod differences {
    use super::*;

    #[test]
    fn training_and_regularization_do_not_count() {
        let other = classifier(vec![
            layer("fc1", [linear(128), relu()]),
            layer("fc2", [linear(64), relu()]),
        ])
        .optimizer(sgd(), 0.1, None)
        .level(attribute("high_dropout_rate", Level::Allow));
        assert_eq!(digits().difference(&other), Vec::<String>::new());
    }

    #[test]
    fn layers_are_named_with_what_explains_them() {
        let mut here = digits();
        let mut there = classifier(vec![
            layer("fc1", [linear(256), relu()]),
            layer("fc3", [linear(64), relu()]),
        ]);
        let hidden = |number| Hyper {
            name: "hidden".to_owned(),
            kind: HyperKind::Usize,
            value: value(number),
            domain: None,
        };
        here.hyper.push(hidden(128.0));
        there.hyper.push(hidden(256.0));
        assert_eq!(
            here.difference(&there),
            [
                "hyper-parameter `hidden` is 128 here and 256 in the other model",
                "layer `fc1` is linear(128) -> relu here and linear(256) -> relu in the other model",
                "layer `fc2` (linear(64) -> relu) is missing in the other model",
                "layer `fc3` (linear(64) -> relu) is only in the other model",
            ]
        );
    }

    #[test]
    fn operations_are_described_by_path() {
        let net = digits();
        assert_eq!(net.describe(net.layers[0].ops[2].id), "fc1: dropout(0.5)");
        assert_eq!(
            net.describe(net.layers[0].ops[0].rules[0].id),
            "fc1: decay(l1 = 0, l2 = 0.001)"
        );
        assert_eq!(net.describe(Id::NONE), "Net");
    }
}

mod anything {
    use super::*;
    use crate::Statement;

    /// A small generator of numbers that look random (Knuth's constants), so that a failure repeats.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % sides
        }

        fn number(&mut self) -> f64 {
            [
                0.0,
                0.1,
                0.5,
                0.9,
                1.0,
                2.0,
                8.0,
                64.0,
                -1.0,
                0.05,
                f64::NAN,
                1e12,
            ][self.roll(12)]
        }

        fn op(&mut self, depth: usize) -> OpKind {
            match self.roll(if depth > 3 { 9 } else { 12 }) {
                0 | 1 => linear([1, 2, 8, 64][self.roll(4)]),
                2 => act(ActivationKind::ALL[self.roll(ActivationKind::ALL.len())].word()),
                3 => batch_norm(),
                4 => dropout(self.number()),
                5 => alpha_dropout(self.number()),
                6 => OpKind::Linear(op::Linear {
                    out: value(self.number()),
                    bias: value(self.number()),
                    same: false,
                    tied: None,
                }),
                7 => custom(64),
                8 => OpKind::Linear(op::Linear {
                    out: Value::unknown(),
                    bias: Value::unknown(),
                    same: false,
                    tied: None,
                }),
                9 => residual(self.block(depth + 1)),
                10 => repeat(self.number(), self.block(depth + 1)),
                _ => stochastic_depth(self.block(depth + 1), self.number(), self.number()),
            }
        }

        fn block(&mut self, depth: usize) -> Vec<Statement> {
            (0..self.roll(4))
                .map(|index| {
                    let source = match self.roll(6) {
                        0 => Source::From("x".to_owned()),
                        1 => Source::Add(names(&["l0", "x"])),
                        2 => Source::Concat(names(&["x", "l1"])),
                        _ => Source::Previous,
                    };
                    let ops = [self.op(depth), self.op(depth)];
                    layer(&format!("l{index}"), ops)
                        .with(decay(self.number(), self.number()))
                        .from(source)
                })
                .collect()
        }
    }

    #[test]
    fn no_description_panics_and_all_survive_storage() {
        let mut accepted = 0;
        for seed in 0..3000 {
            let mut dice = Dice(seed);
            let mut layers = dice.block(0);
            layers.push(layer("head", [linear(10)]));
            let net =
                model(layers)
                    .loss(cross_entropy())
                    .optimizer(sgd(), 0.1, Some(dice.number()));
            let findings = net.check();
            accepted += usize::from(findings.iter().all(|finding| finding.level != Level::Deny));
            for finding in &findings {
                assert!(!finding.at.is_none(), "{finding}");
            }
            let _ = (
                net.parameters(),
                net.checked().summary().markdown(),
                net.checked().counts(),
                net.checked().task().cloned(),
            );
            let text = serde_json::to_string(&net).expect("a description can be written");
            if !text.contains("null") {
                let again: Model = serde_json::from_str(&text).expect("and read again");
                assert_eq!(again.checked().summary(), net.checked().summary());
            }
        }
        assert!(accepted > 20, "only {accepted} models were fine");
    }
}

mod storage {
    use super::*;

    fn round_trip(model: &Model) -> Model {
        let text = serde_json::to_string(model).expect("a description can be written");
        serde_json::from_str(&text).expect("and read again")
    }

    /// What a reader of the file sees; ids that exist in the macro only do not count.
    fn same(model: &Model) {
        let again = round_trip(model);
        assert_eq!(again, round_trip(&again));
        assert_eq!(again.checked().summary(), model.checked().summary());
        assert_eq!(again.parameters(), model.parameters());
        assert_eq!(again.difference(model), Vec::<String>::new());
        let messages = |model: &Model| {
            let mut all: Vec<String> = model.check().iter().map(ToString::to_string).collect();
            all.sort();
            all
        };
        assert_eq!(messages(&again), messages(model));
    }

    #[test]
    fn every_operation_survives() {
        let mut ops = vec![
            linear(8),
            linear_without_bias(8),
            swiglu(8),
            batch_norm(),
            layer_norm(),
            custom(8),
            dropout(0.1),
            alpha_dropout(0.1),
            noise(0.1),
            drop_path(0.1),
            OpKind::Activity(op::Activity {
                l1: value(0.1),
                l2: value(0.2),
            }),
            OpKind::Model {
                path: "crate::Encoder".to_owned(),
                model: None,
            },
            residual_with(vec![layer("a", [linear(8)])], vec![layer("b", [linear(8)])]),
            stochastic_depth(vec![layer("a", [linear(64)])], 0.0, 0.1),
            repeat(2.0, vec![layer("a", [linear(64)])]),
        ];
        ops.extend(ActivationKind::ALL.iter().map(|kind| act(kind.word())));
        for op in ops {
            same(&model(vec![layer("fc", [op])]));
        }
    }

    #[test]
    fn every_loss_survives() {
        let custom = LossKind::Custom {
            path: "crate::own".to_owned(),
        };
        let dice = LossKind::Dice {
            smooth: value(1.0),
            from: Reads::Probabilities,
        };
        let divergence = LossKind::KlDiv {
            from: Reads::LogProbabilities,
        };
        let weighted = LossKind::CrossEntropy {
            label_smoothing: Some(value(0.1)),
            weights: vec![value(2.0); 10],
            from: Reads::Logits,
            z: None,
        };
        let losses = [
            weighted,
            binary_cross_entropy(),
            LossKind::Mse,
            LossKind::Mae,
            LossKind::Mape,
            LossKind::Huber { delta: value(1.0) },
            LossKind::SmoothL1 { beta: value(1.0) },
            LossKind::LogCosh,
            dice,
            divergence,
            LossKind::Poisson,
            LossKind::GaussianNll,
            custom,
        ];
        for loss in losses {
            same(&digits().loss(loss));
        }
    }

    #[test]
    fn every_optimizer_and_schedule_survives() {
        let optimizers = [
            sgd(),
            adam(),
            adamw(),
            OptimizerKind::RmsProp {
                alpha: value(0.9),
                momentum: value(0.1),
                epsilon: value(1e-8),
                centered: Value::truth(true),
            },
            OptimizerKind::Adagrad {
                lr_decay: value(0.1),
                epsilon: value(1e-10),
            },
            OptimizerKind::Lion {
                beta1: value(0.9),
                beta2: value(0.99),
            },
        ];
        for optimizer in optimizers {
            same(&digits().optimizer(optimizer, 1e-3, Some(0.01)));
        }
        let schedules = [
            ScheduleKind::Constant,
            ScheduleKind::Cosine { end: value(0.0) },
            ScheduleKind::Linear { end: value(0.1) },
            ScheduleKind::Step {
                every: value(3.0),
                factor: value(0.1),
            },
            ScheduleKind::Exponential { factor: value(0.9) },
            ScheduleKind::OneCycle {
                rise: value(0.3),
                divide: value(25.0),
                final_divide: value(1e4),
            },
        ];
        for schedule in schedules {
            same(&digits().schedule(schedule, 0.1));
        }
    }

    #[test]
    fn every_rule_metric_and_task_survives() {
        let rules = [
            decay(0.1, 0.2),
            penalty_l2(0.1),
            RuleKind::MaxNorm { limit: value(1.0) },
            RuleKind::UnitNorm,
            RuleKind::NonNegative,
            RuleKind::Orthogonal {
                strength: value(0.1),
            },
            RuleKind::DropConnect { rate: value(0.1) },
            RuleKind::Freeze,
        ];
        for rule in rules {
            same(&classifier(vec![
                layer("fc", [linear(8), relu()]).with(rule).on_all(),
            ]));
        }
        for kind in [
            TaskKind::Binary,
            TaskKind::Multiclass(value(3.0)),
            TaskKind::Multilabel(value(3.0)),
            TaskKind::Regression,
        ] {
            same(&digits().task(kind));
        }
        let mut net = digits();
        net.metrics = [
            MetricKind::Accuracy,
            MetricKind::TopK(value(3.0)),
            MetricKind::Precision,
            MetricKind::Recall,
            MetricKind::F1,
            MetricKind::Auroc,
            MetricKind::Mse,
            MetricKind::Rmse,
            MetricKind::Mae,
            MetricKind::Mape,
            MetricKind::R2,
        ]
        .map(|kind| Metric { id: Id::NONE, kind })
        .into();
        same(&net);
    }

    #[test]
    fn holes_are_written_as_places() {
        let hole = Value {
            hole: Some(3),
            ..value(128.0)
        };
        let net = model(vec![layer(
            "fc",
            [OpKind::Linear(op::Linear {
                out: hole,
                bias: Value::truth(true),
                same: false,
                tied: None,
            })],
        )]);
        assert!(
            serde_json::to_string(&net)
                .expect("json")
                .contains(r#""out":{"$":3}"#)
        );
    }
}
