//! Max pooling over one or two axes.

use crate::memory::{Buffer, Checked, make_contiguous, read, shape, tensor};
use crate::op::{CustomBackward, Input, Primitive, run_op};
use crate::windows::{Convolution, Sizes, set_axes};
use burn::tensor::Tensor;
use damper_kernels::pool::{self, Windows};
use rayon::prelude::*;
use std::sync::Arc;

/// The windows of max pooling over height and width; one axis is a width with a height of 1.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool {
    /// Height and width of a window.
    pub kernel: [usize; 2],
    /// The step of the window along each axis.
    pub stride: [usize; 2],
    /// Positions before and after each axis that are never the maximum.
    pub padding: [(usize, usize); 2],
}

/// The backward pass of max pooling.
#[derive(Clone, Debug)]
struct MaxPoolBackward {
    /// The shape of the input.
    shape: Vec<usize>,
    /// The index in its plane of each maximum.
    places: Arc<Vec<u32>>,
}

/// The maximum of each window of `[batch, channels, height, width]`, or of `[batch, channels, width]`.
///
/// The first of equal maxima gets the gradient. NaN counts as larger than any number.
///
/// # Errors
/// Returns the input if it does not have one or two axes, a window could be outside of it, or its memory cannot be
/// reached (see [`Input::of`]).
pub fn max_pool<const D: usize>(input: Tensor<D>, by: MaxPool) -> Result<Tensor<D>, Tensor<D>> {
    let dims = input.dims();
    let from = match *dims.get(2..).unwrap_or_default() {
        [width] => [1, width],
        [height, width] => [height, width],
        _ => return Err(input),
    };
    let one_channel = Convolution {
        channels: [1; 2],
        kernel: by.kernel,
        stride: by.stride,
        dilation: [1; 2],
        padding: by.padding,
        groups: 1,
    };
    let inside = (0..2).all(|axis| {
        let (before, after) = by.padding[axis];
        // Every window has at least one position of the input.
        before.max(after) < by.kernel[axis].max(1)
    });
    let Some(sizes) = Sizes::new(one_channel, dims[0] * dims[1], from)
        .filter(|_| inside && u32::try_from(from[0] * from[1]).is_ok())
    else {
        return Err(input);
    };
    Ok(pool_input(Input::of(input)?, &sizes).into_tensor())
}

fn pool_input(input: Input, sizes: &Sizes) -> Input {
    run_op([input], |[input], keep| {
        let mut of_output = shape(&input);
        let input = make_contiguous(input);
        let [_, to] = sizes.sample();
        let mut places = vec![0_u32; sizes.batch * to];
        let output = Buffer::written(sizes.batch * to, |output| {
            pool_planes(sizes, &input, output, &mut places)
        });
        let backward = keep.then(|| MaxPoolBackward {
            shape: of_output.clone(),
            places: Arc::new(places),
        });
        set_axes(&mut of_output, sizes.to);
        (tensor(output, of_output), backward)
    })
}

/// Writes the maximum of each window of each plane, and its index in the plane.
fn pool_planes(
    sizes: &Sizes,
    input: &Primitive,
    output: &mut [f32],
    places: &mut [u32],
) -> Checked {
    let [from, to] = sizes.sample();
    let input = read("input", input, sizes.batch * from)?;
    let part = sizes.part();
    let parts = output
        .par_chunks_mut(part * to)
        .zip(places.par_chunks_mut(part * to))
        .zip(input.par_chunks(part * from));
    let windows = Windows {
        from: sizes.from,
        to: sizes.to,
        kernel: sizes.of.kernel,
        stride: sizes.of.stride,
        before: sizes.of.padding.map(|(before, _)| before),
    };
    parts.try_for_each(|((output, places), input)| {
        let to_planes = output.chunks_mut(to).zip(places.chunks_mut(to));
        for ((output, places), input) in to_planes.zip(input.chunks(from)) {
            pool::max_pool(input, windows, output, places)?;
        }
        Ok(())
    })
}

impl CustomBackward<1> for MaxPoolBackward {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let gradient = make_contiguous(gradient);
        let count = self.shape.iter().product();
        let into = Buffer::summed(count, |into| self.add(&gradient, into));
        [Some(tensor(into, self.shape))]
    }
}

impl MaxPoolBackward {
    /// Adds the gradient of each window to that of its maximum.
    fn add(&self, gradient: &Primitive, into: &mut [f32]) -> Checked {
        let planes = self.shape.iter().take(2).product::<usize>();
        let plane = self.shape.iter().skip(2).product::<usize>();
        let gradient = read("gradient", gradient, self.places.len())?;
        let to = gradient.len().checked_div(planes).unwrap_or(0);
        if plane * to == 0 {
            return Ok(());
        }
        let part = planes.div_ceil(rayon::current_num_threads());
        let parts = into
            .par_chunks_mut(part * plane)
            .zip(gradient.par_chunks(part * to))
            .zip(self.places.par_chunks(part * to));
        parts.for_each(|((into, gradient), places)| {
            let planes = into.chunks_mut(plane).zip(gradient.chunks(to));
            for ((into, gradient), places) in planes.zip(places.chunks(to)) {
                for (gradient, place) in gradient.iter().zip(places) {
                    if let Some(into) = into.get_mut(*place as usize) {
                        *into += gradient;
                    }
                }
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(shape: [usize; 4]) -> Primitive {
        tensor(vec![1.0; shape.iter().product()], shape)
    }

    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        let pooled = MaxPoolBackward {
            shape: vec![4, 2, 6, 6],
            places: Arc::new(vec![0; 4 * 2 * 9]),
        };
        crate::assert_nan(pooled.backward(ones([5, 2, 3, 3]), [true]));
    }

    #[test]
    fn an_input_of_another_size_gives_nan() {
        let of = Convolution {
            channels: [1; 2],
            kernel: [3; 2],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [(0, 0); 2],
            groups: 1,
        };
        let sizes = Sizes::new(of, 8, [6, 6]).unwrap();
        let pooled = pool_input(Input::Plain(ones([3, 2, 6, 6])), &sizes);
        crate::assert_nan([Some(pooled.into_primitive())]);
    }
}
