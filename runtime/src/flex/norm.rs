//! Layer and batch normalisation, forward and backward.

use super::{
    Derived, Input, Operands, Primitive, Weighted, applied, apply_weighted, memory, piece,
    readable, shape,
};
use burn::tensor::Tensor;
use damper_kernels::norm;
use rayon::prelude::*;
use std::sync::Arc;

#[derive(Clone, Debug)]
struct LayerNorm {
    input: Primitive,
    gamma: Primitive,
    mean: Arc<Vec<f32>>,
    inverse: Arc<Vec<f32>>,
}

/// Normalises along the last axis; `Err` with the input where the memory cannot be reached.
pub(crate) fn layer<const D: usize>(
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
    Ok(of_rows(Operands::of(input, gamma, beta)?, width, epsilon).tensor())
}

fn of_rows(operands: Operands, width: usize, epsilon: f64) -> Input {
    apply_weighted(operands, |input, gamma, beta, keep| {
        let (input, gamma) = (readable(input), readable(gamma));
        let beta = beta.map(readable);
        let numbers = input.as_slice::<f32>().unwrap_or_default();
        let of_gamma = gamma.as_slice::<f32>().unwrap_or_default();
        let of_beta = beta.as_ref().and_then(|beta| beta.as_slice::<f32>());
        let rows = numbers.len() / width;
        let mut output = memory::buffer(numbers.len());
        let (mut mean, mut inverse) = (vec![0.0_f32; rows], vec![0.0_f32; rows]);
        let size = piece(numbers.len(), width).max(width);
        let one = |input: &[f32], output: &mut [f32], mean: &mut [f32], inverse: &mut [f32]| {
            // The kernels' errors are lengths that do not fit; these do.
            let epsilon = epsilon as f32;
            let _ = norm::layer(
                input, width, of_gamma, of_beta, epsilon, output, mean, inverse,
            );
        };
        if size >= numbers.len() {
            one(numbers, &mut output, &mut mean, &mut inverse);
        } else {
            let rows = size / width;
            let values = numbers.par_chunks(size).zip(output.par_chunks_mut(size));
            let statistics = mean.par_chunks_mut(rows).zip(inverse.par_chunks_mut(rows));
            let pieces = values.zip(statistics);
            pieces.for_each(|((input, output), (mean, inverse))| one(input, output, mean, inverse));
        }
        let output = memory::tensor(output, shape(&input));
        let derived = keep.then(|| LayerNorm {
            input,
            gamma,
            mean: Arc::new(mean),
            inverse: Arc::new(inverse),
        });
        (output, derived)
    })
}

impl Weighted for LayerNorm {
    fn gradients(&self, gradient: Primitive, _: [bool; 3]) -> [Option<Primitive>; 3] {
        let gradient = readable(gradient);
        let numbers = self.input.as_slice::<f32>().unwrap_or_default();
        let gamma = self.gamma.as_slice::<f32>().unwrap_or_default();
        let gradient = gradient.as_slice::<f32>().unwrap_or_default();
        let width = gamma.len().max(1);
        let mut into = memory::buffer(numbers.len());
        let size = piece(numbers.len(), width).max(width);
        let one = |(index, into): (usize, &mut [f32])| {
            let (first, count) = (index * size, into.len());
            let row = first / width;
            let rows = row..row + count / width;
            let (mut of_gamma, mut of_beta) = (vec![0.0_f32; width], vec![0.0_f32; width]);
            let _ = norm::layer_backward(
                &numbers[first..first + count],
                width,
                gamma,
                &self.mean[rows.clone()],
                &self.inverse[rows],
                &gradient[first..first + count],
                into,
                &mut of_gamma,
                Some(&mut of_beta),
            );
            [of_gamma, of_beta]
        };
        let parts: Vec<[Vec<f32>; 2]> = if size >= numbers.len() {
            vec![one((0, &mut into))]
        } else {
            into.par_chunks_mut(size).enumerate().map(one).collect()
        };
        let sum = |which: usize| {
            let mut total = vec![0.0_f32; width];
            for part in &parts {
                for (total, number) in total.iter_mut().zip(&part[which]) {
                    *total += number;
                }
            }
            memory::tensor(total, [width])
        };
        let (gamma, beta) = (sum(0), sum(1));
        let into = memory::tensor(into, shape(&self.input));
        [Some(into), Some(gamma), Some(beta)]
    }
}

