//! Convolutions over one or two axes as matrix products of windows that stay in the cache, and max pooling.

use crate::chunks::{CHUNKS, padded_chunks};
use crate::memory::{Buffer, Checked, make_contiguous, read, shape, tensor};
use crate::product::{Matrix, MatrixMut, add_product, product, product_here};
use crate::{
    CustomBackward, Input, Operands, Primitive, WeightedBackward, run_op, run_weighted_op,
};
use burn::tensor::Tensor;
use damper_kernels::LengthMismatch;
use damper_kernels::pool::{self, Windows};
use rayon::prelude::*;
use std::sync::Arc;

/// How many numbers of windows are laid out at once: what the second-level cache holds.
const WINDOWS: usize = 1 << 16;

/// The settings of a convolution over height and width; one axis is a width with a height of 1.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Channels of the input and of the output.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// The step of the window along each axis.
    pub stride: [usize; 2],
    /// The distance of the kernel's numbers along each axis.
    pub dilation: [usize; 2],
    /// Zeros before and after each axis.
    pub padding: [(usize, usize); 2],
    /// How many groups the channels are split into. Groups do not see one another.
    pub groups: usize,
}

/// A [`Convolution`] of a batch.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    of: Convolution,
    batch: usize,
    /// Height and width of the input.
    from: [usize; 2],
    /// Height and width of the output.
    to: [usize; 2],
}

impl Sizes {
    fn new(of: Convolution, batch: usize, from: [usize; 2]) -> Option<Self> {
        let mut to = [0; 2];
        for axis in 0..2 {
            let (before, after) = of.padding[axis];
            let span = of.dilation[axis].checked_mul(of.kernel[axis].checked_sub(1)?)?;
            let padded = from[axis].checked_add(before)?.checked_add(after)?;
            let room = padded.checked_sub(span)?.checked_sub(1)?;
            to[axis] = room.checked_div(of.stride[axis])? + 1;
        }
        let [inputs, outputs] = of.channels;
        let fits = of.groups > 0
            && inputs.is_multiple_of(of.groups)
            && outputs.is_multiple_of(of.groups)
            && batch > 0
            && inputs > 0
            && outputs > 0;
        fits.then_some(Self {
            of,
            batch,
            from,
            to,
        })
    }

    /// How many numbers one sample's input and output have.
    fn sample(&self) -> [usize; 2] {
        let [inputs, outputs] = self.of.channels;
        [
            inputs * self.from[0] * self.from[1],
            outputs * self.to[0] * self.to[1],
        ]
    }

    /// How many channels a group's input and output have.
    fn group(&self) -> [usize; 2] {
        self.of.channels.map(|channels| channels / self.of.groups)
    }

    /// How many numbers a window has.
    fn window(&self) -> usize {
        self.group()[0] * self.of.kernel[0] * self.of.kernel[1]
    }

    /// Whether the windows are the positions of the input themselves.
    fn is_pointwise(&self) -> bool {
        self.of.kernel == [1; 2] && self.of.stride == [1; 2] && self.of.padding == [(0, 0); 2]
    }

    /// How many rows of the output have their windows laid out at once.
    fn rows(&self) -> usize {
        let row = (self.window() * self.to[1]).max(1);
        (WINDOWS / row).clamp(1, self.to[0].max(1))
    }

    /// Lays the windows of rows `first..first + rows` out: `[window, rows * width]`.
    fn lay_out(&self, input: &[f32], first: usize, rows: usize, windows: &mut [f32]) {
        self.each_line(first, rows, |line| {
            let to = &mut windows[line.windows..line.windows + self.to[1]];
            let Some((row, skip, count)) = line.row else {
                to.fill(0.0);
                return;
            };
            let stride = self.of.stride[1];
            let (before, rest) = to.split_at_mut(skip);
            let (inside, after) = rest.split_at_mut(count);
            before.fill(0.0);
            after.fill(0.0);
            if stride == 1 {
                inside.copy_from_slice(&input[row..row + count]);
            } else {
                let from = input[row..].iter().step_by(stride);
                for (to, from) in inside.iter_mut().zip(from) {
                    *to = *from;
                }
            }
        });
    }

    /// The backward pass of [`lay_out`](Self::lay_out): adds the windows to the positions they were taken from.
    fn add_back(&self, windows: &[f32], first: usize, rows: usize, input: &mut [f32]) {
        self.each_line(first, rows, |line| {
            let Some((row, skip, count)) = line.row else {
                return;
            };
            let from = &windows[line.windows + skip..line.windows + skip + count];
            let stride = self.of.stride[1];
            if stride == 1 {
                for (to, from) in input[row..row + count].iter_mut().zip(from) {
                    *to += from;
                }
            } else {
                for (to, from) in input[row..].iter_mut().step_by(stride).zip(from) {
                    *to += from;
                }
            }
        });
    }

