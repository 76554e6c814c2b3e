//! burn's `InstanceNorm`.

use super::from_op::{Layer, positive};
use crate::weights::Weights;
use burn::nn::{InstanceNorm, InstanceNormConfig};
use damper_ir::{Op, OpKind, Shape, op};

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
