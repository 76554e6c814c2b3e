//! The schedules of the learning rate.

use crate::words::words;
use crate::{Id, Value, no};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `schedule: NAME(..)`: the learning rate as a factor of the optimizer's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The call.
    #[serde(skip)]
    pub id: Id,
    /// Which one.
    pub kind: ScheduleKind,
    /// The share of all steps in which the rate rises linearly from near 0: in [0, 1).
    #[serde(default, skip_serializing_if = "no")]
    pub warmup: Option<Value>,
}

words! {
    /// The schedules. Shares are of all steps; factors of the optimizer's learning rate.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ScheduleKind;

    /// The same rate throughout.
    constant = Constant [
        /// The share of all steps in which the rate first rises linearly.
        warmup = optional(Kind::Float).range(Range::Elsewhere)
            .usual(0.0, 0.5, 0.05, "a few per cent of the steps (Goyal et al., arXiv 1706.02677)"),
    ];

    /// Falls to the factor `end` along half a cosine (Loshchilov and Hutter, arXiv 1608.03983).
    cosine = Cosine {
        /// The factor at the end.
        end: Value = float(0.0).range(Range::Share)
            .usual(0.0, 0.5, 0.0, "the rate falls to near 0 (Loshchilov and Hutter, arXiv 1608.03983)"),
    } [
        /// The share of all steps in which the rate first rises linearly.
        warmup = optional(Kind::Float).range(Range::Elsewhere)
            .usual(0.0, 0.5, 0.05, "a few per cent of the steps (Goyal et al., arXiv 1706.02677)"),
    ];

    /// Falls to the factor `end` on a line.
    linear = Linear {
        /// The factor at the end.
        end: Value = float(0.0).range(Range::Share)
            .usual(0.0, 0.5, 0.0, "the rate falls to near 0 (Loshchilov and Hutter, arXiv 1608.03983)"),
    } [
        /// The share of all steps in which the rate first rises linearly.
        warmup = optional(Kind::Float).range(Range::Elsewhere)
            .usual(0.0, 0.5, 0.05, "a few per cent of the steps (Goyal et al., arXiv 1706.02677)"),
    ];

    /// Multiplies by `factor` every `every` epochs.
    step(every) = Step {
        /// After how many epochs.
        every: Value = named(Kind::Size).positional(),
        /// What the rate is multiplied by.
        factor: Value = float(0.1).range(Range::Positive)
            .usual(0.01, 1.0, 0.1, "0.1 in ResNet (arXiv 1512.03385), 0.97 in EfficientNet (arXiv 1905.11946)"),
    } [
        /// The share of all steps in which the rate first rises linearly.
        warmup = optional(Kind::Float).range(Range::Elsewhere)
            .usual(0.0, 0.5, 0.05, "a few per cent of the steps (Goyal et al., arXiv 1706.02677)"),
    ];

    /// Multiplies by `factor` every epoch.
    exponential(factor) = Exponential {
        /// What the rate is multiplied by.
        factor: Value = named(Kind::Float).positional().range(Range::Positive)
            .usual(0.3, 1.0, 0.95, "the rate falls by some per cent in an epoch"),
    } [
        /// The share of all steps in which the rate first rises linearly.
        warmup = optional(Kind::Float).range(Range::Elsewhere)
            .usual(0.0, 0.5, 0.05, "a few per cent of the steps (Goyal et al., arXiv 1706.02677)"),
    ];

    /// Rises from `1 / divide` to 1, then falls to `1 / (divide * final_divide)`, both along half a cosine
    /// (Smith and Topin, arXiv 1708.07120; `PyTorch`'s `OneCycleLR`).
    one_cycle = OneCycle {
        /// The share of all steps in which the rate rises.
        rise: Value = float(0.3).range(Range::BelowOne)
            .usual(0.01, 0.6, 0.3, "0.3 in PyTorch's `OneCycleLR`, 0.45 in the paper (arXiv 1708.07120)"),
        /// The rate begins at `1 / divide`.
        divide: Value = float(25.0).range(Range::Positive)
            .usual(1.0, 100.0, 25.0, "10 to 25: PyTorch's `OneCycleLR` (arXiv 1708.07120)"),
        /// The rate ends at the first one divided by this.
        final_divide: Value = float(1e4).range(Range::Positive)
            .usual(1.0, 1e6, 1e4, "1e4: PyTorch's `OneCycleLR` (arXiv 1708.07120)"),
    };
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arguments = self.kind.written();
        let warmup = self.warmup.as_ref();
        arguments.extend(warmup.map(|value| format!("warmup = {value}")));
        f.write_str(&crate::words::call(self.kind.word(), &arguments))
    }
}

impl fmt::Display for ScheduleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::words::call(self.word(), &self.written()))
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "the table gives its variants documentation, no attributes"
)]
impl Default for ScheduleKind {
    fn default() -> Self {
        Self::Constant
    }
}

impl Schedule {
    /// A schedule without warm-up.
    pub const fn new(kind: ScheduleKind) -> Self {
        Self {
            id: Id::NONE,
            kind,
            warmup: None,
        }
    }

    /// With the learning rate rising linearly from near 0 over this share of all steps.
    #[must_use]
    pub fn with_warmup(mut self, share: f64) -> Self {
        self.warmup = Some(share.into());
        self
    }
}
