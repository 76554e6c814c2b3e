//! More or fewer positions.

use super::from_op::{Layer, check_allocation};
use crate::autodiff::match_autodiff;
use crate::weights::Weights;
use burn::module::Module;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, TensorData};
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
        let image = input.reshape([batch, channels, height, width]);
        let device = image.device();
        let mode = if self.bilinear {
            InterpolateMode::Bilinear
        } else {
            InterpolateMode::Nearest
        };
        if self.bilinear && !crate::device::is_flex(&device) {
            // burn's ndarray has no backward pass of it: two products, one for each axis.
            let rows = shares([wanted[0], height], &device);
            let columns = shares([wanted[1], width], &device).swap_dims(2, 3);
            let (rows, columns) = (
                match_autodiff(rows, &image),
                match_autodiff(columns, &image),
            );
            return rows.matmul(image).matmul(columns).reshape(dims);
        }
        let options = InterpolateOptions::new(mode)
            .with_align_corners(false)
            .with_output_size(wanted);
        interpolate(image, options).reshape(dims)
    }
}

/// How much of each old position is in each new one of an axis: `[1, 1, new, old]`.
fn shares([new, old]: [usize; 2], device: &Device) -> Tensor<4> {
    let mut shares = vec![0.0; new * old];
    for (place, row) in shares.chunks_mut(old.max(1)).enumerate() {
        let at = (place as f64 + 0.5) * old as f64 / new as f64 - 0.5;
        let at = at.max(0.0);
        let first = (at as usize).min(old.saturating_sub(1));
        let second = (first + 1).min(old.saturating_sub(1));
        let share = (at - first as f64) as f32;
        row[first] += 1.0 - share;
        row[second] += share;
    }
    Tensor::from_data(TensorData::new(shares, [1, 1, new, old]), device)
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
