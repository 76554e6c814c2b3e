//! Layer and batch normalization, forward and backward.

use crate::chunks::chunk_len;
use crate::memory::{Buffer, Checked, make_contiguous, read, shape, tensor};
use crate::op::{
    CustomBackward, Input, Operands, Primitive, WeightedBackward, run_op, run_weighted_op,
};
use burn::tensor::Tensor;
use damper_kernels::{LengthMismatch, norm};
use rayon::prelude::*;
use std::sync::Arc;

/// The backward pass of layer norm.
#[derive(Clone, Debug)]
struct LayerNormBackward {
    input: Primitive,
    gamma: Primitive,
    mean: Arc<Vec<f32>>,
    inverse: Arc<Vec<f32>>,
}

/// Layer norm along the last axis: `[.., features]` to `[.., features]`, with `gamma` and `beta` of `[features]`.
///
/// # Errors
/// Returns the input if the sizes do not fit, or the memory of one of the tensors cannot be reached (see [`Input::of`]).
pub fn layer_norm<const D: usize>(
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Result<Tensor<D>, Tensor<D>> {
    let width = input.dims().last().copied().unwrap_or(0);
    let same = |tensor: &Tensor<1>| tensor.dims() == [width];
    if width == 0 || !same(&gamma) || !beta.as_ref().is_none_or(same) {
        return Err(input);
    }
    let operands = Operands::of(input, gamma, beta)?;
    Ok(normalize_rows(operands, width, epsilon as f32).into_tensor())
}

fn normalize_rows(operands: Operands, width: usize, epsilon: f32) -> Input {
    run_weighted_op(operands, |input, gamma, beta, keep| {
        let (input, gamma) = (make_contiguous(input), make_contiguous(gamma));
        let beta = beta.map(make_contiguous);
        let count = input.layout().num_elements();
        let rows = count / width;
        let (mut mean, mut inverse) = (vec![0.0_f32; rows], vec![0.0_f32; rows]);
        let output = Buffer::written(count, |output| {
            let numbers = read("input", &input, count)?;
            let gamma = read("gamma", &gamma, width)?;
            let beta = match &beta {
                Some(beta) => Some(read("beta", beta, width)?),
                None => None,
            };
            let size = chunk_len(count, width).max(width);
            let one = |input: &[f32], output: &mut [f32], mean: &mut [f32], inverse: &mut [f32]| {
                norm::layer_norm(input, width, gamma, beta, epsilon, output, mean, inverse)
            };
            if size >= count {
                return one(numbers, output, &mut mean, &mut inverse);
            }
            LengthMismatch::check("input", rows * width, count)?;
            let rows = size / width;
            let values = numbers.par_chunks(size).zip(output.par_chunks_mut(size));
            let statistics = mean.par_chunks_mut(rows).zip(inverse.par_chunks_mut(rows));
            let chunks = values.zip(statistics);
            chunks.try_for_each(|((input, output), (mean, inverse))| {
                one(input, output, mean, inverse)
            })
        });
        let output = tensor(output, shape(&input));
        let backward = keep.then(|| LayerNormBackward {
            input,
            gamma,
            mean: Arc::new(mean),
            inverse: Arc::new(inverse),
        });
        (output, backward)
    })
}

impl WeightedBackward for LayerNormBackward {
    fn gradients(&self, gradient: Primitive, _: [bool; 3]) -> [Option<Primitive>; 3] {
        let gradient = make_contiguous(gradient);
        let count = self.input.layout().num_elements();
        let width = self.gamma.layout().num_elements();
        let [into, of_gamma, of_beta] =
            Buffer::all_written([count, width, width], |[into, of_gamma, of_beta]| {
                self.write(&gradient, into, of_gamma, of_beta)
            });
        [
            Some(tensor(into, shape(&self.input))),
            Some(tensor(of_gamma, [width])),
            Some(tensor(of_beta, [width])),
        ]
    }
}

impl LayerNormBackward {
    /// The gradients of the input, of gamma and of beta.
    fn write(
        &self,
        gradient: &Primitive,
        into: &mut [f32],
        of_gamma: &mut [f32],
        of_beta: &mut [f32],
    ) -> Checked {
        let (count, width) = (into.len(), of_gamma.len());
        let numbers = read("input", &self.input, count)?;
        let gamma = read("gamma", &self.gamma, width)?;
        let gradient = read("gradient", gradient, count)?;
        let rows = count / width.max(1);
        LengthMismatch::check("mean", self.mean.len(), rows)?;
        LengthMismatch::check("inverse", self.inverse.len(), rows)?;
        LengthMismatch::check("input", rows * width, count)?;
        let size = chunk_len(count, width).max(width);
        let one = |(index, into): (usize, &mut [f32])| -> Checked<[Vec<f32>; 2]> {
            let (first, count) = (index * size, into.len());
            let row = first / width;
            let rows = row..row + count / width;
            let (mut of_gamma, mut of_beta) = (vec![0.0_f32; width], vec![0.0_f32; width]);
            norm::layer_norm_backward(
                &numbers[first..first + count],
                width,
                gamma,
                &self.mean[rows.clone()],
                &self.inverse[rows],
                &gradient[first..first + count],
                into,
                &mut of_gamma,
                Some(&mut of_beta),
            )?;
            Ok([of_gamma, of_beta])
        };
        let parts: Vec<[Vec<f32>; 2]> = if size >= count {
            vec![one((0, into))?]
        } else {
            let chunks = into.par_chunks_mut(size).enumerate();
            chunks.map(one).collect::<Checked<_>>()?
        };
        for (which, total) in [of_gamma, of_beta].into_iter().enumerate() {
            total.fill(0.0);
            for part in &parts {
                for (total, number) in total.iter_mut().zip(&part[which]) {
                    *total += number;
                }
            }
        }
        Ok(())
    }
}

/// A batch as `[batch, channels, positions]`.
#[derive(Clone, Copy, Debug)]
struct Shape {
    channels: usize,
    positions: usize,
}

/// The backward pass of batch norm.
#[derive(Clone, Debug)]
struct BatchNormBackward {
    shape: Shape,
    input: Primitive,
    gamma: Primitive,
    mean: Arc<Buffer>,
    variance: Arc<Buffer>,
    epsilon: f32,
}

/// A normalized batch with its statistics, which are not part of the graph.
#[derive(Clone, Debug)]
pub struct Normalized<const D: usize> {
    /// `[batch, channels, ..]`
    pub output: Tensor<D>,
    /// The mean of each channel: `[channels]`.
    pub mean: Tensor<1>,
    /// The variance of each channel of the batch itself, divided by the count: `[channels]`.
    pub variance: Tensor<1>,
}

/// Batch norm with the statistics of the batch itself: `[batch, channels, ..]`, with `gamma` and `beta` of `[channels]`.
///
/// # Errors
/// Returns the input if it is empty, the sizes do not fit, or the memory of one of the tensors cannot be reached (see
/// [`Input::of`]).
pub fn batch_norm<const D: usize>(
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Result<Normalized<D>, Tensor<D>> {
    let dims = input.dims();
    let channels = dims.get(1).copied().unwrap_or(0);
    let positions = dims.iter().skip(2).product();
    let fits =
        input.shape().num_elements() > 0 && gamma.dims() == [channels] && beta.dims() == [channels];
    let given = input.clone();
    let (true, Ok(of_input), Ok(of_gamma), Ok(of_beta)) =
        (fits, Input::of(input), Input::of(gamma), Input::of(beta))
    else {
        return Err(given);
    };
    drop(given);
    let shape = Shape {
        channels,
        positions,
    };
    let (output, mean, variance) =
        normalize_channels([of_input, of_gamma, of_beta], shape, epsilon as f32);
    let output = output.into_tensor::<D>();
    let device = output.device();
    Ok(Normalized {
        output,
        mean: Tensor::from_data(&mean[..], &device),
        variance: Tensor::from_data(&variance[..], &device),
    })
}

/// The normalized batch, the means and the variances.
fn normalize_channels(
    operands: [Input; 3],
    shape: Shape,
    epsilon: f32,
) -> (Input, Arc<Buffer>, Arc<Buffer>) {
    let Shape {
        channels,
        positions,
    } = shape;
    let mut statistics = None;
    let output = run_op(operands, |[input, gamma, beta], keep| {
        let [input, gamma, beta] = [input, gamma, beta].map(make_contiguous);
        let count = input.layout().num_elements();
        let [mean, variance] = Buffer::all_written([channels; 2], |[mean, variance]| {
            let numbers = read("input", &input, count)?;
            norm::batch_statistics(numbers, channels, positions, mean, variance)
        });
        let output = Buffer::written(count, |output| {
            let numbers = read("input", &input, count)?;
            let gamma = read("gamma", &gamma, channels)?;
            let beta = read("beta", &beta, channels)?;
            let size = chunk_len(count, channels * positions);
            let one = |input: &[f32], output: &mut [f32]| {
                norm::batch_norm(
                    input, channels, positions, &mean, &variance, epsilon, gamma, beta, output,
                )
            };
            if size >= count {
                return one(numbers, output);
            }
            let chunks = output.par_chunks_mut(size).zip(numbers.par_chunks(size));
            chunks.try_for_each(|(output, input)| one(input, output))
        });
        let output = tensor(output, self::shape(&input));
        let (mean, variance) = (Arc::new(mean), Arc::new(variance));
        statistics = Some((mean.clone(), variance.clone()));
        let backward = keep.then(|| BatchNormBackward {
            shape,
            input,
            gamma,
            mean,
            variance,
            epsilon,
        });
        (output, backward)
    });
    // `run_op` runs its closure once.
    let (mean, variance) = statistics.unwrap_or_else(|| {
        let none = Arc::new(Buffer::from(vec![f32::NAN; channels]));
        (none.clone(), none)
    });
    (output, mean, variance)
}

impl CustomBackward<3> for BatchNormBackward {
    fn backward(self, gradient: Primitive, _: [bool; 3]) -> [Option<Primitive>; 3] {
        let Shape {
            channels,
            positions,
        } = self.shape;
        let gradient = make_contiguous(gradient);
        let count = self.input.layout().num_elements();
        let [into, gamma, beta] =
            Buffer::all_written([count, channels, channels], |[into, of_gamma, of_beta]| {
                norm::batch_norm_backward(
                    read("input", &self.input, count)?,
                    channels,
                    positions,
                    &self.mean,
                    &self.variance,
                    self.epsilon,
                    read("gamma", &self.gamma, channels)?,
                    read("gradient", &gradient, count)?,
                    into,
                    of_gamma,
                    of_beta,
                )
            });
        [
            Some(tensor(into, shape(&self.input))),
            Some(tensor(gamma, [channels])),
            Some(tensor(beta, [channels])),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(count: usize) -> Primitive {
        tensor(vec![1.0; count], [count])
    }

    /// For few rows, and for rows that are split among threads.
    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for rows in [3, 20_000] {
            let layer = LayerNormBackward {
                input: ones(rows * 5),
                gamma: ones(5),
                mean: Arc::new(vec![0.0; rows]),
                inverse: Arc::new(vec![1.0; rows]),
            };
            let longer = ones((rows + 1) * 5);
            crate::assert_nan(layer.gradients(longer.clone(), [true; 3]));
            let batch = BatchNormBackward {
                shape: Shape {
                    channels: 5,
                    positions: 1,
                },
                input: ones(rows * 5),
                gamma: ones(5),
                mean: Arc::new(vec![0.0; 5].into()),
                variance: Arc::new(vec![1.0; 5].into()),
                epsilon: 1e-5,
            };
            crate::assert_nan(batch.backward(longer, [true; 3]));
        }
    }

    #[test]
    fn weights_of_another_length_give_nan() {
        let inputs = [ones(15), ones(4), ones(5)].map(Input::Plain);
        let shape = Shape {
            channels: 5,
            positions: 1,
        };
        let (output, ..) = normalize_channels(inputs, shape, 1e-5);
        crate::assert_nan([Some(output.into_primitive())]);
    }
}
