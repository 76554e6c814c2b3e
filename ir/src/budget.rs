//! Limits on what a model costs: `budget { params <= 1_000_000, flops <= 50_000_000, memory <= 4 MiB }`.

use crate::counts::by_layer;
use crate::walk::at;
use crate::{BudgetItem, Counts, Finding, Inferred, Measure, Model, Unit, bytes, grouped};

/// How many layers a message names.
const NAMED: usize = 3;

impl Measure {
    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Params => "params",
            Self::Flops => "flops",
            Self::Memory => "memory",
        }
    }

    /// How much of it something takes.
    fn of(self, counts: &Counts) -> usize {
        match self {
            Self::Params => counts.parameters,
            Self::Flops => counts.flops(),
            Self::Memory => counts.memory(),
        }
    }
}

impl Unit {
    /// Every unit; the greater ones of each kind first.
    pub const ALL: [Self; 7] = [
        Self::Gib,
        Self::Mib,
        Self::Kib,
        Self::Gb,
        Self::Mb,
        Self::Kb,
        Self::B,
    ];

    /// The word of the language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::B => "B",
            Self::Kb => "kB",
            Self::Mb => "MB",
            Self::Gb => "GB",
            Self::Kib => "KiB",
            Self::Mib => "MiB",
            Self::Gib => "GiB",
        }
    }

    /// How many bytes it is.
    pub const fn bytes(self) -> f64 {
        match self {
            Self::B => 1.0,
            Self::Kb => 1e3,
            Self::Mb => 1e6,
            Self::Gb => 1e9,
            Self::Kib => 1024.0,
            Self::Mib => 1_048_576.0,
            Self::Gib => 1_073_741_824.0,
        }
    }
}

/// Says which limits the model exceeds. What cannot be counted (an unknown size, a `custom` layer) counts as nothing.
pub(crate) fn check(model: &Model, inferred: &Inferred, findings: &mut Vec<Finding>) {
    if model.budget.is_empty() {
        return;
    }
    let layers = by_layer(model, inferred);
    let mut counts = Counts::default();
    for (_, layer) in &layers {
        counts.add(*layer, 1);
    }
    for limit in &model.budget {
        let Some(most) = limit.at_most.known else {
            continue;
        };
        let found = if most > 0.0 && most.is_finite() {
            exceeded(model, limit, most, &counts, &layers)
        } else {
            let message = format!(
                "`{}` is at most {}, a limit must be above 0",
                limit.measure.word(),
                limit.at_most
            );
            let unit = match limit.measure {
                Measure::Memory => " B",
                Measure::Params | Measure::Flops => "",
            };
            let help = format!("`{} <= 1_000_000{unit}`, or no limit", limit.measure.word());
            Some(Finding::error(at(&limit.at_most, limit.id), message).help(help))
        };
        if let Some(mut finding) = found {
            "the budget".clone_into(&mut finding.place);
            findings.push(finding);
        }
    }
}

fn exceeded(
    model: &Model,
    limit: &BudgetItem,
    most: f64,
    counts: &Counts,
    layers: &[(String, Counts)],
) -> Option<Finding> {
    let measure = limit.measure;
    let (unit, taken) = (limit.unit.map_or(1.0, Unit::bytes), measure.of(counts));
    let most = most * unit;
    if taken as f64 <= most {
        return None;
    }
    let over = (taken as f64 - most).ceil() as usize;
    let least = if counts.incomplete { "at least " } else { "" };
    let name = &model.name;
    let message = match measure {
        Measure::Params => format!(
            "`{name}` has {least}{} parameters, {} more than its budget of {}",
            grouped(taken),
            grouped(over),
            grouped(most as usize)
        ),
        Measure::Flops => format!(
            "`{name}` takes {least}{} FLOPs for a sample, {} more than its budget of {}",
            grouped(taken),
            grouped(over),
            grouped(most as usize)
        ),
        Measure::Memory => format!(
            "`{name}` takes {least}{} of memory, {} more than its budget of {}{}",
            bytes(taken),
            bytes(over),
            limit.at_most,
            limit
                .unit
                .map_or(String::new(), |unit| format!(" {}", unit.word()))
        ),
    };
    let mut finding = Finding::error(limit.id, message).note(largest(measure, taken, layers));
    if let Some(written) = keeping(limit, taken) {
        finding = finding.help(format!(
            "smaller layers, or a budget that this model keeps: `{} <= {written}`",
            measure.word()
        ));
    }
    if measure == Measure::Memory {
        finding.note = finding.note.map(|note| {
            format!("{note}; memory is 4 bytes for each weight and for each number that the layers give for one sample")
        });
    }
    Some(finding)
}

/// The least limit that holds, as a person would write it.
fn keeping(limit: &BudgetItem, taken: usize) -> Option<String> {
    match (limit.measure, limit.unit) {
        (Measure::Memory, unit) => {
            let unit = unit?;
            let tenths = (taken as f64 / unit.bytes() * 10.0).ceil();
            // Digits that say nothing are left out: bytes are whole.
            let amount = if unit == Unit::B {
                taken as f64
            } else {
                tenths / 10.0
            };
            Some(format!("{amount} {}", unit.word()))
        }
        _ => Some(grouped(taken).replace(',', "_")),
    }
}

