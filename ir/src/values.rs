//! The numbers that must lie in a range whatever the graph looks like. Sizes are checked by the shape walk,
//! rates and learning rates by lints.

use crate::train::DEFAULT_EPOCHS;
use crate::walk::at;
use crate::walk::{Place, each_op};
use crate::words::{Argument, Range};
use crate::{
    ActivationKind, Finding, Id, Input, InputKind, Loss, LossKind, MetricKind, Model, OpKind,
    Reach, RuleKind, Shape, TargetKind, TaskKind, Train, Value, WeightRule,
};

struct Check<'f> {
    findings: &'f mut Vec<Finding>,
    place: String,
}

impl Check<'_> {
    fn inside(&mut self, place: &str) {
        place.clone_into(&mut self.place);
    }

    fn push(&mut self, mut finding: Finding) {
        finding.place.clone_from(&self.place);
        self.findings.push(finding);
    }

    /// Says that `what` must be `wanted` unless `holds`.
    fn that(
        &mut self,
        value: &Value,
        or: Id,
        what: &str,
        wanted: &str,
        holds: impl Fn(f64) -> bool,
    ) {
        if let Some(number) = value.known.filter(|number| !is_held(*number)) {
            let message = not_held(what, number);
            let help = "write a smaller number: weights and values are `f32`";
            self.push(Finding::error(at(value, or), message).help(help));
        } else if let Some(number) = value.known.filter(|number| !holds(*number)) {
            let message = format!("{what} is {}, it must be {wanted}", Value::known(number));
            self.push(Finding::error(at(value, or), message));
        }
    }

    fn not_negative(&mut self, value: &Value, or: Id, what: &str) {
        self.that(value, or, what, "a number from 0", |x| {
            x >= 0.0 && x.is_finite()
        });
    }

    /// Checks each value that is an argument of a word by the kind and range of that argument.
    fn arguments(&mut self, word: &str, or: Id) -> impl FnMut(&Argument, &Value) {
        move |argument, value| {
            let what = || argument.of(word);
            if argument.kind.is_size() {
                self.count(value, or, &what());
            } else if argument.kind.is_whole() {
                self.whole(value, or, &what());
            } else if argument.kind.is_float()
                && !matches!(argument.range, Range::Elsewhere | Range::Rate)
            {
                let range = argument.range;
                self.that(value, or, &what(), range.wanted(), |number| {
                    range.holds(number)
                });
            }
        }
    }

    /// A whole number that may be 0.
    fn whole(&mut self, value: &Value, or: Id, what: &str) {
        self.that(value, or, what, "a whole number from 0", |x| {
            x >= 0.0 && x.fract() == 0.0
        });
    }

    fn count(&mut self, value: &Value, or: Id, what: &str) {
        if value.known.is_some() && value.size().is_none_or(|size| size == 0) {
            self.that(value, or, what, "a whole number from 1", |_| false);
        }
    }
}

/// Whether the layers can compute with a number: it is finite as `f32`.
pub fn is_held(number: f64) -> bool {
    (number as f32).is_finite()
}

/// What to say of a number that is not held; see [`is_held`].
pub fn not_held(what: &str, number: f64) -> String {
    if number.is_finite() {
        format!("{what} is {number:e}, beyond what an `f32` holds: 3.4e38")
    } else {
        format!("{what} is {number}, it must be a finite number")
    }
}

pub(crate) fn check(
    model: &Model,
    units: Option<usize>,
    rank: Option<usize>,
    findings: &mut Vec<Finding>,
) {
    let mut check = Check {
        findings,
        place: String::new(),
    };
    hyper(model, &mut check);
    inputs(model, &mut check);
    each_op(&model.layers, &mut |place: &Place<'_>, op| {
        check.place = place.to_string();
        kind(&op.kind, op.id, &mut check);
        for rule in &op.rules {
            let word = rule.kind.word();
            rule.kind.each_value(&mut check.arguments(word, rule.id));
        }
        let find = |word| op.rules.iter().find(|rule| rule.kind.word() == word);
        if let (Some(lengths), Some(spectral)) = (find("weight_norm"), find("spectral_norm")) {
            let message = "`weight_norm` and `spectral_norm` both compute the weight of one layer";
            let at = if spectral.id.is_none() {
                op.id
            } else {
                spectral.id
            };
            check.push(
                Finding::error(at, message)
                    .other(lengths.id, "the weight is computed here already")
                    .help("remove one of them"),
            );
        }
        if let Some(computing) = find("weight_norm").or_else(|| find("spectral_norm")) {
            for rule in op.rules.iter().filter(|rule| misses(rule, &computing.kind)) {
                missed(rule, computing, op.id, &mut check);
            }
        }
    });
    check.inside("the loss");
    loss(model, units, &mut check);
    check.inside("the task");
    if let Some(task) = &model.task {
        match &task.kind {
            TaskKind::Multiclass(classes) => {
                check.that(
                    classes,
                    task.id,
                    "the number of classes",
                    "a whole number from 2",
                    |x| x >= 2.0 && x.fract() == 0.0,
                );
            }
            TaskKind::Multilabel(labels) => check.count(labels, task.id, "the number of labels"),
            TaskKind::Binary | TaskKind::Regression => {}
        }
    }
    check.inside("the metrics");
    metrics(model, units, &mut check);
    check.inside("the training");
    if let Some(train) = &model.train {
        training(train, &mut check);
        averages(train, &mut check);
        mixing(model, train, rank, &mut check);
        augment(model, train, &mut check);
    }
}

