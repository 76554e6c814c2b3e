//! `loss`, `task`, `metrics` and `train`.

use super::arguments::{self, Arguments};
use super::{Cx, unknown_word};
use crate::ast::{self, Call, Expr, Section};
use crate::words::{self, Form, Kind, Word};
use crate::{evaluate, parse};
use damper_ir::{
    Augment, Backend, EarlyStop, Loss, LossKind, Metric, MetricKind, Optimizer, OptimizerKind,
    Reads, Schedule, ScheduleKind, TargetRange, Task, TaskKind, Train,
};
use std::collections::BTreeMap;

/// The word of a table, or an error; arguments that nobody will read still count as used.
fn known(cx: &mut Cx, what: &str, table: &'static [Word], call: &Call) -> Option<&'static Word> {
    let found = words::find(table, &call.word.to_string());
    if found.is_none() {
        let candidates: Vec<&'static str> = words::names(table).collect();
        unknown_word(cx, what, &call.word, &candidates);
        for item in call.args.iter().flat_map(|args| &args.items) {
            evaluate::mark(&mut cx.hyper, &item.value.tokens);
        }
    }
    found
}

fn reads(arguments: &Arguments) -> Reads {
    match arguments.word("from") {
        Some("probabilities") => Reads::Probabilities,
        Some("log_probabilities") => Reads::LogProbabilities,
        _ => Reads::Logits,
    }
}

pub(super) fn loss(cx: &mut Cx, section: &Section<ast::Loss>) -> Option<Loss> {
    let call = section.content.call.as_ref()?;
    let word = known(cx, "loss", words::LOSSES, call)?;
    let levels = cx.levels(&section.attrs.levels);
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    let kind = match word.name {
        "cross_entropy" => LossKind::CrossEntropy {
            label_smoothing: arguments.optional("label_smoothing"),
            weights: arguments.values("weights"),
            from: reads(&arguments),
        },
        "binary_cross_entropy" => LossKind::BinaryCrossEntropy {
            label_smoothing: arguments.optional("label_smoothing"),
            weights: arguments.values("weights"),
            from: reads(&arguments),
        },
        "mse" => LossKind::Mse,
        "mae" => LossKind::Mae,
        "mape" => LossKind::Mape,
        "huber" => LossKind::Huber {
            delta: arguments.value("delta"),
        },
        "smooth_l1" => LossKind::SmoothL1 {
            beta: arguments.value("beta"),
        },
        "log_cosh" => LossKind::LogCosh,
        "dice" => LossKind::Dice {
            smooth: arguments.value("smooth"),
            from: reads(&arguments),
        },
        "kl_div" => LossKind::KlDiv {
            from: reads(&arguments),
        },
        "poisson" => LossKind::Poisson,
        "gaussian_nll" => LossKind::GaussianNll,
        _ => {
            cx.loss_path = arguments.rust("path");
            let path = cx.loss_path.as_ref().map(ast::text).unwrap_or_default();
            LossKind::Custom { path }
        }
    };
    let target = section.content.target.as_ref().and_then(|target| {
        let id = cx.id(target.ends);
        let what = "the range of the target";
        let [low, high] = target.bounds.as_slice() else {
            cx.diagnostics
                .error(
                    target.ends,
                    format!("{what} has two bounds, found {}", target.bounds.len()),
                )
                .help("`target in [-1, 1]`");
            return None;
        };
        let help = Some("`target in [-1, 1]`");
        let low = arguments::value(cx, low, Kind::Float, what, help);
        let high = arguments::value(cx, high, Kind::Float, what, help);
        if let (Some(a), Some(b)) = (low.known, high.known)
            && a >= b
        {
            let message = format!("the range of the target is empty: {a} is not below {b}");
            cx.diagnostics
                .error(target.ends, message)
                .help("`target in [-1, 1]`");
        }
        Some(TargetRange { id, low, high })
    });
    Some(Loss {
        id,
        kind,
        target,
        levels,
    })
}

pub(super) fn task(cx: &mut Cx, section: &Section<Option<Call>>) -> Option<Task> {
    let call = section.content.as_ref()?;
    let word = known(cx, "task", words::TASKS, call)?;
    let levels = cx.levels(&section.attrs.levels);
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    let kind = match word.name {
        "binary" => TaskKind::Binary,
        "multiclass" => TaskKind::Multiclass(arguments.value("classes")),
        "multilabel" => TaskKind::Multilabel(arguments.value("labels")),
        _ => TaskKind::Regression,
    };
    Some(Task { id, kind, levels })
}

pub(super) fn metrics(cx: &mut Cx, section: &Section<Vec<Call>>) -> Vec<Metric> {
    let mut all: Vec<(Metric, &Call)> = Vec::new();
    for call in &section.content {
        let Some(kind) = metric(cx, call) else {
            continue;
        };
        if let Some((_, first)) = all.iter().find(|(first, _)| first.kind == kind) {
            cx.diagnostics
                .error(
                    call.ends(),
                    format!("the metric `{}` stands twice", call.word),
                )
                .other(first.word.span(), "the first one is")
                .help("keep one of them");
            continue;
        }
        let id = cx.id(call.ends());
        all.push((Metric { id, kind }, call));
    }
    all.into_iter().map(|(metric, _)| metric).collect()
}

pub(super) fn metric(cx: &mut Cx, call: &Call) -> Option<MetricKind> {
    let word = known(cx, "metric", words::METRICS, call)?;
    let arguments = arguments::read(cx, call, word);
    Some(match word.name {
        "accuracy" => MetricKind::Accuracy,
        "top_k" => MetricKind::TopK(arguments.value("k")),
        "precision" => MetricKind::Precision,
        "recall" => MetricKind::Recall,
        "f1" => MetricKind::F1,
        "auroc" => MetricKind::Auroc,
        "mse" => MetricKind::Mse,
        "rmse" => MetricKind::Rmse,
        "mae" => MetricKind::Mae,
        "mape" => MetricKind::Mape,
        _ => MetricKind::R2,
    })
}

pub(super) fn train(cx: &mut Cx, section: &Section<Vec<ast::Setting>>) -> Train {
    let levels = cx.levels(&section.attrs.levels);
    let id = cx.id((section.word.span(), section.word.span()));
    let mut train = Train {
        id,
        levels,
        ..Train::default()
    };
    let mut seen: BTreeMap<&'static str, &ast::Setting> = BTreeMap::new();
    for setting in &section.content {
        let name = setting.name.to_string();
        let Some(entry) = words::SETTINGS.iter().find(|entry| entry.name == name) else {
            unknown_setting(cx, setting);
            continue;
        };
        if let Some(first) = seen.insert(entry.name, setting) {
            cx.diagnostics
                .error(&setting.name, format!("the setting `{name}` stands twice"))
                .other(first.name.span(), "the first one is")
                .help("keep one of them");
            seen.insert(entry.name, first);
            continue;
        }
        apply(cx, &mut train, setting, entry);
    }
    train
}

fn unknown_setting(cx: &mut Cx, setting: &ast::Setting) {
    let name = setting.name.to_string();
    for tokens in setting.value.iter().map(|value| &value.tokens) {
        evaluate::mark(&mut cx.hyper, tokens);
    }
    let elsewhere = match name.as_str() {
        "lr" | "learning_rate" => {
            Some("it belongs to the optimizer: `optimizer: adamw(lr = 1e-3)`")
        }
        "weight_decay" => Some(
            "it belongs to the optimizer, `optimizer: adamw(weight_decay = 0.01)`, or to layers: `with decay(l2 = 0.01)`",
        ),
        "label_smoothing" => {
            Some("it belongs to the loss: `loss cross_entropy(label_smoothing = 0.05)`")
        }
        "warmup" => Some("it belongs to the schedule: `schedule: cosine(warmup = 0.05)`"),
        _ => None,
    };
    if let Some(help) = elsewhere {
        cx.diagnostics
            .error(
                &setting.name,
                format!("`{name}` is not a setting of `train`"),
            )
            .help(help);
        return;
    }
    let candidates: Vec<&'static str> = words::SETTINGS.iter().map(|entry| entry.name).collect();
    unknown_word(cx, "setting", &setting.name, &candidates);
}

fn apply(cx: &mut Cx, train: &mut Train, setting: &ast::Setting, entry: &words::Setting) {
    let example = format!("`{}`", entry.example);
    if entry.form == Form::Call {
        if let Some(value) = &setting.value {
            let at = (setting.name.span(), value.ends.1);
            cx.diagnostics
                .error(
                    at,
                    format!("`{}` has its values in parentheses", entry.name),
                )
                .help(example);
            return;
        }
        let call = parse::setting_call(setting);
        match (entry.name, words::find(words::REGULARISERS, entry.name)) {
            (_, Some(word)) => regulariser(cx, train, &call, word),
            ("clip", _) => clip(cx, train, &call, &example),
            ("augment", _) => augment(cx, train, &call, &example),
            _ => early_stop(cx, train, &call),
        }
        return;
    }
    let Some(value) = &setting.value else {
        let last = setting
            .args
            .as_ref()
            .map_or(setting.name.span(), |args| args.close);
        cx.diagnostics
            .error(
                (setting.name.span(), last),
                format!("`{}` has its value behind `:`", entry.name),
            )
            .help(example);
        return;
    };
    match entry.form {
        Form::Optimizer => train.optimizer = optimizer(cx, value, &example),
        Form::Schedule => train.schedule = schedule(cx, value, &example),
        Form::Value(Kind::Word(backends)) => {
            let name = value.text();
            train.backend = match name.as_str() {
                "flex" => Some(Backend::Flex),
                "ndarray" => Some(Backend::Ndarray),
                "wgpu" => Some(Backend::Wgpu),
                _ => {
                    let suggestion = damper_ir::suggest(&name, backends.iter().copied());
                    let ending =
                        suggestion.map_or(String::new(), |s| format!(": did you mean `{s}`?"));
                    cx.diagnostics
                        .error(value.ends, format!("unknown backend `{name}`{ending}"))
                        .help(format!("available are {}", words::list(backends)));
                    None
                }
            };
        }
        Form::Value(kind) => {
            let what = format!("`{}`", entry.name);
            let number = Some(arguments::value(cx, value, kind, &what, Some(&example)));
            match entry.name {
                "epochs" => train.epochs = number,
                "batch" => train.batch = number,
                "drop_last" => train.drop_last = number,
                "seed" => train.seed = number,
                _ => train.accumulate = number,
            }
        }
        Form::Call => {}
    }
}

fn clip(cx: &mut Cx, train: &mut Train, call: &Call, example: &str) {
    let arguments = arguments::read(cx, call, &words::CLIP);
    train.clip_norm = arguments.optional("norm");
    train.clip_value = arguments.optional("value");
    if arguments.fine && train.clip_norm.is_none() && train.clip_value.is_none() {
        cx.diagnostics
            .error(call.ends(), "`clip` needs `norm` or `value`")
            .help(example);
    }
}

/// `mixup(0.2)` and its like: one number.
fn regulariser(cx: &mut Cx, train: &mut Train, call: &Call, word: &'static Word) {
    let arguments = arguments::read(cx, call, word);
    let number = word
        .arguments
        .first()
        .and_then(|argument| arguments.optional(argument.name));
    match word.name {
        "mixup" => train.mixup = number,
        "cutmix" => train.cutmix = number,
        "ema" => train.ema = number,
        "swa" => train.swa = number,
        _ => train.layer_decay = number,
    }
}

fn augment(cx: &mut Cx, train: &mut Train, call: &Call, example: &str) {
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, &words::AUGMENT);
    let of = |name| arguments.optional(name);
    let augment = Augment {
        id,
        shift: of("shift"),
        flip: of("flip"),
        crop: of("crop"),
        erase: of("erase"),
    };
    let nothing = Augment {
        id,
        ..Augment::default()
    };
    if arguments.fine && augment == nothing {
        cx.diagnostics
            .error(
                call.ends(),
                "`augment` needs `shift`, `flip`, `crop` or `erase`",
            )
            .help(example);
    }
    train.augment = Some(augment);
}

