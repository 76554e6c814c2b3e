//! Softmax, its logarithm and the cross entropy, row by row.

use super::{Derived, Input, Primitive, applied, apply, change, memory, piece, readable};
use burn::tensor::Tensor;
use damper_kernels::rows;
use rayon::prelude::*;

/// Which function of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Softmax,
    LogSoftmax,
}

#[derive(Clone, Debug)]
struct OfRows {
    function: Function,
    output: Primitive,
    width: usize,
}

/// Runs over rows of two slices, on as many threads as there are.
fn over(values: &mut [f32], other: &[f32], width: usize, run: impl Fn(&mut [f32], &[f32]) + Sync) {
    let size = piece(values.len(), width);
    if size >= values.len() {
        return run(values, other);
    }
    let pieces = values.par_chunks_mut(size).zip(other.par_chunks(size));
    pieces.for_each(|(values, other)| run(values, other));
}

/// The function along the last axis.
pub(crate) fn of_rows<const D: usize>(
    input: Tensor<D>,
    function: Function,
) -> Result<Tensor<D>, Tensor<D>> {
    let width = input.dims().last().copied().unwrap_or(0);
    if width == 0 {
        return Err(input);
    }
    Ok(of_each_row(Input::of(input)?, width, function).tensor())
}

fn of_each_row(input: Input, width: usize, function: Function) -> Input {
    applied([input], |[input], keep| {
        let input = readable(input);
        let numbers = input.as_slice::<f32>().unwrap_or_default();
        let mut output = memory::buffer(numbers.len());
        // The kernels' errors are lengths that do not fit; these do.
        over(&mut output, numbers, width, |output, numbers| {
            let _ = match function {
                Function::Softmax => rows::softmax(numbers, width, output),
                Function::LogSoftmax => rows::log_softmax(numbers, width, output),
            };
        });
        let output = memory::tensor(output, super::shape(&input));
        let derived = keep.then(|| OfRows {
            function,
            output: output.clone(),
            width,
        });
        (output, derived)
    })
}

impl Derived<1> for OfRows {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let Self {
            function,
            output,
            width,
        } = self;
        let gradient = change(gradient, |gradient| {
            let output = output.as_slice::<f32>().unwrap_or_default();
            over(gradient, output, width, |gradient, output| {
                let _ = match function {
                    Function::Softmax => rows::softmax_backward_in_place(output, gradient, width),
                    Function::LogSoftmax => {
                        rows::log_softmax_backward_in_place(output, gradient, width)
                    }
                };
            });
        });
        [Some(gradient)]
    }
}

/// The gradient of the mean loss, for a gradient of 1.
#[derive(Clone, Debug)]
struct Loss(Primitive);

/// The mean cross entropy of `[rows, classes]` with one class for each row: `[1]`.
pub(crate) fn cross_entropy(
    logits: Tensor<2>,
    classes: &[u32],
    smoothing: f64,
) -> Result<Tensor<1>, Tensor<2>> {
    let [rows, width] = logits.dims();
    let inside = classes.iter().all(|class| (*class as usize) < width);
    if rows == 0 || width == 0 || classes.len() != rows || !inside {
        return Err(logits);
    }
    let logits = Input::of(logits)?;
    Ok(apply([logits], |[logits], keep| {
        let logits = readable(logits);
        let numbers = logits.as_slice::<f32>().unwrap_or_default();
        let mut gradient = memory::buffer(numbers.len());
        let size = piece(numbers.len(), width);
        let smoothing = smoothing as f32;
        let loss = |(gradient, (numbers, classes)): (&mut [f32], (&[f32], &[u32]))| {
            rows::cross_entropy(numbers, width, classes, smoothing, gradient).unwrap_or(f64::NAN)
        };
        let losses: Vec<f64> = if size >= numbers.len() {
            vec![loss((&mut gradient, (numbers, classes)))]
        } else {
            let pieces = numbers.par_chunks(size);
            let pieces = pieces.zip(classes.par_chunks(size / width));
            gradient
                .par_chunks_mut(size)
                .zip(pieces)
                .map(loss)
                .collect()
        };
        let total: f64 = losses.iter().sum();
        let output = memory::tensor(vec![(total / rows as f64) as f32], [1]);
        (
            output,
            keep.then(|| Loss(memory::tensor(gradient, [rows, width]))),
        )
    }))
}

impl Derived<1> for Loss {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let factor = readable(gradient);
        let factor = factor.as_slice::<f32>().and_then(|numbers| numbers.first());
        let rows = self.0.layout().shape().first().copied().unwrap_or(1);
        let factor = factor.copied().unwrap_or(f32::NAN) / rows as f32;
        let gradient = change(self.0, |numbers| {
            for number in numbers {
                *number *= factor;
            }
        });
        [Some(gradient)]
    }
}
