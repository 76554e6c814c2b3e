//! The levels and thresholds that attributes and `Cargo.toml` ask for.

use super::context::{Cx, Pushed, default_level};
use crate::catalogue::names;
use crate::catalogue::{PREFIX, groups};
use crate::graph::{MODEL, Scope};
use crate::walk::each_statement;
use crate::{Finding, Id, LINTS, Level, Limit, Lint, LintLevel, Model, OpKind, SetBy, suggest};
use std::collections::HashSet;

impl LintLevel {
    /// The word of the group, if it names one.
    pub fn group(&self) -> Option<&str> {
        self.lint.strip_prefix(PREFIX)
    }

    /// The name as it was written: groups have no `damper::` in `Cargo.toml`.
    fn written(&self) -> &str {
        match &self.line {
            Some(_) => self.group().unwrap_or(&self.lint),
            None => &self.lint,
        }
    }

    fn set_by(&self) -> SetBy {
        let name = self.written().to_owned();
        match &self.line {
            Some(line) => SetBy::Manifest {
                line: line.clone(),
                name,
            },
            None => SetBy::Attribute { id: self.id, name },
        }
    }
}

/// The threshold up to which a finding is one level lower.
const LIGHT: &str = "light";

type Limits = [(&'static str, String)];

/// What these levels, on one thing, ask of a finding: the lint's own name before a group, then the later one.
///
/// Beside a threshold, a level is for what that threshold judges: a learning rate of 0 stays an error under
/// `#[warn(learning_rate_out_of_range, times = 20)]`.
fn wanted<'l>(levels: &'l [LintLevel], lint: &str, limits: &Limits) -> Option<&'l LintLevel> {
    let judges = |level: &LintLevel| {
        let mut set = level.thresholds.iter();
        level.thresholds.is_empty()
            || set.any(|set| limits.iter().any(|(name, _)| *name == set.name))
    };
    let own = levels
        .iter()
        .rev()
        .find(|level| level.lint == lint && judges(level));
    own.or_else(|| {
        let lint = Lint::find(lint)?;
        let reaches = |level: &&LintLevel| level.group().is_some_and(|group| lint.is_in(group));
        levels.iter().rev().find(reaches)
    })
}

