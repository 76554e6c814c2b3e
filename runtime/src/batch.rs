//! What one step reads: inputs and targets.

use burn::tensor::{Int, Tensor};

/// The inputs of a batch, in the order of the `input` section.
#[derive(Clone, Debug, Default)]
pub struct Inputs(pub Vec<InputTensor>);

/// One input of a batch: a flat row for each sample, and the shape of one sample.
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

    /// The input at `index` as `[batch, ..]` with `D` axes; `None` if there is none of this rank.
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

    /// The class indices at `index` as `[batch, ..]` with `D` axes; `None` if there are none of this rank.
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

/// What the loss compares with.
#[derive(Clone, Debug)]
pub enum Target {
    /// Class indices: `[batch]`.
    Classes(Tensor<1, Int>),
    /// Values: `[batch, values]`.
    Values(Tensor<2>),
}

/// Inputs and targets of some samples.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the model reads.
    pub inputs: Inputs,
    /// What it should give.
    pub target: Target,
    /// The number of the batch in its epoch, from 0.
    pub index: usize,
}
