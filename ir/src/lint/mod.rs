//! The lints: what usually, or provably, is wrong with a model whose shapes fit.
//!
//! A lint reads the graph and pushes findings at its own level; the level that the attributes around the place ask
//! for is set afterwards. Lints do not see one another, and skip what is not known.

mod context;
mod convolution;
mod dropout;
mod levels;
mod normalization;
mod output;
mod structure;
#[cfg(test)]
mod tests;
mod training;

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
            output::check(&mut cx, &graph);
            dropout::check(&mut cx, &graph);
            normalization::check(&mut cx, &graph);
            convolution::check(&mut cx, &graph);
            structure::check(&mut cx, &graph);
            training::check(&mut cx, &graph);
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
}