fn hyper(model: &Model, check: &mut Check<'_>) {
    for hyper in &model.hyper {
        let (Some(domain), Some(number)) = (&hyper.domain, hyper.value.known) else {
            continue;
        };
        let low = domain.low.and_then(|low| low.known);
        let high = domain.high.and_then(|high| high.known);
        let inside = low.is_none_or(|low| number >= low)
            && high.is_none_or(|high| {
                if domain.inclusive {
                    number <= high
                } else {
                    number < high
                }
            })
            && !number.is_nan();
        if !inside {
            let show =
                |bound: Option<Value>| bound.map_or_else(String::new, |value| value.to_string());
            let range = if domain.inclusive { "..=" } else { ".." };
            check.push(
                Finding::error(
                    at(&hyper.value, model.id),
                    format!(
                        "`{}` is {}, its domain is {}{range}{}",
                        hyper.name,
                        hyper.value,
                        show(domain.low),
                        show(domain.high)
                    ),
                )
                .help("a value within it, or a wider domain"),
            );
        }
    }
}

/// Sizes are checked by the walk of the shapes, rates by lints.
fn kind(kind: &OpKind, id: Id, check: &mut Check<'_>) {
    let word = kind.word();
    kind.each_value(&mut |argument, value| {
        if argument.kind.is_float() {
            check.arguments(word, id)(argument, value);
        }
    });
    if let OpKind::Activation(activation) = kind
        && let (ActivationKind::Hardtanh | ActivationKind::Rrelu, [low, high]) =
            (activation.kind, activation.arguments.as_slice())
        && low
            .known
            .zip(high.known)
            .is_some_and(|(low, high)| low > high)
    {
        let message =
            format!("`{word}` goes from {low} to {high}: the first must not be above the second");
        check.push(Finding::error(at(low, id), message));
    }
}

/// Class indices: how many classes there are, and which of them is padding.
fn inputs(model: &Model, check: &mut Check<'_>) {
    for input in &model.inputs {
        let InputKind::Int { vocab, pad } = &input.kind else {
            continue;
        };
        let name = &input.name;
        if let Some(vocab) = vocab {
            check.count(vocab, input.id, &format!("`vocab` of `{name}`"));
        }
        let Some(pad) = pad else { continue };
        check.that(
            pad,
            input.id,
            &format!("`pad` of `{name}`"),
            "a class: a whole number from 0",
            |x| x >= 0.0 && x.fract() == 0.0,
        );
        let vocab = vocab.and_then(|vocab| vocab.size());
        if let Some((pad_class, vocab)) = pad
            .size()
            .zip(vocab)
            .filter(|(pad, vocab)| pad >= vocab && *vocab > 0)
        {
            let message = format!(
                "`pad` of `{name}` is class {pad_class}, the {vocab} classes go from 0 to {}",
                vocab - 1
            );
            check.push(Finding::error(at(pad, input.id), message).help("pad = 0"));
        }
    }
}

/// Quantiles go up, so that the middle one is the middle.
fn quantiles(levels: &[Value], id: Id, check: &mut Check<'_>) {
    if levels.is_empty() {
        let finding = Finding::error(id, "`quantile` wants at least one quantile");
        check.push(finding.help("quantile([0.1, 0.5, 0.9])"));
    }
    for pair in levels.windows(2) {
        let [before, after] = pair else { continue };
        if let (Some(low), Some(high)) = (before.known, after.known)
            && low >= high
        {
            let message = format!("the quantiles of `quantile` go up, {after} follows {before}");
            let mut sorted: Vec<f64> = levels.iter().filter_map(|level| level.known).collect();
            sorted.sort_by(f64::total_cmp);
            sorted.dedup();
            let sorted: Vec<String> = sorted
                .into_iter()
                .map(|level| Value::known(level).to_string())
                .collect();
            let finding = Finding::error(at(after, id), message);
            check.push(finding.help(format!("quantile([{}])", sorted.join(", "))));
            return;
        }
    }
}

