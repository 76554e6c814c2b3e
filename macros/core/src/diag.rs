//! Everything that is reported: collected, sorted, capped, and turned into tokens.

use crate::Spans;
use crate::ast::Ends;
use damper_ir::{Finding, Level, SetBy};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use std::collections::HashSet;

/// More than this is not shown: the rest is counted. Errors come before warnings.
pub const MAX: usize = 16;

/// One thing to report.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// [`Level::Deny`] for an error, [`Level::Warn`] for a warning.
    pub level: Level,
    /// The lint, if it is one.
    pub lint: Option<String>,
    /// The tokens it is about.
    pub ends: Ends,
    /// What is wrong.
    pub message: String,
    /// The other place, and what is written there.
    pub notes: Vec<String>,
    /// What to write instead.
    pub helps: Vec<String>,
}

/// The accumulator, first argument of everything that may find a mistake.
///
/// It must be finished: dropping it with reports inside is a mistake of this crate, which debug
/// builds punish.
#[derive(Default)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
    /// Whether something failed that was reported elsewhere.
    elsewhere: bool,
    done: bool,
}

impl Diagnostics {
    /// Reports an error at these tokens; help and notes can be added to what is returned.
    pub fn error(&mut self, ends: impl Into<At>, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Level::Deny, None, ends.into().0, message.into())
    }

    /// Reports a warning of a lint at these tokens.
    pub fn warning(
        &mut self,
        lint: &str,
        ends: impl Into<At>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(
            Level::Warn,
            Some(lint.to_owned()),
            ends.into().0,
            message.into(),
        )
    }

    fn push(
        &mut self,
        level: Level,
        lint: Option<String>,
        ends: Ends,
        message: String,
    ) -> &mut Diagnostic {
        let report = Diagnostic {
            level,
            lint,
            ends,
            message,
            notes: Vec::new(),
            helps: Vec::new(),
        };
        self.all.push(report);
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    /// Reports what the rules of the description found.
    pub fn finding(&mut self, finding: &Finding, spans: &Spans) {
        if finding.level == Level::Allow {
            return;
        }
        let lint = finding.lint.map(str::to_owned);
        let ends = spans.get(finding.at);
        let report = self.push(finding.level, lint, ends, finding.message.clone());
        if let Some((id, text)) = &finding.other {
            report.notes.push(match spans.line(*id) {
                Some(number) => format!("{text}, on line {number}"),
                None => text.clone(),
            });
        }
        report.helps.extend(finding.help.clone());
        report.notes.extend(finding.note.clone());
        if let Some(lint) = finding.lint.filter(|_| !finding.is_fixed()) {
            let origin = match &finding.set_by {
                None => "on by default".to_owned(),
                Some(SetBy::Manifest { line, name }) => format!("because of `{name}` in {line}"),
                Some(SetBy::Attribute { id, name }) => {
                    let what = if name == lint {
                        "the attribute".to_owned()
                    } else {
                        format!("`{name}`")
                    };
                    match spans.line(*id) {
                        Some(number) => format!("because of {what} on line {number}"),
                        None => format!("because of {what}"),
                    }
                }
            };
            let mut words = vec![lint.to_owned()];
            let limits = finding.limits.iter();
            words.extend(limits.map(|(name, value)| format!("{name} = {value}")));
            let (level, words) = (finding.level, words.join(", "));
            report.notes.push(format!("`#[{level}({words})]` {origin}"));
        }
    }

    /// Runs what is reported elsewhere: its errors count, and are not reported again.
    pub(crate) fn quietly<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let mut inside = Self::default();
        let result = run(&mut inside);
        self.elsewhere |= inside.failed();
        inside.done = true;
        result
    }

    /// Counts an error that is reported elsewhere.
    pub(crate) fn fail_elsewhere(&mut self) {
        self.elsewhere = true;
    }

    /// Whether an error has been reported, here or elsewhere: nothing that compiles can be expanded.
    pub fn failed(&self) -> bool {
        self.elsewhere || self.has_errors()
    }

    /// Whether an error has been reported here.
    pub fn has_errors(&self) -> bool {
        self.all.iter().any(|report| report.level == Level::Deny)
    }

    /// How many reports there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// So many reports at most, in the order of the source, and how many errors and warnings more there were.
    pub fn sorted(&self, most: usize) -> (Vec<&Diagnostic>, (usize, usize)) {
        let mut seen = HashSet::new();
        let (mut errors, mut warnings): (Vec<&Diagnostic>, Vec<&Diagnostic>) = self
            .all
            .iter()
            .filter(|report| seen.insert((report.place(), &report.message)))
            .partition(|report| report.level == Level::Deny);
        errors.sort_by_key(|report| report.place());
        warnings.sort_by_key(|report| report.place());
        let more_errors = errors.len().saturating_sub(most);
        errors.truncate(most);
        let room = most - errors.len();
        let more_warnings = warnings.len().saturating_sub(room);
        warnings.truncate(room);
        errors.append(&mut warnings);
        errors.sort_by_key(|report| report.place());
        (errors, (more_errors, more_warnings))
    }

    /// The reports as tokens.
    pub fn finish(mut self) -> TokenStream {
        self.done = true;
        let (shown, (errors, warnings)) = self.sorted(MAX);
        let mut shown: Vec<Diagnostic> = shown.into_iter().cloned().collect();
        if warnings > 0
            && errors == 0
            && let Some(last) = shown.last_mut()
        {
            last.note(format!(
                "{warnings} more warnings in this model are not shown"
            ));
        }
        let mut out: TokenStream = shown.iter().map(Diagnostic::tokens).collect();
        if errors > 0 {
            let text =
                format!("{errors} more mistakes in this model: correct the ones above first");
            out.extend(syn::Error::new(Span::call_site(), text).to_compile_error());
        }
        out
    }

    /// The reports as tokens, before those of an expansion.
    pub fn finish_with(self, expansion: TokenStream) -> TokenStream {
        let mut out = expansion;
        out.extend(self.finish());
        out
    }

    /// The reports themselves, for tests and other front ends.
    pub fn into_reports(mut self) -> Vec<Diagnostic> {
        self.done = true;
        self.sorted(usize::MAX).0.into_iter().cloned().collect()
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        debug_assert!(
            self.done || self.all.is_empty() || std::thread::panicking(),
            "diagnostics were not finished"
        );
    }
}

