//! `slice`.

use super::reduce::{Axis, along};
use super::{Call, Field, Incoming, Operation, Type, operation};
use crate::words::{Argument, Read};
use crate::{Finding, Id, Layout, Shape, ShapeError, Value};
use serde::{Deserialize, Serialize};

operation! {
    /// A part of an axis: `slice(time, 0..10)` keeps the first ten steps.
    pub struct Slice = slice(axis, range) {
        /// `time`, `channels` or `features`.
        axis: Axis = required(Kind::Word(Axis::WORDS)),
        /// From which place, and before which one, counted from 0.
        range: Span = required(Kind::WholeRange),
    }
}

/// `start..end`: places of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span(pub [Value; 2]);

impl crate::words::Field for Span {
    fn read(from: &dyn Read, name: &str) -> Self {
        let end = from.value(name);
        Self([from.low(name).unwrap_or(end), end])
    }

    fn text(&self, _: &Argument) -> Option<String> {
        let Self([start, end]) = self;
        Some(format!("{start}..{end}"))
    }

    fn values(&self) -> &[Value] {
        &self.0
    }
}

impl Span {
    /// The first place and the one behind the last, if both are known.
    pub fn known(&self) -> Option<(usize, usize)> {
        let Self([start, end]) = self;
        start.size().zip(end.size())
    }
}

impl Operation for Slice {
    fn shape(&self, from: &Incoming<'_>) -> Result<Shape, ShapeError> {
        shape(self.axis, &self.range, from.shape, from.layout)
    }

    fn refused(&self, id: Id) -> Option<Finding> {
        let (start, end) = self.range.known()?;
        (start >= end).then(|| {
            let message = format!("`slice` keeps nothing of {start}..{end}");
            let help = format!("slice({}, {start}..{})", self.axis.word(), start + 1);
            Finding::error(id, message).help(help)
        })
    }

    fn keeps_axes(&self) -> bool {
        true
    }

    fn gives(&self, input: Layout, _: &Shape) -> Layout {
        match self.axis {
            Axis::Channels => Layout::Channels,
            Axis::Time => Layout::Sequence,
            Axis::Features => input.read_as_steps(),
        }
    }

    fn field(&self) -> Option<Field> {
        Some(Field::State(Type::damper("Slice")))
    }

    fn first_axis(&self, _: Layout, rank: usize) -> usize {
        match self.axis {
            Axis::Time | Axis::Channels => 0,
            Axis::Features => rank.saturating_sub(1),
        }
    }

    fn call(&self) -> Call {
        Call::MethodAlong
    }
}

/// `slice(axis, start..end)`: a part of the axis.
///
/// ```
/// use damper_ir::{Axis, Layout, Shape, Value};
/// use damper_ir::op::slice::{self, Span};
///
/// let span = |start, end| Span([Value::known(start), Value::known(end)]);
/// let maps = Shape::known([16, 8, 8]);
/// assert_eq!(slice::shape(Axis::Channels, &span(0.0, 8.0), &maps, Layout::Channels), Ok(Shape::known([8, 8, 8])));
/// ```
///
/// # Errors
/// The end lies beyond the axis; the value has no such axis.
///
/// ```
/// # use damper_ir::{Axis, Layout, Shape, Value};
/// # use damper_ir::op::slice::{self, Span};
/// # let span = |start, end| Span([Value::known(start), Value::known(end)]);
/// let steps = Shape::known([8, 4]);
/// let error = slice::shape(Axis::Time, &span(2.0, 10.0), &steps, Layout::Sequence).unwrap_err();
/// assert_eq!(error.to_string(), "`slice(time, 2..10)` ends beyond the 8 places of that axis: this value is [8, 4]");
/// assert_eq!(error.help.as_deref(), Some("slice(time, 2..8)"));
/// let error = slice::shape(Axis::Channels, &span(2.0, 4.0), &steps, Layout::Sequence).unwrap_err();
/// assert_eq!(error.help.as_deref(), Some("slice(features, 2..4)"));
/// ```
pub fn shape(axis: Axis, span: &Span, input: &Shape, layout: Layout) -> Result<Shape, ShapeError> {
    let Span([start, end]) = span;
    let text = |axis: Axis, end: &Value| format!("slice({}, {start}..{end})", axis.word());
    let call = text(axis, end);
    let at = along(&call, axis, input, layout).map_err(|(shape_error, other)| match other {
        Some(other) => shape_error.help(text(other, end)),
        None => shape_error,
    })?;
    let mut shape = input.clone();
    let Some(size) = shape.0.get_mut(at) else {
        return Ok(shape);
    };
    let known = span.known();
    if let (Some(all), Some((first, last))) = (*size, known)
        && last > all
    {
        let shape_error = ShapeError::new(format!(
            "`{call}` ends beyond the {all} places of that axis: this value is {input}"
        ));
        return Err(if first < all {
            shape_error.help(text(axis, &Value::from(all)))
        } else {
            shape_error.help(format!("slice({}, 0..{all})", axis.word()))
        });
    }
    *size = known.map(|(first, last)| last.saturating_sub(first));
    Ok(shape)
}
