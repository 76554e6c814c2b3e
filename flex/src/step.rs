//! One step of a sequence.

use crate::memory::{Buffer, make_compact, make_contiguous, read, tensor};
use crate::op::{CustomBackward, Input, Primitive, run_op};
use burn::tensor::{Shape, Tensor};

/// The backward pass of taking one step.
#[derive(Clone, Debug)]
struct StepBackward {
    index: usize,
    /// `[batch, time, features]`
    sizes: [usize; 3],
    /// True if the memory has step after step, as after a recurrent layer, and not sample after sample.
    by_step: bool,
}

/// The step at an index: `[batch, time, features]` to `[batch, features]`.
///
/// # Errors
/// Returns the input if there is no such step, or its memory cannot be reached (see [`Input::of`]).
pub fn step(input: Tensor<3>, index: usize) -> Result<Tensor<2>, Tensor<3>> {
    let sizes = input.dims();
    if index >= sizes[1] {
        return Err(input);
    }
    Ok(take_step(Input::of(input)?, sizes, index).into_tensor())
}

fn take_step(input: Input, sizes: [usize; 3], index: usize) -> Input {
    let [batch, _, features] = sizes;
    run_op([input], |[input], keep| {
        let backward = keep.then(|| StepBackward {
            index,
            sizes,
            by_step: matches!(input.layout().strides(), [sample, step, _] if sample < step),
        });
        let taken = make_compact(input.narrow(1, index, 1));
        (taken.reshape(Shape::from([batch, features])), backward)
    })
}

impl CustomBackward<1> for StepBackward {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let [batch, time, features] = self.sizes;
        let gradient = make_contiguous(gradient);
        let whole = Buffer::summed(batch * time * features, |whole| {
            let gradient = read("gradient", &gradient, batch * features)?;
            if self.by_step {
                let step = batch * features;
                whole[self.index * step..][..step].copy_from_slice(gradient);
            } else {
                let rows = gradient.chunks_exact(features.max(1));
                let samples = whole.chunks_exact_mut((time * features).max(1));
                for (sample, row) in samples.zip(rows) {
                    sample[self.index * features..][..features].copy_from_slice(row);
                }
            }
            Ok(())
        });
        // In the order of the memory of the input, so that nothing is transposed.
        let whole = if self.by_step {
            tensor(whole, [time, batch, features]).transpose(0, 1)
        } else {
            tensor(whole, [batch, time, features])
        };
        [Some(whole)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for by_step in [true, false] {
            let backward = StepBackward {
                index: 1,
                sizes: [2, 3, 4],
                by_step,
            };
            let longer = tensor(vec![0.5; 12], [3, 4]);
            crate::assert_nan(backward.backward(longer, [true]));
        }
    }
}