    /// Runs over each row of each number of the windows: where it lies, and where it is taken from.
    fn each_line(&self, first: usize, rows: usize, mut run: impl FnMut(Line)) {
        let ([height, width], [_, across]) = (self.from, self.to);
        let Convolution {
            kernel,
            stride,
            dilation,
            padding,
            ..
        } = self.of;
        let mut windows = 0;
        for channel in 0..self.group()[0] {
            for down in 0..kernel[0] {
                for right in 0..kernel[1] {
                    // The positions of the output whose window has this number inside of the input.
                    let offset = right * dilation[1];
                    let skip = padding[1].0.saturating_sub(offset).div_ceil(stride[1]);
                    let last = (width + padding[1].0).saturating_sub(offset);
                    let end = last.div_ceil(stride[1]).min(across);
                    let count = end.saturating_sub(skip);
                    let column = (skip * stride[1] + offset).saturating_sub(padding[1].0);
                    for row in first..first + rows {
                        let place = row * stride[0] + down * dilation[0];
                        let place = place.checked_sub(padding[0].0).filter(|row| *row < height);
                        run(Line {
                            windows,
                            row: place.filter(|_| count > 0).map(|row| {
                                ((channel * height + row) * width + column, skip, count)
                            }),
                        });
                        windows += across;
                    }
                }
            }
        }
    }

    /// Runs over each block of rows of each group of a sample: `run(group, first row, rows, windows)`. The windows are
    /// laid out unless the input is empty.
    fn each_block(
        &self,
        input: &[f32],
        windows: &mut [f32],
        mut run: impl FnMut(usize, usize, usize, &mut [f32]) -> Checked,
    ) -> Checked {
        let channel = self.from[0] * self.from[1];
        let size = self.group()[0] * channel;
        for group in 0..self.of.groups {
            let input = input.get(group * size..(group + 1) * size);
            let mut first = 0;
            while first < self.to[0] {
                let rows = self.rows().min(self.to[0] - first);
                let windows = &mut windows[..self.window() * rows * self.to[1]];
                if let Some(input) = input {
                    self.lay_out(input, first, rows, windows);
                }
                run(group, first, rows, windows)?;
                first += rows;
            }
        }
        Ok(())
    }

    /// Room for the windows that are laid out at once.
    fn windows(&self) -> Vec<f32> {
        vec![0.0; self.window() * self.rows() * self.to[1]]
    }

    /// How many samples each thread gets.
    fn part(&self) -> usize {
        self.batch.div_ceil(rayon::current_num_threads()).max(1)
    }

    /// How many samples are summed together: as many for any number of threads, so that the sum is the same. Enough of
    /// them that clearing and adding a gradient of the weight takes little time beside the products.
    fn summed(&self) -> usize {
        let least = SUMMED.div_ceil((self.to[0] * self.to[1]).max(1));
        self.batch.div_ceil(CHUNKS).max(least).max(1)
    }
}

/// How many positions at least share a gradient of the weight, before these are summed.
const SUMMED: usize = 512;

/// A row of one number of the windows.
struct Line {
    /// Where it begins among the windows.
    windows: usize,
    /// Where in the input it is taken from, how many positions lie before the input, and how many in it.
    row: Option<(usize, usize, usize)>,
}

/// The backward pass of a convolution.
#[derive(Clone, Debug)]
struct Convolved {
    sizes: Sizes,
    input: Primitive,
    weight: Primitive,
}

/// A convolution: `[batch, in, height, width]` with a weight `[out, in / groups, height, width]` and a bias `[out]` to
/// `[batch, out, height, width]`. Tensors of one axis have no height.
///
/// # Errors
/// The input: it has neither one axis nor two, the sizes do not fit, each channel is a group of its own (burn is fast
/// there), or the memory of one of the tensors cannot be reached (see [`Input::of`]).
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
    // One channel by itself is no product: burn slides the kernel along.
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
        let backward = keep.then_some(Convolved {
            sizes,
            input,
            weight,
        });
        (output, backward)
    })
}

