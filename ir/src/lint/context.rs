//! Where the lints put what they find, and the words that their messages share.

use crate::graph::{Node, Scope};
use crate::{Finding, Id, Level, Lint, LintLevel};

/// The default level of a lint.
pub(super) fn default_level(name: &str) -> Level {
    Lint::find(name).map_or(Level::Deny, |lint| lint.default_level)
}

pub(super) struct Pushed<'m> {
    pub(super) own: &'m [LintLevel],
    pub(super) scope: usize,
    pub(super) finding: Finding,
}

/// Where the lints put what they find.
pub(crate) struct Cx<'m> {
    pub(super) pushed: Vec<Pushed<'m>>,
    pub(super) scopes: Vec<Scope<'m>>,
    /// Whether anything sets a threshold.
    pub(super) thresholds: bool,
}

impl<'m> Cx<'m> {
    /// A finding about a node, at its default level.
    pub(super) fn node(
        &mut self,
        node: &Node<'_>,
        lint: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.at(&[], node.scope, node.place(), node.id, lint, message)
    }

    /// A finding about something else: the levels on itself, the scope around it, the words for its place.
    pub(super) fn at(
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
    pub(super) fn at_level(&mut self, level: Level) -> &mut Self {
        self.level = level;
        self
    }

    pub(super) fn and_other(&mut self, id: Id, text: impl Into<String>) -> &mut Self {
        if !id.is_none() {
            self.other = Some((id, text.into()));
        }
        self
    }

    pub(super) fn and_help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }

    pub(super) fn and_note(&mut self, text: impl Into<String>) -> &mut Self {
        self.note = Some(text.into());
        self
    }
}

/// `#[allow(lint, reason = "..")]`, for help lines.
pub(super) fn allow(lint: &str, reason: &str) -> String {
    format!("`#[allow({lint}, reason = \"{reason}\")]`")
}

/// A share in per cent: `80 %`.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 || percent == 0.0 {
        return format!("{percent:.0} %");
    }
    // Two digits that count: 6.2 %, 0.05 %.
    let rounded = format!("{percent:.1e}").parse().unwrap_or(percent);
    format!("{} %", crate::Value::known(rounded))
}
