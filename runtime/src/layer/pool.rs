//! Pooling.

use super::convolution::padding;
use super::from_op::{Layer, sizes};
use crate::weights::Weights;
use burn::module::Module;
use burn::nn::pool::{
    AdaptiveAvgPool1dConfig, AdaptiveAvgPool2dConfig, AdaptiveAvgPool3dConfig, AvgPool1dConfig,
    AvgPool2dConfig, MaxPool1dConfig, MaxPool2dConfig,
};
use burn::nn::{PaddingConfig1d, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, max_pool2d as windows_max2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use damper_ir::{Op, OpKind, Padding, Pool, Reduction, Shape};

pub use burn::nn::pool::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AvgPool1d, AvgPool2d, MaxPool1d,
    MaxPool2d,
};

/// The maximum of each window of a volume, PyTorch's `MaxPool3d`. Padding is never the maximum.
///
/// It is two passes of burn over two axes each: the maximum of a box is the maximum of the maxima of its slices.
#[derive(Module, Debug)]
pub struct MaxPool3d {
    /// The window.
    pub kernel: [usize; 3],
    /// The step of the window.
    pub stride: [usize; 3],
    /// The padding before the first position of each axis.
    pub before: [usize; 3],
    /// The padding after the last position of each axis.
    pub behind: [usize; 3],
}

/// The mean of each window of a volume, PyTorch's `AvgPool3d`.
///
/// It is two passes of burn over two axes each: the mean of a box is the mean of the means of its slices.
#[derive(Module, Debug)]
pub struct AvgPool3d {
    /// The window.
    pub kernel: [usize; 3],
    /// The step of the window.
    pub stride: [usize; 3],
    /// Zeros before the first position of each axis.
    pub before: [usize; 3],
    /// Zeros after the last position of each axis.
    pub behind: [usize; 3],
    /// Whether the zeros are part of the mean.
    pub count_include_pad: bool,
    /// Whether a last window that reaches beyond the end is kept.
    pub ceil_mode: bool,
}

/// The maximum of each window.
///
/// # Shapes
///
/// - input: `[batch, channels, width]`
/// - output: `[batch, channels, width]`
#[must_use]
pub fn max_pool1d(layer: &MaxPool1d, input: Tensor<3>) -> Tensor<3> {
    fused!(input => match (&layer.padding, layer.dilation, layer.ceil_mode) {
        (PaddingConfig1d::Explicit(left, right), 1, false) => {
            let windows = damper_flex::MaxPool {
                kernel: [1, layer.kernel_size],
                stride: [1, layer.stride],
                padding: [(0, 0), (*left, *right)],
            };
            damper_flex::max_pool(input, windows)
        }
        _ => Err(input),
    });
    layer.forward(input)
}

/// The maximum of each window.
///
/// # Shapes
///
/// - input: `[batch, channels, height, width]`
/// - output: `[batch, channels, height, width]`
#[must_use]
pub fn max_pool2d(layer: &MaxPool2d, input: Tensor<4>) -> Tensor<4> {
    fused!(input => match (&layer.padding, layer.dilation, layer.ceil_mode) {
        (PaddingConfig2d::Explicit(top, left, bottom, right), [1, 1], false) => {
            let windows = damper_flex::MaxPool {
                kernel: layer.kernel_size,
                stride: layer.stride,
                padding: [(*top, *bottom), (*left, *right)],
            };
            damper_flex::max_pool(input, windows)
        }
        _ => Err(input),
    });
    layer.forward(input)
}