fn loss(model: &Model, units: Option<usize>, check: &mut Check<'_>) {
    let Some(loss) = &model.loss else { return };
    loss.kind
        .each_value(&mut check.arguments(loss.kind.word(), loss.id));
    if let LossKind::BinaryCrossEntropy { weights, .. } = &loss.kind
        && let ([weight], Some(1)) = (weights.as_slice(), units)
    {
        let message = "`weights` of one yes/no unit multiply the whole loss: both answers weigh as much as before";
        check.push(
            Finding::error(at(weight, loss.id), message)
                .help("remove `weights`; for a rare answer `binary_cross_entropy(positive_weight = 5.0)`")
                .note("a weight is one for each unit, not for each answer"),
        );
    }
    if let LossKind::CrossEntropy {
        from, z: Some(z), ..
    } = &loss.kind
        && *from != crate::Reads::Logits
    {
        let message = format!(
            "`z` of `cross_entropy` keeps logits near 0, `from = {}` has none",
            from.word()
        );
        check.push(Finding::error(at(z, loss.id), message).help("remove `z`"));
    }
    if let LossKind::Quantile { levels } = &loss.kind {
        quantiles(levels, loss.id, check);
    }
    if let Some(target) = &loss.target
        && matches!(
            loss.kind.facts().target,
            TargetKind::Class | TargetKind::YesNo | TargetKind::Distribution
        )
    {
        let message = format!(
            "the targets of `{}` are classes, a range says nothing about them",
            loss.kind.word()
        );
        check.push(Finding::error(target.id, message).help("remove `target in [..]`"));
    }
    if let Some(target) = &loss.target
        && loss.kind.facts().target == TargetKind::Count
        && target.low.known.is_some_and(|low| low < 0.0)
    {
        let message = format!(
            "the targets of `{}` are counts, and none is below 0",
            loss.kind.word()
        );
        check.push(
            Finding::error(target.id, message)
                .other(loss.id, "this loss is for counts")
                .help(format!(
                    "loss mse target in [{}, {}]",
                    target.low, target.high
                )),
        );
    }
    if let Some(target) = &loss.target
        && let (Some(low), Some(high)) = (target.low.known, target.high.known)
        && (low >= high || low.is_nan() || high.is_nan())
    {
        let message = format!(
            "the target's range [{}, {}] is empty",
            target.low, target.high
        );
        check.push(
            Finding::error(target.id, message)
                .help(format!("target in [{}, {}]", target.high, target.low)),
        );
    }
}

fn metrics(model: &Model, units: Option<usize>, check: &mut Check<'_>) {
    let Some(task) = model.task_of_units(units) else {
        return;
    };
    let stopping = model
        .train
        .as_ref()
        .and_then(|train| train.early_stop.as_ref());
    let stopping = stopping.and_then(|stop| stop.metric.map(|kind| (stop.id, kind)));
    let mut seen = Vec::new();
    for (id, kind) in model
        .metrics
        .iter()
        .map(|metric| (metric.id, metric.kind))
        .chain(stopping)
    {
        if seen.contains(&kind) {
            continue;
        }
        seen.push(kind);
        if kind.is_classification()
            && model.task.is_none()
            && let Some(loss) = model
                .loss
                .as_ref()
                .filter(|loss| loss.kind.facts().target == TargetKind::Number)
        {
            check.push(classes_by_distance(model, loss, (id, kind), units));
            return;
        }
        if kind.is_classification() == matches!(task, TaskKind::Regression) {
            let suits: Vec<String> = MetricKind::defaults(Some(&task))
                .iter()
                .map(|metric| format!("`{metric}`"))
                .collect();
            check.push(
                Finding::error(
                    id,
                    format!("`{}` does not measure the task `{task}`", kind.word()),
                )
                .help(format!("metrics that suit it: {}", suits.join(", "))),
            );
            continue;
        }
        match (kind, &task) {
            (MetricKind::TopK(k), TaskKind::Multiclass(classes)) => {
                check.count(&k, id, "`k` of `top_k`");
                if k.size()
                    .zip(classes.size())
                    .is_some_and(|(k, classes)| k > classes)
                {
                    check.push(Finding::error(
                        at(&k, id),
                        format!("`top_k({k})` of {classes} classes is always right"),
                    ));
                }
            }
            (MetricKind::Auroc, TaskKind::Multiclass(_) | TaskKind::Multilabel(_)) => {
                check.push(
                    Finding::error(
                        id,
                        format!("`auroc` is for two classes, the task is `{task}`"),
                    )
                    .help("metrics accuracy, f1"),
                );
            }
            _ => {}
        }
    }
}

