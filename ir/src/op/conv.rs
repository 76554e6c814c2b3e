//! The convolutions, also transposed and depthwise.

use super::window::{Axis, per_axis, positions, too_large};
use super::{Call, Field, Incoming, Inside, Operation, Type, Written};
use crate::shape::show;
use crate::words::{Argument, Field as _, Read, axes_of, of, pages, shown, visit};
use crate::{Layout, Padding, Role, Shape, ShapeError, Value, no};
use serde::{Deserialize, Serialize};

pages! {
    /// A convolution along a line.
    ///
    /// Shapes: `[batch, channels, length]` to `[batch, out, length]`.
    /// Parameters: `weight` `[out, channels / groups, kernel]` and `bias` `[out]`, both drawn from `U(-k, k)` with
    /// `k = 1 / sqrt(channels / groups * kernel)`, as in `PyTorch`. Its dropout is `spatial_dropout`.
    conv1d(out) {
        /// How many channels come out.
        out = required(Kind::Size).called("the number of channels"),
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(1)),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(1), 1),
        /// What is added at the borders: `valid` (nothing), `same` (the length divided by the stride comes out, rounded up; the smaller
        /// half is before, as in `TensorFlow`), `causal` (zeros before the first position alone, so that no position sees a later
        /// one), or so many zeros on both sides.
        padding = optional(Kind::Padding(1, LINE_PADDING)),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(1), 1),
        /// Into how many groups the channels are divided that do not see one another.
        groups = size(Kind::Size, 1),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// A convolution over an image.
    ///
    /// Shapes: `[batch, channels, height, width]` to `[batch, out, height, width]`.
    /// `kernel = [3, 5]` and its like give each axis its own number. Everything else as in [`conv1d`].
    conv2d(out) {
        /// How many channels come out.
        out = required(Kind::Size).called("the number of channels"),
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(2)),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(2), 1),
        /// What is added at the borders: `valid` (nothing), `same` (the size divided by the stride comes out, rounded up; the smaller
        /// half is before, as in `TensorFlow`), or so many zeros on both sides.
        padding = optional(Kind::Padding(2, PADDING)),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(2), 1),
        /// Into how many groups the channels are divided that do not see one another.
        groups = size(Kind::Size, 1),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// A convolution through a volume.
    ///
    /// Shapes: `[batch, channels, depth, height, width]` to `[batch, out, depth, height, width]`.
    /// `kernel = [3, 5]` and its like give each axis its own number. Everything else as in [`conv1d`].
    conv3d(out) {
        /// How many channels come out.
        out = required(Kind::Size).called("the number of channels"),
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(3)),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(3), 1),
        /// What is added at the borders: `valid` (nothing), `same` (the size divided by the stride comes out, rounded up; the smaller
        /// half is before, as in `TensorFlow`), or so many zeros on both sides.
        padding = optional(Kind::Padding(3, PADDING)),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(3), 1),
        /// Into how many groups the channels are divided that do not see one another.
        groups = size(Kind::Size, 1),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// The transpose of [`conv1d`]: a stride of 2 doubles the length.
    ///
    /// Length: `(length - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1`. Parameters: `weight`
    /// `[channels, out / groups, kernel]` and `bias` `[out]`.
    conv_transpose1d(out) {
        /// How many channels come out.
        out = required(Kind::Size).called("the number of channels"),
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(1))
            .usual(1.0, 512.0, 4.0, "2 to 4 for images, 16 in HiFi-GAN (arXiv 2010.05646)"),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(1), 1),
        /// How many zeros are added at each border.
        padding = size(Kind::WholePerAxis(1), 0),
        /// Positions added at the end of each axis, to choose among the sizes that a stride leaves open.
        output_padding = size(Kind::WholePerAxis(1), 0),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(1), 1)
            .usual(1.0, 512.0, 1.0, "512 in WaveNet (arXiv 1609.03499)"),
        /// Into how many groups the channels are divided that do not see one another.
        groups = size(Kind::Size, 1),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// The transpose of [`conv2d`]; see [`conv_transpose1d`].
    conv_transpose2d(out) {
        /// How many channels come out.
        out = required(Kind::Size).called("the number of channels"),
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(2))
            .usual(1.0, 512.0, 4.0, "2 to 4 for images, 16 in HiFi-GAN (arXiv 2010.05646)"),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(2), 1),
        /// How many zeros are added at each border.
        padding = size(Kind::WholePerAxis(2), 0),
        /// Positions added at the end of each axis, to choose among the sizes that a stride leaves open.
        output_padding = size(Kind::WholePerAxis(2), 0),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(2), 1)
            .usual(1.0, 512.0, 1.0, "512 in WaveNet (arXiv 1609.03499)"),
        /// Into how many groups the channels are divided that do not see one another.
        groups = size(Kind::Size, 1),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// The transpose of [`conv3d`]; see [`conv_transpose1d`].
    conv_transpose3d(out) {
        /// How many channels come out.
        out = required(Kind::Size).called("the number of channels"),
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(3))
            .usual(1.0, 512.0, 4.0, "2 to 4 for images, 16 in HiFi-GAN (arXiv 2010.05646)"),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(3), 1),
        /// How many zeros are added at each border.
        padding = size(Kind::WholePerAxis(3), 0),
        /// Positions added at the end of each axis, to choose among the sizes that a stride leaves open.
        output_padding = size(Kind::WholePerAxis(3), 0),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(3), 1)
            .usual(1.0, 512.0, 1.0, "512 in WaveNet (arXiv 1609.03499)"),
        /// Into how many groups the channels are divided that do not see one another.
        groups = size(Kind::Size, 1),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// [`conv1d`] of each channel by itself; `multiplier` channels come out for each.
    depthwise_conv1d(kernel) {
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(1)).positional(),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(1), 1),
        /// What is added at the borders: `valid` (nothing), `same` (the length divided by the stride comes out, rounded up; the smaller
        /// half is before, as in `TensorFlow`), `causal` (zeros before the first position alone, so that no position sees a later
        /// one), or so many zeros on both sides.
        padding = optional(Kind::Padding(1, LINE_PADDING)),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(1), 1),
        /// How many channels come out for each that comes in.
        multiplier = size(Kind::Size, 1)
            .usual(1.0, 64.0, 1.0, "1 in MobileNet, 2 in EEGNet (arXiv 1611.08024)"),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// [`conv2d`] of each channel by itself (Chollet, arXiv 1610.02357); `multiplier` channels come out for each.
    ///
    /// Followed by `conv2d(out, kernel = 1)` it is a separable convolution.
    depthwise_conv2d(kernel) {
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(2)).positional(),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(2), 1),
        /// What is added at the borders: `valid` (nothing), `same` (the size divided by the stride comes out, rounded up; the smaller
        /// half is before, as in `TensorFlow`), or so many zeros on both sides.
        padding = optional(Kind::Padding(2, PADDING)),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(2), 1),
        /// How many channels come out for each that comes in.
        multiplier = size(Kind::Size, 1)
            .usual(1.0, 64.0, 1.0, "1 in MobileNet, 2 in EEGNet (arXiv 1611.08024)"),
        /// Whether a bias is added.
        bias = flag(true),
    };

    /// [`conv3d`] of each channel by itself; `multiplier` channels come out for each.
    depthwise_conv3d(kernel) {
        /// The size of the window.
        kernel = named(Kind::SizePerAxis(3)).positional(),
        /// How far the window moves.
        stride = size(Kind::SizePerAxis(3), 1),
        /// What is added at the borders: `valid` (nothing), `same` (the size divided by the stride comes out, rounded up; the smaller
        /// half is before, as in `TensorFlow`), or so many zeros on both sides.
        padding = optional(Kind::Padding(3, PADDING)),
        /// The distance between the kernel's elements.
        dilation = size(Kind::SizePerAxis(3), 1),
        /// How many channels come out for each that comes in.
        multiplier = size(Kind::Size, 1)
            .usual(1.0, 64.0, 1.0, "1 in MobileNet, 2 in EEGNet (arXiv 1611.08024)"),
        /// Whether a bias is added.
        bias = flag(true),
    };
}

