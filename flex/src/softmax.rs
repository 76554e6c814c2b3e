//! Softmax, its logarithm and the cross entropy of each row.

use crate::chunks::chunk_len;
use crate::memory::{Buffer, Checked, make_contiguous, modify_in_place, read, shape, tensor};
use crate::{CustomBackward, Input, Primitive, run_op};
use burn::tensor::{AsIndex, Int, Tensor};
use damper_kernels::{LengthMismatch, rows};
use rayon::prelude::*;

/// Which function of a row.
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

/// Runs over rows of two slices, on as many threads as there are.
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

/// `exp(x)` over its sum along an axis, `[..]` to `[..]`; negative axes count from the last one, -1.
///
/// # Errors
/// The input: the axis is not the last one, there is none or it is empty, or the memory cannot be reached (see
/// [`Input::of`]).
pub fn softmax<const D: usize>(
    input: Tensor<D>,
    axis: &impl AsIndex,
) -> Result<Tensor<D>, Tensor<D>> {
    along_axis(input, axis, Function::Softmax)
}

/// The logarithm of [`softmax`], without overflow: `[..]` to `[..]`.
///
/// # Errors
/// Those of [`softmax`].
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
                Function::Softmax => rows::softmax(numbers, width, output),
                Function::LogSoftmax => rows::log_softmax(numbers, width, output),
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
                Function::Softmax => rows::softmax_backward_in_place(output, gradient, width),
                Function::LogSoftmax => {
                    rows::log_softmax_backward_in_place(output, gradient, width)
                }
            })
        });
        [Some(gradient)]
    }
}

/// The backward pass of the loss: the gradient of the mean loss, for a gradient of 1.
#[derive(Clone, Debug)]
struct LossBackward(Primitive);

/// The mean cross entropy of logits `[rows, classes]` with one class for each row, `[rows]`: `[1]`.
///
/// # Errors
/// The logits: there are none, the classes are more or fewer than the rows, one of them is not below the number of
/// columns, or the memory cannot be reached (see [`Input::of`]).
pub fn cross_entropy(
    logits: Tensor<2>,
    classes: &Tensor<1, Int>,
    smoothing: f64,
) -> Result<Tensor<1>, Tensor<2>> {
    let [rows, width] = logits.dims();
    if rows == 0 || width == 0 || classes.dims() != [rows] {
        return Err(logits);
    }
    let logits = Input::of(logits)?;
    let classes = classes.clone().into_data();
    let classes: Option<Vec<u32>> = classes
        .iter::<i64>()
        .map(|class| {
            let class = u32::try_from(class).ok()?;
            ((class as usize) < width).then_some(class)
        })
        .collect();
    match classes {
        Some(classes) => Ok(loss(logits, &classes, [rows, width], smoothing as f32).into_tensor()),
        None => Err(logits.into_tensor()),
    }
}

fn loss(logits: Input, classes: &[u32], [rows, width]: [usize; 2], smoothing: f32) -> Input {
    run_op([logits], |[logits], keep| {
        let logits = make_contiguous(logits);
        let mut total = f64::NAN;
        let gradient = Buffer::written(rows * width, |gradient| {
            let numbers = read("logits", &logits, gradient.len())?;
            LengthMismatch::check("classes", classes.len(), rows)?;
            let size = chunk_len(numbers.len(), width);
            let loss = |(gradient, (numbers, classes)): (&mut [f32], (&[f32], &[u32]))| {
                match rows::cross_entropy(numbers, width, classes, smoothing, gradient) {
                    Ok(loss) => Ok(loss),
                    Err(rows::CrossEntropyError::LengthMismatch(error)) => Err(error),
                    // The caller has excluded it.
                    Err(rows::CrossEntropyError::Class { .. }) => {
                        gradient.fill(f32::NAN);
                        Ok(f64::NAN)
                    }
                }
            };
            let losses: Vec<f64> = if size >= numbers.len() {
                vec![loss((gradient, (numbers, classes)))?]
            } else {
                let chunks = numbers.par_chunks(size);
                let chunks = chunks.zip(classes.par_chunks(size / width));
                let chunks = gradient.par_chunks_mut(size).zip(chunks);
                chunks.map(loss).collect::<Checked<_>>()?
            };
            total = losses.iter().sum();
            Ok(())
        });
        let output = tensor(vec![(total / rows as f64) as f32], [1]);
        let backward = keep.then(|| LossBackward(tensor(gradient, [rows, width])));
        (output, backward)
    })
}

impl CustomBackward<1> for LossBackward {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let factor = make_contiguous(gradient);
        let rows = self.0.layout().shape().first().copied().unwrap_or(1);
        let gradient = modify_in_place(self.0, |numbers| {
            let factor = read("gradient", &factor, 1)?[0] / rows as f32;
            for number in numbers {
                *number *= factor;
            }
            Ok(())
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
            let loss = LossBackward(tensor(vec![0.2; rows * 5], [rows, 5]));
            crate::assert_nan(loss.backward(tensor(vec![1.0; 2], [2]), [true]));
        }
    }

    #[test]
    fn logits_of_another_size_give_nan() {
        let logits = Input::Plain(tensor(vec![0.5; 12], [4, 3]));
        let loss = loss(logits, &[0, 1, 2], [3, 3], 0.0);
        crate::assert_nan([Some(loss.into_primitive())]);
    }
}
