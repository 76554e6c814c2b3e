//! Every threshold of the catalogue acts: set low or high, it changes what is found in an example.

mod common;

use damper_ir::{LINTS, Lint};

/// Declarations that a threshold decides about, where the page's own example is no such.
const OTHERS: &[(&str, &str, &str)] = &[
    (
        "learning_rate_out_of_range",
        "min",
        "train { optimizer: adam(lr = 1e-8) }",
    ),
    (
        "learning_rate_out_of_range",
        "times",
        "train { optimizer: adam(lr = 0.5) }",
    ),
    (
        "adam_epsilon_out_of_range",
        "min",
        "train { optimizer: adam(lr = 1e-3, epsilon = 1e-12) }",
    ),
    (
        "adam_epsilon_out_of_range",
        "max",
        "train { optimizer: adam(lr = 1e-3, epsilon = 0.2) }",
    ),
    (
        "weight_decay_out_of_range",
        "max",
        "train { optimizer: adamw(lr = 1e-3, weight_decay = 9.0) }",
    ),
    (
        "weight_decay_out_of_range",
        "min",
        "train { optimizer: adamw(lr = 1e-3, weight_decay = 0.01) }",
    ),
    (
        "weight_decay_out_of_range",
        "max_l1",
        "layers { head: linear(10) with decay(l1 = 1.0); }",
    ),
    (
        "label_smoothing_out_of_range",
        "max",
        "loss cross_entropy(label_smoothing = 0.4)",
    ),
];

fn example(lint: &Lint, threshold: &str) -> String {
    let other = OTHERS
        .iter()
        .find(|(name, other, _)| *name == lint.name && *other == threshold);
    match other {
        Some((_, _, section)) if section.starts_with("layers") => {
            format!(
                "Net\ninput x: [64]\n{section}\nloss cross_entropy\ntrain {{ optimizer: sgd(lr = 0.1) }}\n"
            )
        }
        Some((_, _, section)) if section.starts_with("loss") => {
            format!("Net\ninput x: [64]\nlayers {{ head: linear(10); }}\n{section}\n")
        }
        Some((_, _, section)) => {
            format!(
                "Net\ninput x: [64]\nlayers {{ head: linear(10); }}\nloss cross_entropy\n{section}\n"
            )
        }
        None => {
            let page = lint.examples()[0].replace(&format!("#[warn({})]", lint.name), "");
            let inner = page.trim_start_matches("model! {").trim_end_matches('}');
            inner.trim().to_owned()
        }
    }
}

/// Whether the lint speaks with this threshold.
fn speaks(lint: &Lint, attribute: &str, example: &str) -> bool {
    let (reports, _) = common::understood(&format!("{attribute}\n{example}"));
    let wrong = reports.iter().find(|report| report.lint.is_none());
    assert!(wrong.is_none(), "{wrong:#?}");
    reports
        .iter()
        .any(|report| report.lint.as_deref() == Some(lint.name))
}

#[test]
fn every_threshold_acts() {
    let mut count = 0;
    for lint in LINTS {
        for threshold in lint.thresholds {
            let example = example(lint, threshold.name);
            let with =
                |value: f64| format!("#[warn({}, {} = {value:?})]", lint.name, threshold.name);
            let name = lint.name;
            let spoken = [0.0, 0.9, 1e6].map(|value| speaks(lint, &with(value), &example));
            assert!(
                spoken.contains(&true) && spoken.contains(&false),
                "`{}` of `{name}` makes no difference in\n{example}",
                threshold.name
            );
            let (default, level) = (with(threshold.default), format!("#[warn({name})]"));
            assert_eq!(
                speaks(lint, &default, &example),
                speaks(lint, &level, &example),
                "`{default}` is not the default"
            );
            count += 1;
        }
    }
    assert!(count > 15);
}
