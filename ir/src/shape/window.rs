//! The rules of windows that slide over positions: convolutions and poolings.

use super::{Layout, Misfit, Shape, divisor, sequence, show};
use crate::{Conv, Padding, Pool, Reduction, Value};

/// The number of each axis: one value stands for every axis.
fn per_axis(
    call: &str,
    name: &str,
    values: &[Value],
    axes: usize,
) -> Result<Vec<Option<usize>>, Misfit> {
    match values {
        [one] => Ok(vec![one.size(); axes]),
        each if each.len() == axes => Ok(each.iter().map(Value::size).collect()),
        _ => {
            let list: Vec<String> = values.iter().map(ToString::to_string).collect();
            let first = list.first().map_or("1", String::as_str);
            let whole = vec![first; axes].join(", ");
            Err(Misfit::new(format!(
                "`{name}` of `{call}` is one number or a list of {axes}, this is [{}]",
                list.join(", ")
            ))
            .help(format!("{name} = [{whole}]")))
        }
    }
}

const fn wanted(axes: usize) -> &'static str {
    match axes {
        1 => "[channels, length]",
        2 => "[channels, height, width]",
        _ => "[channels, depth, height, width]",
    }
}

/// The positions of `[channels, ..]` with so many spatial axes, or why the value has none.
fn positions<'s>(
    word: &str,
    axes: usize,
    input: &'s Shape,
    layout: Layout,
) -> Result<&'s [Option<usize>], Misfit> {
    let wanted = wanted(axes);
    match input.0.as_slice() {
        [_, positions @ ..] if positions.len() == axes && layout != Layout::Sequence => {
            Ok(positions)
        }
        [_, _] if axes == 1 => Err(sequence(word, wanted, input).help(format!(
            "`transpose -> {word}`: the features are the channels"
        ))),
        [_, _] if layout == Layout::Sequence => {
            let other = word.replace(&format!("{axes}d"), "1d");
            Err(sequence(word, wanted, input).help(format!("transpose -> {other}")))
        }
        _ => {
            let misfit = Misfit::new(format!("`{word}` wants {wanted}, this value is {input}"));
            Err(match input.0.as_slice() {
                [features] => misfit.help(match (axes, features) {
                    (1, _) => format!("reshape([1, {}]) -> {word}", show(*features)),
                    (_, Some(size)) => {
                        format!("reshape({}) -> {word}", one_channel(*size, axes))
                    }
                    _ => format!("`reshape({wanted})` before it"),
                }),
                [_, rest @ ..] if (1..=3).contains(&rest.len()) => {
                    let other = word.replace(&format!("{axes}d"), &format!("{}d", rest.len()));
                    if rest.len() + 1 == axes {
                        let with = std::iter::once(Some(1)).chain(input.0.iter().copied());
                        let with = Shape(with.collect());
                        misfit.help(format!(
                            "`{other}`; or `reshape({with}) -> {word}` for a single channel"
                        ))
                    } else {
                        misfit.help(other)
                    }
                }
                _ => misfit,
            })
        }
    }
}

/// One channel of positions that are as many as `size`: nearly of equal sides.
fn one_channel(size: usize, axes: usize) -> Shape {
    let mut left = size;
    let mut sides = Vec::new();
    for axis in (2..=axes).rev() {
        let root = (left as f64).powf(1.0 / axis as f64).round() as usize;
        let near = divisor(left, root.max(1));
        sides.push(near);
        left /= near;
    }
    sides.push(left);
    Shape::known(std::iter::once(1).chain(sides))
}

/// One axis of a window: how many places it has.
struct Axis {
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
}

impl Axis {
    /// What the kernel covers.
    const fn reach(&self) -> usize {
        self.dilation
            .saturating_mul(self.kernel.saturating_sub(1))
            .saturating_add(1)
    }

    const fn padded(&self) -> usize {
        self.size.saturating_add(self.padding.saturating_mul(2))
    }