/// Sets the last axes of the shape `[batch, channels, height, width]`, or `[batch, channels, width]`.
fn set_axes(shape: &mut [usize], [height, width]: [usize; 2]) {
    match shape {
        [_, _, last] => *last = width,
        [_, _, first, last] => (*first, *last) = (height, width),
        _ => {}
    }
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

/// What some of the samples add to the gradients of the weight and the bias.
struct Share {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl WeightedBackward for Convolved {
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

impl Convolved {
    /// The gradients of the input, the weight and the bias, as far as they are wanted.
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
        // What the windows share is added up.
        of_input.fill(0.0);
        let chunks = padded_chunks(of_input, part * from, parts);
        let shares: Vec<Share> = gradient
            .par_chunks(part * to)
            .zip(chunks)
            .enumerate()
            .map(|(index, (gradient, into))| {
                self.share(index * part, gradient, into, to_weight, to_bias)
            })
            .collect::<Checked<_>>()?;
        let sum = |total: &mut [f32], of: fn(&Share) -> &Vec<f32>| {
            let mut shares = shares.iter().map(of);
            let first = shares.next().map(Vec::as_slice).unwrap_or_default();
            LengthMismatch::check("share", first.len(), total.len())?;
            total.copy_from_slice(first);
            for share in shares {
                for (total, number) in total.iter_mut().zip(share) {
                    *total += number;
                }
            }
            Ok(())
        };
        sum(of_weight, |share| &share.weight)?;
        sum(of_bias, |share| &share.bias)
    }

    /// What the samples from `first` on add. Their own gradients go to `into`, unless it is empty.
    fn share(
        &self,
        first: usize,
        gradient: &[f32],
        into: &mut [f32],
        to_weight: bool,
        to_bias: bool,
    ) -> Checked<Share> {
        let sizes = &self.sizes;
        let [from, to] = sizes.sample();
        let [_, outputs] = sizes.group();
        let (window, positions) = (sizes.window(), sizes.to[0] * sizes.to[1]);
        let input = read("input", &self.input, sizes.batch * from)?;
        let weight = read("weight", &self.weight, sizes.of.channels[1] * window)?;
        let count = |wanted: bool, numbers: usize| if wanted { numbers } else { 0 };
        let mut share = Share {
            weight: vec![0.0; count(to_weight, sizes.of.channels[1] * window)],
            bias: vec![0.0; count(to_bias, sizes.of.channels[1])],
        };
        let mut windows = sizes.windows();
        let mut back = vec![0.0_f32; count(!into.is_empty(), windows.len())];
        let group_size = sizes.group()[0] * sizes.from[0] * sizes.from[1];
        for (index, gradient) in gradient.chunks(to).enumerate() {
            for (total, channel) in share.bias.iter_mut().zip(gradient.chunks(positions)) {
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
                    let share = &mut share.weight[group * size..(group + 1) * size];
                    let out = MatrixMut::rows(share, [outputs, window])?;
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
        Ok(share)
    }
}

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
struct Pooled {
    /// The shape of the input.
    shape: Vec<usize>,
    /// Which number of its plane each value of the output is.
    places: Arc<Vec<u32>>,
}

/// The maximum of each window of `[batch, channels, height, width]`, or of `[batch, channels, width]`.
///
/// Of equal numbers the first one gets the gradient. NaN is greater than any number.
///
/// # Errors
/// The input: it has neither one axis nor two, a window could lie outside of it, or its memory cannot be reached (see
/// [`Input::of`]).
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
        // No window lies outside of the input altogether.
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
        let backward = keep.then(|| Pooled {
            shape: of_output.clone(),
            places: Arc::new(places),
        });
        set_axes(&mut of_output, sizes.to);
        (tensor(output, of_output), backward)
    })
}

/// The maximum of each window of each plane, and where in the plane it is.
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

impl CustomBackward<1> for Pooled {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let gradient = make_contiguous(gradient);
        let count = self.shape.iter().product();
        let into = Buffer::summed(count, |into| self.add(&gradient, into));
        [Some(tensor(into, self.shape))]
    }
}

impl Pooled {
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

    /// Pointwise, and with windows that are laid out.
    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for kernel in [1, 3] {
            let sizes = sizes(kernel);
            let backward = Convolved {
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
        let pooled = Pooled {
            shape: vec![4, 2, 6, 6],
            places: Arc::new(vec![0; 4 * 2 * 9]),
        };
        crate::assert_nan(pooled.backward(ones([5, 2, 3, 3]), [true]));
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
        let pooled = pool_input(Input::Plain(ones([3, 2, 6, 6])), &sizes(3));
        crate::assert_nan([Some(pooled.into_primitive())]);
    }
}
