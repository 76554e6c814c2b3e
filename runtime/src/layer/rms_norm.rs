//! burn's `RmsNorm`.

use super::from_op::{Layer, positive};
use crate::weights::Weights;
use burn::nn::{RmsNorm, RmsNormConfig};
use damper_ir::{Op, OpKind, Shape, op};

impl Layer for RmsNorm {
    const WORD: &'static str = "`rms_norm`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::RmsNorm(op::RmsNorm { epsilon, axis }) = &op.kind else {
            return None;
        };
        let features = axis.size(input).filter(|size| *size > 0)?;
        Some(
            RmsNormConfig::new(features)
                .with_epsilon(positive(epsilon)?)
                .init(weights.device()),
        )
    }
}