/// The innermost answer: on the thing itself, then in the scopes around it.
fn innermost<'m, T>(
    own: &'m [LintLevel],
    scopes: &[Scope<'m>],
    scope: usize,
    answer: impl Fn(&'m [LintLevel]) -> Option<T>,
) -> Option<T> {
    let mut found = answer(own);
    let mut at = Some(scope);
    while let (None, Some(scope)) = (&found, at.and_then(|index| scopes.get(index))) {
        found = answer(scope.levels);
        at = scope.parent;
    }
    found
}

/// Whether these levels name the lint, or a group of it.
pub(super) fn name(levels: &[LintLevel], lint: &str) -> bool {
    wanted(levels, lint, &[]).is_some()
}

impl<'m> Cx<'m> {
    /// A threshold of a lint, as the innermost attribute sets it, else `Cargo.toml`, else the catalogue.
    pub(super) fn limit(
        &self,
        own: &'m [LintLevel],
        scope: usize,
        lint: &'static str,
        name: &'static str,
    ) -> InForce {
        let set = |levels: &'m [LintLevel]| {
            let levels = levels.iter().rev().filter(|level| level.lint == lint);
            let mut limits = levels.flat_map(|level| &level.thresholds);
            limits
                .find(|limit| limit.name == name)
                .map(|limit| limit.value)
        };
        let asked = self
            .thresholds
            .then(|| innermost(own, &self.scopes, scope, set))
            .flatten();
        let default = || Lint::find(lint).and_then(|lint| lint.threshold(name));
        let value = asked.or_else(|| default().map(|threshold| threshold.default));
        debug_assert!(value.is_some(), "`{lint}` has no threshold `{name}`");
        InForce {
            name,
            value: value.unwrap_or(f64::NAN),
        }
    }

    /// The finding at the level asked for; nothing if that is `allow`.
    pub(super) fn settle(
        &self,
        pushed: Pushed<'m>,
        met: &mut HashSet<(Id, String)>,
    ) -> Option<Finding> {
        let mut finding = pushed.finding;
        let lint = finding.lint?;
        let asked = |levels| wanted(levels, lint, &finding.limits);
        let forbids = |levels| asked(levels).filter(|level: &&LintLevel| level.forbid);
        let answer = |one: &dyn Fn(&'m [LintLevel]) -> Option<&'m LintLevel>| {
            innermost(pushed.own, &self.scopes, pushed.scope, one)
        };
        if let Some(level) = answer(&forbids).or_else(|| answer(&asked)) {
            if level.expect {
                met.insert((level.id, level.lint.clone()));
                return None;
            }
            let light = finding.level < default_level(lint)
                && level.thresholds.iter().any(|limit| limit.name == LIGHT);
            finding.level = match level.level {
                Level::Deny if light => Level::Warn,
                Level::Warn if light => Level::Allow,
                level => level,
            };
            finding.set_by = Some(level.set_by());
        }
        (finding.level != Level::Allow).then_some(finding)
    }

    /// What `#[expect(..)]` expected in vain. Its own level is that of the model.
    pub(super) fn unfulfilled(
        &mut self,
        levels: &[(&LintLevel, String)],
        met: &HashSet<(Id, String)>,
    ) {
        let silent = levels.iter().filter(|(level, _)| {
            level.expect
                && !met.contains(&(level.id, level.lint.clone()))
                && (level.group().is_some() || Lint::find(&level.lint).is_some())
        });
        for (level, place) in silent {
            self.at(
                &[],
                MODEL,
                place.clone(),
                level.id,
                names::unfulfilled_expectation,
                format!("`{}` was expected here and is silent", level.lint),
            )
            .and_help("remove the attribute")
.and_note("an expectation that does not hold hides the finding when it comes back for another reason");
        }
    }
}

/// A threshold in force.
#[derive(Clone, Copy)]
pub(super) struct InForce {
    pub(super) name: &'static str,
    pub(super) value: f64,
}

impl InForce {
    /// The number as a person would write it.
    pub(super) fn text(self) -> String {
        crate::Value::known(self.value).to_string()
    }
}

impl Finding {
    /// What it was judged by.
    pub(super) fn and_limit(&mut self, limit: impl Into<Option<InForce>>) -> &mut Self {
        self.limits
            .extend(limit.into().map(|limit| (limit.name, limit.text())));
        self
    }
}

/// Every lint attribute of the model, the levels of its crate, and the words for their places.
pub(super) fn all_levels(model: &Model) -> Vec<(&LintLevel, String)> {
    let mut all: Vec<(&LintLevel, String)> = Vec::new();
    let sections = [
        Some((&model.crate_levels, "Cargo.toml")),
        Some((&model.levels, "the model")),
        Some((&model.layer_levels, "the layers")),
        model.loss.as_ref().map(|loss| (&loss.levels, "the loss")),
        model.task.as_ref().map(|task| (&task.levels, "the task")),
        model
            .train
            .as_ref()
            .map(|train| (&train.levels, "the training")),
    ];
    for (levels, place) in sections.into_iter().flatten() {
        all.extend(levels.iter().map(|level| (level, place.to_owned())));
    }
    each_statement(&model.layers, &mut |place, statement| {
        let mut lists: Vec<&[LintLevel]> = vec![&statement.levels];
        for op in &statement.ops {
            lists.push(&op.levels);
            lists.extend(op.rules.iter().map(|rule| rule.levels.as_slice()));
            lists.extend(
                op.kind
                    .rates()
                    .into_iter()
                    .map(|(_, rate)| rate.levels.as_slice()),
            );
            if let OpKind::Residual {
                drop_path: Some(path),
                ..
            } = &op.kind
            {
                lists.push(&path.levels);
            }
        }
        all.extend(
            lists
                .into_iter()
                .flatten()
                .map(|level| (level, place.to_string())),
        );
    });
    all
}

/// What is wrong with a level itself: names that do not exist, lints that cannot be allowed.
pub(super) fn mistakes(model: &Model, level: &LintLevel, place: &str) -> Vec<Finding> {
    if let Some(forbids) = forbidden(model, level) {
        let name = level.written();
        let text = format!("`{name}` is forbidden here: no attribute lowers it");
        let finding =
            Finding::error(level.id, text).help("remove the attribute, or write `deny` there");
        return vec![match &forbids.line {
            Some(line) => finding.note(format!("`{} = \"forbid\"` in {line}", forbids.written())),
            None => finding.other(forbids.id, "this `forbid`"),
        }];
    }
    let mut found = match (level.group(), Lint::find(&level.lint)) {
        (Some(group), _) => of_group(level, group),
        (None, None) => vec![unknown(level)],
        (None, Some(lint)) if lint.is_fixed() && (level.level != Level::Deny || level.expect) => {
            let name = lint.name;
            vec![Finding::error(
                level.id,
                format!("`{name}` cannot be allowed: such a model cannot be built"),
            )]
        }
        (None, Some(lint)) => of_thresholds(level, lint),
    };
    for finding in &mut found {
        place.clone_into(&mut finding.place);
        if let Some(line) = &level.line {
            // Nothing of it is written in the model.
            finding.at = model.id;
            finding.message.push_str(&format!(" ({line})"));
        }
    }
    found
}

/// What the model or its crate says against lowering this level inside.
fn forbidden<'m>(model: &'m Model, level: &LintLevel) -> Option<&'m LintLevel> {
    let of = |levels: &[LintLevel]| levels.iter().any(|one| std::ptr::eq(one, level));
    let around: &[&'m [LintLevel]] =
        if level.forbid || level.level == Level::Deny || of(&model.crate_levels) {
            &[]
        } else if of(&model.levels) {
            &[&model.crate_levels]
        } else {
            &[&model.levels, &model.crate_levels]
        };
    let forbids = |levels: &&'m [LintLevel]| match level.group() {
        Some(_) => levels.iter().find(|other| other.lint == level.lint),
        None => wanted(levels, &level.lint, &[]),
    };
    around
        .iter()
        .find_map(|levels| forbids(levels).filter(|other| other.forbid))
}

