//! Dropout of groups of values: channels, features of all steps, regions.

use super::dropout::ApplyMask;
use super::from_op::{Layer, probability};
use crate::Pass;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::tensor::Tensor;
use damper_ir::{Op, OpKind, Shape, Stochastic};

/// Drops whole feature maps: while training, each channel of each sample becomes 0 with probability `rate`, and
/// survives scaled by `1 / (1 - rate)` (Tompson et al., arXiv 1411.4280; PyTorch's `Dropout1d`, `2d`, `3d`).
#[derive(Module, Debug)]
pub struct SpatialDropout {
    /// The probability of dropping a channel, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl SpatialDropout {
    /// Drops channels with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// Drops channels.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, channels, ..]`
    /// - output: `[batch, channels, ..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let Some(mask) = pass.dropout_mask(self.rate, &self.training, &input) else {
            return input;
        };
        let mut shape = input.dims();
        for axis in shape.iter_mut().skip(2) {
            *axis = 1;
        }
        mask.apply_to_groups(input, shape)
    }
}

impl Layer for SpatialDropout {
    const WORD: &'static str = "`spatial_dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::SpatialDropout { rate }) => {
                probability(rate).map(Self::new)
            }
            _ => None,
        }
    }
}

/// Drops features of a sequence with one mask for all steps: while training, each feature of each sample becomes 0 in
/// every step with probability `rate`, and survives scaled by `1 / (1 - rate)` (Gal and Ghahramani, arXiv 1512.05287;
/// also called locked dropout).
#[derive(Module, Debug)]
pub struct VariationalDropout {
    /// The probability of dropping a feature, in [0, 1).
    pub rate: f64,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl VariationalDropout {
    /// Drops features with probability `rate`, in [0, 1).
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            training: Param::from_bool(true),
        }
    }

    /// Drops features.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, features]`
    /// - output: `[batch, time, features]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let Some(mask) = pass.dropout_mask(self.rate, &self.training, &input) else {
            return input;
        };
        let mut shape = input.dims();
        if D > 2 {
            shape[1] = 1;
        }
        mask.apply_to_groups(input, shape)
    }
}

impl Layer for VariationalDropout {
    const WORD: &'static str = "`variational_dropout`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::Stochastic(Stochastic::VariationalDropout { rate }) => {
                probability(rate).map(Self::new)
            }
            _ => None,
        }
    }
}

/// Drops contiguous regions of feature maps: while training, squares of side `size` become 0, each channel with regions
/// of its own, so that a fraction `rate` of the map is dropped. Kept values are scaled by the count of all values over
/// the count of kept ones (Ghiasi et al., arXiv 1810.12890).
///
/// Regions are inside of the map; a map that is smaller than `size` along an axis is dropped along the whole axis. Regions
/// may overlap, so that a little less than `rate` is dropped, as in the paper.
#[derive(Module, Debug)]
pub struct DropBlock {
    /// The fraction of the map that is dropped at the end of training, in [0, 1).
    pub rate: f64,
    /// The fraction at the beginning of training; it changes linearly.
    pub first: f64,
    /// The side of a region.
    pub size: usize,
    /// If false, the layer does nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
}

impl DropBlock {
    /// Drops a fraction `rate`, in [0, 1), in regions of side `size`.
    pub fn new(rate: f64, size: usize) -> Self {
        Self {
            rate,
            first: rate,
            size,
            training: Param::from_bool(true),
        }
    }

    /// Begins with this fraction, which changes linearly to the last one over the training.
    #[must_use]
    pub fn starting_at(mut self, first: f64) -> Self {
        self.first = first;
        self
    }

    /// Drops regions. The fraction depends on the progress of the training in the pass.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, channels, ..]`
    /// - output: `[batch, channels, ..]`
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, pass: &mut Pass) -> Tensor<D> {
        let rate = self.first + (self.rate - self.first) * pass.progress();
        if D < 3 {
            return input;
        }
        let Some(mask) = pass.dropout_mask(rate, &self.training, &input) else {
            return input;
        };
        let shape = input.dims();
        let mut corners = shape;
        let mut gamma = rate;
        for (corner, side) in corners.iter_mut().zip(&shape).skip(2) {
            let size = self.size.clamp(1, (*side).max(1));
            *corner = side + 1 - size;
            gamma *= *side as f64 / (size * *corner) as f64;
        }
        let mut dropped = mask.with_rate(gamma).to_marks(corners, &input.device());
        for axis in 2..D {
            dropped = widen(dropped, axis, shape[axis] + 1 - corners[axis]);
        }
        let kept = dropped.neg().add_scalar(1.0);
        let count = kept.clone().sum().clamp_min(1.0);
        let scale = count
            .recip()
            .mul_scalar(shape.iter().product::<usize>() as f64);
        input * (kept * scale.reshape([1; D]))
    }
}

/// Each 1 becomes a run of `size` ones along the axis, which grows by `size - 1`.
fn widen<const D: usize>(value: Tensor<D>, axis: usize, size: usize) -> Tensor<D> {
    if size <= 1 {
        return value;
    }
    let mut shape = value.dims();
    shape[axis] = size - 1;
    let border = Tensor::zeros(shape, &value.device());
    let mut value = Tensor::cat(vec![border.clone(), value, border], axis);
    // The maximum over a window, whose size is doubled until it is large enough.
    let mut width = 1;
    while width < size {
        let step = width.min(size - width);
        let length = value.dims()[axis] - step;
        let here = value.clone().narrow(axis, 0, length);
        value = here.max_pair(value.narrow(axis, step, length));
        width += step;
    }
    value
}

impl Layer for DropBlock {
    const WORD: &'static str = "`drop_block`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Stochastic(Stochastic::DropBlock { rate, first, size }) = &op.kind else {
            return None;
        };
        let size = size.size().filter(|size| *size > 0)?;
        let layer = Self::new(probability(rate)?, size);
        Some(match first {
            Some(first) => layer.starting_at(probability(first)?),
            None => layer,
        })
    }
}
