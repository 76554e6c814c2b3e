//! Steps that are gone where they are wanted.

use super::Walk;
use super::value_info::ValueInfo;
use crate::op::Operation;
use crate::shape::Layout;
use crate::{Finding, Id, Op, OpKind, Shape};

impl<'m> Walk<'m> {
    /// What took the steps of the value away that an operation gives.
    pub(super) fn flattened(
        &self,
        op: &'m Op,
        operation: &dyn Operation,
        from: &ValueInfo<'m>,
    ) -> Option<(Id, &'m OpKind, &'m str)> {
        let takes_away = match &op.kind {
            OpKind::Step(_) | OpKind::Flatten => true,
            OpKind::Reduce(reduce) => reduce.axis == crate::Axis::Time,
            _ => false,
        };
        let had_steps = from.shape.as_ref().is_some_and(|shape| shape.rank() > 1);
        if takes_away && had_steps {
            return Some((op.id, &op.kind, self.path.last().copied().unwrap_or("")));
        }
        // A row stays a row behind dense layers as well.
        let is_row = from.shape.as_ref().map(Shape::rank) == Some(1);
        from.flat.filter(|_| is_row || operation.keeps_axes())
    }

    /// Steps are wanted, and something before has taken them away: there is the mistake.
    pub(super) fn without_steps(
        &self,
        op: &Op,
        operation: &dyn Operation,
        from: &ValueInfo<'m>,
    ) -> Option<Finding> {
        let (at, taker, name) = from.flat?;
        // A second one is itself too many.
        let reads_steps = operation.takes_axes() == Some(2)
            && matches!(
                op.kind,
                OpKind::Recurrent(_)
                    | OpKind::Attention(_)
                    | OpKind::Positional(_)
                    | OpKind::ClassToken
            );
        if !reads_steps || from.shape.as_ref().map(Shape::rank) != Some(1) {
            return None;
        }
        let word = op.kind.word();
        let what = match taker {
            OpKind::Step(step) if step.last => "keeps the last step alone",
            OpKind::Step(_) => "keeps the first step alone",
            OpKind::Flatten => "puts everything into one row",
            _ => "makes one value of all steps",
        };
        let input = self.out.input_of(at);
        let maps = self.out.layout_of(at) == Layout::Channels
            && input.is_some_and(|input| input.rank() > 2);
        let help = match taker {
            OpKind::Flatten if maps => "`to_sequence` in the place of `flatten`".to_owned(),
            _ => format!("remove `{taker}`"),
        };
        let finding = Finding::lint(
            crate::catalogue::names::shape_mismatch,
            crate::Level::Deny,
            at,
            format!("`{word}` wants [time, features], and `{name}` {what}"),
        );
        Some(
            finding
                .other(op.id, format!("`{word}` reads the steps here"))
                .help(help),
        )
    }
}
