//! The poolings over windows.

use super::window::{Axis, per_axis, positions, too_large};
use super::{Call, Field, Incoming, Operation, Type, Written};
use crate::words::{Argument, Field as _, Read, axes_of, of, pages, shown, visit};
use crate::{Layout, Padding, Reduction, Shape, ShapeError, Value, no};
use serde::{Deserialize, Serialize};

pages! {
    /// The largest value of each window. A window that does not fit is left out, unless `ceil_mode` keeps it.
    ///
    /// Shapes: `[batch, channels, length]` to `[batch, channels, length]`.
    max_pool1d(kernel) {
        /// The size of the window.
        kernel = required(Kind::SizePerAxis(1)),
        /// How far the window moves. The default is the window's size.
        stride = optional(Kind::SizePerAxis(1)),
        /// What is added at the borders: so many zeros on both sides, or `same`: the size divided by the stride comes out, rounded up;
        /// the smaller half is before and what is added is never the largest, as in `TensorFlow`.
        padding = optional(Kind::Padding(1, PADDING)),
        /// Whether a last window that reaches beyond the end is kept, as with `ceil_mode` of `PyTorch`.
        ceil_mode = flag(false),
    };

    /// The largest value of each window. A window that does not fit is left out, unless `ceil_mode` keeps it.
    ///
    /// Shapes: `[batch, channels, height, width]` to `[batch, channels, height, width]`.
    max_pool2d(kernel) {
        /// The size of the window.
        kernel = required(Kind::SizePerAxis(2)),
        /// How far the window moves. The default is the window's size.
        stride = optional(Kind::SizePerAxis(2)),
        /// What is added at the borders: so many zeros on both sides, or `same`: the size divided by the stride comes out, rounded up;
        /// the smaller half is before and what is added is never the largest, as in `TensorFlow`.
        padding = optional(Kind::Padding(2, PADDING)),
        /// Whether a last window that reaches beyond the end is kept, as with `ceil_mode` of `PyTorch`.
        ceil_mode = flag(false),
    };

    /// The largest value of each window. A window that does not fit is left out, unless `ceil_mode` keeps it.
    ///
    /// Shapes: `[batch, channels, depth, height, width]` to `[batch, channels, depth, height, width]`.
    max_pool3d(kernel) {
        /// The size of the window.
        kernel = required(Kind::SizePerAxis(3)),
        /// How far the window moves. The default is the window's size.
        stride = optional(Kind::SizePerAxis(3)),
        /// What is added at the borders: so many zeros on both sides, or `same`: the size divided by the stride comes out, rounded up;
        /// the smaller half is before and what is added is never the largest, as in `TensorFlow`.
        padding = optional(Kind::Padding(3, PADDING)),
        /// Whether a last window that reaches beyond the end is kept, as with `ceil_mode` of `PyTorch`.
        ceil_mode = flag(false),
    };

    /// The mean of each window; zeros of the padding count.
    ///
    /// Shapes: `[batch, channels, length]` to `[batch, channels, length]`.
    avg_pool1d(kernel) {
        /// The size of the window.
        kernel = required(Kind::SizePerAxis(1)),
        /// How far the window moves. The default is the window's size.
        stride = optional(Kind::SizePerAxis(1)),
        /// What is added at the borders: so many zeros on both sides, or `same`: the size divided by the stride comes out, rounded up;
        /// the smaller half is before and what is added does not count, as in `TensorFlow`.
        padding = optional(Kind::Padding(1, PADDING)),
        /// Whether a last window that reaches beyond the end is kept, as with `ceil_mode` of `PyTorch`.
        ceil_mode = flag(false),
    };

    /// The mean of each window; zeros of the padding count.
    ///
    /// Shapes: `[batch, channels, height, width]` to `[batch, channels, height, width]`.
    avg_pool2d(kernel) {
        /// The size of the window.
        kernel = required(Kind::SizePerAxis(2)),
        /// How far the window moves. The default is the window's size.
        stride = optional(Kind::SizePerAxis(2)),
        /// What is added at the borders: so many zeros on both sides, or `same`: the size divided by the stride comes out, rounded up;
        /// the smaller half is before and what is added does not count, as in `TensorFlow`.
        padding = optional(Kind::Padding(2, PADDING)),
        /// Whether a last window that reaches beyond the end is kept, as with `ceil_mode` of `PyTorch`.
        ceil_mode = flag(false),
    };

    /// The mean of each window; zeros of the padding count.
    ///
    /// Shapes: `[batch, channels, depth, height, width]` to `[batch, channels, depth, height, width]`.
    avg_pool3d(kernel) {
        /// The size of the window.
        kernel = required(Kind::SizePerAxis(3)),
        /// How far the window moves. The default is the window's size.
        stride = optional(Kind::SizePerAxis(3)),
        /// What is added at the borders: so many zeros on both sides, or `same`: the size divided by the stride comes out, rounded up;
        /// the smaller half is before and what is added does not count, as in `TensorFlow`.
        padding = optional(Kind::Padding(3, PADDING)),
        /// Whether a last window that reaches beyond the end is kept, as with `ceil_mode` of `PyTorch`.
        ceil_mode = flag(false),
    };

    /// Means of windows that are chosen so that `size` positions come out.
    adaptive_avg_pool1d(size) {
        /// The size that comes out.
        size = required(Kind::SizePerAxis(1)),
    };

    /// Means of windows that are chosen so that `[size, size]` positions come out.
    adaptive_avg_pool2d(size) {
        /// The size that comes out.
        size = required(Kind::SizePerAxis(2)),
    };

    /// Means of windows that are chosen so that `[size, size, size]` positions come out.
    adaptive_avg_pool3d(size) {
        /// The size that comes out.
        size = required(Kind::SizePerAxis(3)),
    };
}

