//! Softmax and its logarithm along the last axis.

use crate::chunks::chunk_len;
use crate::memory::{Buffer, Checked, make_contiguous, modify_in_place, read, shape, tensor};
use crate::op::{CustomBackward, Input, Primitive, run_op};
use burn::tensor::{AsIndex, Tensor};
use damper_kernels::{LengthMismatch, softmax as kernel};
use rayon::prelude::*;

/// The function of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Softmax,
    LogSoftmax,
}

/// The backward pass of a [`Function`].
#[derive(Clone, Debug)]
struct RowBackward {
    function: Function,
    output: Primitive,
    width: usize,
}

/// Calls `run` with rows of two slices, on all threads.
fn for_each_rows(
    values: &mut [f32],
    other: &[f32],
    width: usize,
    run: impl Fn(&mut [f32], &[f32]) -> Checked + Sync,
) -> Checked {
    LengthMismatch::check("rows", other.len(), values.len())?;
    let size = chunk_len(values.len(), width);
    if size >= values.len() {
        return run(values, other);
    }
    let chunks = values.par_chunks_mut(size).zip(other.par_chunks(size));
    chunks.try_for_each(|(values, other)| run(values, other))
}

/// `exp(x)` divided by its sum along an axis, `[..]` to `[..]`. Negative axes are counted from the last one, -1.
///
/// # Errors
/// Returns the input if the axis is not the last one or is empty, or the memory cannot be reached (see [`Input::of`]).
pub fn softmax<const D: usize>(
    input: Tensor<D>,
    axis: &impl AsIndex,
) -> Result<Tensor<D>, Tensor<D>> {
    along_axis(input, axis, Function::Softmax)
}

/// The logarithm of [`softmax`], without overflow: `[..]` to `[..]`.
///
/// # Errors
/// As [`softmax`].
pub fn log_softmax<const D: usize>(
    input: Tensor<D>,
    axis: &impl AsIndex,
) -> Result<Tensor<D>, Tensor<D>> {
    along_axis(input, axis, Function::LogSoftmax)
}

fn along_axis<const D: usize>(
    input: Tensor<D>,
    axis: &impl AsIndex,
    function: Function,
) -> Result<Tensor<D>, Tensor<D>> {
    let width = match axis.try_dim_index(D) {
        Ok(axis) if axis + 1 == D => input.dims()[axis],
        _ => 0,
    };
    if width == 0 {
        return Err(input);
    }
    Ok(each_row(Input::of(input)?, width, function).into_tensor())
}

fn each_row(input: Input, width: usize, function: Function) -> Input {
    run_op([input], |[input], keep| {
        let input = make_contiguous(input);
        let output = Buffer::written(input.layout().num_elements(), |output| {
            let numbers = read("input", &input, output.len())?;
            for_each_rows(output, numbers, width, |output, numbers| match function {
                Function::Softmax => kernel::softmax(numbers, width, output),
                Function::LogSoftmax => kernel::log_softmax(numbers, width, output),
            })
        });
        let output = tensor(output, shape(&input));
        let backward = keep.then(|| RowBackward {
            function,
            output: output.clone(),
            width,
        });
        (output, backward)
    })
}

impl CustomBackward<1> for RowBackward {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let Self {
            function,
            output,
            width,
        } = self;
        let gradient = modify_in_place(gradient, |gradient| {
            let output = read("output", &output, gradient.len())?;
            for_each_rows(gradient, output, width, |gradient, output| match function {
                Function::Softmax => kernel::softmax_backward_in_place(output, gradient, width),
                Function::LogSoftmax => {
                    kernel::log_softmax_backward_in_place(output, gradient, width)
                }
            })
        });
        [Some(gradient)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for rows in [3, 20_000] {
            for function in [Function::Softmax, Function::LogSoftmax] {
                let output = tensor(vec![0.2; rows * 5], [rows, 5]);
                let backward = RowBackward {
                    function,
                    output,
                    width: 5,
                };
                let longer = tensor(vec![0.5; (rows + 1) * 5], [rows + 1, 5]);
                crate::assert_nan(backward.backward(longer, [true]));
            }
        }
    }
}