/// A convolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv {
    /// Spatial axes: 1, 2 or 3.
    pub axes: u8,
    /// `conv_transpose2d` and its like.
    #[serde(default, skip_serializing_if = "no")]
    pub transposed: bool,
    /// `depthwise_conv2d(multiplier = 1)` and its like: every channel by itself; then `out` is the multiplier, and
    /// `groups` is not read.
    #[serde(default, skip_serializing_if = "no")]
    pub depthwise: bool,
    /// Channels that come out (depthwise: for each channel that comes in).
    pub out: Value,
    /// The size of the kernel: one number for every axis, or one for each.
    pub kernel: Vec<Value>,
    /// The step of the window, as `kernel`.
    pub stride: Vec<Value>,
    /// What is added around the value.
    pub padding: Padding,
    /// The distance of the kernel's elements, as `kernel`.
    pub dilation: Vec<Value>,
    /// Channels are split into so many groups that do not see one another.
    pub groups: Value,
    /// Positions added at the end of each axis; transposed only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output_padding: Vec<Value>,
    /// Whether there is a bias.
    pub bias: Value,
}

impl Conv {
    /// A convolution over so many spatial axes with one size of kernel for all; the rest are the defaults.
    pub fn new(axes: u8, out: usize, kernel: usize) -> Self {
        let one = || vec![Value::known(1.0)];
        Self {
            axes,
            transposed: false,
            depthwise: false,
            out: Value::known(out as f64),
            kernel: vec![Value::known(kernel as f64)],
            stride: one(),
            padding: Padding::Valid,
            dilation: one(),
            groups: Value::known(1.0),
            output_padding: Vec::new(),
            bias: Value::truth(true),
        }
    }

    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        let (name, axes) = axes_of(from.word().name)?;
        let (transposed, depthwise) = match name {
            "conv" => (false, false),
            "conv_transpose" => (true, false),
            "depthwise_conv" => (false, true),
            _ => return None,
        };
        Some(Self {
            axes,
            transposed,
            depthwise,
            out: from.value(if depthwise { "multiplier" } else { "out" }),
            kernel: from.values("kernel"),
            stride: from.values("stride"),
            padding: Padding::read(from, "padding"),
            dilation: from.values("dilation"),
            groups: if depthwise {
                Value::known(1.0)
            } else {
                from.value("groups")
            },
            output_padding: from.values("output_padding"),
            bias: from.value("bias"),
        })
    }

    const fn first(&self) -> &'static str {
        if self.depthwise { "multiplier" } else { "out" }
    }

    /// The size of the kernel along each axis.
    pub(crate) fn kernel_sizes(&self) -> Vec<Option<usize>> {
        let axes = usize::from(self.axes);
        per_axis(self.word(), "kernel", &self.kernel, axes).unwrap_or_else(|_| vec![None; axes])
    }
}

