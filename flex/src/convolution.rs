//! Convolutions over one or two axes, as matrix products of windows that stay in the cache.

use crate::chunks::padded_chunks;
use crate::memory::{Buffer, Checked, make_contiguous, read, shape, tensor};
use crate::op::{Input, Operands, Primitive, WeightedBackward, run_weighted_op};
use crate::product::{Matrix, MatrixMut, add_product, product, product_here};
use crate::windows::{Convolution, Sizes, set_axes};
use burn::tensor::Tensor;
use damper_kernels::LengthMismatch;
use rayon::prelude::*;

/// The backward pass of a convolution.
#[derive(Clone, Debug)]
struct ConvolutionBackward {
    sizes: Sizes,
    input: Primitive,
    weight: Primitive,
}

/// A convolution: `[batch, in, height, width]` with a weight `[out, in / groups, height, width]` and a bias `[out]` to
/// `[batch, out, height, width]`. Tensors of one axis have no height.
///
/// # Errors
/// Returns the input if it does not have one or two axes, the sizes do not fit, each channel is a group (burn is faster
/// then), or the memory of one of the tensors cannot be reached (see [`Input::of`]).
pub fn convolution<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<D>,
    bias: Option<Tensor<1>>,
    of: Convolution,
) -> Result<Tensor<D>, Tensor<D>> {
    let dims = input.dims();
    let axes = dims.get(2..).unwrap_or_default();
    let from = match *axes {
        [width] => [1, width],
        [height, width] => [height, width],
        _ => return Err(input),
    };
    let kernel = of.kernel[0].saturating_mul(of.kernel[1]);
    // A group of one channel is not a matrix product: burn slides the kernel along.
    if of.groups > 1 && of.groups == of.channels[0] {
        return Err(input);
    }
    let channels = of.channels[0].checked_div(of.groups).unwrap_or(0);
    let Some(sizes) = Sizes::new(of, dims[0], from).filter(|_| {
        dims.get(1) == Some(&of.channels[0])
            && weight.shape().num_elements()
                == of.channels[1]
                    .saturating_mul(channels)
                    .saturating_mul(kernel)
            && bias
                .as_ref()
                .is_none_or(|bias| bias.dims() == [of.channels[1]])
    }) else {
        return Err(input);
    };
    Ok(convolve(Operands::of(input, weight, bias)?, sizes).into_tensor())
}

fn convolve(operands: Operands, sizes: Sizes) -> Input {
    run_weighted_op(operands, |input, weight, bias, keep| {
        let mut of_output = shape(&input);
        of_output[1] = sizes.of.channels[1];
        set_axes(&mut of_output, sizes.to);
        let (input, weight) = (make_contiguous(input), make_contiguous(weight));
        let bias = bias.map(make_contiguous);
        let [_, to] = sizes.sample();
        let output = Buffer::written(sizes.batch * to, |output| {
            forward(&sizes, &input, &weight, bias.as_ref(), output)
        });
        let output = tensor(output, of_output);
        let backward = keep.then_some(ConvolutionBackward {
            sizes,
            input,
            weight,
        });
        (output, backward)
    })
}

