//! `Prepared`: data that were checked against a model, ready to become tensors.

use crate::{Batch, InputTensor, Inputs, Target};
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::sync::Arc;

/// Data that fit a model: the numbers of its inputs and the targets of its loss.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) rows: usize,
    pub(super) inputs: Vec<PreparedInput>,
    pub(super) target: PreparedTarget,
    pub(super) classes: Arc<Vec<String>>,
}

/// The values of one input, row by row.
#[derive(Clone, Debug)]
pub(super) struct PreparedInput {
    pub(super) shape: Vec<usize>,
    pub(super) values: Numbers,
}

/// Real numbers or class indices.
#[derive(Clone, Debug)]
pub(super) enum Numbers {
    Float(Arc<Vec<f32>>),
    Int(Arc<Vec<i64>>),
}

/// The targets, row by row, and in each sample position by position: see [`Target`].
#[derive(Clone, Debug)]
pub(super) enum PreparedTarget {
    Classes(Arc<Vec<i64>>),
    /// The values, and how many there are in a row.
    Values(Arc<Vec<f32>>, usize),
}

impl Prepared {
    /// The number of samples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The classes' names, in the order of their indices; empty if they have none.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// All samples as one batch, uploaded to the device.
    pub fn batch(&self, device: &Device) -> Batch {
        let rows = self.rows;
        let inputs = self
            .inputs
            .iter()
            .map(|input| {
                let width = input.shape.iter().product();
                match &input.values {
                    Numbers::Float(values) => {
                        let data = TensorData::new(values.to_vec(), [rows, width]);
                        InputTensor::Float(Tensor::from_data(data, device), input.shape.clone())
                    }
                    Numbers::Int(values) => {
                        let data = TensorData::new(values.to_vec(), [rows, width]);
                        InputTensor::Int(
                            Tensor::<2, Int>::from_data(data, device),
                            input.shape.clone(),
                        )
                    }
                }
            })
            .collect();
        let target = match &self.target {
            PreparedTarget::Classes(classes) => Target::Classes(Tensor::from_data(
                TensorData::new(classes.to_vec(), [classes.len()]),
                device,
            )),
            PreparedTarget::Values(values, width) => Target::Values(Tensor::from_data(
                TensorData::new(values.to_vec(), [values.len() / (*width).max(1), *width]),
                device,
            )),
        };
        Batch {
            inputs: Inputs(inputs),
            target,
            index: 0,
        }
    }
}
