//! A factor and a summand that are not learned.

use super::from_op::Layer;
use crate::weights::Weights;
use burn::module::Module;
use burn::tensor::Tensor;
use damper_ir::op::Elementwise;
use damper_ir::{Op, OpKind, Shape, Value};

/// Every number times a factor.
#[derive(Module, Debug)]
pub struct Scale {
    /// The factor.
    pub factor: f64,
}

/// Every number plus a summand.
#[derive(Module, Debug)]
pub struct Shift {
    /// The summand.
    pub by: f64,
}

impl Scale {
    /// Multiplies: `[..]` to `[..]`.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        input.mul_scalar(self.factor)
    }
}

impl Shift {
    /// Adds: `[..]` to `[..]`.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        input.add_scalar(self.by)
    }
}

fn finite(value: &Value) -> Option<f64> {
    value.float().filter(|value| value.is_finite())
}

impl Layer for Scale {
    const WORD: &'static str = "`scale`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Elementwise(Elementwise::Scale { factor }) = &op.kind else {
            return None;
        };
        finite(factor).map(|factor| Self { factor })
    }
}

impl Layer for Shift {
    const WORD: &'static str = "`shift`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Elementwise(Elementwise::Shift { by }) = &op.kind else {
            return None;
        };
        finite(by).map(|by| Self { by })
    }
}