/// A pooling over windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Spatial axes: 1, 2 or 3.
    pub axes: u8,
    /// Maximum or mean.
    pub reduction: Reduction,
    /// `adaptive_avg_pool2d(size)`: `kernel` is the size that comes out; there is no stride and no padding.
    #[serde(default, skip_serializing_if = "no")]
    pub adaptive: bool,
    /// The size of the window: one number for every axis, or one for each.
    pub kernel: Vec<Value>,
    /// The step of the window; empty for the window's size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stride: Vec<Value>,
    /// What is added around the value (zeros that count for a mean, nothing for a maximum, as in `PyTorch`).
    #[serde(default, skip_serializing_if = "no")]
    pub padding: Padding,
    /// Whether a last window that reaches beyond the end is kept.
    #[serde(default, skip_serializing_if = "no")]
    pub ceil_mode: Option<Value>,
}

impl Pool {
    /// A pooling over so many spatial axes with one size of window for all; the stride is the window's size.
    pub fn new(axes: u8, reduction: Reduction, kernel: usize) -> Self {
        Self {
            axes,
            reduction,
            adaptive: false,
            kernel: vec![Value::known(kernel as f64)],
            stride: Vec::new(),
            padding: Padding::Valid,
            ceil_mode: None,
        }
    }

    /// Whether a last window that reaches beyond the end is kept; `None` if that is not known.
    pub fn keeps_last(&self) -> Option<bool> {
        self.ceil_mode.map_or(Some(false), |mode| mode.is_true())
    }

    /// Positions that the last window of `ceil_mode` reaches beyond the padded axis; 0 where there is none. Such a window
    /// begins inside of the value or before it, as in `PyTorch`.
    ///
    /// ```
    /// use damper_ir::Pool;
    ///
    /// assert_eq!(Pool::beyond(112, 3, 2, (0, 0)), 1);
    /// assert_eq!(Pool::beyond(7, 1, 3, (1, 1)), 0);
    /// ```
    pub fn beyond(
        size: usize,
        kernel: usize,
        stride: usize,
        (before, after): (usize, usize),
    ) -> usize {
        let inside = size.saturating_add(before);
        let padded = inside.saturating_add(after);
        let rest = padded.saturating_sub(kernel);
        let Some(start) = rest
            .checked_next_multiple_of(stride)
            .filter(|start| *start < inside && rest % stride != 0)
        else {
            return 0;
        };
        start.saturating_add(kernel).saturating_sub(padded)
    }