impl Diagnostic {
    /// Adds what to write instead.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.helps.push(text.into());
        self
    }

    /// Adds the reason.
    pub fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    /// Adds the other place of a contradiction.
    pub fn other(&mut self, at: Span, text: &str) -> &mut Self {
        self.note(format!("{text} on line {}", at.start().line))
    }

    /// The message with its help and notes, as rustc prints them under one another.
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for help in &self.helps {
            text.push_str("\nhelp: ");
            text.push_str(help);
        }
        for note in &self.notes {
            text.push_str("\nnote: ");
            text.push_str(note);
        }
        text
    }

    /// Line and column where it begins.
    pub fn place(&self) -> (usize, usize) {
        let start = self.ends.0.start();
        (start.line, start.column)
    }

    fn tokens(&self) -> TokenStream {
        let ((first, last), text) = (self.ends, self.text());
        match &self.lint {
            Some(lint) if self.level == Level::Warn => {
                // rustc has no warnings from macros on stable, but it warns of deprecated items.
                let name = Ident::new(lint, first);
                quote! {
                    const _: () = {
                        #[deprecated(note = #text)]
                        #[allow(non_upper_case_globals)]
                        const #name: () = ();
                        #name
                    };
                }
            }
            _ => {
                let ends = [Ident::new("a", first), Ident::new("b", last)]; // Only their spans are used.
                syn::Error::new_spanned(quote!(#(#ends)*), text).to_compile_error()
            }
        }
    }
}

/// Tokens that a report is about.
pub struct At(Ends);

impl From<Ends> for At {
    fn from(ends: Ends) -> Self {
        Self(ends)
    }
}

impl From<Span> for At {
    fn from(span: Span) -> Self {
        Self((span, span))
    }
}

impl From<&Ident> for At {
    fn from(ident: &Ident) -> Self {
        ident.span().into()
    }
}