    /// `None` if the window is larger than what it slides over.
    fn places(&self) -> Option<usize> {
        let rest = self.padded().checked_sub(self.reach())?;
        (self.stride > 0 && self.kernel > 0 && self.dilation > 0 && self.size > 0)
            .then(|| rest / self.stride + 1)
    }
}

fn too_large(word: &str, kind: &str, axis: &Axis, index: usize, input: &Shape) -> Misfit {
    let reach = axis.reach();
    let dilated = if axis.dilation > 1 {
        format!(", dilated by {}", axis.dilation)
    } else {
        String::new()
    };
    let padded = if axis.padding > 0 {
        format!(
            " padded by {} on both sides it is {}",
            axis.padding,
            axis.padded()
        )
    } else {
        format!(" it is {}", axis.padded())
    };
    let names: &[&str] = match input.rank() {
        2 => &["length"],
        3 => &["height", "width"],
        _ => &["depth", "height", "width"],
    };
    let name = names.get(index).copied().unwrap_or("axis");
    let most = axis.padded().saturating_sub(1) / axis.dilation.max(1) + 1;
    let padding = reach.saturating_sub(axis.size).div_ceil(2);
    let padding = if kind == "window" && padding > axis.kernel / 2 {
        String::new()
    } else {
        format!(", or `padding = {padding}`")
    };
    Misfit::new(format!(
        "the {kind} of `{word}` is larger than its value: it covers {reach} positions{dilated} of the {name} of {input},{padded}"
    ))
    .help(format!("`kernel = {most}`{padding}"))
}

