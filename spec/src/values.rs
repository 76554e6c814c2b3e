//! The numbers that must lie in a range whatever the graph looks like. Sizes are checked by the shape walk,
//! rates and learning rates by lints.

use crate::infer::at;
use crate::walk::{Place, each_op};
use crate::{
    ActivationKind, Finding, Id, LossKind, MetricKind, Model, OpKind, OptimizerKind, RuleKind,
    ScheduleKind, Stochastic, TaskKind, Train, Value,
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
        if let Some(number) = value.known.filter(|number| !holds(*number)) {
            let message = format!("{what} is {}, it must be {wanted}", Value::known(number));
            self.push(Finding::error(at(value, or), message));
        }
    }

    fn not_negative(&mut self, value: &Value, or: Id, what: &str) {
        self.that(value, or, what, "a number from 0", |x| {
            x >= 0.0 && x.is_finite()
        });
    }

    fn positive(&mut self, value: &Value, or: Id, what: &str) {
        self.that(value, or, what, "a number above 0", |x| {
            x > 0.0 && x.is_finite()
        });
    }

    fn share(&mut self, value: &Value, or: Id, what: &str) {
        self.that(value, or, what, "in 0..=1", |x| (0.0..=1.0).contains(&x));
    }

    fn below_one(&mut self, value: &Value, or: Id, what: &str) {
        self.that(value, or, what, "in 0..1", |x| (0.0..1.0).contains(&x));
    }

    fn count(&mut self, value: &Value, or: Id, what: &str) {
        if value.known.is_some() && value.size().is_none_or(|size| size == 0) {
            self.that(value, or, what, "a whole number from 1", |_| false);
        }
    }
}

pub(crate) fn check(model: &Model, units: Option<usize>, findings: &mut Vec<Finding>) {
    let mut check = Check {
        findings,
        place: String::new(),
    };
    hyper(model, &mut check);
    each_op(&model.layers, &mut |place: &Place<'_>, op| {
        check.place = place.to_string();
        kind(&op.kind, op.id, &mut check);
        for rule in &op.rules {
            rule_kind(&rule.kind, rule.id, &mut check);
        }
    });
    check.inside("the loss");
    loss(model, &mut check);
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
            check.push(Finding::error(
                at(&hyper.value, model.id),
                format!(
                    "`{}` is {}, its domain is {}{range}{}",
                    hyper.name,
                    hyper.value,
                    show(domain.low),
                    show(domain.high)
                ),
            ));
        }
    }
}

fn kind(kind: &OpKind, id: Id, check: &mut Check<'_>) {
    match kind {
        OpKind::BatchNorm { epsilon, momentum } => {
            check.positive(epsilon, id, "`epsilon` of `batch_norm`");
            check.share(momentum, id, "`momentum` of `batch_norm`");
        }
        OpKind::LayerNorm { epsilon } => check.positive(epsilon, id, "`epsilon` of `layer_norm`"),
        OpKind::Stochastic(Stochastic::Noise { std }) => {
            check.not_negative(std, id, "the standard deviation of `noise`");
        }
        OpKind::Activity { l1, l2 } => {
            check.not_negative(l1, id, "`l1` of `activity`");
            check.not_negative(l2, id, "`l2` of `activity`");
        }
        OpKind::Activation(activation) => {
            let word = activation.kind.word();
            for ((name, _), value) in activation
                .kind
                .arguments()
                .iter()
                .zip(&activation.arguments)
            {
                let what = format!("`{name}` of `{word}`");
                let positive = matches!(
                    (activation.kind, *name),
                    (ActivationKind::Softplus, "beta") | (ActivationKind::Celu, "alpha")
                );
                if positive {
                    check.positive(value, id, &what);
                } else if *name == "lambda" {
                    check.not_negative(value, id, &what);
                } else {
                    check.that(value, id, &what, "finite", f64::is_finite);
                }
            }
            if let (ActivationKind::Hardtanh | ActivationKind::Rrelu, [low, high]) =
                (activation.kind, activation.arguments.as_slice())
                && low
                    .known
                    .zip(high.known)
                    .is_some_and(|(low, high)| low > high)
            {
                let message = format!(
                    "`{word}` goes from {low} to {high}: the first must not be above the second"
                );
                check.push(Finding::error(at(low, id), message));
            }
        }
        OpKind::Linear { .. }
        | OpKind::Swiglu { .. }
        | OpKind::Custom { .. }
        | OpKind::Model { .. }
        | OpKind::Stochastic(_)
        | OpKind::Residual { .. }
        | OpKind::Repeat { .. } => {}
        _ => {}
    }
}

