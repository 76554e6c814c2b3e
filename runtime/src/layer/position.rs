//! Position encodings that are added to the steps of a sequence.

use super::from_op::{Layer, check_allocation};
use crate::autodiff::match_autodiff;
use crate::weights::Weights;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use damper_ir::op;
use damper_ir::{Op, OpKind, Shape};

/// The standard deviation of initial learned vectors, as in `ViT` and BERT.
pub(super) const SPREAD: f64 = 0.02;

/// Adds sines and cosines of the step's number (Vaswani et al., arXiv 1706.03762): feature `2 i` of step `t` gets
/// `sin(t / 10000^(2 i / features))`, feature `2 i + 1` the cosine.
#[derive(Module, Debug)]
pub struct SinusoidalPosition {
    /// The encoding that is added: `[time, features]`; computed, never trained, and not saved.
    pub table: Tensor<2>,
}

impl SinusoidalPosition {
    /// The table for this number of steps.
    pub fn new(time: usize, features: usize, device: &Device) -> Self {
        let mut table = Vec::with_capacity(time * features);
        for step in 0..time {
            for feature in 0..features {
                let pair = (feature - feature % 2) as f64 / features.max(1) as f64;
                let angle = step as f64 / 10_000_f64.powf(pair);
                let value = if feature % 2 == 0 {
                    angle.sin()
                } else {
                    angle.cos()
                };
                table.push(value as f32);
            }
        }
        Self {
            table: Tensor::from_data(TensorData::new(table, [time, features]), device),
        }
    }

    /// The value with its positions.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, features]`
    /// - output: `[batch, time, features]`
    #[must_use]
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [_, time, features] = input.dims();
        let [known, _] = self.table.dims();
        let table = if time <= known {
            self.table.clone().narrow(0, 0, time)
        } else {
            Self::new(time, features, &input.device()).table
        };
        let table = match_autodiff(table, &input);
        input + table.unsqueeze_dim(0)
    }
}

impl Layer for SinusoidalPosition {
    const WORD: &'static str = "`positional(sinusoidal)`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Positional(op::Positional { learned: false }) = &op.kind else {
            return None;
        };
        let (time, features) = table(input)?;
        let steps = kept(time, features);
        Some(Self::new(steps, features, weights.device()))
    }
}

/// Adds a learned vector to each step, as BERT and `ViT` do.
///
/// Its initial values are normally distributed with a standard deviation of 0.02.
#[derive(Module, Debug)]
pub struct LearnedPosition {
    /// A vector for each step: `[time, features]`.
    pub weight: Param<Tensor<2>>,
}

impl LearnedPosition {
    /// The value with its positions.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, features]`, not longer than the table
    /// - output: `[batch, time, features]`
    #[must_use]
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [_, time, _] = input.dims();
        let table = self.weight.val();
        let [known, _] = table.dims();
        let table = if time == known {
            table
        } else {
            table.narrow(0, 0, time)
        };
        input + table.unsqueeze_dim(0)
    }
}

impl Layer for LearnedPosition {
    const WORD: &'static str = "`positional(learned)`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Positional(op::Positional { learned: true }) = &op.kind else {
            return None;
        };
        let (time, features) = table(input)?;
        Some(Self {
            weight: weights.normal([time, features], SPREAD),
        })
    }
}

/// Puts a learned vector before the first step (Devlin et al., arXiv 1810.04805; Dosovitskiy et al., arXiv 2010.11929).
///
/// Its initial values are normally distributed with a standard deviation of 0.02.
#[derive(Module, Debug)]
pub struct ClassToken {
    /// The vector: `[1, features]`.
    pub weight: Param<Tensor<2>>,
}

impl ClassToken {
    /// The sequence with the vector before its first step.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, features]`
    /// - output: `[batch, time + 1, features]`
    #[must_use]
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, _, features] = input.dims();
        let token = self.weight.val().unsqueeze_dim::<3>(0);
        Tensor::cat(vec![token.expand([batch, 1, features]), input], 1)
    }
}

impl Layer for ClassToken {
    const WORD: &'static str = "`class_token`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::ClassToken = &op.kind else {
            return None;
        };
        let features = input.features().filter(|size| *size > 0)?;
        Some(Self {
            weight: weights.normal([1, features], SPREAD),
        })
    }
}

/// The number of steps for which a computed table is stored; the table of further steps is computed in each pass.
///
/// The steps are a number in the description that no weight confirms, so a table for them must not exhaust the memory.
pub(super) fn kept(time: usize, features: usize) -> usize {
    const NUMBERS: usize = 1 << 24;
    time.min(NUMBERS / features.max(1))
}

/// Steps and features, if a table of this size fits into the address space.
fn table(input: &Shape) -> Option<(usize, usize)> {
    let [time, features] = input.0.as_slice() else {
        return None;
    };
    let sizes = [(*time)?, (*features)?];
    check_allocation(sizes)?;
    let [time, features] = sizes;
    Some((time, features))
}