/// A metric for classes under a loss of numbers, where no task says which of the two is meant.
fn classes_by_distance(
    model: &Model,
    loss: &Loss,
    (id, metric): (Id, MetricKind),
    units: Option<usize>,
) -> Finding {
    let (word, metric) = (loss.kind.word(), metric.word());
    let last = model.layers.last().and_then(|last| last.ops.last());
    let last = match last.map(|op| &op.kind) {
        Some(OpKind::Activation(activation)) => Some(activation.kind),
        _ => None,
    };
    let help = match (units, last) {
        (Some(1), Some(link)) if link.is_sigmoid() => {
            "loss binary_cross_entropy(from = probabilities)".to_owned()
        }
        (Some(1), Some(other)) => {
            format!("`loss binary_cross_entropy`, and remove `{}`", other.word())
        }
        (Some(1), None) => "loss binary_cross_entropy".to_owned(),
        (_, Some(link)) if link.is_softmax() => {
            "loss cross_entropy(from = probabilities)".to_owned()
        }
        (_, Some(other)) => format!("`loss cross_entropy`, and remove `{}`", other.word()),
        (_, None) => "loss cross_entropy".to_owned(),
    };
    let message = format!("`{word}` measures distances, and `{metric}` counts right classes");
    Finding::error(loss.id, message)
        .other(id, "classes are counted here")
        .help(help)
        .note("through a sigmoid or softmax the gradient of a distance vanishes where the answer is most wrong; for numbers `metrics mae`")
}

fn training(train: &Train, check: &mut Check<'_>) {
    let id = train.id;
    for (value, name) in [
        (&train.epochs, "`epochs`"),
        (&train.batch, "`batch`"),
        (&train.accumulate, "`accumulate`"),
    ] {
        if let Some(value) = value {
            check.count(value, id, name);
        }
    }
    if let Some(seed) = &train.seed {
        check.that(seed, id, "`seed`", "a whole number from 0", |x| {
            x >= 0.0 && x.fract() == 0.0
        });
    }
    train.each_argument(&mut |setting, argument, value, id| {
        check.arguments(setting.word(), id)(argument, value);
    });
    if let Some(optimizer) = &train.optimizer {
        let id = optimizer.id;
        if let Some(decay) = &optimizer.weight_decay {
            check.not_negative(decay, id, "`weight_decay`");
        }
        optimizer
            .kind
            .each_value(&mut check.arguments(optimizer.kind.word(), id));
    }
    if let Some(schedule) = &train.schedule {
        let id = schedule.id;
        if let Some(warmup) = &schedule.warmup {
            check.that(warmup, id, "`warmup`", "a share in 0..1", |x| x >= 0.0);
        }
        schedule
            .kind
            .each_value(&mut check.arguments(schedule.kind.word(), id));
    }
}

/// `swa`: its first epoch, and that nothing else averages.
fn averages(train: &Train, check: &mut Check<'_>) {
    let id = train.id;
    let Some(from) = &train.swa else { return };
    let epochs = train
        .epochs
        .map_or(Some(DEFAULT_EPOCHS), |value| value.size());
    if let (Some(first), Some(epochs)) = (from.size(), epochs)
        && first > epochs
        && epochs > 0
    {
        // SWA's paper spends the last quarter of the epochs on the average.
        let help = format!("swa({})", (epochs * 3 / 4).max(1));
        check.push(
            Finding::error(
                at(from, id),
                format!("`swa` begins with epoch {first}, the training has {epochs}"),
            )
            .help(help),
        );
    }
    if let Some(decay) = &train.ema {
        check.push(
            Finding::error(
                at(from, id),
                "`swa` and `ema` both say which average the model is",
            )
            .other(at(decay, id), "`ema` is here")
            .help("keep one of them"),
        );
    }
}