fn rule_kind(kind: &RuleKind, id: Id, check: &mut Check<'_>) {
    let word = kind.word();
    match kind {
        RuleKind::Decay { l1, l2 } | RuleKind::Penalty { l1, l2 } => {
            for (name, value) in [("l1", l1), ("l2", l2)] {
                if let Some(value) = value {
                    check.not_negative(value, id, &format!("`{name}` of `{word}`"));
                }
            }
        }
        RuleKind::MaxNorm { limit } => check.positive(limit, id, "the limit of `max_norm`"),
        RuleKind::Orthogonal { strength } => {
            check.not_negative(strength, id, "the strength of `orthogonal`");
        }
        RuleKind::DropConnect { .. }
        | RuleKind::UnitNorm
        | RuleKind::WeightNorm
        | RuleKind::SpectralNorm
        | RuleKind::NonNegative
        | RuleKind::Freeze => {}
    }
}

fn loss(model: &Model, check: &mut Check<'_>) {
    let Some(loss) = &model.loss else { return };
    match &loss.kind {
        LossKind::Huber { delta } => check.positive(delta, loss.id, "`delta` of `huber`"),
        LossKind::SmoothL1 { beta } => check.positive(beta, loss.id, "`beta` of `smooth_l1`"),
        LossKind::Dice { smooth, .. } => check.not_negative(smooth, loss.id, "`smooth` of `dice`"),
        _ => {}
    }
    if let Some(target) = &loss.target
        && matches!(
            loss.kind,
            LossKind::CrossEntropy { .. }
                | LossKind::BinaryCrossEntropy { .. }
                | LossKind::Dice { .. }
                | LossKind::KlDiv { .. }
        )
    {
        let message = format!(
            "the targets of `{}` are classes, a range says nothing about them",
            loss.kind.word()
        );
        check.push(Finding::error(target.id, message).help("remove `target in [..]`"));
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
    let Some(task) = model.task_of(units) else {
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
        if kind.is_classification() == matches!(task, TaskKind::Regression) {
            let suits: Vec<String> = Model::default_metrics(Some(&task))
                .iter()
                .map(|metric| format!("`{metric}`"))
                .collect();
            check.push(
                Finding::error(
                    id,
                    format!("`{}` says nothing about the task `{task}`", kind.word()),
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
    for (value, name) in [
        (&train.clip_norm, "`norm` of `clip`"),
        (&train.clip_value, "`value` of `clip`"),
    ] {
        if let Some(value) = value {
            check.positive(value, id, name);
        }
    }
    if let Some(stop) = &train.early_stop {
        check.count(&stop.patience, stop.id, "`patience` of `early_stop`");
        check.not_negative(&stop.min_delta, stop.id, "`min_delta` of `early_stop`");
    }
    if let Some(optimizer) = &train.optimizer {
        let id = optimizer.id;
        if let Some(decay) = &optimizer.weight_decay {
            check.not_negative(decay, id, "`weight_decay`");
        }
        match &optimizer.kind {
            OptimizerKind::Sgd {
                momentum,
                dampening,
                ..
            } => {
                check.below_one(momentum, id, "`momentum` of `sgd`");
                check.share(dampening, id, "`dampening` of `sgd`");
            }
            OptimizerKind::Adam { beta1, beta2, .. }
            | OptimizerKind::Adamw { beta1, beta2, .. }
            | OptimizerKind::Lion { beta1, beta2 } => {
                let word = optimizer.kind.word();
                check.below_one(beta1, id, &format!("`beta1` of `{word}`"));
                check.below_one(beta2, id, &format!("`beta2` of `{word}`"));
            }
            OptimizerKind::RmsProp {
                alpha, momentum, ..
            } => {
                check.below_one(alpha, id, "`alpha` of `rmsprop`");
                check.below_one(momentum, id, "`momentum` of `rmsprop`");
            }
            OptimizerKind::Adagrad { lr_decay, .. } => {
                check.not_negative(lr_decay, id, "`lr_decay` of `adagrad`");
            }
        }
    }
    if let Some(schedule) = &train.schedule {
        let id = schedule.id;
        if let Some(warmup) = &schedule.warmup {
            check.that(warmup, id, "`warmup`", "a share in 0..1", |x| x >= 0.0);
        }
        match &schedule.kind {
            ScheduleKind::Constant => {}
            ScheduleKind::Cosine { end } | ScheduleKind::Linear { end } => {
                check.share(end, id, &format!("`end` of `{}`", schedule.kind.word()));
            }
            ScheduleKind::Step { every, factor } => {
                check.count(every, id, "`every` of `step`");
                check.positive(factor, id, "`factor` of `step`");
            }
            ScheduleKind::Exponential { factor } => {
                check.positive(factor, id, "`factor` of `exponential`");
            }
            ScheduleKind::OneCycle {
                rise,
                divide,
                final_divide,
            } => {
                check.below_one(rise, id, "`rise` of `one_cycle`");
                check.positive(divide, id, "`divide` of `one_cycle`");
                check.positive(final_divide, id, "`final_divide` of `one_cycle`");
            }
        }
    }
}