fn forward(
    sizes: &Sizes,
    input: &Primitive,
    weight: &Primitive,
    bias: Option<&Primitive>,
    output: &mut [f32],
) -> Checked {
    let [from, to] = sizes.sample();
    let [_, outputs] = sizes.group();
    let (window, positions) = (sizes.window(), sizes.to[0] * sizes.to[1]);
    let input = read("input", input, sizes.batch * from)?;
    let weight = read("weight", weight, sizes.of.channels[1] * window)?;
    let bias = match bias {
        Some(bias) => Some(read("bias", bias, sizes.of.channels[1])?),
        None => None,
    };
    let alone = sizes.batch == 1;
    let multiply = |out: MatrixMut<'_>, left: Matrix<'_>, right: Matrix<'_>| {
        if alone {
            product(out, 1.0, left, right)
        } else {
            product_here(out, 1.0, left, right)
        }
    };
    let part = sizes.part();
    let parts = output.par_chunks_mut(part * to).enumerate();
    parts.try_for_each(|(index, output)| {
        let mut windows = if sizes.is_pointwise() {
            Vec::new()
        } else {
            sizes.windows()
        };
        let samples = (index * part..).zip(output.chunks_mut(to));
        for (sample, output) in samples {
            let input = &input[sample * from..(sample + 1) * from];
            let weight = |group: usize| {
                let size = outputs * window;
                Matrix::rows(&weight[group * size..], [outputs, window])
            };
            if sizes.is_pointwise() {
                for group in 0..sizes.of.groups {
                    let size = [window, positions];
                    let right = Matrix::rows(&input[group * window * positions..], size)?;
                    let out = &mut output[group * outputs * positions..];
                    let out = MatrixMut::rows(out, [outputs, positions])?;
                    multiply(out, weight(group)?, right)?;
                }
            } else {
                sizes.each_block(input, &mut windows, |group, first, rows, windows| {
                    let across = rows * sizes.to[1];
                    let right = Matrix::rows(windows, [window, across])?;
                    let place = group * outputs * positions + first * sizes.to[1];
                    let out =
                        MatrixMut::strided(&mut output[place..], [outputs, across], positions)?;
                    multiply(out, weight(group)?, right)
                })?;
            }
            if let Some(bias) = bias {
                for (channel, bias) in output.chunks_mut(positions).zip(bias) {
                    for number in channel {
                        *number += bias;
                    }
                }
            }
        }
        Ok(())
    })
}

/// The part of some samples in the gradients of the weight and the bias.
struct PartialGradient {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl WeightedBackward for ConvolutionBackward {
    fn gradients(
        &self,
        gradient: Primitive,
        wanted @ [to_input, to_weight, to_bias]: [bool; 3],
    ) -> [Option<Primitive>; 3] {
        let [from, _] = self.sizes.sample();
        let channels = self.sizes.of.channels[1];
        let gradient = make_contiguous(gradient);
        let of_input = self.sizes.batch * from;
        let of_weight = channels * self.sizes.window();
        let count = |wanted: bool, numbers: usize| if wanted { numbers } else { 0 };
        let counts = [
            count(to_input, of_input),
            count(to_weight, of_weight),
            count(to_bias, channels),
        ];
        let [input, weight, bias] = Buffer::all_written(counts, |[input, weight, bias]| {
            self.write(&gradient, wanted, input, weight, bias)
        });
        [
            to_input.then(|| tensor(input, shape(&self.input))),
            to_weight.then(|| tensor(weight, shape(&self.weight))),
            to_bias.then(|| tensor(bias, [channels])),
        ]
    }
}

impl ConvolutionBackward {
    /// Writes the gradients of the input, the weight and the bias that are wanted.
    fn write(
        &self,
        gradient: &Primitive,
        [_, to_weight, to_bias]: [bool; 3],
        of_input: &mut [f32],
        of_weight: &mut [f32],
        of_bias: &mut [f32],
    ) -> Checked {
        let sizes = &self.sizes;
        let [from, to] = sizes.sample();
        let gradient = read("gradient", gradient, sizes.batch * to)?;
        let part = sizes.summed();
        let parts = sizes.batch.div_ceil(part);
        // Windows overlap, so their gradients are added.
        of_input.fill(0.0);
        let chunks = padded_chunks(of_input, part * from, parts);
        let partials: Vec<PartialGradient> = gradient
            .par_chunks(part * to)
            .zip(chunks)
            .enumerate()
            .map(|(index, (gradient, into))| {
                self.partial(index * part, gradient, into, to_weight, to_bias)
            })
            .collect::<Checked<_>>()?;
        let sum = |total: &mut [f32], of: fn(&PartialGradient) -> &Vec<f32>| {
            let mut partials = partials.iter().map(of);
            let first = partials.next().map(Vec::as_slice).unwrap_or_default();
            LengthMismatch::check("partial", first.len(), total.len())?;
            total.copy_from_slice(first);
            for partial in partials {
                for (total, number) in total.iter_mut().zip(partial) {
                    *total += number;
                }
            }
            Ok(())
        };
        sum(of_weight, |partial| &partial.weight)?;
        sum(of_bias, |partial| &partial.bias)
    }