    /// Reads the arguments, if this is its word.
    pub fn read(from: &dyn Read) -> Option<Self> {
        let (name, axes) = axes_of(from.word().name)?;
        let (reduction, adaptive) = match name {
            "max_pool" => (Reduction::Max, false),
            "avg_pool" => (Reduction::Mean, false),
            "adaptive_avg_pool" => (Reduction::Mean, true),
            _ => return None,
        };
        Some(Self {
            axes,
            reduction,
            adaptive,
            kernel: from.values(if adaptive { "size" } else { "kernel" }),
            stride: from.values("stride"),
            padding: Padding::read(from, "padding"),
            // What is not written is not saved.
            ceil_mode: from.optional("ceil_mode"),
        })
    }

    const fn first(&self) -> &'static str {
        if self.adaptive { "size" } else { "kernel" }
    }
}

impl Written for Pool {
    fn word(&self) -> &'static str {
        match (self.adaptive, self.reduction, self.axes) {
            (true, _, 1) => "adaptive_avg_pool1d",
            (true, _, 2) => "adaptive_avg_pool2d",
            (true, _, _) => "adaptive_avg_pool3d",
            (_, Reduction::Mean, 1) => "avg_pool1d",
            (_, Reduction::Mean, 2) => "avg_pool2d",
            (_, Reduction::Mean, _) => "avg_pool3d",
            (_, Reduction::Max, 1) => "max_pool1d",
            (_, Reduction::Max, 2) => "max_pool2d",
            (_, Reduction::Max, _) => "max_pool3d",
        }
    }

    fn each_value(&self, act: &mut dyn FnMut(&'static Argument, &Value)) {
        let word = of(WORDS, self.word());
        visit(word, self.first(), &self.kernel, act);
        visit(word, "stride", &self.stride, act);
        visit(word, "padding", &self.padding, act);
        visit(word, "ceil_mode", &self.ceil_mode, act);
    }

    fn each_value_mut(&mut self, act: &mut dyn FnMut(&mut Value)) {
        let lists = [
            self.kernel.values_mut(),
            self.stride.values_mut(),
            self.padding.values_mut(),
        ];
        lists.into_iter().flatten().for_each(act);
    }

    fn written(&self) -> Vec<String> {
        let word = of(WORDS, self.word());
        let moves = !self.stride.is_empty() && self.stride != self.kernel;
        [
            shown(&self.kernel, word, self.first()),
            shown(&self.stride, word, "stride").filter(|_| moves),
            shown(&self.padding, word, "padding"),
            shown(&self.ceil_mode, word, "ceil_mode"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Operation for Pool {
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

    fn field(&self) -> Option<Field> {
        let family = match (self.adaptive, self.reduction) {
            (true, _) => "AdaptiveAvgPool",
            (false, Reduction::Mean) => "AvgPool",
            (false, Reduction::Max) => "MaxPool",
        };
        Some(Field::State(Type::damper(format!(
            "{family}{}d",
            self.axes
        ))))
    }

    fn call(&self) -> Call {
        match (self.adaptive, self.reduction, self.axes) {
            (false, Reduction::Max, 1) => Call::LayerFunction("max_pool1d"),
            (false, Reduction::Max, 2) => Call::LayerFunction("max_pool2d"),
            _ => Call::Method,
        }
    }
}

/// A pooling over windows: `[channels, ..] -> [channels, ..]`.
///
/// ```
/// use damper_ir::{Layout, Padding, Pool, Reduction, Shape, Value};
/// use damper_ir::op::pool;
///
/// let pool = Pool::new(2, Reduction::Max, 2);
/// assert_eq!(pool::shape(&pool, &Shape::known([8, 7, 7]), Layout::Channels), Ok(Shape::known([8, 3, 3])));
/// let whole = Pool { ceil_mode: Some(Value::truth(true)), ..pool.clone() };
/// assert_eq!(pool::shape(&whole, &Shape::known([8, 7, 7]), Layout::Channels), Ok(Shape::known([8, 4, 4])));
/// let same = Pool { padding: Padding::Same, ..pool };
/// assert_eq!(pool::shape(&same, &Shape::known([8, 7, 7]), Layout::Channels), Ok(Shape::known([8, 4, 4])));
/// let adaptive = Pool { adaptive: true, ..Pool::new(2, Reduction::Mean, 8) };
/// assert_eq!(pool::shape(&adaptive, &Shape::known([16, 24, 24]), Layout::Channels), Ok(Shape::known([16, 8, 8])));
/// ```
///
/// # Errors
/// Another number of axes, a sequence, a window that is larger than the value, padding of more than half a window.
///
/// ```
/// # use damper_ir::{Layout, Padding, Pool, Reduction, Shape, Value};
/// # use damper_ir::op::pool;
/// let pool = Pool::new(2, Reduction::Max, 2);
/// let error = pool::shape(&pool, &Shape::known([8, 1, 1]), Layout::Channels).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the window of `max_pool2d` is larger than its value: it covers 2 positions of the height of [8, 1, 1], it is 1"
/// );
/// assert_eq!(error.help.as_deref(), Some("`kernel = 1`, or `padding = 1`"));
/// let padded = Pool { padding: Padding::Zeros(vec![Value::known(2.0)]), ..pool };
/// let error = pool::shape(&padded, &Shape::known([8, 6, 6]), Layout::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`padding = 2` of `max_pool2d` is more than half of its window of 2");
/// assert_eq!(error.help.as_deref(), Some("padding = 1"));
/// let causal = Pool { padding: Padding::Causal, ..Pool::new(1, Reduction::Max, 2) };
/// let error = pool::shape(&causal, &Shape::known([8, 6]), Layout::Channels).unwrap_err();
/// assert_eq!(error.to_string(), "`max_pool1d` has no `padding = causal`");
/// assert_eq!(error.help.as_deref(), Some("padding = same"));
/// ```
pub fn shape(pool: &Pool, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    let word = pool.word();
    let axes = usize::from(pool.axes);
    let sizes = positions(word, axes, input, layout)?;
    let kernel = per_axis(word, "kernel", &pool.kernel, axes)?;
    let mut shape = vec![input.channels()];
    if pool.adaptive {
        shape.extend(kernel);
        return Ok(Shape(shape));
    }
    let stride = if pool.stride.is_empty() {
        kernel.clone()
    } else {
        per_axis(word, "stride", &pool.stride, axes)?
    };
    let padding = match &pool.padding {
        Padding::Valid | Padding::Same => vec![Some(0); axes],
        Padding::Zeros(values) => per_axis(word, "padding", values, axes)?,
        Padding::Causal => {
            let message = format!("`{word}` has no `padding = causal`");
            return Err(ShapeError::new(message).help("padding = same"));
        }
    };
    let same = pool.padding == Padding::Same;
    for (index, size) in sizes.iter().enumerate() {
        let of = |list: &[Option<usize>]| list.get(index).copied().flatten();
        let (Some(size), Some(kernel), Some(stride), Some(padding)) =
            (*size, of(&kernel), of(&stride), of(&padding))
        else {
            shape.push(None);
            continue;
        };
        if same {
            shape.push((stride > 0).then(|| size.div_ceil(stride)));
            continue;
        }
        if padding > kernel / 2 {
            return Err(ShapeError::new(format!(
                "`padding = {padding}` of `{word}` is more than half of its window of {kernel}"
            ))
            .help(format!("padding = {}", kernel / 2)));
        }
        let window = Axis {
            size,
            kernel,
            stride,
            padding,
            dilation: 1,
        };
        if size > 0 && window.padded() < window.reach() {
            return Err(too_large(word, "window", &window, index, input));
        }
        let more = pool.keeps_last().map(|keeps| {
            let beyond = Pool::beyond(size, kernel, stride, (padding, padding));
            usize::from(keeps && beyond > 0)
        });
        shape.push(
            window
                .places()
                .zip(more)
                .map(|(places, more)| places + more),
        );
    }
    Ok(Shape(shape))
}
