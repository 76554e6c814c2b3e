//! More or fewer positions.

use super::from_op::{Layer, check_allocation};
use crate::weights::Weights;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use damper_ir::op::resample::Interpolation;
use damper_ir::{Op, OpKind, Shape, Value};

/// `F.interpolate` of PyTorch, whose corners are not aligned: of `upsample` and of `resize`.
#[derive(Module, Debug)]
pub struct Resample {
    /// The factor for all positions; else `size` says how many come out.
    pub factor: Option<usize>,
    /// How many positions come out along each axis.
    #[module(skip)]
    pub size: Vec<usize>,
    /// Whether the mean of the positions around is taken, instead of the nearest.
    pub bilinear: bool,
}

impl Resample {
    /// The value with other positions.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, channels, length]` or `[batch, channels, height, width]`
    /// - output: the same axes
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let mut dims = input.dims();
        let axis = |index: usize| dims.get(index).copied().unwrap_or(1);
        let (batch, channels) = (axis(0), axis(1));
        // A line is an image whose height is 1.
        let (height, width) = if D > 3 {
            (axis(2), axis(3))
        } else {
            (1, axis(2))
        };
        for (place, axis) in dims.iter_mut().skip(2).enumerate() {
            *axis = match self.factor {
                Some(factor) => *axis * factor,
                None => self.size.get(place).copied().unwrap_or(*axis),
            };
        }
        let wanted = if D > 3 {
            [dims.get(2), dims.get(3)].map(|size| size.copied().unwrap_or(1))
        } else {
            [1, dims.get(2).copied().unwrap_or(1)]
        };
        let mode = if self.bilinear {
            InterpolateMode::Bilinear
        } else {
            InterpolateMode::Nearest
        };
        let options = InterpolateOptions::new(mode)
            .with_align_corners(false)
            .with_output_size(wanted);
        let image = input.reshape([batch, channels, height, width]);
        interpolate(image, options).reshape(dims)
    }
}

impl Layer for Resample {
    const WORD: &'static str = "`upsample` or `resize`";

    fn make(op: &Op, input: &Shape, _: &Weights) -> Option<Self> {
        let (factor, size, mode) = match &op.kind {
            OpKind::Upsample(of) => {
                let factor = of.factor.size().filter(|factor| *factor > 0)?;
                (Some(factor), Vec::new(), of.mode)
            }
            OpKind::Resize(of) => {
                let size: Option<Vec<usize>> = of.size.iter().map(Value::size).collect();
                (None, size?, of.mode)
            }
            _ => return None,
        };
        check_allocation(size.iter().copied().chain(input.channels()))?;
        Some(Self {
            factor,
            size,
            bilinear: mode == Interpolation::Bilinear,
        })
    }
}
