//! The rules on weights, what they reach, and what the weights are for.

use crate::words::{call, words};
use crate::{Id, LintLevel, Value, no};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that acts on the weights of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightRule {
    /// The annotation's tokens (for a default, the ones on `layers`).
    #[serde(skip)]
    pub id: Id,
    /// What it does.
    pub kind: RuleKind,
    /// Which parameters it reaches.
    #[serde(default, skip_serializing_if = "no")]
    pub on: Reach,
    /// Lint levels on the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LintLevel>,
}

words! {
    /// What an annotation does to weights.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum RuleKind;

    /// Decoupled weight decay of this layer's weights (Loshchilov and Hutter, arXiv 1711.05101).
    ///
    /// `l2`: `w *= 1 - lr * l2`, apart from the optimizer's step, so that Adam does not rescale it. `l1`: a soft threshold by
    /// `lr * l1` after the step, so that weights become exactly zero. Acts on weight matrices only, unless `on all` says so: never
    /// on biases and gains.
    decay = Decay {
        /// The strength of the soft threshold.
        l1: Option<Value> = optional(Kind::Float).range(Range::NotNegative),
        /// The strength of the shrinking.
        l2: Option<Value> = optional(Kind::Float).range(Range::NotNegative),
    };

    /// Adds `l1 * sum |w| + l2 * sum w^2` to the objective, through its gradient; reported next to the loss.
    ///
    /// It goes through the optimizer: with Adam it is not the same as `decay`. Acts on weight matrices only, unless `on all` says
    /// so.
    penalty = Penalty {
        /// The strength of the sum of absolute values.
        l1: Option<Value> = optional(Kind::Float).range(Range::NotNegative)
            .usual(1e-9, 0.1, 1e-4, "0.01 is the default of Keras's `regularizers`"),
        /// The strength of the sum of squares.
        l2: Option<Value> = optional(Kind::Float).range(Range::NotNegative)
            .usual(1e-9, 0.05, 1e-4, "0.01 is the default of Keras's `regularizers`"),
    };

    /// After each step, rescales each unit's incoming weights to a norm of at most `limit` (Srivastava et al. 2014).
    max_norm(limit) = MaxNorm {
        /// The largest Euclidean norm of the weights into one unit.
        limit: Value = required(Kind::Float).range(Range::Positive).called("the limit")
            .usual(0.1, 20.0, 3.0, "3 to 4 in Srivastava et al. (JMLR 15), 0.25 and 1 in EEGNet (arXiv 1611.08024)"),
    };

    /// After each step, rescales each unit's incoming weights to norm 1.
    unit_norm = UnitNorm;

    /// After each step, sets negative weights to 0.
    non_negative = NonNegative;

    /// Adds `strength * ||W^T W - I||^2` to the objective (Brock et al., arXiv 1609.07093).
    orthogonal(strength) = Orthogonal {
        /// The strength of the penalty.
        strength: Value = required(Kind::Float).range(Range::NotNegative).called("the strength")
            .usual(1e-8, 1.0, 1e-4, "1e-4 in Brock et al. (arXiv 1809.11096), 0.1 in Bansal et al. (arXiv 1810.09102)"),
    };

    /// Sets single weights to zero while training, and scales the others by `1 / (1 - rate)` (Wan et al. 2013). Does nothing at
    /// inference.
    ///
    /// One mask for the whole batch. In a chain it acts on the weights of the layer before it; on a recurrent layer on its
    /// recurrent weights (Merity et al., arXiv 1708.02182).
    drop_connect(rate) = DropConnect {
        /// The probability of setting a weight to zero, in `0..1`.
        rate: Value = rate(Kind::Float),
    };

    /// The weight is a direction and a learned length for each unit (Salimans and Kingma, arXiv 1602.07868).
    weight_norm = WeightNorm;

    /// The weight is divided by its largest singular value (Miyato et al., arXiv 1802.05957).
    spectral_norm = SpectralNorm;

    /// The layer's parameters are not trained.
    freeze = Freeze;
}

/// Which parameters of an operation an annotation reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Weight matrices and kernels.
    #[default]
    Weights,
    /// `on embedding`: embeddings too.
    Embedding,
    /// `on all`: every parameter that is trained.
    All,
}

impl Reach {
    /// Whether an annotation with this reach acts on parameters of `role`.
    ///
    /// ```
    /// use damper_ir::{Reach, Role};
    ///
    /// assert!(Reach::Weights.reaches(Role::Weight));
    /// assert!(!Reach::Weights.reaches(Role::Bias));
    /// assert!(Reach::All.reaches(Role::Gain));
    /// assert!(!Reach::All.reaches(Role::Running));
    /// ```
    pub const fn reaches(self, role: Role) -> bool {
        match self {
            Self::Weights => matches!(role, Role::Weight),
            Self::Embedding => matches!(role, Role::Weight | Role::Embedding),
            Self::All => !matches!(role, Role::Running),
        }
    }
}

/// What a parameter is for; decides which rules reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A weight matrix or kernel.
    Weight,
    /// An added vector.
    Bias,
    /// The scale of a normalization (`gamma`).
    Gain,
    /// The shift of a normalization (`beta`).
    Shift,
    /// A table of vectors.
    Embedding,
    /// A learned number of an activation (`prelu`).
    Slope,
    /// A running mean or variance: not trained.
    Running,
}

impl WeightRule {
    /// Whether it acts on parameters of `role`. `freeze` holds the whole layer, whatever `on` says.
    pub const fn reaches(&self, role: Role) -> bool {
        matches!(self.kind, RuleKind::Freeze) || self.on.reaches(role)
    }
}

impl fmt::Display for RuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&call(self.word(), &self.written()))
    }
}

impl fmt::Display for WeightRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match self.on {
            Reach::Weights => Ok(()),
            Reach::Embedding => f.write_str(" on embedding"),
            Reach::All => f.write_str(" on all"),
        }
    }
}

/// The rules that may be written in a chain as well.
pub(crate) mod in_chains {
    pub(crate) mod pages {
        pub use crate::rule::pages::drop_connect;
    }
    pub(crate) mod arguments {
        pub use crate::rule::arguments::drop_connect;
    }
}
