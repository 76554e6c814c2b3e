//! Batches of inputs and targets.

use crate::Spec;
use crate::autodiff::plain;
use burn::tensor::{Int, Tensor};

/// The inputs of a batch, in the order of the `input` section.
#[derive(Clone, Debug, Default)]
pub struct Inputs(pub Vec<InputTensor>);

/// One input of a batch: one flat row per sample, and the shape of one sample.
#[derive(Clone, Debug)]
pub enum InputTensor {
    /// Real numbers: `[batch, values]`.
    Float(Tensor<2>, Vec<usize>),
    /// Class indices: `[batch, values]`.
    Int(Tensor<2, Int>, Vec<usize>),
}

impl Inputs {
    /// One input of real numbers, `[batch, features]`.
    pub fn features(features: Tensor<2>) -> Self {
        let [_, width] = features.dims();
        Self(vec![InputTensor::Float(features, vec![width])])
    }

    /// The number of samples.
    pub fn batch(&self) -> usize {
        match self.0.first() {
            Some(InputTensor::Float(tensor, _)) => tensor.dims()[0],
            Some(InputTensor::Int(tensor, _)) => tensor.dims()[0],
            None => 0,
        }
    }

    /// `rows` samples, from the sample `start` on.
    pub(crate) fn narrow(&self, start: usize, rows: usize) -> Self {
        let narrow = |input: &InputTensor| match input {
            InputTensor::Float(tensor, shape) => {
                InputTensor::Float(tensor.clone().narrow(0, start, rows), shape.clone())
            }
            InputTensor::Int(tensor, shape) => {
                InputTensor::Int(tensor.clone().narrow(0, start, rows), shape.clone())
            }
        };
        Self(self.0.iter().map(narrow).collect())
    }

    /// The input at `index` as `[batch, ..]` with `D` axes; `None` if there is no such input of this rank.
    pub fn float<const D: usize>(&self, index: usize) -> Option<Tensor<D>> {
        match self.0.get(index)? {
            InputTensor::Float(tensor, shape) if shape.len() + 1 == D => {
                let mut dims = [0; D];
                dims[0] = tensor.dims()[0];
                dims[1..].copy_from_slice(shape);
                Some(tensor.clone().reshape(dims))
            }
            _ => None,
        }
    }

    /// The class indices at `index` as `[batch, ..]` with `D` axes; `None` if there is no such input of this rank.
    pub fn int<const D: usize>(&self, index: usize) -> Option<Tensor<D, Int>> {
        match self.0.get(index)? {
            InputTensor::Int(tensor, shape) if shape.len() + 1 == D => {
                let mut dims = [0; D];
                dims[0] = tensor.dims()[0];
                dims[1..].copy_from_slice(shape);
                Some(tensor.clone().reshape(dims))
            }
            _ => None,
        }
    }
}

impl InputTensor {
    /// The number of samples, and the axes of one sample.
    pub(crate) fn dims(&self) -> Vec<usize> {
        let (batch, shape) = match self {
            Self::Float(rows, shape) => (rows.dims()[0], shape),
            Self::Int(rows, shape) => (rows.dims()[0], shape),
        };
        [&[batch], shape.as_slice()].concat()
    }

    /// Whether the rows have as many values as the shape of a sample.
    pub(crate) fn is_whole(&self) -> bool {
        let (width, shape) = match self {
            Self::Float(rows, shape) => (rows.dims()[1], shape),
            Self::Int(rows, shape) => (rows.dims()[1], shape),
        };
        let numbers = shape
            .iter()
            .try_fold(1, |size: usize, axis| size.checked_mul(*axis));
        numbers == Some(width)
    }

    /// The same without autodiff.
    pub(crate) fn plain(&self) -> Self {
        match self {
            Self::Float(rows, shape) => Self::Float(plain(rows.clone()), shape.clone()),
            Self::Int(rows, shape) => Self::Int(plain(rows.clone()), shape.clone()),
        }
    }
}

/// The targets of a batch, one row per row of the output.
///
/// If the output of a model has one axis, there is one row per sample. If it has more, as `[time, vocab]` or
/// `[classes, height, width]`, there is one row per position of each sample, sample by sample: the target of a sample then
/// has `time` or `height * width` classes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Class indices: `[rows]`.
    Classes(Tensor<1, Int>),
    /// Values: `[rows, values]`.
    Values(Tensor<2>),
}

