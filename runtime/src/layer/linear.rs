//! burn's `Linear`, with initial weights as in PyTorch.

use super::from_op::{Layer, matrix};
use crate::weights::Weights;
use burn::nn::{Linear, LinearConfig};
use damper_ir::{Op, OpKind, Shape, op};

impl Layer for Linear {
    const WORD: &'static str = "`linear`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Linear(op::Linear { out, bias, .. }) = &op.kind else {
            return None;
        };
        let (d_input, d_output) = matrix(input, out)?;
        Some(linear(d_input, d_output, bias.is_true()?, weights))
    }
}

/// burn's layer, with initial weights as in PyTorch.
pub(super) fn linear(d_input: usize, d_output: usize, bias: bool, weights: &Weights) -> Linear {
    let mut layer = LinearConfig::new(d_input, d_output)
        .with_bias(bias)
        .init(weights.device());
    weights.layer(&mut layer.weight, layer.bias.as_mut(), d_input);
    layer
}