/// `pool(value, window, stride, zeros)` over height and width, then over depth.
fn in_two_passes(
    input: Tensor<5>,
    [kernel, stride, before, behind]: [[usize; 3]; 4],
    pool: impl Fn(Tensor<4>, [usize; 2], [usize; 2], [(usize, usize); 2]) -> Tensor<4>,
) -> Tensor<5> {
    let [batch, channels, depth, height, width] = input.dims();
    let flat = input.reshape([batch, channels * depth, height, width]);
    let zeros = [(before[1], behind[1]), (before[2], behind[2])];
    let flat = pool(flat, [kernel[1], kernel[2]], [stride[1], stride[2]], zeros);
    let [.., height, width] = flat.dims();
    let flat = flat.reshape([batch, channels, depth, height * width]);
    let zeros = [(before[0], behind[0]), (0, 0)];
    let flat = pool(flat, [kernel[0], 1], [stride[0], 1], zeros);
    let [.., depth, _] = flat.dims();
    flat.reshape([batch, channels, depth, height, width])
}

impl MaxPool3d {
    /// The maximum of each window.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, channels, depth, height, width]`
    /// - output: `[batch, channels, depth, height, width]`
    #[must_use]
    pub fn forward(&self, input: Tensor<5>) -> Tensor<5> {
        let sizes = [self.kernel, self.stride, self.before, self.behind];
        in_two_passes(input, sizes, |value, kernel, stride, zeros| {
            let options = MaxPoolOptions::new(kernel)
                .with_stride(stride)
                .with_padding_pairs(zeros);
            windows_max2d(value, options)
        })
    }
}

impl AvgPool3d {
    /// The mean of each window.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, channels, depth, height, width]`
    /// - output: `[batch, channels, depth, height, width]`
    #[must_use]
    pub fn forward(&self, input: Tensor<5>) -> Tensor<5> {
        let sizes = [self.kernel, self.stride, self.before, self.behind];
        in_two_passes(input, sizes, |value, kernel, stride, zeros| {
            let options = AvgPoolOptions::new(kernel)
                .with_stride(stride)
                .with_padding_pairs(zeros)
                .with_count_include_pad(self.count_include_pad)
                .with_ceil_mode(self.ceil_mode);
            avg_pool2d(value, options)
        })
    }
}

/// The sizes of a pooling over `N` axes.
struct Windows<const N: usize> {
    kernel: [usize; N],
    stride: [usize; N],
    padding: [(usize, usize); N],
    /// Whether zeros are part of a mean.
    counted: bool,
    /// Whether a last window that reaches beyond the end is kept.
    whole: bool,
}

impl<const N: usize> Windows<N> {
    fn of(op: &Op, input: &Shape, reduction: Reduction, adaptive: bool) -> Option<Self> {
        let OpKind::Pool(pool) = &op.kind else {
            return None;
        };
        if usize::from(pool.axes) != N || pool.reduction != reduction || pool.adaptive != adaptive {
            return None;
        }
        let positive = |values: &[usize; N]| values.iter().all(|size| *size > 0);
        let kernel = sizes(&pool.kernel, None).filter(positive)?;
        let stride = sizes(&pool.stride, Some(kernel)).filter(positive)?;
        Some(Self {
            padding: padding(&pool.padding, input, &kernel, &stride, &[1; N])?,
            kernel,
            stride,
            counted: pool.padding != Padding::Same,
            // `same` leaves nothing beyond the end.
            whole: pool.keeps_last()? && pool.padding != Padding::Same,
        })
        .filter(|_| pool.padding != Padding::Causal)
    }

    /// The padding with what the last window needs beyond the end: it is never the largest.
    fn reached(mut self, input: &Shape) -> Option<Self> {
        if self.whole {
            let windows = self.kernel.iter().zip(&self.stride);
            for (axis, (pair, (kernel, stride))) in self.padding.iter_mut().zip(windows).enumerate()
            {
                let size = input.0.get(axis + 1).copied().flatten()?;
                pair.1 += Pool::beyond(size, *kernel, *stride, *pair);
            }
        }
        Some(self)
    }
}

macro_rules! pools {
    ($($layer:ident($axes:literal, $reduction:ident, $adaptive:literal, $word:literal) = |$sizes:ident| $build:expr;)*) => {$(
        impl Layer for $layer {
            const WORD: &'static str = concat!("`", $word, "`");

            fn make(op: &Op, input: &Shape, _: &Weights) -> Option<Self> {
                let $sizes = Windows::<$axes>::of(op, input, Reduction::$reduction, $adaptive)?;
                let $sizes = match Reduction::$reduction {
                    Reduction::Max => $sizes.reached(input)?,
                    _ => $sizes,
                };
                Some($build)
            }
        }
    )*};
}