/// How the output of one sample is laid out as rows. The class axis (or the axis of the values of one target) becomes the
/// columns, and each position along the other axes becomes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowLayout {
    before: usize,
    /// The columns: classes, or values of one target.
    pub(crate) units: usize,
    after: usize,
}

/// The class axis of the output of one sample with `rank` axes.
pub(crate) fn class_axis(spec: &Spec, rank: usize) -> usize {
    // Not `Model::class_axis`: it infers all shapes again.
    spec.shapes().output_layout().class_axis(rank)
}

impl RowLayout {
    /// The layout of the model's output. One row without columns if its shape is not known.
    pub(crate) fn of(spec: &Spec) -> Self {
        let axes: Option<Vec<usize>> = spec
            .shapes()
            .output()
            .and_then(|shape| shape.0.iter().copied().collect());
        let axes = axes.unwrap_or_else(|| vec![0]);
        Self::in_shape(&axes, class_axis(spec, axes.len()))
    }

    pub(crate) fn in_shape(axes: &[usize], class_axis: usize) -> Self {
        let place = class_axis.min(axes.len().saturating_sub(1));
        Self {
            before: axes.iter().take(place).product(),
            units: axes.get(place).copied().unwrap_or(1),
            after: axes.iter().skip(place + 1).product(),
        }
    }

    /// The number of rows of one sample.
    pub(crate) fn count(self) -> usize {
        self.before * self.after
    }

    /// Rearranges values on the host from the order of the output's axes to rows of `units` values. `None` if they are
    /// not whole samples.
    pub(crate) fn arrange(self, units: usize, values: &[f32]) -> Option<Vec<f32>> {
        let Self { before, after, .. } = self;
        let block = units * after;
        if block == 0 || !values.len().is_multiple_of(before.max(1) * block) {
            return None;
        }
        let mut rows = Vec::with_capacity(values.len());
        for block in values.chunks_exact(block) {
            for position in 0..after {
                rows.extend(block.iter().skip(position).step_by(after));
            }
        }
        Some(rows)
    }

    /// Rearranges a batch of outputs to `[rows, units]`.
    pub(crate) fn rows<const D: usize>(self, batch: usize, values: Tensor<D>) -> Tensor<2> {
        let Self {
            before,
            units,
            after,
        } = self;
        let values = match after {
            1 => return values.reshape([batch * before, units]),
            _ => values.reshape([batch * before, units, after]),
        };
        values
            .swap_dims(1, 2)
            .reshape([batch * before * after, units])
    }
}

/// Inputs and targets of some samples.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The inputs of the model.
    pub inputs: Inputs,
    /// The targets.
    pub target: Target,
    /// The index of the batch in its epoch, from 0.
    pub index: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn the_axis_of_the_classes_becomes_the_columns() {
        let image = RowLayout::in_shape(&[3, 2, 2], 0);
        assert_eq!((image.count(), image.units), (4, 3));
        let values: Vec<f32> = (0..24_u8).map(f32::from).collect();
        let rows = image.arrange(3, &values).unwrap_or_default();
        assert_eq!(rows[..6], [0.0, 4.0, 8.0, 1.0, 5.0, 9.0]);
        assert_eq!(rows[12..15], [12.0, 16.0, 20.0]);
        let tensor = Tensor::<1>::from_floats(values.as_slice(), &Device::default());
        let tensor = image.rows(2, tensor.reshape([2, 3, 2, 2]));
        assert_eq!(tensor.dims(), [8, 3]);
        assert_eq!(tensor.into_data().iter::<f32>().collect::<Vec<_>>(), rows);
        assert_eq!(image.arrange(3, &values[1..]), None);

        let sequence = RowLayout::in_shape(&[5, 2], 1);
        assert_eq!((sequence.count(), sequence.units), (5, 2));
        assert_eq!(
            sequence.arrange(2, &values[..20]).unwrap_or_default(),
            values[..20]
        );
        assert_eq!(RowLayout::in_shape(&[7], 0).count(), 1);
    }
}
