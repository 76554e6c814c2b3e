//! burn's `GroupNorm`.

use super::from_op::{Layer, positive};
use crate::weights::Weights;
use burn::nn::{GroupNorm, GroupNormConfig};
use damper_ir::{Op, OpKind, Shape, op};

impl Layer for GroupNorm {
    const WORD: &'static str = "`group_norm`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::GroupNorm(op::GroupNorm { groups, epsilon }) = &op.kind else {
            return None;
        };
        let channels = input.channels().filter(|size| *size > 0)?;
        let groups = groups
            .size()
            .filter(|groups| *groups > 0 && channels.is_multiple_of(*groups))?;
        Some(
            GroupNormConfig::new(groups, channels)
                .with_epsilon(positive(epsilon)?)
                .init(weights.device()),
        )
    }
}