    /// The part of the samples from `first` on. The gradients of their inputs are written to `into`, unless it is empty.
    fn partial(
        &self,
        first: usize,
        gradient: &[f32],
        into: &mut [f32],
        to_weight: bool,
        to_bias: bool,
    ) -> Checked<PartialGradient> {
        let sizes = &self.sizes;
        let [from, to] = sizes.sample();
        let [_, outputs] = sizes.group();
        let (window, positions) = (sizes.window(), sizes.to[0] * sizes.to[1]);
        let input = read("input", &self.input, sizes.batch * from)?;
        let weight = read("weight", &self.weight, sizes.of.channels[1] * window)?;
        let count = |wanted: bool, numbers: usize| if wanted { numbers } else { 0 };
        let mut partial = PartialGradient {
            weight: vec![0.0; count(to_weight, sizes.of.channels[1] * window)],
            bias: vec![0.0; count(to_bias, sizes.of.channels[1])],
        };
        let mut windows = sizes.windows();
        let mut back = vec![0.0_f32; count(!into.is_empty(), windows.len())];
        let group_size = sizes.group()[0] * sizes.from[0] * sizes.from[1];
        for (index, gradient) in gradient.chunks(to).enumerate() {
            for (total, channel) in partial.bias.iter_mut().zip(gradient.chunks(positions)) {
                *total += channel.iter().sum::<f32>();
            }
            let sample = first + index;
            // Without their gradient the windows are not needed.
            let input = if to_weight {
                &input[sample * from..(sample + 1) * from]
            } else {
                &[]
            };
            sizes.each_block(input, &mut windows, |group, row, rows, windows| {
                let across = rows * sizes.to[1];
                let place = group * outputs * positions + row * sizes.to[1];
                let slope = Matrix::strided(&gradient[place..], [outputs, across], [positions, 1])?;
                let size = outputs * window;
                if to_weight {
                    let partial = &mut partial.weight[group * size..(group + 1) * size];
                    let out = MatrixMut::rows(partial, [outputs, window])?;
                    let right = Matrix::rows(windows, [window, across])?;
                    add_product(out, slope, right.transposed())?;
                }
                if !into.is_empty() {
                    let into = &mut into[index * from..(index + 1) * from];
                    let back = &mut back[..window * across];
                    let out = MatrixMut::rows(back, [window, across])?;
                    let left = Matrix::rows(&weight[group * size..], [outputs, window])?;
                    product_here(out, 1.0, left.transposed(), slope)?;
                    let into = &mut into[group * group_size..(group + 1) * group_size];
                    sizes.add_back(back, row, rows, into);
                }
                Ok(())
            })?;
        }
        Ok(partial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(shape: [usize; 4]) -> Primitive {
        tensor(vec![1.0; shape.iter().product()], shape)
    }

    fn sizes(kernel: usize) -> Sizes {
        let of = Convolution {
            channels: [2, 3],
            kernel: [kernel; 2],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [(0, 0); 2],
            groups: 1,
        };
        Sizes::new(of, 4, [6, 6]).unwrap()
    }

    /// Pointwise, and with windows.
    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for kernel in [1, 3] {
            let sizes = sizes(kernel);
            let backward = ConvolutionBackward {
                sizes,
                input: ones([4, 2, 6, 6]),
                weight: ones([3, 2, kernel, kernel]),
            };
            let [height, width] = sizes.to;
            for batch in [3, 5] {
                let gradient = ones([batch, 3, height, width]);
                crate::assert_nan(backward.gradients(gradient, [true; 3]));
            }
        }
    }

    #[test]
    fn operands_of_another_size_give_nan() {
        for kernel in [1, 3] {
            let run = |input: Primitive, weight: Primitive, bias: Option<Primitive>| {
                let [input, weight] = [input, weight].map(Input::Plain);
                let operands = Operands {
                    input,
                    weight,
                    bias: bias.map(Input::Plain),
                };
                let output = convolve(operands, sizes(kernel));
                crate::assert_nan([Some(output.into_primitive())]);
            };
            let weight = ones([3, 2, kernel, kernel]);
            run(ones([3, 2, 6, 6]), weight.clone(), None);
            run(ones([4, 2, 6, 6]), ones([2, 2, kernel, kernel]), None);
            run(ones([4, 2, 6, 6]), weight, Some(ones([2, 1, 1, 1])));
        }
    }
}