/// A batch as `[batch, channels, positions]`.
#[derive(Clone, Copy, Debug)]
struct Shape {
    channels: usize,
    positions: usize,
}

#[derive(Clone, Debug)]
struct BatchNorm {
    shape: Shape,
    input: Primitive,
    gamma: Primitive,
    mean: Arc<Vec<f32>>,
    variance: Arc<Vec<f32>>,
    epsilon: f32,
}

/// A normalised batch, with the mean and the variance (that of the batch itself) of each channel.
pub(crate) struct Normalised<const D: usize> {
    pub(crate) output: Tensor<D>,
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
}

/// Normalises each channel of `[batch, channels, ..]` by the statistics of the batch.
pub(crate) fn batch<const D: usize>(
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Result<Normalised<D>, Tensor<D>> {
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
        of_channels([of_input, of_gamma, of_beta], shape, epsilon as f32);
    Ok(Normalised {
        output: output.tensor(),
        mean,
        variance,
    })
}

/// The normalised batch, the means and the variances.
fn of_channels(operands: [Input; 3], shape: Shape, epsilon: f32) -> (Input, Vec<f32>, Vec<f32>) {
    let Shape {
        channels,
        positions,
    } = shape;
    let (mut mean, mut variance) = (vec![0.0_f32; channels], vec![0.0_f32; channels]);
    let output = applied(operands, |[input, gamma, beta], keep| {
        let (input, gamma, beta) = (readable(input), readable(gamma), readable(beta));
        let numbers = input.as_slice::<f32>().unwrap_or_default();
        let mut output = memory::buffer(numbers.len());
        // The kernels' errors are lengths that do not fit; these do.
        let _ = norm::batch_statistics(numbers, channels, positions, &mut mean, &mut variance);
        let (of_gamma, of_beta) = (
            gamma.as_slice::<f32>().unwrap_or_default(),
            beta.as_slice::<f32>().unwrap_or_default(),
        );
        let size = piece(numbers.len(), channels * positions);
        let one = |input: &[f32], output: &mut [f32]| {
            let _ = norm::batch(
                input, channels, positions, &mean, &variance, epsilon, of_gamma, of_beta, output,
            );
        };
        if size >= numbers.len() {
            one(numbers, &mut output);
        } else {
            let pieces = output.par_chunks_mut(size).zip(numbers.par_chunks(size));
            pieces.for_each(|(output, input)| one(input, output));
        }
        let output = memory::tensor(output, super::shape(&input));
        let derived = keep.then(|| BatchNorm {
            shape,
            input,
            gamma,
            mean: Arc::new(mean.clone()),
            variance: Arc::new(variance.clone()),
            epsilon,
        });
        (output, derived)
    });
    (output, mean, variance)
}

impl Derived<3> for BatchNorm {
    fn backward(self, gradient: Primitive, _: [bool; 3]) -> [Option<Primitive>; 3] {
        let Shape {
            channels,
            positions,
        } = self.shape;
        let gradient = readable(gradient);
        let numbers = self.input.as_slice::<f32>().unwrap_or_default();
        let mut into = memory::buffer(numbers.len());
        let (mut gamma, mut beta) = (vec![0.0_f32; channels], vec![0.0_f32; channels]);
        let _ = norm::batch_backward(
            numbers,
            channels,
            positions,
            &self.mean,
            &self.variance,
            self.epsilon,
            self.gamma.as_slice::<f32>().unwrap_or_default(),
            gradient.as_slice::<f32>().unwrap_or_default(),
            &mut into,
            &mut gamma,
            &mut beta,
        );
        [
            Some(memory::tensor(into, shape(&self.input))),
            Some(memory::tensor(gamma, [channels])),
            Some(memory::tensor(beta, [channels])),
        ]
    }
}