fn unknown(level: &LintLevel) -> Finding {
    let name = level.written();
    let finding = Finding::error(level.id, format!("no lint is called `{name}`"));
    if level.line.is_none() && groups().any(|group| group == name) {
        return finding.help(format!("the group is `{PREFIX}{name}`"));
    }
    // In `Cargo.toml` groups have no `damper::`.
    let groups = groups().filter(|_| level.line.is_some());
    match suggest(name, LINTS.iter().map(|lint| lint.name).chain(groups)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    }
}

fn of_group(level: &LintLevel, group: &str) -> Vec<Finding> {
    if groups().any(|known| known == group) {
        let limits = level.thresholds.iter();
        return limits
            .map(|limit| {
                let (id, name) = (limit.id, level.written());
                Finding::error(
                    id,
                    format!("the group `{name}` has no threshold `{}`", limit.name),
                )
                .help("thresholds belong to lints: `#[warn(high_dropout_rate, max = 0.6)]`")
            })
            .collect();
    }
    let prefix = if level.line.is_some() { "" } else { PREFIX };
    let name = level.written();
    let finding = Finding::error(level.id, format!("no group of lints is called `{name}`"));
    vec![if Lint::find(group).is_some() {
        finding.help(format!("a lint has no `{PREFIX}`: `{group}`"))
    } else if let Some(near) = suggest(group, groups()) {
        finding.help(format!("did you mean `{prefix}{near}`?"))
    } else {
        let all: Vec<String> = groups().map(|group| format!("`{prefix}{group}`")).collect();
        finding.help(format!("one of {}", all.join(", ")))
    }]
}

fn of_thresholds(level: &LintLevel, lint: &Lint) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, limit) in level.thresholds.iter().enumerate() {
        let earlier = level.thresholds.iter().take(index);
        if lint.threshold(&limit.name).is_none() {
            found.push(unknown_threshold(lint, limit));
        } else if earlier.into_iter().any(|other| other.name == limit.name) {
            let text = format!("`{}` is set twice", limit.name);
            found.push(Finding::error(limit.id, text).help("keep one of them"));
        } else if level.level == Level::Allow && !level.expect {
            let text = format!(
                "`allow` switches `{}` off: `{}` says nothing",
                lint.name, limit.name
            );
            let value = crate::Value::known(limit.value);
            found.push(Finding::error(limit.id, text).help(match &level.line {
                Some(_) => format!(
                    "`{} = {{ level = \"warn\", {} = {value} }}`",
                    lint.name, limit.name
                ),
                None => format!("`#[warn({}, {} = {value})]`", lint.name, limit.name),
            }));
        }
    }
    found
}

fn unknown_threshold(lint: &Lint, limit: &Limit) -> Finding {
    let (name, wrong) = (lint.name, &limit.name);
    let names = || lint.thresholds.iter().map(|threshold| threshold.name);
    let finding = Finding::error(limit.id, format!("`{name}` has no threshold `{wrong}`"));
    if let Some(near) = suggest(wrong, names()) {
        return finding.help(format!("did you mean `{near}`?"));
    }
    let known: Vec<String> = lint
        .thresholds
        .iter()
        .map(|known| format!("`{}` ({})", known.name, known.summary))
        .collect();
    finding.help(if known.is_empty() {
        format!("`{name}` has none: it is a rule without a number")
    } else {
        format!("it has {}", known.join(", "))
    })
}