/// A convolution, also transposed or depthwise: `[channels, ..] -> [out, ..]`.
///
/// Every axis gives `(size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1` positions, and a transposed
/// convolution takes so many to `size` again, plus `output_padding`.
///
/// ```
/// use damper_ir::{Conv, Layout, Padding, Shape, Value, shape};
///
/// let image = Shape::known([3, 224, 224]);
/// let mut stem = Conv::new(2, 64, 7);
/// stem.stride = vec![Value::known(2.0)];
/// stem.padding = Padding::Zeros(vec![Value::known(3.0)]);
/// assert_eq!(shape::conv(&stem, &image, Layout::Channels), Ok(Shape::known([64, 112, 112])));
///
/// let mut up = Conv::new(2, 32, 2);
/// (up.transposed, up.stride) = (true, vec![Value::known(2.0)]);
/// assert_eq!(shape::conv(&up, &Shape::known([64, 8, 8]), Layout::Channels), Ok(Shape::known([32, 16, 16])));
/// ```
///
/// # Errors
/// Another number of axes, or a sequence.
///
/// ```
/// # use damper_ir::{Conv, Layout, Padding, Shape, Value, shape};
/// let conv = Conv::new(2, 16, 3);
/// let misfit = shape::conv(&conv, &Shape::known([784]), Layout::Features).unwrap_err();
/// assert_eq!(misfit.to_string(), "`conv2d` wants [channels, height, width], this value is [784]");
/// assert_eq!(misfit.help.as_deref(), Some("reshape([1, 28, 28]) -> conv2d"));
/// let misfit = shape::conv(&Conv::new(1, 16, 3), &Shape::known([50, 32]), Layout::Sequence).unwrap_err();
/// assert_eq!(misfit.to_string(), "`conv1d` wants [channels, length], this value is a sequence: [50, 32] is [time, features]");
/// assert_eq!(misfit.help.as_deref(), Some("`transpose -> conv1d`: the features are the channels"));
/// ```
///
/// A kernel that is larger than the padded value.
///
/// ```
/// # use damper_ir::{Conv, Layout, Padding, Shape, Value, shape};
/// let misfit = shape::conv(&Conv::new(2, 16, 5), &Shape::known([8, 4, 4]), Layout::Channels).unwrap_err();
/// assert_eq!(
///     misfit.to_string(),
///     "the kernel of `conv2d` is larger than its value: it covers 5 positions of the height of [8, 4, 4], it is 4"
/// );
/// assert_eq!(misfit.help.as_deref(), Some("`kernel = 4`, or `padding = 1`"));
/// ```
///
/// Groups that do not divide the channels; `padding = same` with a stride.
///
/// ```
/// # use damper_ir::{Conv, Layout, Padding, Shape, Value, shape};
/// let maps = Shape::known([64, 8, 8]);
/// let grouped = Conv { groups: Value::known(3.0), ..Conv::new(2, 96, 3) };
/// let misfit = shape::conv(&grouped, &maps, Layout::Channels).unwrap_err();
/// assert_eq!(misfit.to_string(), "`groups = 3` does not divide the 64 channels that `conv2d` takes: this value is [64, 8, 8]");
/// assert_eq!(misfit.help.as_deref(), Some("groups = 2"));
/// let strided = Conv { stride: vec![Value::known(2.0)], padding: Padding::Same, ..Conv::new(2, 96, 3) };
/// let misfit = shape::conv(&strided, &maps, Layout::Channels).unwrap_err();
/// assert_eq!(misfit.to_string(), "`padding = same` of `conv2d` wants a stride of 1, this is 2");
/// assert_eq!(misfit.help.as_deref(), Some("padding = 1"));
/// ```
pub fn conv(conv: &Conv, input: &Shape, layout: Layout) -> Result<Shape, Misfit> {
    let word = conv.word();
    let axes = usize::from(conv.axes);
    let sizes = positions(word, axes, input, layout)?;
    let kernel = per_axis(word, "kernel", &conv.kernel, axes)?;
    let stride = per_axis(word, "stride", &conv.stride, axes)?;
    let dilation = per_axis(word, "dilation", &conv.dilation, axes)?;
    let padding = match &conv.padding {
        Padding::Valid => vec![Some(0); axes],
        Padding::Zeros(values) => per_axis(word, "padding", values, axes)?,
        Padding::Same => {
            same_wants(word, conv.transposed, &stride, &kernel, &dilation)?;
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
        if conv.padding == Padding::Same {
            shape.push(*size);
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
                return Err(Misfit::new(format!(
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
                    return Err(Misfit::new(format!(
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

fn same_wants(
    word: &str,
    transposed: bool,
    stride: &[Option<usize>],
    kernel: &[Option<usize>],
    dilation: &[Option<usize>],
) -> Result<(), Misfit> {
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
    if transposed {
        return Err(
            Misfit::new(format!("`{word}` has no `padding = same`, only a number")).help(help),
        );
    }
    match stride.iter().flatten().find(|stride| **stride != 1) {
        Some(stride) => Err(Misfit::new(format!(
            "`padding = same` of `{word}` wants a stride of 1, this is {stride}"
        ))
        .help(help)),
        None => Ok(()),
    }
}

/// The channels that come out.
fn channels(conv: &Conv, input: &Shape) -> Result<Option<usize>, Misfit> {
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
        return Err(Misfit::new(format!(
            "`groups = {groups}` does not divide the {taken} channels that `{word}` takes: this value is {input}"
        ))
        .help(format!("groups = {}", common(taken))));
    }
    if let Some(out) = out.filter(|out| out % groups != 0) {
        return Err(Misfit::new(format!(
            "`groups = {groups}` does not divide the {out} channels that `{word}` gives"
        ))
        .help(format!("groups = {}", common(out))));
    }
    Ok(out)
}

/// A pooling over windows, in floor mode: `[channels, ..] -> [channels, ..]`.
///
/// ```
/// use damper_ir::{Layout, Pool, Reduction, Shape, shape};
///
/// let pool = Pool::new(2, Reduction::Max, 2);
/// assert_eq!(shape::pool(&pool, &Shape::known([8, 7, 7]), Layout::Channels), Ok(Shape::known([8, 3, 3])));
/// let adaptive = Pool { adaptive: true, ..Pool::new(2, Reduction::Mean, 8) };
/// assert_eq!(shape::pool(&adaptive, &Shape::known([16, 24, 24]), Layout::Channels), Ok(Shape::known([16, 8, 8])));
/// ```
///
/// # Errors
/// Another number of axes, a sequence, a window that is larger than the value, padding of more than half a window.
///
/// ```
/// # use damper_ir::{Layout, Padding, Pool, Reduction, Shape, Value, shape};
/// let pool = Pool::new(2, Reduction::Max, 2);
/// let misfit = shape::pool(&pool, &Shape::known([8, 1, 1]), Layout::Channels).unwrap_err();
/// assert_eq!(
///     misfit.to_string(),
///     "the window of `max_pool2d` is larger than its value: it covers 2 positions of the height of [8, 1, 1], it is 1"
/// );
/// assert_eq!(misfit.help.as_deref(), Some("`kernel = 1`, or `padding = 1`"));
/// let padded = Pool { padding: Padding::Zeros(vec![Value::known(2.0)]), ..pool };
/// let misfit = shape::pool(&padded, &Shape::known([8, 6, 6]), Layout::Channels).unwrap_err();
/// assert_eq!(misfit.to_string(), "`padding = 2` of `max_pool2d` is more than half of its window of 2");
/// assert_eq!(misfit.help.as_deref(), Some("padding = 1"));
/// ```
pub fn pool(pool: &Pool, input: &Shape, layout: Layout) -> Result<Shape, Misfit> {
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
        Padding::Valid => vec![Some(0); axes],
        Padding::Zeros(values) => per_axis(word, "padding", values, axes)?,
        Padding::Same => {
            let half = kernel.first().copied().flatten().map(|kernel| kernel / 2);
            return Err(
                Misfit::new(format!("`{word}` has no `padding = same`, only a number"))
                    .help(format!("padding = {}", show(half))),
            );
        }
    };
    for (index, size) in sizes.iter().enumerate() {
        let of = |list: &[Option<usize>]| list.get(index).copied().flatten();
        let (Some(size), Some(kernel), Some(stride), Some(padding)) =
            (*size, of(&kernel), of(&stride), of(&padding))
        else {
            shape.push(None);
            continue;
        };
        if padding > kernel / 2 {
            return Err(Misfit::new(format!(
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
        shape.push(window.places());
    }
    Ok(Shape(shape))
}

/// `global_avg_pool`, `global_max_pool`: `[channels, ..] -> [channels]`.
///
/// ```
/// use damper_ir::{Layout, Reduction, Shape, shape};
///
/// let maps = Shape::known([512, 7, 7]);
/// assert_eq!(shape::global_pool(Reduction::Mean, &maps, Layout::Channels), Ok(Shape::known([512])));
/// ```
///
/// # Errors
/// No positions, or a sequence.
///
/// ```
/// # use damper_ir::{Layout, Reduction, Shape, shape};
/// let misfit = shape::global_pool(Reduction::Mean, &Shape::known([50, 32]), Layout::Sequence).unwrap_err();
/// assert_eq!(misfit.to_string(), "`global_avg_pool` wants [channels, ..], this value is a sequence: [50, 32] is [time, features]");
/// assert_eq!(misfit.help.as_deref(), Some("mean(axis = time)"));
/// ```
pub fn global_pool(reduction: Reduction, input: &Shape, layout: Layout) -> Result<Shape, Misfit> {
    let (word, over_time) = match reduction {
        Reduction::Mean => ("global_avg_pool", "mean(axis = time)"),
        Reduction::Max => ("global_max_pool", "max(axis = time)"),
    };
    if layout == Layout::Sequence {
        return Err(sequence(word, "[channels, ..]", input).help(over_time));
    }
    if input.rank() < 2 {
        return Err(Misfit::new(format!(
            "`{word}` wants [channels, ..], this value is {input}"
        ))
        .help(format!("remove `{word}`: there are no positions")));
    }
    Ok(Shape(vec![input.channels()]))
}

impl Conv {
    /// The size of the kernel along each axis.
    pub(crate) fn kernel_sizes(&self) -> Vec<Option<usize>> {
        let axes = usize::from(self.axes);
        per_axis(self.word(), "kernel", &self.kernel, axes).unwrap_or_else(|_| vec![None; axes])
    }
}