/// `mixup` and `cutmix`: their parameter, the loss, and what they mix.
fn mixing(model: &Model, train: &Train, rank: Option<usize>, check: &mut Check<'_>) {
    for (word, alpha) in [("mixup", &train.mixup), ("cutmix", &train.cutmix)] {
        let Some(alpha) = alpha else { continue };
        let id = at(alpha, train.id);
        if let Some(loss) = &model.loss
            && !loss.kind.facts().mixes
        {
            let message = format!(
                "`{word}` mixes targets, and `{}` is not defined for a mix of targets",
                loss.kind.word()
            );
            check.push(
                Finding::error(id, message)
                    .other(loss.id, "the loss is here")
                    .note(
                        "the loss of a mixed target must be the mix of the losses: `cross_entropy`, \
                         `binary_cross_entropy`, `kl_div`, `mse` and `poisson` are such (arXiv 1710.09412)",
                    )
                    .help(format!("remove `{word}`")),
            );
        }
        if let Some(tokens) = model
            .inputs
            .iter()
            .find(|input| matches!(input.kind, InputKind::Int { .. }))
        {
            let message = format!(
                "`{word}` mixes numbers, the input `{}` holds class indices",
                tokens.name
            );
            check.push(Finding::error(id, message).other(tokens.id, "the input is here"));
        } else if word == "cutmix" {
            if let Some(other) = model.inputs.iter().find(|input| input.shape.len() < 3) {
                check.push(
                    Finding::error(
                        id,
                        format!(
                            "`cutmix` wants images `[channels, height, width]`, the input `{}` is {}",
                            other.name,
                            shape_of(other)
                        ),
                    )
                    .other(other.id, "the input is here")
                    .help("mixup(0.2)"),
                );
            } else if rank.is_some_and(|rank| rank > 1) {
                check.push(
                    Finding::error(
                        id,
                        "`cutmix` wants one target for an image, this model has one for each position",
                    )
                    .help("mixup(0.2)"),
                );
            }
        }
    }
}

/// Whether a rule acts on the stored tensor and not on the weight that is computed from it.
fn misses(rule: &WeightRule, computing: &RuleKind) -> bool {
    match &rule.kind {
        RuleKind::MaxNorm { .. } | RuleKind::UnitNorm | RuleKind::Orthogonal { .. } => true,
        // Divided by its largest singular value, which is above 0, the weight keeps its signs.
        RuleKind::NonNegative => matches!(computing, RuleKind::WeightNorm),
        // `on all` reaches what is not computed as well: the lengths, the biases.
        RuleKind::Decay { .. } | RuleKind::Penalty { .. } => rule.on != Reach::All,
        RuleKind::DropConnect { .. }
        | RuleKind::WeightNorm
        | RuleKind::SpectralNorm
        | RuleKind::Freeze => false,
    }
}

fn missed(rule: &WeightRule, computing: &WeightRule, op: Id, check: &mut Check<'_>) {
    let (word, by) = (rule.kind.word(), computing.kind.word());
    let message = format!("`{word}` does not reach the weight that `{by}` computes");
    let at = if rule.id.is_none() { op } else { rule.id };
    let is_decay = matches!(rule.kind, RuleKind::Decay { .. } | RuleKind::Penalty { .. });
    let help = if is_decay && matches!(computing.kind, RuleKind::WeightNorm) {
        format!("`{rule} on all`, which reaches the lengths, or remove one of them")
    } else {
        "remove one of them".to_owned()
    };
    check.push(
        Finding::error(at, message)
            .other(computing.id, "the weight is computed here")
            .help(help)
            .note(
                "it acts on the stored tensor, whose length does not change what the layer computes \
                 (arXiv 1706.05350)",
            ),
    );
}

fn shape_of(input: &Input) -> Shape {
    Shape(input.shape.iter().map(Value::size).collect())
}

/// `augment`: sizes and rates, and whether there is an image.
fn augment(model: &Model, train: &Train, check: &mut Check<'_>) {
    let Some(augment) = &train.augment else {
        return;
    };
    let id = augment.id;
    let is_image =
        |input: &&Input| input.shape.len() == 3 && matches!(input.kind, InputKind::Float);
    let mut images = model.inputs.iter().filter(is_image).peekable();
    if images.peek().is_none()
        && let Some(input) = model.inputs.first()
    {
        check.push(
            Finding::error(
                id,
                format!(
                    "`augment` wants an image `[channels, height, width]`, the input `{}` is {}",
                    input.name,
                    shape_of(input)
                ),
            )
            .other(input.id, "the input is here")
            .help("remove `augment`"),
        );
    }
    for input in images {
        let shape = shape_of(input);
        let Some(side) = shape.0.iter().skip(1).copied().min().flatten() else {
            continue;
        };
        for (name, value) in [("shift", &augment.shift), ("crop", &augment.crop)] {
            let Some(value) = value else { continue };
            if value.size().is_some_and(|pixels| pixels >= side) {
                check.push(
                    Finding::error(
                        at(value, id),
                        format!(
                            "`{name}` is {value} pixels, the image `{}` {shape} has {side}",
                            input.name
                        ),
                    )
                    .other(input.id, "the image is here")
                    .help(format!("{name} = {}", (side / 8).max(1))),
                );
            }
        }
    }
}
