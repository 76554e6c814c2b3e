//! Convolutions.

use super::from_op::{Layer, check_allocation, sizes};
use crate::weights::Weights;
use burn::module::{Module, Param};
use burn::nn::conv::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, Conv3dConfig, ConvTranspose1d,
    ConvTranspose1dConfig, ConvTranspose2d, ConvTranspose2dConfig, ConvTranspose3d,
    ConvTranspose3dConfig,
};
use burn::nn::{PaddingConfig1d, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::module::conv3d;
use burn::tensor::ops::{ConvOptions, PadMode};
use damper_ir::{Op, OpKind, Padding, Shape};

/// A convolution over three axes, PyTorch's `Conv3d`.
///
/// burn's `Conv3d` pads both sides of an axis by the same amount; `padding = same` with an even kernel needs one
/// position more at the end.
#[derive(Module, Debug)]
pub struct Conv3d {
    /// `[out, in / groups, depth, height, width]`
    pub weight: Param<Tensor<5>>,
    /// `[out]`
    pub bias: Option<Param<Tensor<1>>>,
    /// The step of the window.
    pub stride: [usize; 3],
    /// The distance of neighboring kernel elements.
    pub dilation: [usize; 3],
    /// The number of groups of channels. A group of output channels reads only its group of input channels.
    pub groups: usize,
    /// Zeros before the first position of each axis.
    pub before: [usize; 3],
    /// Zeros after the last position of each axis.
    pub behind: [usize; 3],
}

impl Conv3d {
    /// Slides the kernel over the value.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, in, depth, height, width]`
    /// - output: `[batch, out, depth, height, width]`
    #[must_use]
    pub fn forward(&self, input: Tensor<5>) -> Tensor<5> {
        self.with(input, self.weight.val())
    }

    pub(super) fn with(&self, input: Tensor<5>, weight: Tensor<5>) -> Tensor<5> {
        let bias = self.bias.as_ref().map(Param::val);
        let (input, padding) = if self.before == self.behind {
            (input, self.before)
        } else {
            let pairs = [0, 1, 2].map(|axis| (self.before[axis], self.behind[axis]));
            (input.pad(pairs, PadMode::Constant(0.0)), [0; 3])
        };
        let options = ConvOptions::new(self.stride, padding, self.dilation, self.groups);
        conv3d(input, weight, bias, options)
    }
}

/// Slides the layer's kernel along the value: on `flex` as products of windows that stay in the cache.
///
/// # Shapes
///
/// - input: `[batch, in, width]`
/// - output: `[batch, out, width]`
#[must_use]
pub fn conv1d(layer: &Conv1d, input: Tensor<3>) -> Tensor<3> {
    conv1d_with(layer, layer.weight.val(), input)
}

/// Slides the layer's kernel over the value: on `flex` as products of windows that stay in the cache.
///
/// # Shapes
///
/// - input: `[batch, in, height, width]`
/// - output: `[batch, out, height, width]`
#[must_use]
pub fn conv2d(layer: &Conv2d, input: Tensor<4>) -> Tensor<4> {
    conv2d_with(layer, layer.weight.val(), input)
}

/// [`conv1d`] with this weight instead of the layer's.
pub(super) fn conv1d_with(layer: &Conv1d, weight: Tensor<3>, input: Tensor<3>) -> Tensor<3> {
    let [.., length] = input.dims();
    let padding = match &layer.padding {
        PaddingConfig1d::Valid => (0, 0),
        PaddingConfig1d::Same => same(length, layer.kernel_size, layer.stride),
        PaddingConfig1d::Explicit(left, right) => (*left, *right),
    };
    let bias = layer.bias.as_ref().map(Param::val);
    fused!(input => {
        let of = damper_flex::Convolution {
            channels: [input.dims()[1], weight.dims()[0]],
            kernel: [1, layer.kernel_size],
            stride: [1, layer.stride],
            dilation: [1, layer.dilation],
            padding: [(0, 0), padding],
            groups: layer.groups,
        };
        damper_flex::convolution(input, weight.clone(), bias.clone(), of)
    });
    let options =
        ConvOptions::new_with_padding([layer.stride], [padding], [layer.dilation], layer.groups);
    burn::tensor::module::conv1d(input, weight, bias, options)
}

/// [`conv2d`] with this weight instead of the layer's.
pub(super) fn conv2d_with(layer: &Conv2d, weight: Tensor<4>, input: Tensor<4>) -> Tensor<4> {
    let [.., height, width] = input.dims();
    let padding = match &layer.padding {
        PaddingConfig2d::Valid => [(0, 0), (0, 0)],
        PaddingConfig2d::Same => [
            same(height, layer.kernel_size[0], layer.stride[0]),
            same(width, layer.kernel_size[1], layer.stride[1]),
        ],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(*top, *bottom), (*left, *right)],
    };
    let bias = layer.bias.as_ref().map(Param::val);
    fused!(input => {
        let of = damper_flex::Convolution {
            channels: [input.dims()[1], weight.dims()[0]],
            kernel: layer.kernel_size,
            stride: layer.stride,
            dilation: layer.dilation,
            padding,
            groups: layer.groups,
        };
        damper_flex::convolution(input, weight.clone(), bias.clone(), of)
    });
    let options =
        ConvOptions::new_with_padding(layer.stride, padding, layer.dilation, layer.groups);
    burn::tensor::module::conv2d(input, weight, bias, options)
}

