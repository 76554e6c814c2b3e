//! The lints: what usually, or provably, is wrong with a model whose shapes fit.
//!
//! A lint reads the graph and pushes findings at its own level; [`Model::check`] then settles the level that
//! the attributes around the place ask for. Lints do not see one another, and skip what is not known.

mod convolution;
mod dropout;
mod norm;
mod optimizer;
mod output;
mod structure;
#[cfg(test)]
mod tests;

use crate::graph::{Graph, Node};
use crate::walk::each_statement;
use crate::{Finding, Id, LINTS, Level, Lint, LintLevel, Model, OpKind, suggest};
use std::collections::HashSet;

/// Those that say that no program can be built.
pub(crate) const FIXED: [&str; 3] = [
    "shape_mismatch",
    "missing_flatten",
    "residual_shape_mismatch",
];

/// The default level of a lint.
fn default_level(name: &str) -> Level {
    Lint::find(name).map_or(Level::Deny, |lint| lint.default_level)
}

struct Pushed<'m> {
    own: &'m [LintLevel],
    scope: usize,
    finding: Finding,
}

/// Where the lints put what they find.
pub(crate) struct Cx<'m> {
    pushed: Vec<Pushed<'m>>,
}

impl<'m> Cx<'m> {
    /// A finding about a node, at its default level.
    fn node(
        &mut self,
        node: &Node<'_>,
        lint: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.at(&[], node.scope, node.place(), node.id, lint, message)
    }

    /// A finding about something else: the levels on itself, the scope around it, the words for its place.
    fn at(
        &mut self,
        own: &'m [LintLevel],
        scope: usize,
        place: String,
        id: Id,
        lint: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        let mut finding = Finding::lint(lint, default_level(lint), id, message);
        finding.place = place;
        let index = self.pushed.len();
        self.pushed.push(Pushed {
            own,
            scope,
            finding,
        });
        &mut self.pushed[index].finding
    }
}

impl Finding {
    fn at_level(&mut self, level: Level) -> &mut Self {
        self.level = level;
        self
    }

    fn and_other(&mut self, id: Id, text: impl Into<String>) -> &mut Self {
        if !id.is_none() {
            self.other = Some((id, text.into()));
        }
        self
    }

    fn and_help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }

    fn and_note(&mut self, text: impl Into<String>) -> &mut Self {
        self.note = Some(text.into());
        self
    }
}

impl Model {
    /// All findings: what does not fit and, if everything fits, what the lints say, at the levels that the
    /// attributes ask for.
    ///
    /// The innermost attribute wins: annotation, statement, block, section, model; on one thing the later one.
    /// An unknown lint name is an error, an `#[expect(..)]` without its finding a warning.
    pub fn check(&self) -> Vec<Finding> {
        let inferred = self.infer();
        let levels = all_levels(self);
        let mut findings = inferred.findings.clone();
        for (level, place) in &levels {
            findings.extend(misnamed(level, place));
        }
        if !inferred.failed() {
            let graph = Graph::new(self, &inferred);
            let mut cx = Cx { pushed: Vec::new() };
            output::check(&mut cx, &graph);
            dropout::check(&mut cx, &graph);
            norm::check(&mut cx, &graph);
            convolution::check(&mut cx, &graph);
            structure::check(&mut cx, &graph);
            optimizer::check(&mut cx, &graph);
            let mut met = HashSet::new();
            for pushed in cx.pushed {
                findings.extend(settle(pushed, &graph, &mut met));
            }
            findings.extend(unfulfilled(&levels, &met));
        }
        let mut seen = HashSet::new();
        findings.retain(|finding| {
            let what = match finding.lint {
                Some(lint) if !finding.at.is_none() => lint.to_owned(),
                _ => format!("{} {}", finding.place, finding.message),
            };
            seen.insert((finding.at, what))
        });
        findings.sort_by_key(|finding| finding.at);
        findings
    }
}

/// Every lint attribute of the model and the words for its place.
fn all_levels(model: &Model) -> Vec<(&LintLevel, String)> {
    let mut all: Vec<(&LintLevel, String)> = Vec::new();
    let sections = [
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
                crate::graph::rates(&op.kind)
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

fn misnamed(level: &LintLevel, place: &str) -> Option<Finding> {
    let name = level.lint.as_str();
    let mut finding = if !LINTS.iter().any(|lint| lint.name == name) {
        let finding = Finding::error(level.id, format!("no lint is called `{name}`"));
        match suggest(name, LINTS.iter().map(|lint| lint.name)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding,
        }
    } else if FIXED.contains(&name) && (level.level != Level::Deny || level.expect) {
        Finding::error(
            level.id,
            format!("`{name}` cannot be allowed: such a model cannot be built"),
        )
    } else {
        return None;
    };
    place.clone_into(&mut finding.place);
    Some(finding)
}

/// The finding at the level asked for; nothing if that is `allow`.
fn settle(
    pushed: Pushed<'_>,
    graph: &Graph<'_>,
    met: &mut HashSet<(Id, String)>,
) -> Option<Finding> {
    let Pushed {
        own,
        scope,
        mut finding,
    } = pushed;
    let lint = finding.lint?;
    let wanted = |levels: &[LintLevel]| {
        levels
            .iter()
            .rev()
            .find(|level| level.lint == lint)
            .cloned()
    };
    let mut found = wanted(own);
    let mut at = Some(scope);
    while let (None, Some(scope)) = (&found, at.and_then(|index| graph.scopes.get(index))) {
        found = wanted(scope.levels);
        at = scope.parent;
    }
    if let Some(level) = found {
        if level.expect {
            met.insert((level.id, level.lint));
            return None;
        }
        finding.level = level.level;
        finding.set_by = Some(level.id);
    }
    (finding.level != Level::Allow).then_some(finding)
}

fn unfulfilled(levels: &[(&LintLevel, String)], met: &HashSet<(Id, String)>) -> Vec<Finding> {
    let silent = levels.iter().filter(|(level, _)| {
        level.expect
            && !met.contains(&(level.id, level.lint.clone()))
            && LINTS.iter().any(|lint| lint.name == level.lint)
    });
    silent
        .map(|(level, place)| {
            let mut finding = Finding::lint(
                "unfulfilled_expectation",
                Level::Warn,
                level.id,
                format!("`{}` was expected here and is silent", level.lint),
            )
            .help("remove the attribute");
            finding.place.clone_from(place);
            finding
        })
        .collect()
}

/// `#[allow(lint, reason = "..")]`, for help lines.
fn allow(lint: &str, reason: &str) -> String {
    format!("`#[allow({lint}, reason = \"{reason}\")]`")
}

/// A share in per cent: `80 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 1.0 || percent == 0.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}
