//! The targets that a loss needs: classes, or numbers in a range.

use crate::Spec;
use crate::batch::RowLayout;
use damper_ir::{Loss, LossKind, TargetKind, TaskKind};

/// The targets that a loss needs.
pub(super) enum Expected {
    /// A class index for each position, or the probability of each class.
    Classes,
    /// Numbers for each position.
    Numbers {
        /// How many for each position; `None` if the loss takes any number of them.
        units: Option<usize>,
        /// The range of each number; `None` if it has no limits.
        range: Option<Range>,
    },
}

/// The range of a target.
pub(super) struct Range {
    low: f32,
    high: f32,
    /// The range in words, for messages.
    pub(super) allowed: String,
    /// The reason for it.
    pub(super) note: String,
    /// True if only `low` and `high` are allowed, and nothing between them.
    ends_only: bool,
}

impl Range {
    fn of_loss(low: f32, high: f32, allowed: &str, loss: &LossKind) -> Self {
        Self {
            low,
            high,
            allowed: allowed.to_owned(),
            note: format!("`{}` is only defined for such targets", loss.word()),
            ends_only: false,
        }
    }

    pub(super) fn contains(&self, x: f32) -> bool {
        if self.ends_only {
            [self.low, self.high].contains(&x)
        } else {
            x >= self.low && x <= self.high
        }
    }
}

impl Expected {
    /// The targets of the declared loss, or of the task if there is no loss.
    pub(super) fn of(spec: &Spec) -> Self {
        let units = RowLayout::of(spec).units;
        let Some(loss) = loss(spec) else {
            return match spec.model().task.as_ref().map(|task| &task.kind) {
                Some(TaskKind::Multiclass(_)) => Self::Classes,
                _ => Self::Numbers {
                    units: Some(units),
                    range: None,
                },
            };
        };
        let numbers = |range| Self::Numbers {
            units: Some(units),
            range,
        };
        let (kind, facts) = (&loss.kind, loss.kind.facts());
        match facts.target {
            TargetKind::Class => Self::Classes,
            TargetKind::YesNo => numbers(Some(Range {
                ends_only: true,
                ..Range::of_loss(0.0, 1.0, "0 or 1", kind)
            })),
            TargetKind::Distribution => {
                numbers(Some(Range::of_loss(0.0, 1.0, "a probability", kind)))
            }
            TargetKind::Count => numbers(Some(Range::of_loss(
                0.0,
                f32::MAX,
                "a count of 0 or more",
                kind,
            ))),
            TargetKind::Number => Self::Numbers {
                units: Some(facts.values(units)),
                range: declared_range(loss),
            },
            TargetKind::Custom => Self::Numbers {
                units: None,
                range: declared_range(loss),
            },
        }
    }
}

/// The range that is declared with `target in ..`.
fn declared_range(loss: &Loss) -> Option<Range> {
    let target = loss.target.as_ref()?;
    let (low, high) = (target.low.float()?, target.high.float()?);
    Some(Range {
        low: low as f32,
        high: high as f32,
        allowed: format!("in [{low}, {high}]"),
        note: "the model declares `target in ..`".to_owned(),
        ends_only: false,
    })
}

pub(super) fn loss(spec: &Spec) -> Option<&Loss> {
    spec.model().loss.as_ref()
}

/// True if the targets are 0 or 1.
pub(super) fn is_binary(spec: &Spec) -> bool {
    loss(spec).is_some_and(|loss| loss.kind.facts().target == TargetKind::YesNo)
}