/// Zeros on both sides of an axis under burn's `Same`.
fn same(size: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let needed = size.div_ceil(stride).saturating_sub(1) * stride + kernel;
    let total = needed.saturating_sub(size);
    (total / 2, total - total / 2)
}

/// The sizes of a convolution over `N` axes.
struct Geometry<const N: usize> {
    channels: [usize; 2],
    kernel: [usize; N],
    stride: [usize; N],
    dilation: [usize; N],
    padding: [(usize, usize); N],
    output_padding: [usize; N],
    groups: usize,
    bias: bool,
}

impl<const N: usize> Geometry<N> {
    fn of(op: &Op, input: &Shape, transposed: bool) -> Option<Self> {
        let OpKind::Conv(conv) = &op.kind else {
            return None;
        };
        if usize::from(conv.axes) != N || conv.transposed != transposed {
            return None;
        }
        let channels_in = input.channels().filter(|channels| *channels > 0)?;
        let out = conv.out.size().filter(|out| *out > 0)?;
        let (channels_out, groups) = if conv.depthwise {
            (channels_in.checked_mul(out)?, channels_in)
        } else {
            (out, conv.groups.size()?)
        };
        if groups == 0
            || !channels_in.is_multiple_of(groups)
            || !channels_out.is_multiple_of(groups)
        {
            return None;
        }
        let positive = |values: &[usize; N]| values.iter().all(|size| *size > 0);
        let kernel = sizes(&conv.kernel, None).filter(positive)?;
        let stride = sizes(&conv.stride, Some([1; N])).filter(positive)?;
        let dilation = sizes(&conv.dilation, Some([1; N])).filter(positive)?;
        let output_padding = sizes(&conv.output_padding, Some([0; N]))?;
        if conv.padding == Padding::Causal && N > 1 {
            return None;
        }
        let padding = padding(&conv.padding, input, &kernel, &stride, &dilation)?;
        let weights = [channels_in / groups, channels_out];
        check_allocation(weights.iter().chain(&kernel).copied())?;
        Some(Self {
            channels: [channels_in, channels_out],
            kernel,
            stride,
            dilation,
            padding,
            output_padding,
            groups,
            bias: conv.bias.is_true()?,
        })
    }

    /// The number of zeros on each side of each axis, if both sides have the same number.
    fn symmetric(&self) -> Option<[usize; N]> {
        self.padding
            .iter()
            .all(|(before, behind)| before == behind)
            .then(|| self.padding.map(|(before, _)| before))
    }
}

/// The zeros before and after each axis of the positions of `[channels, ..]`.
pub(super) fn padding<const N: usize>(
    padding: &Padding,
    input: &Shape,
    kernel: &[usize; N],
    stride: &[usize; N],
    dilation: &[usize; N],
) -> Option<[(usize, usize); N]> {
    let mut pairs = [(0, 0); N];
    let windows = kernel.iter().zip(stride).zip(dilation);
    for (axis, (pair, ((kernel, stride), dilation))) in pairs.iter_mut().zip(windows).enumerate() {
        let size = input.0.get(axis + 1).copied().flatten();
        // Only `same` with a stride depends on the size.
        let size = match padding {
            Padding::Same if *stride > 1 => size?,
            _ => size.unwrap_or(1),
        };
        let reach = dilation
            .checked_mul(kernel.checked_sub(1)?)?
            .checked_add(1)?;
        *pair = padding.around(axis, size, reach, *stride)?;
    }
    Some(pairs)
}

