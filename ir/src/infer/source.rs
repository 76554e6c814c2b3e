//! What a statement takes: the value before it, a named one, several merged.

use super::Walk;
use super::value_info::{ValueInfo, merged};
use crate::shape::{self, Layout};
use crate::{Finding, Id, Shape, Source, Statement, suggest};

/// Unknown names for which others are suggested.
const MOST_EXPLAINED: usize = 64;

/// How several values become one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// Number by number.
    Spread,
    /// Number by number, of one shape.
    Same,
    /// Along the features or channels.
    Features,
    /// Along the steps.
    Time,
    /// A matrix product.
    Product,
}

/// What the axes of a matrix product mean: its rows are those of the first value, its columns those of the second.
fn product_layout(flows: &[ValueInfo<'_>]) -> Layout {
    match flows {
        [a, b] if a.layout == Layout::Sequence && b.layout != Layout::Channels => Layout::Sequence,
        [a, b] if b.layout == Layout::Channels && a.layout != Layout::Sequence => Layout::Channels,
        _ => Layout::Features,
    }
}

impl<'m> Walk<'m> {
    pub(super) fn source(
        &mut self,
        statement: &'m Statement,
        previous: ValueInfo<'m>,
    ) -> ValueInfo<'m> {
        let id = if statement.source_id.is_none() {
            statement.id
        } else {
            statement.source_id
        };
        let Some(word) = statement.source.word() else {
            return previous;
        };
        let names = statement.source.names();
        let unknown = ValueInfo::unknown(&statement.name);
        let flows: Vec<ValueInfo<'m>> = names
            .iter()
            .filter_map(|name| self.named(name, id))
            .collect();
        if flows.len() < names.len() {
            return unknown;
        }
        if word == "from" {
            return flows.into_iter().next().unwrap_or(unknown);
        }
        if flows.len() < 2 {
            self.error(
                Finding::error(
                    id,
                    format!(
                        "`{word}` wants at least two values, here is {}",
                        flows.len()
                    ),
                )
                .help(format!("{word}(a, b)")),
            );
            return unknown;
        }
        let joint = match &statement.source {
            Source::Concat(_) => Joint::Features,
            Source::ConcatTime(_) => Joint::Time,
            Source::Matmul(_) => Joint::Product,
            Source::SampleNormal(_) => Joint::Same,
            _ => Joint::Spread,
        };
        let merged = self.merge(id, word, joint, &flows);
        if let Some(axis) = self.out.axes.get(&id).copied() {
            self.out.axes.insert(statement.id, axis);
        }
        if let Some(spread) = self.out.spread.get(&id).cloned() {
            self.out.spread.insert(statement.id, spread);
        }
        ValueInfo {
            name: &statement.name,
            ..merged
        }
    }

    /// A source or a merge of several values, at `id`.
    pub(super) fn merge(
        &mut self,
        id: Id,
        word: &str,
        joint: Joint,
        flows: &[ValueInfo<'m>],
    ) -> ValueInfo<'m> {
        let unknown = ValueInfo::unknown(flows.first().map_or("", |flow| flow.name));
        if let Some(tokens) = flows.iter().find(|flow| flow.indices) {
            let message = format!(
                "`{word}` wants numbers, `{}` holds class indices",
                tokens.name
            );
            self.error(Finding::error(id, message));
            return unknown;
        }
        let mut layout = Layout::Features;
        for flow in flows.iter().filter(|_| joint != Joint::Product) {
            let Some(both) = layout.unify(flow.layout) else {
                let of = |layout| flows.iter().find(|flow| flow.layout == layout);
                let name = |layout| of(layout).map_or("", |flow| flow.name);
                let (sequence, channels) = (name(Layout::Sequence), name(Layout::Channels));
                let message = format!(
                    "`{word}` wants values of one layout: `{sequence}` is [time, features], `{channels}` has its channels first"
                );
                let end = match of(Layout::Channels).and_then(|flow| flow.shape.as_ref()) {
                    Some(shape) if shape.rank() > 2 => "to_sequence",
                    _ => "transpose",
                };
                self.error(
                    Finding::error(id, message).help(format!("end `{channels}` with `{end}`")),
                );
                return unknown;
            };
            layout = both;
        }
        let known = flows.iter().find_map(|flow| flow.shape.as_ref());
        let assumed: Vec<Option<Shape>> = flows
            .iter()
            .map(|flow| flow.assumed(known.map(|shape| Shape(vec![None; shape.rank()]))))
            .collect();
        let Some(shapes) = flows
            .iter()
            .zip(&assumed)
            .map(|(flow, shape)| shape.as_ref().map(|shape| (flow.name, shape)))
            .collect::<Option<Vec<_>>>()
        else {
            if flows
                .iter()
                .all(|flow| flow.shape.is_some() || flow.like.is_some())
            {
                if matches!(joint, Joint::Features | Joint::Time) {
                    self.out.axes.insert(id, 0);
                }
                let like = flows.iter().find_map(|flow| flow.like);
                return ValueInfo { like, ..unknown };
            }
            return unknown;
        };
        let result = match joint {
            Joint::Features => shape::concat(&shapes, layout),
            Joint::Time => shape::concat_time(&shapes, layout),
            Joint::Spread => shape::spread(word, &shapes, layout),
            Joint::Same => shape::equal(word, &shapes, layout),
            Joint::Product => shape::matmul(&shapes),
        };
        let shape = result
            .map_err(|shape_error| self.shape_error(id, shape_error, None))
            .ok();
        if let Some(shape) = &shape {
            let rank = shape.rank();
            if joint == Joint::Features {
                self.out.axes.insert(id, layout.class_axis(rank));
            } else if joint == Joint::Time {
                self.out.axes.insert(id, 0);
            } else if joint == Joint::Spread && shapes.iter().any(|(_, one)| one.rank() < rank) {
                let lower = shapes.iter().map(|(_, one)| one.rank() < rank).collect();
                self.out.spread.insert(id, (rank, lower));
            }
        }
        let (layout, padding) = match joint {
            Joint::Time => (Layout::Sequence, self.joined_padding(id, flows, &shapes)),
            Joint::Product => (product_layout(flows), None),
            _ => (layout, merged(flows)),
        };
        ValueInfo {
            shape,
            layout,
            padding,
            ..unknown
        }
    }

    /// The padding of sequences that are joined along their steps: it must be at the end.
    fn joined_padding(
        &mut self,
        id: Id,
        flows: &[ValueInfo<'m>],
        shapes: &[(&str, &Shape)],
    ) -> Option<(&'m str, usize)> {
        let (last, earlier) = flows.split_last()?;
        if let Some(padded) = earlier.iter().find(|flow| flow.padding.is_some()) {
            let message = format!(
                "`concat` along the steps wants what is padded at the end, some steps of `{}` are padding",
                padded.name
            );
            let finding = Finding::error(id, message);
            let only_one = flows.iter().filter(|flow| flow.padding.is_some()).count() == 1;
            self.error(if only_one {
                finding.help(format!("put `{}` last", padded.name))
            } else {
                finding
            });
            return None;
        }
        let (name, before) = last.padding?;
        let steps = shapes.iter().take(earlier.len());
        let steps = steps.map(|(_, shape)| shape.channels());
        let steps: usize = steps.sum::<Option<usize>>()?;
        Some((name, before + steps))
    }

    pub(super) fn known(&self, name: &str) -> Option<ValueInfo<'m>> {
        let mut scopes = self.scopes.iter().rev();
        scopes.find_map(|scope| scope.get(name)).cloned()
    }

    pub(super) fn named(&mut self, name: &str, id: Id) -> Option<ValueInfo<'m>> {
        if let Some(flow) = self.known(name) {
            return Some(flow);
        }
        // After so many mistakes, names are reported without a suggestion.
        if self.out.findings.len() >= MOST_EXPLAINED {
            self.error(Finding::error(
                id,
                format!("no value is called `{name}` here"),
            ));
            return None;
        }
        let mut known: Vec<&str> = self
            .scopes
            .iter()
            .flat_map(|scope| scope.keys().copied())
            .collect();
        known.sort_unstable();
        known.dedup();
        let finding = Finding::error(id, format!("no value is called `{name}` here"));
        let mut later = self.blocks.iter().rev().flat_map(|block| block.iter());
        let finding = match (
            later.find(|statement| statement.name == name),
            suggest(name, known.iter().copied()),
        ) {
            (Some(later), _) => finding
                .other(later.id, format!("`{name}` is declared too late"))
                .help(format!("declare `{name}` before it is used")),
            (None, Some(near)) => finding.help(format!("did you mean `{near}`?")),
            (None, None) => finding,
        };
        let names: Vec<String> = known
            .iter()
            .take(16)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = if known.len() > 16 { ", .." } else { "" };
        let list = if names.is_empty() {
            "no value".to_owned()
        } else {
            names.join(", ")
        };
        self.error(finding.note(format!(
            "inputs and earlier statements can be used here: {list}{more}"
        )));
        None
    }
}
