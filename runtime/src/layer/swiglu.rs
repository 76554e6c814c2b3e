//! burn's `SwiGlu`, with initial weights as in PyTorch.

use super::from_op::{Layer, matrix};
use super::linear::linear;
use crate::weights::Weights;
use burn::nn::activation::{SwiGlu, SwiGluConfig};
use damper_ir::{Op, OpKind, Shape, op};

impl Layer for SwiGlu {
    const WORD: &'static str = "`swiglu`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Swiglu(op::Swiglu { out, bias }) = &op.kind else {
            return None;
        };
        let (d_input, d_output) = matrix(input, out)?;
        let bias = bias.is_true()?;
        let mut layer = SwiGluConfig::new(d_input, d_output)
            .with_bias(bias)
            .init(weights.device());
        layer.linear_inner = linear(d_input, d_output, bias, weights);
        layer.linear_outer = linear(d_input, d_output, bias, weights);
        Some(layer)
    }
}