impl<const N: usize> Geometry<N> {
    /// PyTorch's fan-in: `in / groups * kernel`, and `out / groups * kernel` for a transposed convolution.
    fn fan_in(&self, transposed: bool) -> usize {
        let channels = self.channels[usize::from(transposed)] / self.groups;
        channels * self.kernel.iter().product::<usize>()
    }
}

macro_rules! convolutions {
    ($($layer:ident($axes:literal, $transposed:literal, $word:literal) = |$sizes:ident, $weights:ident| $build:expr;)*) => {$(
        impl Layer for $layer {
            const WORD: &'static str = concat!("`", $word, "`");

            fn make(op: &Op, input: &Shape, $weights: &Weights) -> Option<Self> {
                let $sizes = Geometry::<$axes>::of(op, input, $transposed)?;
                $build
            }
        }
    )*};
}

convolutions! {
    Conv1d(1, false, "conv1d") = |sizes, weights| {
        let [(left, right)] = sizes.padding;
        let [channels_in, channels_out] = sizes.channels;
        let mut layer =        Conv1dConfig::new(channels_in, channels_out, sizes.kernel[0])
            .with_stride(sizes.stride[0])
            .with_dilation(sizes.dilation[0])
            .with_groups(sizes.groups)
            .with_padding(PaddingConfig1d::Explicit(left, right))
            .with_bias(sizes.bias)
            .init(weights.device());
        weights.layer(&mut layer.weight, layer.bias.as_mut(), sizes.fan_in(false));
        Some(layer)
    };
    Conv2d(2, false, "conv2d") = |sizes, weights| {
        let [(top, bottom), (left, right)] = sizes.padding;
        let mut layer =        Conv2dConfig::new(sizes.channels, sizes.kernel)
            .with_stride(sizes.stride)
            .with_dilation(sizes.dilation)
            .with_groups(sizes.groups)
            .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
            .with_bias(sizes.bias)
            .init(weights.device());
        weights.layer(&mut layer.weight, layer.bias.as_mut(), sizes.fan_in(false));
        Some(layer)
    };
    Conv3d(3, false, "conv3d") = |sizes, weights| {
        let mut drawn = Conv3dConfig::new(sizes.channels, sizes.kernel)
            .with_groups(sizes.groups)
            .with_bias(sizes.bias)
            .init(weights.device());
        weights.layer(&mut drawn.weight, drawn.bias.as_mut(), sizes.fan_in(false));
        Some(Self {
            weight: drawn.weight,
            bias: drawn.bias,
            stride: sizes.stride,
            dilation: sizes.dilation,
            groups: sizes.groups,
            before: sizes.padding.map(|(before, _)| before),
            behind: sizes.padding.map(|(_, behind)| behind),
        })
    };
    ConvTranspose1d(1, true, "conv_transpose1d") = |sizes, weights| {
        let [padding] = sizes.symmetric()?;
        let mut layer =        ConvTranspose1dConfig::new(sizes.channels, sizes.kernel[0])
            .with_stride(sizes.stride[0])
            .with_dilation(sizes.dilation[0])
            .with_groups(sizes.groups)
            .with_padding(padding)
            .with_padding_out(sizes.output_padding[0])
            .with_bias(sizes.bias)
            .init(weights.device());
        weights.layer(&mut layer.weight, layer.bias.as_mut(), sizes.fan_in(true));
        Some(layer)
    };
    ConvTranspose2d(2, true, "conv_transpose2d") = |sizes, weights| {
        let mut layer =        ConvTranspose2dConfig::new(sizes.channels, sizes.kernel)
            .with_stride(sizes.stride)
            .with_dilation(sizes.dilation)
            .with_groups(sizes.groups)
            .with_padding(sizes.symmetric()?)
            .with_padding_out(sizes.output_padding)
            .with_bias(sizes.bias)
            .init(weights.device());
        weights.layer(&mut layer.weight, layer.bias.as_mut(), sizes.fan_in(true));
        Some(layer)
    };
    ConvTranspose3d(3, true, "conv_transpose3d") = |sizes, weights| {
        let mut layer =        ConvTranspose3dConfig::new(sizes.channels, sizes.kernel)
            .with_stride(sizes.stride)
            .with_dilation(sizes.dilation)
            .with_groups(sizes.groups)
            .with_padding(sizes.symmetric()?)
            .with_padding_out(sizes.output_padding)
            .with_bias(sizes.bias)
            .init(weights.device());
        weights.layer(&mut layer.weight, layer.bias.as_mut(), sizes.fan_in(true));
        Some(layer)
    };
}
