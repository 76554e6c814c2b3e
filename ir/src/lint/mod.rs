//! The lints: what usually, or provably, is wrong with a model whose shapes fit.
//!
//! A lint reads the graph and pushes findings at its own level; the level that the attributes around the place ask
//! for is set afterwards. Lints do not see one another, and skip what is not known.

mod context;
mod convolution;
mod dropout;
mod layout;
mod levels;
mod normalization;
mod output;
mod structure;
#[cfg(test)]
mod tests;
mod training;
mod usual;
mod windows;

use crate::graph::{Graph, MODEL};
use crate::{Finding, Inferred, Level, LintLevel, Model};
use context::{Cx, Pushed, allow, percent};
use levels::{all_levels, mistakes};
use std::collections::HashSet;

impl Model {
    /// What attributes and `Cargo.toml` allow or expect, each with the words for its place: ``layer `fc1` ``.
    pub fn allowed(&self) -> Vec<(&LintLevel, String)> {
        let mut levels = all_levels(self);
        levels.retain(|(level, _)| level.level == Level::Allow);
        levels
    }

    /// What does not fit, and what the lints say: see [`crate::Checked::findings`].
    pub(crate) fn findings(&self, inferred: &Inferred, own: Vec<Finding>) -> Vec<Finding> {
        let levels = all_levels(self);
        let mut findings = inferred.findings.clone();
        for (level, place) in &levels {
            findings.extend(mistakes(self, level, place));
        }
        if layout::explains(self, inferred) {
            findings = self.channels_last(inferred, findings);
        }
        if !inferred.failed() {
            crate::budget::check(self, inferred, &mut findings);
            let mut graph = Graph::new(self, inferred);
            let mut cx = Cx {
                pushed: Vec::new(),
                scopes: std::mem::take(&mut graph.scopes),
                thresholds: levels.iter().any(|(level, _)| !level.thresholds.is_empty()),
            };
            cx.pushed.extend(own.into_iter().map(|finding| Pushed {
                own: &[],
                scope: MODEL,
                finding,
            }));
            layout::channels_last(&mut cx, &graph);
            output::check(&mut cx, &graph);
            dropout::check(&mut cx, &graph);
            normalization::check(&mut cx, &graph);
            convolution::check(&mut cx, &graph);
            structure::check(&mut cx, &graph);
            layout::check(&mut cx, &graph);
            windows::check(&mut cx, &graph);
            training::check(&mut cx, &graph);
            usual::check(&mut cx, &graph);
            let mut met = HashSet::new();
            for pushed in std::mem::take(&mut cx.pushed) {
                findings.extend(cx.settle(pushed, &mut met));
            }
            cx.unfulfilled(&levels, &met);
            for pushed in std::mem::take(&mut cx.pushed) {
                findings.extend(cx.settle(pushed, &mut met));
            }
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

    /// Shapes that do not fit because an input has its channels last: that is the mistake, and the others follow.
    fn channels_last(&self, inferred: &Inferred, others: Vec<Finding>) -> Vec<Finding> {
        let mut graph = Graph::new(self, inferred);
        let mut cx = Cx {
            pushed: Vec::new(),
            scopes: std::mem::take(&mut graph.scopes),
            thresholds: false,
        };
        layout::channels_last(&mut cx, &graph);
        let pushed = std::mem::take(&mut cx.pushed);
        let mut met = HashSet::new();
        let found = pushed
            .into_iter()
            .filter_map(|pushed| cx.settle(pushed, &mut met));
        let mut found: Vec<Finding> = found.collect();
        if found.is_empty() {
            return others;
        }
        for finding in &mut found {
            finding.level = Level::Deny;
        }
        found.extend(
            others
                .into_iter()
                .filter(|other| !other.is_fixed() || other.lint.is_none()),
        );
        found
    }
}
