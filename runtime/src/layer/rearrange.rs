//! The same numbers at other places, parts of them, and numbers around them.

use super::from_op::Layer;
use crate::weights::Weights;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;
use damper_ir::op;
use damper_ir::{Op, OpKind, Shape, Value};

/// The steps of a sequence as positions.
#[derive(Module, Debug)]
pub struct ToImage {
    /// The axes of one sample.
    #[module(skip)]
    pub shape: Vec<usize>,
}

/// The axes in another order.
#[derive(Module, Debug)]
pub struct Permute {
    /// The axis of the batch that each axis of the output is, the batch itself included.
    #[module(skip)]
    pub axes: Vec<usize>,
}

/// Numbers before and behind the positions of an axis.
#[derive(Module, Debug)]
pub struct Pad {
    /// How many are added before and behind each axis.
    #[module(skip)]
    pub sizes: Vec<[usize; 2]>,
    /// The number that is added.
    pub value: f64,
}

/// A part of an axis.
#[derive(Module, Debug)]
pub struct Slice {
    /// The first place that is kept.
    pub start: usize,
    /// The place behind the last one that is kept.
    pub end: usize,
}

/// Channels as positions.
#[derive(Module, Debug)]
pub struct PixelShuffle {
    /// How many times the height and the width come out.
    pub factor: usize,
}

/// Mixes the channels of groups.
#[derive(Module, Debug)]
pub struct ChannelShuffle {
    /// The number of groups.
    pub groups: usize,
}

impl ToImage {
    /// `[batch, positions, channels]` to `[batch, channels, ..]`; `E` is the number of axes.
    ///
    /// # Panics
    ///
    /// In burn, if the numbers do not fill the shape. The rules of the description exclude that.
    #[must_use]
    pub fn forward<const D: usize, const E: usize>(&self, input: Tensor<D>) -> Tensor<E> {
        let mut shape = [1; E];
        let batch = input.dims().first().copied().unwrap_or(1);
        for (axis, size) in shape.iter_mut().zip([batch].iter().chain(&self.shape)) {
            *axis = *size;
        }
        input.swap_dims(1, 2).reshape(shape)
    }
}

impl Permute {
    /// `[batch, ..]` to `[batch, ..]`.
    ///
    /// # Panics
    ///
    /// In burn, if the axes are not those of the value. The rules of the description exclude that.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let mut axes = [0; D];
        for (axis, from) in axes.iter_mut().zip(&self.axes) {
            *axis = *from as isize;
        }
        input.permute(axes)
    }
}

impl Pad {
    /// `[batch, ..]` to `[batch, ..]`, from the axis `first` on.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, first: usize) -> Tensor<D> {
        let mut pairs = [(0, 0); D];
        for (pair, [before, behind]) in pairs.iter_mut().skip(first).zip(&self.sizes) {
            *pair = (*before, *behind);
        }
        input.pad(pairs, PadMode::Constant(self.value as f32))
    }
}

impl Slice {
    /// `[batch, ..]` to `[batch, ..]`: a part of the axis `axis`.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>, axis: usize) -> Tensor<D> {
        input.narrow(axis, self.start, self.end.saturating_sub(self.start))
    }
}

impl PixelShuffle {
    /// `[batch, factor * factor * channels, height, width]` to `[batch, channels, factor * height, factor * width]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = input.dims();
        let factor = self.factor;
        let kept = channels / (factor * factor).max(1);
        input
            .reshape([batch, kept, factor, factor, height, width])
            .permute([0, 1, 4, 2, 5, 3])
            .reshape([batch, kept, height * factor, width * factor])
    }
}

impl ChannelShuffle {
    /// `[batch, channels, ..]` to `[batch, channels, ..]`.
    #[must_use]
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        let axis = |index: usize| dims.get(index).copied().unwrap_or(1);
        let positions = dims.iter().skip(2).product();
        let each = axis(1) / self.groups.max(1);
        input
            .reshape([axis(0), self.groups, each, positions])
            .swap_dims(1, 2)
            .reshape(dims)
    }
}

fn known(values: &[Value]) -> Option<Vec<usize>> {
    values.iter().map(Value::size).collect()
}

impl Layer for ToImage {
    const WORD: &'static str = "`to_image`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        match &op.kind {
            OpKind::ToImage(op::ToImage { shape }) => known(shape).map(|shape| Self { shape }),
            _ => None,
        }
    }
}

impl Layer for Permute {
    const WORD: &'static str = "`permute`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Permute(op::Permute { axes }) = &op.kind else {
            return None;
        };
        let axes = [0].into_iter().chain(known(axes)?).collect();
        Some(Self { axes })
    }
}

impl Layer for Pad {
    const WORD: &'static str = "`pad`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Pad(op::Pad { sizes, value }) = &op.kind else {
            return None;
        };
        Some(Self {
            sizes: known(sizes)?.as_chunks().0.to_vec(),
            value: value.float().filter(|value| value.is_finite())?,
        })
    }
}

impl Layer for Slice {
    const WORD: &'static str = "`slice`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::Slice(op::Slice { range, .. }) = &op.kind else {
            return None;
        };
        let (start, end) = range.known().filter(|(start, end)| start < end)?;
        Some(Self { start, end })
    }
}

impl Layer for PixelShuffle {
    const WORD: &'static str = "`pixel_shuffle`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::PixelShuffle(of) = &op.kind else {
            return None;
        };
        let factor = of.factor.size().filter(|factor| *factor > 0)?;
        Some(Self { factor })
    }
}

impl Layer for ChannelShuffle {
    const WORD: &'static str = "`channel_shuffle`";

    fn make(op: &Op, _: &Shape, _: &Weights) -> Option<Self> {
        let OpKind::ChannelShuffle(of) = &op.kind else {
            return None;
        };
        let groups = of.groups.size().filter(|groups| *groups > 0)?;
        Some(Self { groups })
    }
}
