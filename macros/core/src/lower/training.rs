//! `loss`, `task`, `metrics` and `train`.

use super::arguments::{self, Arguments, known, metric};
use super::{Cx, unknown_word};
use crate::ast::{self, Call, Expr, Section};
use crate::words::{self, Fallback, Kind, Read};
use crate::{evaluate, parse};
use damper_ir::{
    Backend, Form, Loss, LossKind, Metric, Optimizer, OptimizerKind, Schedule, ScheduleKind,
    Setting, TargetRange, Task, TaskKind, Train,
};
use std::collections::BTreeMap;

pub(super) fn loss(cx: &mut Cx, section: &Section<ast::Loss>) -> Option<Loss> {
    let call = section.content.call.as_ref()?;
    let word = known(cx, "loss", damper_ir::loss::WORDS, call)?;
    let levels = cx.levels(&section.attrs.levels);
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    let kind = LossKind::read(&arguments)?;
    if matches!(kind, LossKind::Custom { .. }) {
        cx.loss_path = arguments.rust("path");
    }
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
    let word = known(cx, "task", damper_ir::task::WORDS, call)?;
    let levels = cx.levels(&section.attrs.levels);
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, call, word);
    let kind = TaskKind::read(&arguments)?;
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
                    format!("the metric `{}` is written twice", call.word),
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

pub(super) fn train(cx: &mut Cx, section: &Section<Vec<ast::Setting>>) -> Train {
    let levels = cx.levels(&section.attrs.levels);
    let id = cx.id((section.word.span(), section.word.span()));
    let mut train = Train {
        id,
        levels,
        ..Train::default()
    };
    let mut seen: BTreeMap<&'static str, &ast::Setting> = BTreeMap::new();
    for written in &section.content {
        let name = written.name.to_string();
        let Some(setting) = Setting::from_word(&name) else {
            unknown_setting(cx, written);
            continue;
        };
        if let Some(first) = seen.get(setting.word()) {
            cx.diagnostics
                .error(
                    &written.name,
                    format!("the setting `{name}` is written twice"),
                )
                .other(first.name.span(), "the first one is")
                .help("keep one of them");
            continue;
        }
        seen.insert(setting.word(), written);
        apply(cx, &mut train, written, setting);
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
        "loss" => Some("it is a section beside `train`: `loss mse`"),
        "metrics" => Some("it is a section beside `train`: `metrics accuracy`"),
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
    let candidates: Vec<&'static str> = Setting::all().map(|setting| setting.word()).collect();
    unknown_word(cx, "setting", &setting.name, &candidates);
}

fn apply(cx: &mut Cx, train: &mut Train, written: &ast::Setting, setting: Setting) {
    let (name, form) = (setting.word(), setting.form());
    let example = format!("`{}`", setting.example());
    if form == Form::Call {
        if let Some(value) = &written.value {
            let at = (written.name.span(), value.ends.1);
            cx.diagnostics
                .error(at, format!("`{name}` has its values in parentheses"))
                .help(example);
            return;
        }
        let call = parse::setting_call(written);
        let Some(word) = words::find(damper_ir::train::WORDS, name) else {
            return;
        };
        let id = cx.id(call.ends());
        let arguments = arguments::read(cx, &call, word);
        nothing_set(cx, &call, &arguments, &example);
        train.read(setting, id, &arguments);
        return;
    }
    let Some(value) = &written.value else {
        let last = written
            .args
            .as_ref()
            .map_or(written.name.span(), |args| args.close);
        cx.diagnostics
            .error(
                (written.name.span(), last),
                format!("`{name}` has its value after `:`"),
            )
            .help(example);
        return;
    };
    match form {
        Form::Optimizer => train.optimizer = optimizer(cx, value, &example),
        Form::Schedule => train.schedule = schedule(cx, value, &example),
        Form::Backend => {
            let name = value.text();
            train.backend = Backend::from_word(&name);
            if train.backend.is_none() {
                let suggestion = damper_ir::suggest(&name, Backend::WORDS.iter().copied());
                let ending = suggestion.map_or(String::new(), |s| format!(": did you mean `{s}`?"));
                cx.diagnostics
                    .error(value.ends, format!("unknown backend `{name}`{ending}"))
                    .help(format!("available are {}", words::list(Backend::WORDS)));
            }
        }
        Form::Value(kind) => {
            let what = format!("`{name}`");
            let number = arguments::value(cx, value, kind, &what, Some(&example));
            train.set(setting, number);
        }
        Form::Call => {}
    }
}

/// A setting of which every argument may be left out, but not all of them.
fn nothing_set(cx: &mut Cx, call: &Call, arguments: &Arguments, example: &str) {
    let all = arguments.word().arguments;
    let is_any = all.is_empty()
        || all
            .iter()
            .any(|one| one.fallback != Fallback::Nothing || arguments.is_given(one.name));
    if arguments.fine && !is_any {
        let names: Vec<&str> = all.iter().map(|argument| argument.name).collect();
        let names = words::list(&names).replace(" and ", " or ");
        cx.diagnostics
            .error(call.ends(), format!("`{}` needs {names}", call.word))
            .help(example);
    }
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
    let word = known(cx, "optimizer", damper_ir::train::optimizer::WORDS, &call)?;
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, &call, word);
    let kind = OptimizerKind::read(&arguments)?;
    let weight_decay = arguments.optional("weight_decay");
    Some(Optimizer {
        id,
        kind,
        learning_rate: arguments.value("lr"),
        weight_decay,
    })
}

fn schedule(cx: &mut Cx, value: &Expr, example: &str) -> Option<Schedule> {
    let call = call_value(cx, value, "a schedule", example)?;
    let word = known(cx, "schedule", damper_ir::train::schedule::WORDS, &call)?;
    let id = cx.id(call.ends());
    let arguments = arguments::read(cx, &call, word);
    let kind = ScheduleKind::read(&arguments)?;
    Some(Schedule {
        id,
        kind,
        warmup: arguments.optional("warmup"),
    })
}