fn early_stop(cx: &mut Cx, train: &mut Train, call: &Call) {
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, &words::EARLY_STOP);
    train.early_stop = Some(EarlyStop {
        id,
        patience: arguments.value("patience"),
        metric: arguments.metric("metric"),
        min_delta: arguments.value("min_delta"),
    });
}

fn call_value(cx: &mut Cx, value: &Expr, what: &str, example: &str) -> Option<Call> {
    let call = parse::call_of(cx.diagnostics, value);
    if call.is_none() {
        cx.diagnostics
            .error(
                value.ends,
                format!("expected {what}, found `{}`", value.text()),
            )
            .help(example);
    }
    call
}

fn optimizer(cx: &mut Cx, value: &Expr, example: &str) -> Option<Optimizer> {
    let call = call_value(cx, value, "an optimizer", example)?;
    let word = known(cx, "optimizer", words::OPTIMIZERS, &call)?;
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, &call, word);
    let of = |name| arguments.value(name);
    let kind = match word.name {
        "sgd" => OptimizerKind::Sgd {
            momentum: of("momentum"),
            dampening: of("dampening"),
            nesterov: of("nesterov"),
        },
        "adam" => OptimizerKind::Adam {
            beta1: of("beta1"),
            beta2: of("beta2"),
            epsilon: of("epsilon"),
            amsgrad: of("amsgrad"),
        },
        "adamw" => OptimizerKind::Adamw {
            beta1: of("beta1"),
            beta2: of("beta2"),
            epsilon: of("epsilon"),
            amsgrad: of("amsgrad"),
        },
        "rmsprop" => OptimizerKind::RmsProp {
            alpha: of("alpha"),
            momentum: of("momentum"),
            epsilon: of("epsilon"),
            centered: of("centered"),
        },
        "adagrad" => OptimizerKind::Adagrad {
            lr_decay: of("lr_decay"),
            epsilon: of("epsilon"),
        },
        _ => OptimizerKind::Lion {
            beta1: of("beta1"),
            beta2: of("beta2"),
        },
    };
    let weight_decay = arguments.optional("weight_decay");
    Some(Optimizer {
        id,
        kind,
        learning_rate: of("lr"),
        weight_decay,
    })
}

fn schedule(cx: &mut Cx, value: &Expr, example: &str) -> Option<Schedule> {
    let call = call_value(cx, value, "a schedule", example)?;
    let word = known(cx, "schedule", words::SCHEDULES, &call)?;
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, &call, word);
    let of = |name| arguments.value(name);
    let kind = match word.name {
        "constant" => ScheduleKind::Constant,
        "cosine" => ScheduleKind::Cosine { end: of("end") },
        "linear" => ScheduleKind::Linear { end: of("end") },
        "step" => ScheduleKind::Step {
            every: of("every"),
            factor: of("factor"),
        },
        "exponential" => ScheduleKind::Exponential {
            factor: of("factor"),
        },
        _ => ScheduleKind::OneCycle {
            rise: of("rise"),
            divide: of("divide"),
            final_divide: of("final_divide"),
        },
    };
    Some(Schedule {
        id,
        kind,
        warmup: arguments.optional("warmup"),
    })
}