/// ``the largest layers are `fc1` with 100,480 (92 %), ..``
fn largest(measure: Measure, taken: usize, layers: &[(String, Counts)]) -> String {
    let mut sizes: Vec<(&str, usize)> = layers
        .iter()
        .map(|(path, counts)| (path.as_str(), measure.of(counts)))
        .filter(|(_, size)| *size > 0)
        .collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    sizes.truncate(NAMED);
    let named: Vec<String> = sizes
        .iter()
        .map(|(path, size)| {
            let share = *size as f64 / taken.max(1) as f64 * 100.0;
            let size = match measure {
                Measure::Memory => bytes(*size),
                _ => grouped(*size),
            };
            format!("`{path}` with {size} ({share:.0} %)")
        })
        .collect();
    match named.as_slice() {
        [one] => format!("the only layer of weight is {one}"),
        _ => format!("the largest layers are {}", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::builder::*;
    use crate::{BudgetItem, Finding, Id, Measure, Model, Unit, Value};

    fn limited(mut model: Model, measure: Measure, at_most: f64, unit: Option<Unit>) -> Model {
        model.budget.push(BudgetItem {
            id: Id(900),
            measure,
            at_most: value(at_most),
            unit,
        });
        model
    }

    fn digits() -> Model {
        classifier(vec![
            layer("fc1", [linear(128), relu()]),
            layer("fc2", [linear(64), relu()]),
        ])
    }

    fn over(model: &Model) -> Vec<Finding> {
        let mut findings = model.check();
        findings.retain(|finding| finding.place == "the budget");
        findings
    }

    #[test]
    fn a_limit_that_holds_is_silent() {
        let counts = digits().checked().counts();
        assert_eq!((counts.parameters, counts.flops()), (17_226, 2 * 17_024));
        let net = limited(digits(), Measure::Params, 17_226.0, None);
        let net = limited(net, Measure::Flops, 34_048.0, None);
        assert_eq!(
            over(&limited(net, Measure::Memory, 70.0, Some(Unit::Kib))),
            []
        );
    }

    #[test]
    fn parameters_over_the_limit_name_the_largest_layers() {
        let found = over(&limited(digits(), Measure::Params, 17_000.0, None));
        let [finding] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(finding.at, Id(900));
        assert_eq!(finding.lint, None);
        assert_eq!(
            finding.message,
            "`Net` has 17,226 parameters, 226 more than its budget of 17,000"
        );
        let largest = "the largest layers are `fc1` with 8,320 (48 %), `fc2` with 8,256 (48 %), `head` with 650 (4 %)";
        assert_eq!(finding.note.as_deref(), Some(largest));
        let help = "smaller layers, or a budget that this model keeps: `params <= 17_226`";
        assert_eq!(finding.help.as_deref(), Some(help));
    }

    #[test]
    fn memory_is_weights_and_activations() {
        // 17,226 weights; 128 + 128 + 64 + 64 + 10 numbers for a sample.
        assert_eq!(digits().checked().counts().memory(), 4 * (17_226 + 394));
        let found = over(&limited(digits(), Measure::Memory, 64.0, Some(Unit::Kib)));
        let message = "`Net` takes 68.8 KiB of memory, 4.8 KiB more than its budget of 64 KiB";
        assert_eq!(found[0].message, message);
        assert!(
            found[0]
                .help
                .as_ref()
                .is_some_and(|help| help.ends_with("`memory <= 68.9 KiB`"))
        );
        assert_eq!(
            over(&limited(digits(), Measure::Memory, 68.9, Some(Unit::Kib))),
            []
        );
    }

    #[test]
    fn copies_count_and_belong_to_their_layer() {
        let deep = model(vec![layer(
            "deep",
            [repeat(10.0, vec![layer("fc", [linear(64)])])],
        )]);
        let found = over(&limited(deep, Measure::Params, 1.0, None));
        let note = "the only layer of weight is `deep.fc` with 41,600 (100 %)";
        assert_eq!(found[0].note.as_deref(), Some(note));
    }

    #[test]
    fn what_is_not_known_counts_as_nothing() {
        let unknown = model(vec![
            layer("own", [custom(10)]),
            layer("head", [linear(10)]),
        ]);
        assert_eq!(
            over(&limited(unknown.clone(), Measure::Params, 110.0, None)),
            []
        );
        let found = over(&limited(unknown.clone(), Measure::Params, 100.0, None));
        assert!(
            found[0]
                .message
                .starts_with("`Net` has at least 110 parameters")
        );
        let mut open = limited(unknown, Measure::Params, 1.0, None);
        open.budget[0].at_most = Value::unknown();
        assert_eq!(over(&open), []);
    }

    #[test]
    fn a_limit_is_above_zero() {
        let found = over(&limited(digits(), Measure::Flops, 0.0, None));
        assert_eq!(
            found[0].message,
            "`flops` is at most 0, a limit must be above 0"
        );
    }
}
