//! The changes that a program makes to the `train` section of a model.

use super::augment::Augment;
use super::error::TrainError;
use crate::Spec;
use damper_ir::{EarlyStop, Id, MetricKind, Optimizer, Schedule, Setting, Train, Value};
use std::fmt;
use std::sync::Arc;

/// The largest integer in a description, which stores numbers as `f64`.
const MOST: usize = 1 << 53;

/// The changes of the `train` section in the order of the calls. Later ones override earlier ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    edits: Vec<Edit>,
    /// Kept apart because a description cannot hold every seed exactly.
    pub(super) seed: Option<u64>,
}

type Change = dyn Fn(&mut Train) -> Result<(), TrainError> + Send + Sync;

/// One change.
#[derive(Clone)]
struct Edit {
    name: &'static str,
    change: Arc<Change>,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Changes {
    fn edit(
        &mut self,
        name: &'static str,
        change: impl Fn(&mut Train) -> Result<(), TrainError> + Send + Sync + 'static,
    ) {
        self.edits.push(Edit {
            name,
            change: Arc::new(change),
        });
    }

    /// A setting that is one number.
    pub(super) fn set(&mut self, setting: Setting, value: impl Into<Value>) {
        let value = value.into();
        self.edit(setting.word(), move |train| {
            train.set(setting, value);
            Ok(())
        });
    }

    /// A setting that is an integer of at least 1.
    pub(super) fn count(&mut self, setting: Setting, number: usize, reason: &'static str) {
        self.edit(setting.word(), move |train| {
            train.set(setting, count(setting.word(), number, reason)?);
            Ok(())
        });
    }

    pub(super) fn swa(&mut self, from_epoch: usize) {
        self.edit("swa", move |train| {
            at_most("swa", from_epoch)?;
            train.set(Setting::Swa, from_epoch.into());
            Ok(())
        });
    }

    pub(super) fn optimizer(&mut self, optimizer: Optimizer) {
        self.edit("optimizer", move |train| {
            train.optimizer = Some(optimizer.clone());
            Ok(())
        });
    }

    pub(super) fn schedule(&mut self, schedule: Schedule) {
        self.edit("schedule", move |train| {
            train.schedule = Some(schedule.clone());
            Ok(())
        });
    }

    pub(super) fn learning_rate(&mut self, learning_rate: f64) {
        self.edit("lr", move |train| {
            let reason = "the learning rate must be positive";
            let value = positive("lr", learning_rate, reason)?;
            train.optimizer.get_or_insert_default().learning_rate = value;
            Ok(())
        });
    }

    pub(super) fn clip_norm(&mut self, limit: f64) {
        self.edit("clip", move |train| {
            let reason = "the largest norm must be positive";
            train.clip_norm = Some(positive("clip(norm)", limit, reason)?);
            Ok(())
        });
    }

    pub(super) fn clip_value(&mut self, limit: f64) {
        self.edit("clip", move |train| {
            let reason = "the largest absolute value must be positive";
            train.clip_value = Some(positive("clip(value)", limit, reason)?);
            Ok(())
        });
    }

    pub(super) fn patience(&mut self, patience: usize) {
        self.edit("early_stop", move |train| {
            let reason = "the patience must be at least one epoch";
            let patience = count("early_stop", patience, reason)?;
            early_stop(train).patience = patience;
            Ok(())
        });
    }

    pub(super) fn early_stop_metric(&mut self, metric: Option<MetricKind>) {
        self.edit("early_stop", move |train| {
            early_stop(train).metric = metric;
            Ok(())
        });
    }

    pub(super) fn min_delta(&mut self, min_delta: f64) {
        self.edit("early_stop", move |train| {
            early_stop(train).min_delta = min_delta.into();
            Ok(())
        });
    }

    pub(super) fn augment(&mut self, augment: Augment) {
        self.edit("augment", move |train| {
            // The description would ignore such a number. It checks all others itself.
            if augment.is_huge() {
                augment.check(None)?;
            }
            let settings = augment.settings();
            train.augment = Some(damper_ir::Augment {
                id: Id::NONE,
                shift: Some(settings.shift.into()),
                flip: Some(settings.flip.into()),
                crop: Some(settings.crop.into()),
                erase: Some(settings.erase.into()),
            });
            Ok(())
        });
    }

    pub(super) fn clear(&mut self, setting: Setting) {
        if setting == Setting::Seed {
            self.seed = None;
        }
        self.edit("without", move |train| {
            train.clear(setting);
            Ok(())
        });
    }

    /// Applies the changes to the description and checks it again, so that all rules hold.
    pub(super) fn apply(&self, spec: Spec) -> Result<Spec, TrainError> {
        if self.edits.is_empty() {
            return Ok(spec);
        }
        let mut model = spec.model().clone();
        let train = model.train.get_or_insert_default();
        for edit in &self.edits {
            (edit.change)(train)?;
        }
        Ok(Spec::check(model)?)
    }
}

fn early_stop(train: &mut Train) -> &mut EarlyStop {
    train.early_stop.get_or_insert_default()
}

/// An integer of at least 1.
fn count(name: &'static str, number: usize, reason: &str) -> Result<Value, TrainError> {
    if number == 0 {
        return Err(setting(
            name,
            "0",
            reason,
            "use a whole number of at least 1",
        ));
    }
    at_most(name, number)?;
    Ok(number.into())
}

fn at_most(name: &'static str, number: usize) -> Result<(), TrainError> {
    if number > MOST {
        return Err(setting(
            name,
            &number.to_string(),
            "the number is too large",
            &format!("use a whole number up to {MOST}"),
        ));
    }
    Ok(())
}

/// A finite number above 0.
fn positive(name: &'static str, number: f64, reason: &str) -> Result<Value, TrainError> {
    if number.is_finite() && number > 0.0 {
        return Ok(number.into());
    }
    Err(setting(
        name,
        &number.to_string(),
        reason,
        "use a finite number above 0, such as `1e-3`",
    ))
}

fn setting(name: &'static str, value: &str, reason: &str, help: &str) -> TrainError {
    TrainError::Setting {
        name,
        value: value.to_owned(),
        reason: reason.to_owned(),
        help: help.to_owned(),
    }
}