pools! {
    MaxPool1d(1, Max, false, "max_pool1d") = |sizes| MaxPool1dConfig::new(sizes.kernel[0])
        .with_stride(sizes.stride[0])
        .with_padding(explicit1(sizes.padding))
        .init();
    MaxPool2d(2, Max, false, "max_pool2d") = |sizes| MaxPool2dConfig::new(sizes.kernel)
        .with_strides(sizes.stride)
        .with_padding(explicit2(sizes.padding))
        .init();
    MaxPool3d(3, Max, false, "max_pool3d") = |sizes| Self {
        kernel: sizes.kernel,
        stride: sizes.stride,
        before: sizes.padding.map(|(before, _)| before),
        behind: sizes.padding.map(|(_, behind)| behind),
    };
    AvgPool1d(1, Mean, false, "avg_pool1d") = |sizes| AvgPool1dConfig::new(sizes.kernel[0])
        .with_stride(sizes.stride[0])
        .with_padding(explicit1(sizes.padding))
        .with_count_include_pad(sizes.counted)
        .with_ceil_mode(sizes.whole)
        .init();
    AvgPool2d(2, Mean, false, "avg_pool2d") = |sizes| AvgPool2dConfig::new(sizes.kernel)
        .with_strides(sizes.stride)
        .with_padding(explicit2(sizes.padding))
        .with_count_include_pad(sizes.counted)
        .with_ceil_mode(sizes.whole)
        .init();
    AvgPool3d(3, Mean, false, "avg_pool3d") = |sizes| Self {
        kernel: sizes.kernel,
        stride: sizes.stride,
        before: sizes.padding.map(|(before, _)| before),
        behind: sizes.padding.map(|(_, behind)| behind),
        count_include_pad: sizes.counted,
        ceil_mode: sizes.whole,
    };
    AdaptiveAvgPool1d(1, Mean, true, "adaptive_avg_pool1d") = |sizes| AdaptiveAvgPool1dConfig::new(sizes.kernel[0]).init();
    AdaptiveAvgPool2d(2, Mean, true, "adaptive_avg_pool2d") = |sizes| AdaptiveAvgPool2dConfig::new(sizes.kernel).init();
    AdaptiveAvgPool3d(3, Mean, true, "adaptive_avg_pool3d") = |sizes| AdaptiveAvgPool3dConfig::new(sizes.kernel).init();
}

fn explicit1([(left, right)]: [(usize, usize); 1]) -> PaddingConfig1d {
    PaddingConfig1d::Explicit(left, right)
}

fn explicit2([(top, bottom), (left, right)]: [(usize, usize); 2]) -> PaddingConfig2d {
    PaddingConfig2d::Explicit(top, left, bottom, right)
}

/// The mean of each channel over all its positions.
///
/// # Shapes
///
/// - input: `[batch, channels, ..]`
/// - output: `[batch, channels]`
#[must_use]
pub fn global_avg_pool<const D: usize>(input: Tensor<D>) -> Tensor<2> {
    positions(input).mean_dim(2).squeeze_dim(2)
}

/// The maximum of each channel.
///
/// # Shapes
///
/// - input: `[batch, channels, ..]`
/// - output: `[batch, channels]`
#[must_use]
pub fn global_max_pool<const D: usize>(input: Tensor<D>) -> Tensor<2> {
    positions(input).max_dim(2).squeeze_dim(2)
}

/// `[batch, channels, ..]` to `[batch, channels, positions]`.
pub(super) fn positions<const D: usize>(input: Tensor<D>) -> Tensor<3> {
    let dims = input.dims();
    let axis = |index: usize| dims.get(index).copied().unwrap_or(1);
    let positions = dims.iter().skip(2).product();
    input.reshape([axis(0), axis(1), positions])
}
