//! Group, instance and root-mean-square norm, which are burn's.

use super::{Layer, Weights, positive};
use burn::nn::{
    GroupNorm, GroupNormConfig, InstanceNorm, InstanceNormConfig, RmsNorm, RmsNormConfig,
};
use damper_ir::op;
use damper_ir::{Op, OpKind, Shape};

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

impl Layer for InstanceNorm {
    const WORD: &'static str = "`instance_norm`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::InstanceNorm(op::InstanceNorm { epsilon }) = &op.kind else {
            return None;
        };
        let channels = input.channels().filter(|size| *size > 0)?;
        Some(
            InstanceNormConfig::new(channels)
                .with_epsilon(positive(epsilon)?)
                .init(weights.device()),
        )
    }
}

impl Layer for RmsNorm {
    const WORD: &'static str = "`rms_norm`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::RmsNorm(op::RmsNorm { epsilon }) = &op.kind else {
            return None;
        };
        let features = input.features().filter(|size| *size > 0)?;
        Some(
            RmsNormConfig::new(features)
                .with_epsilon(positive(epsilon)?)
                .init(weights.device()),
        )
    }
}