impl Written for Conv {
    fn word(&self) -> &'static str {
        match (self.transposed, self.depthwise, self.axes) {
            (true, _, 1) => "conv_transpose1d",
            (true, _, 2) => "conv_transpose2d",
            (true, _, _) => "conv_transpose3d",
            (_, true, 1) => "depthwise_conv1d",
            (_, true, 2) => "depthwise_conv2d",
            (_, true, _) => "depthwise_conv3d",
            (_, _, 1) => "conv1d",
            (_, _, 2) => "conv2d",
            (_, _, _) => "conv3d",
        }
    }

    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        let word = of(WORDS, self.word());
        visit(word, self.first(), &self.out, act);
        visit(word, "kernel", &self.kernel, act);
        visit(word, "stride", &self.stride, act);
        visit(word, "dilation", &self.dilation, act);
        visit(word, "padding", &self.padding, act);
        visit(word, "groups", &self.groups, act);
        visit(word, "output_padding", &self.output_padding, act);
        visit(word, "bias", &self.bias, act);
    }

    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        [&mut self.out, &mut self.groups, &mut self.bias]
            .into_iter()
            .for_each(&mut *act);
        let lists = [
            self.kernel.values_mut(),
            self.stride.values_mut(),
            self.dilation.values_mut(),
            self.padding.values_mut(),
            self.output_padding.values_mut(),
        ];
        lists.into_iter().flatten().for_each(act);
    }

    fn written(&self) -> Vec<String> {
        let word = of(WORDS, self.word());
        [
            shown(&self.out, word, self.first()).filter(|_| !self.depthwise),
            shown(&self.kernel, word, "kernel"),
            shown(&self.stride, word, "stride"),
            shown(&self.padding, word, "padding"),
            shown(&self.output_padding, word, "output_padding"),
            shown(&self.dilation, word, "dilation"),
            shown(&self.groups, word, "groups"),
            shown(&self.out, word, self.first()).filter(|_| self.depthwise),
            shown(&self.bias, word, "bias"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Operation for Conv {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(self, from.shape, from.layout)
    }

    fn takes_axes(&self) -> Option<usize> {
        Some(usize::from(self.axes) + 1)
    }

    fn reads_channels(&self) -> bool {
        true
    }

    fn gives(&self, _: Layout, _: &Shape) -> Layout {
        Layout::Channels
    }

    /// `weight [out, in / groups, k..]` (transposed `[in, out / groups, k..]`) and `bias [out]`.
    fn parameters(&self, input: Option<&Shape>, _: Option<&Shape>) -> Vec<Inside> {
        let channels = input.and_then(Shape::channels);
        let split = |size: Option<usize>| {
            let groups = self.groups.size().filter(|groups| *groups > 0)?;
            size.map(|size| size / groups)
        };
        let (out, mut weight) = if self.depthwise {
            let out = channels
                .zip(self.out.size())
                .map(|(channels, times)| channels.saturating_mul(times));
            (out, vec![out, Some(1)])
        } else {
            let out = self.out.size();
            if self.transposed {
                (out, vec![channels, split(out)])
            } else {
                (out, vec![out, split(channels)])
            }
        };
        weight.extend(self.kernel_sizes());
        let mut all = vec![Inside::new("weight", Role::Weight, weight)];
        if self.bias.is_true() != Some(false) {
            all.push(Inside::new("bias", Role::Bias, [out]));
        }
        all
    }

    fn unit_axis(&self, rank: usize) -> usize {
        usize::from(self.transposed && rank > 1)
    }

    fn products(&self, input: Option<&Shape>, output: Option<&Shape>) -> Option<usize> {
        let window = Shape(self.kernel_sizes()).elements()?;
        let (taken, given) = (input?, output?);
        // Every number that comes out (transposed: that comes in) meets one kernel for each channel of its
        // group on the other side.
        let (here, other) = if self.transposed {
            (taken.elements()?, given.channels()?)
        } else {
            (given.elements()?, taken.channels()?)
        };
        let group = if self.depthwise {
            1
        } else {
            other / self.groups.size().filter(|groups| *groups > 0)?
        };
        Some(here.saturating_mul(group).saturating_mul(window))
    }

    fn drops_weights(&self) -> bool {
        true
    }

    fn field(&self) -> Option<Field> {
        let axes = self.axes;
        let ty = if self.transposed {
            Type::burn(format!("nn::conv::ConvTranspose{axes}d"))
        } else if axes == 3 {
            // burn's cannot pad the two sides of an axis differently.
            Type::damper("Conv3d")
        } else {
            Type::burn(format!("nn::conv::Conv{axes}d"))
        };
        Some(Field::Weights(ty.with_parameter("weight")))
    }

    fn call(&self) -> Call {
        match (self.transposed, self.axes) {
            (false, 1) => Call::LayerFunction("conv1d"),
            (false, 2) => Call::LayerFunction("conv2d"),
            _ => Call::Method,
        }
    }
}

/// A convolution, also transposed or depthwise: `[channels, ..] -> [out, ..]`.
///
/// Every axis gives `(size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1` positions, and a transposed
/// convolution takes so many to `size` again, plus `output_padding`.
///
/// ```
/// use damper_ir::{Conv, Layout, Padding, Shape, Value};
/// use damper_ir::op::conv;
///
/// let image = Shape::known([3, 224, 224]);
/// let mut stem = Conv::new(2, 64, 7);
/// stem.stride = vec![Value::known(2.0)];
/// stem.padding = Padding::Zeros(vec![Value::known(3.0)]);
/// assert_eq!(conv::shape(&stem, &image, Layout::Channels), Ok(Shape::known([64, 112, 112])));
///
/// let mut up = Conv::new(2, 32, 2);
/// (up.transposed, up.stride) = (true, vec![Value::known(2.0)]);
/// assert_eq!(conv::shape(&up, &Shape::known([64, 8, 8]), Layout::Channels), Ok(Shape::known([32, 16, 16])));
/// ```
///
/// # Errors
/// Another number of axes, or a sequence.
///
/// ```
/// # use damper_ir::{Conv, Layout, Padding, Shape, Value};
/// # use damper_ir::op::conv;
/// let conv = Conv::new(2, 16, 3);
/// let error = conv::shape(&conv, &Shape::known([784]), Layout::Features).unwrap_err();
/// assert_eq!(error.to_string(), "`conv2d` wants [channels, height, width], this value is [784]");
/// assert_eq!(error.help.as_deref(), Some("reshape([1, 28, 28]) -> conv2d"));
/// let error = conv::shape(&Conv::new(1, 16, 3), &Shape::known([50, 32]), Layout::Sequence).unwrap_err();
/// assert_eq!(error.to_string(), "`conv1d` wants [channels, length], this value is a sequence: [50, 32] is [time, features]");
/// assert_eq!(error.help.as_deref(), Some("`transpose -> conv1d`: the features are the channels"));
/// ```
///
/// A kernel that is larger than the padded value.
///
/// ```
/// # use damper_ir::{Conv, Layout, Padding, Shape, Value};
/// # use damper_ir::op::conv;
/// let error = conv::shape(&Conv::new(2, 16, 5), &Shape::known([8, 4, 4]), Layout::Channels).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the kernel of `conv2d` is larger than its value: it covers 5 positions of the height of [8, 4, 4], it is 4"
/// );
/// assert_eq!(error.help.as_deref(), Some("`kernel = 4`, or `padding = 1`"));
/// ```
///
/// Groups that do not divide the channels; `causal` over more than one axis.
///
/// ```
/// # use damper_ir::{Conv, Layout, Padding, Shape, Value};
/// # use damper_ir::op::conv;
/// let maps = Shape::known([64, 8, 8]);
/// let grouped = Conv { groups: Value::known(3.0), ..Conv::new(2, 96, 3) };
/// let error = conv::shape(&grouped, &maps, Layout::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`groups = 3` does not divide the 64 channels that `conv2d` takes: this value is [64, 8, 8]");
/// assert_eq!(error.help.as_deref(), Some("groups = 2"));
/// let strided = Conv { stride: vec![Value::known(2.0)], padding: Padding::Same, ..Conv::new(2, 96, 3) };
/// assert_eq!(conv::shape(&strided, &Shape::known([64, 7, 8]), Layout::Channels), Ok(Shape::known([96, 4, 4])));
/// let causal = Conv { padding: Padding::Causal, ..Conv::new(2, 96, 3) };
/// let error = conv::shape(&causal, &maps, Layout::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`padding = causal` is for one axis, `conv2d` has 2");
/// assert_eq!(error.help.as_deref(), Some("padding = same"));
/// ```
pub fn shape(conv: &Conv, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    let word = conv.word();
    let axes = usize::from(conv.axes);
    let sizes = positions(word, axes, input, layout)?;
    let kernel = per_axis(word, "kernel", &conv.kernel, axes)?;
    let stride = per_axis(word, "stride", &conv.stride, axes)?;
    let dilation = per_axis(word, "dilation", &conv.dilation, axes)?;
    let padding = match &conv.padding {
        Padding::Valid => vec![Some(0); axes],
        Padding::Zeros(values) => per_axis(word, "padding", values, axes)?,
        Padding::Same | Padding::Causal => {
            fitting(conv, &kernel, &dilation)?;
            vec![None; axes]
        }
    };
    let output_padding = if conv.output_padding.is_empty() {
        vec![Some(0); axes]
    } else {
        per_axis(word, "output_padding", &conv.output_padding, axes)?
    };
    let out = channels(conv, input)?;
    let mut shape = vec![out];
    for (index, size) in sizes.iter().enumerate() {
        let of = |list: &[Option<usize>]| list.get(index).copied().flatten();
        if conv.padding.word().is_some() {
            let stride = of(&stride).filter(|stride| *stride > 0);
            shape.push(size.zip(stride).map(|(size, stride)| size.div_ceil(stride)));
            continue;
        }
        let window = (|| {
            Some(Axis {
                size: (*size)?,
                kernel: of(&kernel)?,
                stride: of(&stride)?,
                padding: of(&padding)?,
                dilation: of(&dilation)?,
            })
        })();
        let Some(window) = window else {
            shape.push(None);
            continue;
        };
        if conv.transposed {
            let extra = of(&output_padding);
            if let Some(extra) = extra.filter(|extra| *extra >= window.stride.max(window.dilation))
            {
                return Err(ShapeError::new(format!(
                    "`output_padding = {extra}` of `{word}` must be smaller than its stride of {} (or its dilation of {})",
                    window.stride, window.dilation
                ))
                .help(format!("output_padding = {}", window.stride.max(window.dilation).saturating_sub(1))));
            }
            let full = window
                .size
                .saturating_sub(1)
                .saturating_mul(window.stride)
                .saturating_add(window.reach());
            let whole = extra.map(|extra| full.saturating_add(extra));
            match whole.map(|whole| {
                whole
                    .checked_sub(2 * window.padding)
                    .filter(|size| *size > 0)
            }) {
                None => shape.push(None),
                Some(Some(size)) => shape.push(Some(size)),
                Some(None) => {
                    return Err(ShapeError::new(format!(
                        "`padding = {}` of `{word}` cuts away all {full} positions that it makes of {input}",
                        window.padding
                    ))
                    .help("padding = 0"));
                }
            }
        } else if window.size > 0 && window.padded() < window.reach() {
            return Err(too_large(word, "kernel", &window, index, input));
        } else {
            shape.push(window.places());
        }
    }
    Ok(Shape(shape))
}

/// Whether the word that `padding` is means something for this convolution.
fn fitting(
    conv: &Conv,
    kernel: &[Option<usize>],
    dilation: &[Option<usize>],
) -> Result<(), ShapeError> {
    let (word, padding) = (conv.word(), conv.padding.word().unwrap_or_default());
    if conv.transposed {
        let each = kernel.iter().zip(dilation).map(|(kernel, dilation)| {
            let (kernel, dilation) = ((*kernel)?, (*dilation)?);
            Some(dilation.saturating_mul(kernel.saturating_sub(1)) / 2)
        });
        let each: Vec<Option<usize>> = each.collect();
        let first = each.first().copied().flatten();
        let help = if each.iter().all(|one| *one == first) {
            format!("padding = {}", show(first))
        } else {
            format!("padding = {}", Shape(each))
        };
        return Err(ShapeError::new(format!(
            "`{word}` has no `padding = {padding}`, only a number"
        ))
        .help(help));
    }
    if conv.padding == Padding::Causal && conv.axes > 1 {
        return Err(ShapeError::new(format!(
            "`padding = causal` is for one axis, `{word}` has {}",
            conv.axes
        ))
        .help("padding = same"));
    }
    Ok(())
}

/// The channels that come out.
fn channels(conv: &Conv, input: &Shape) -> Result<Option<usize>, ShapeError> {
    let word = conv.word();
    let out = conv.out.size();
    let taken = input.channels();
    if conv.depthwise {
        return Ok(taken.zip(out).map(|(taken, out)| taken.saturating_mul(out)));
    }
    let Some(groups) = conv.groups.size().filter(|groups| *groups > 0) else {
        return Ok(out);
    };
    let common = |most: usize| {
        (1..=groups.min(most))
            .rev()
            .find(|near| {
                taken.is_none_or(|taken| taken.is_multiple_of(*near))
                    && out.is_none_or(|out| out.is_multiple_of(*near))
            })
            .unwrap_or(1)
    };
    if let Some(taken) = taken.filter(|taken| taken % groups != 0) {
        return Err(ShapeError::new(format!(
            "`groups = {groups}` does not divide the {taken} channels that `{word}` takes: this value is {input}"
        ))
        .help(format!("groups = {}", common(taken))));
    }
    if let Some(out) = out.filter(|out| out % groups != 0) {
        return Err(ShapeError::new(format!(
            "`groups = {groups}` does not divide the {out} channels that `{word}` gives"
        ))
        .help(format!("groups = {}", common(out))));
    }
    Ok(out)
}
