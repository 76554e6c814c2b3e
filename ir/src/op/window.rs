//! What convolutions and poolings share: windows that slide over positions.

use crate::shape::{divisor, sequence, show};
use crate::words::{Argument, Field, Read, list_of};
use crate::{Layout, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

/// What is added around a value before a window slides over it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Nothing: the default.
    #[default]
    Valid,
    /// The size divided by the stride comes out, rounded up; of an odd number of positions the smaller half is before, as in
    /// `TensorFlow`.
    Same,
    /// Zeros before the first position alone, so that no position sees a later one.
    Causal,
    /// So many zeros on both sides: one number for every axis, or one for each.
    Zeros(Vec<Value>),
}

impl Padding {
    /// How many positions are added before and after an axis of this size; `None` if a number is not known. `reach` is what
    /// the window covers.
    ///
    /// ```
    /// use damper_ir::Padding;
    ///
    /// assert_eq!(Padding::Same.around(0, 224, 3, 2), Some((0, 1)));
    /// assert_eq!(Padding::Same.around(0, 9, 4, 1), Some((1, 2)));
    /// assert_eq!(Padding::Causal.around(0, 9, 4, 1), Some((3, 0)));
    /// ```
    pub fn around(
        &self,
        axis: usize,
        size: usize,
        reach: usize,
        stride: usize,
    ) -> Option<(usize, usize)> {
        match self {
            Self::Valid => Some((0, 0)),
            Self::Zeros(values) => {
                let all = if values.len() == 1 { 0 } else { axis };
                let zeros = values.get(all)?.size()?;
                Some((zeros, zeros))
            }
            Self::Causal => Some((reach.saturating_sub(1), 0)),
            Self::Same => {
                let places = (stride > 0).then(|| size.div_ceil(stride))?;
                let last = places.saturating_sub(1).saturating_mul(stride);
                let total = last.saturating_add(reach).saturating_sub(size);
                Some((total / 2, total - total / 2))
            }
        }
    }

    /// The word, where it is one that adds what the window needs.
    pub(super) const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Same => Some("same"),
            Self::Causal => Some("causal"),
            Self::Valid | Self::Zeros(_) => None,
        }
    }
}

impl Field for Padding {
    fn read(from: &dyn Read, name: &str) -> Self {
        match from.choice(name) {
            Some("same") => Self::Same,
            Some("causal") => Self::Causal,
            None if from.is_given(name) => Self::Zeros(from.values(name)),
            Some(_) | None => Self::Valid,
        }
    }

    fn text(&self, _: &Argument) -> Option<String> {
        match self {
            Self::Valid => None,
            Self::Same | Self::Causal => self.word().map(str::to_owned),
            Self::Zeros(values) if values.iter().all(|value| value.known == Some(0.0)) => None,
            Self::Zeros(values) => Some(match values.as_slice() {
                [one] => one.to_string(),
                _ => list_of(values),
            }),
        }
    }

    fn values(&self) -> &[Value] {
        match self {
            Self::Zeros(values) => values,
            Self::Valid | Self::Same | Self::Causal => &[],
        }
    }

    fn values_mut(&mut self) -> &mut [Value] {
        match self {
            Self::Zeros(values) => values,
            Self::Valid | Self::Same | Self::Causal => &mut [],
        }
    }
}

/// The number of each axis: one value is for every axis.
pub(super) fn per_axis(
    call: &str,
    name: &str,
    values: &[Value],
    axes: usize,
) -> Result<Vec<Option<usize>>, ShapeError> {
    match values {
        [one] => Ok(vec![one.size(); axes]),
        each if each.len() == axes => Ok(each.iter().map(Value::size).collect()),
        _ => {
            let list: Vec<String> = values.iter().map(ToString::to_string).collect();
            let first = list.first().map_or("1", String::as_str);
            let whole = vec![first; axes].join(", ");
            Err(ShapeError::new(format!(
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
pub(super) fn positions<'s>(
    word: &str,
    axes: usize,
    input: &'s Shape,
    layout: Layout,
) -> Result<&'s [Option<usize>], ShapeError> {
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
            let shape_error =
                ShapeError::new(format!("`{word}` wants {wanted}, this value is {input}"));
            Err(match input.0.as_slice() {
                [features] => shape_error.help(match (axes, features) {
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
                        shape_error.help(format!(
                            "`{other}`; or `reshape({with}) -> {word}` for a single channel"
                        ))
                    } else {
                        shape_error.help(other)
                    }
                }
                _ => shape_error,
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
pub(super) struct Axis {
    pub(super) size: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
}

impl Axis {
    /// What the kernel covers.
    pub(super) const fn reach(&self) -> usize {
        self.dilation
            .saturating_mul(self.kernel.saturating_sub(1))
            .saturating_add(1)
    }

    pub(super) const fn padded(&self) -> usize {
        self.size.saturating_add(self.padding.saturating_mul(2))
    }

    /// `None` if the window is larger than what it slides over.
    pub(super) fn places(&self) -> Option<usize> {
        let rest = self.padded().checked_sub(self.reach())?;
        (self.stride > 0 && self.kernel > 0 && self.dilation > 0 && self.size > 0)
            .then(|| rest / self.stride + 1)
    }
}

pub(super) fn too_large(
    word: &str,
    kind: &str,
    axis: &Axis,
    index: usize,
    input: &Shape,
) -> ShapeError {
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
    ShapeError::new(format!(
        "the {kind} of `{word}` is larger than its value: it covers {reach} positions{dilated} of the {name} of {input},{padded}"
    ))
    .help(format!("`kernel = {most}`{padding}"))
}
