//! The cross entropy of rows of logits with one class each.

use crate::chunks::chunk_len;
use crate::memory::{Buffer, Checked, make_contiguous, modify_in_place, read, tensor};
use crate::op::{CustomBackward, Input, Primitive, run_op};
use burn::tensor::{Int, Tensor};
use damper_kernels::LengthMismatch;
use damper_kernels::cross_entropy::{self as kernel, CrossEntropyError};
use rayon::prelude::*;

/// The backward pass of the loss, with the gradient of the sum over the rows.
#[derive(Clone, Debug)]
struct LossBackward(Primitive);

/// The mean cross entropy of logits `[rows, classes]` with one class for each row, `[rows]`: `[1]`.
///
/// # Errors
/// Returns the logits if they are empty, there is not one class for each row, a class is not below the number of columns,
/// or the memory cannot be reached (see [`Input::of`]).
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
                match kernel::cross_entropy(numbers, width, classes, smoothing, gradient) {
                    Ok(loss) => Ok(loss),
                    Err(CrossEntropyError::LengthMismatch(error)) => Err(error),
                    // `cross_entropy` has refused such classes.
                    Err(CrossEntropyError::Class { .. }) => {
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
