//! Convolutions over one or two axes as matrix products of windows that stay in the cache, and pooling by the greatest
//! value.

use super::product::{Matrix, MatrixMut, add_product, product, product_here};
use super::{
    Derived, Input, Operands, Primitive, Weighted, applied, apply_weighted, memory, readable, shape,
};
use burn::tensor::Tensor;
use damper_kernels::pool::{self, Windows};
use rayon::prelude::*;
use std::sync::Arc;

/// Numbers of windows that are laid out at once: what the second cache holds.
const WINDOWS: usize = 1 << 16;

/// A convolution over height and width; one axis is a width with a height of 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    /// Channels of the input and of the output.
    pub(crate) channels: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Zeros before and behind each axis.
    pub(crate) padding: [(usize, usize); 2],
    pub(crate) groups: usize,
}

/// A [`Convolution`] of a batch.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    of: Convolution,
    batch: usize,
    from: [usize; 2],
    to: [usize; 2],
}

impl Sizes {
    fn new(of: Convolution, batch: usize, from: [usize; 2]) -> Option<Self> {
        let mut to = [0; 2];
        for axis in 0..2 {
            let (before, behind) = of.padding[axis];
            let window = of.dilation[axis] * of.kernel[axis].checked_sub(1)? + 1;
            let room = (from[axis] + before + behind).checked_sub(window)?;
            to[axis] = room.checked_div(of.stride[axis])? + 1;
        }
        let [inputs, outputs] = of.channels;
        let fits = of.groups > 0
            && inputs.is_multiple_of(of.groups)
            && outputs.is_multiple_of(of.groups)
            && batch * inputs * outputs > 0;
        fits.then_some(Self {
            of,
            batch,
            from,
            to,
        })
    }

    /// Numbers of one sample's input and output.
    fn sample(&self) -> [usize; 2] {
        let [inputs, outputs] = self.of.channels;
        [
            inputs * self.from[0] * self.from[1],
            outputs * self.to[0] * self.to[1],
        ]
    }

    /// Channels of a group's input and output.
    fn group(&self) -> [usize; 2] {
        self.of.channels.map(|channels| channels / self.of.groups)
    }

    /// Numbers of a window.
    fn window(&self) -> usize {
        self.group()[0] * self.of.kernel[0] * self.of.kernel[1]
    }

    /// The windows are the positions of the input themselves.
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
            let (inside, behind) = rest.split_at_mut(count);
            before.fill(0.0);
            behind.fill(0.0);
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

    /// The way back from [`lay_out`](Self::lay_out): adds the windows to the positions they were taken from.
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

    /// Each row of each number of the windows: where it lies, and where it is taken from.
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

    /// Each group of a sample, each block of rows of it: `run(group, first row, rows, windows)`.
    fn each_block(
        &self,
        input: &[f32],
        windows: &mut [f32],
        mut run: impl FnMut(usize, usize, usize, &mut [f32]),
    ) {
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
                run(group, first, rows, windows);
                first += rows;
            }
        }
    }

    fn windows(&self) -> Vec<f32> {
        vec![0.0; self.window() * self.rows() * self.to[1]]
    }

    /// So many samples for each thread.
    fn part(&self) -> usize {
        self.batch.div_ceil(rayon::current_num_threads()).max(1)
    }

    /// How many samples are summed up together: as many for any number of threads, so that the sum is the same. Enough
    /// of them that to clear and to add a gradient of the weight takes little beside what gives it.
    fn summed(&self) -> usize {
        let least = SUMMED.div_ceil((self.to[0] * self.to[1]).max(1));
        self.batch.div_ceil(super::PIECES).max(least).max(1)
    }
}

/// How many positions at least give a gradient of the weight of its own.
const SUMMED: usize = 512;

/// A row of one number of the windows.
struct Line {
    /// Where it begins among the windows.
    windows: usize,
    /// Where the input's row begins that it is taken from, how many positions lie before the input, and how many in it.
    row: Option<(usize, usize, usize)>,
}

#[derive(Clone, Debug)]
struct Convolved {
    sizes: Sizes,
    input: Primitive,
    weight: Primitive,
}

/// Slides a kernel `[out, in / groups, height, width]` over `[batch, in, height, width]`; the ranks of one axis have no
/// height. `Err` with the input where the memory cannot be reached or the sizes do not fit.
pub(crate) fn convolve<const D: usize>(
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
    let kernel = of.kernel[0] * of.kernel[1];
    // One channel by itself is no product: burn slides the kernel along.
    if of.groups > 1 && of.groups == of.channels[0] {
        return Err(input);
    }
    let channels = of.channels[0].checked_div(of.groups).unwrap_or(0);
    let Some(sizes) = Sizes::new(of, dims[0], from).filter(|_| {
        dims.get(1) == Some(&of.channels[0])
            && weight.shape().num_elements() == of.channels[1] * channels * kernel
            && bias
                .as_ref()
                .is_none_or(|bias| bias.dims() == [of.channels[1]])
    }) else {
        return Err(input);
    };
    Ok(convolved(Operands::of(input, weight, bias)?, sizes).tensor())
}

fn convolved(operands: Operands, sizes: Sizes) -> Input {
    apply_weighted(operands, |input, weight, bias, keep| {
        let mut of_output = shape(&input);
        of_output[1] = sizes.of.channels[1];
        let rank = of_output.len();
        of_output[rank - 1] = sizes.to[1];
        if rank == 4 {
            of_output[2] = sizes.to[0];
        }
        let (input, weight) = (readable(input), readable(weight));
        let output = memory::tensor(forward(&sizes, &input, &weight, bias), of_output);
        let derived = keep.then_some(Convolved {
            sizes,
            input,
            weight,
        });
        (output, derived)
    })
}

fn forward(
    sizes: &Sizes,
    input: &Primitive,
    weight: &Primitive,
    bias: Option<Primitive>,
) -> Vec<f32> {
    let bias = bias.map(readable);
    let bias = bias.as_ref().and_then(|bias| bias.as_slice::<f32>());
    let (input, weight) = (
        input.as_slice::<f32>().unwrap_or_default(),
        weight.as_slice::<f32>().unwrap_or_default(),
    );
    let [from, to] = sizes.sample();
    let [_, outputs] = sizes.group();
    let (window, positions) = (sizes.window(), sizes.to[0] * sizes.to[1]);
    let mut output = memory::buffer(sizes.batch * to);
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
    parts.for_each(|(index, output)| {
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
                Matrix::rows(weight.get(group * size..)?, [outputs, window])
            };
            if sizes.is_pointwise() {
                for group in 0..sizes.of.groups {
                    let size = [window, positions];
                    let right = Matrix::rows(&input[group * window * positions..], size);
                    let out = &mut output[group * outputs * positions..];
                    let out = MatrixMut::rows(out, [outputs, positions]);
                    if let Some(((left, right), out)) = weight(group).zip(right).zip(out) {
                        multiply(out, left, right);
                    }
                }
            } else {
                sizes.each_block(input, &mut windows, |group, first, rows, windows| {
                    let across = rows * sizes.to[1];
                    let right = Matrix::rows(windows, [window, across]);
                    let place = group * outputs * positions + first * sizes.to[1];
                    let out =
                        MatrixMut::strided(&mut output[place..], [outputs, across], positions);
                    if let Some(((left, right), out)) = weight(group).zip(right).zip(out) {
                        multiply(out, left, right);
                    }
                });
            }
            if let Some(bias) = bias {
                for (channel, bias) in output.chunks_mut(positions).zip(bias) {
                    for number in channel {
                        *number += bias;
                    }
                }
            }
        }
    });
    output
}

/// What a part of the samples adds to the gradients of the weight and the bias.
struct Share {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Weighted for Convolved {
    fn gradients(
        &self,
        gradient: Primitive,
        [to_input, to_weight, to_bias]: [bool; 3],
    ) -> [Option<Primitive>; 3] {
        let sizes = &self.sizes;
        let gradient = readable(gradient);
        let gradient = gradient.as_slice::<f32>().unwrap_or_default();
        let [from, to] = sizes.sample();
        let part = sizes.summed();
        let parts = sizes.batch.div_ceil(part);
        let mut into = memory::zeros(if to_input { sizes.batch * from } else { 0 });
        let mut pieces: Vec<&mut [f32]> = into.chunks_mut(part * from).collect();
        pieces.resize_with(parts, Default::default);
        let shares: Vec<Share> = gradient
            .par_chunks(part * to)
            .zip(pieces)
            .enumerate()
            .map(|(index, (gradient, into))| {
                self.share(index * part, gradient, into, to_weight, to_bias)
            })
            .collect();
        let sum = |of: fn(&Share) -> &Vec<f32>| {
            let mut shares = shares.iter().map(of);
            let mut total = shares.next().cloned().unwrap_or_default();
            for share in shares {
                for (total, number) in total.iter_mut().zip(share) {
                    *total += number;
                }
            }
            total
        };
        [
            to_input.then(|| memory::tensor(into, shape(&self.input))),
            to_weight.then(|| memory::tensor(sum(|share| &share.weight), shape(&self.weight))),
            to_bias.then(|| memory::tensor(sum(|share| &share.bias), [sizes.of.channels[1]])),
        ]
    }
}

impl Convolved {
    /// The samples from `first` on: their gradients to `into`, if it has room for them.
    fn share(
        &self,
        first: usize,
        gradient: &[f32],
        into: &mut [f32],
        to_weight: bool,
        to_bias: bool,
    ) -> Share {
        let sizes = &self.sizes;
        let [from, to] = sizes.sample();
        let [_, outputs] = sizes.group();
        let (window, positions) = (sizes.window(), sizes.to[0] * sizes.to[1]);
        let (input, weight) = (
            self.input.as_slice::<f32>().unwrap_or_default(),
            self.weight.as_slice::<f32>().unwrap_or_default(),
        );
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
                let slope = Matrix::strided(&gradient[place..], [outputs, across], [positions, 1]);
                let size = outputs * window;
                if let Some(share) = share.weight.get_mut(group * size..(group + 1) * size)
                    && let Some(((out, left), right)) = MatrixMut::rows(share, [outputs, window])
                        .zip(slope)
                        .zip(Matrix::rows(windows, [window, across]))
                {
                    add_product(out, left, right.transposed());
                }
                if let Some(into) = into.get_mut(index * from..(index + 1) * from)
                    && let Some(back) = back.get_mut(..window * across)
                    && let Some(((out, left), right)) = MatrixMut::rows(back, [window, across])
                        .zip(Matrix::rows(&weight[group * size..], [outputs, window]))
                        .zip(slope)
                {
                    product_here(out, 1.0, left.transposed(), right);
                    let into = &mut into[group * group_size..(group + 1) * group_size];
                    sizes.add_back(back, row, rows, into);
                }
            });
        }
        share
    }
}

/// Windows whose greatest value is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Positions before and behind each axis that are never the greatest.
    pub(crate) padding: [(usize, usize); 2],
}

#[derive(Clone, Debug)]
struct Pooled {
    shape: Vec<usize>,
    /// Which number of its plane each value of the output is.
    places: Arc<Vec<u32>>,
}

/// The greatest value of each window of `[batch, channels, height, width]`, or of `[batch, channels, width]`.
pub(crate) fn max_pool<const D: usize>(input: Tensor<D>, by: Pool) -> Result<Tensor<D>, Tensor<D>> {
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
        let (before, behind) = by.padding[axis];
        // No window lies outside of the input altogether.
        before.max(behind) < by.kernel[axis].max(1)
    });
    let Some(sizes) = Sizes::new(one_channel, dims[0] * dims[1], from)
        .filter(|_| inside && u32::try_from(from[0] * from[1]).is_ok())
    else {
        return Err(input);
    };
    Ok(pooled(Input::of(input)?, &sizes).tensor())
}

fn pooled(input: Input, sizes: &Sizes) -> Input {
    applied([input], |[input], keep| {
        let mut of_output = shape(&input);
        let input = readable(input);
        let (output, places) = greatest(sizes, input.as_slice::<f32>().unwrap_or_default());
        let derived = keep.then(|| Pooled {
            shape: of_output.clone(),
            places: Arc::new(places),
        });
        let rank = of_output.len();
        of_output[rank - 1] = sizes.to[1];
        if rank == 4 {
            of_output[2] = sizes.to[0];
        }
        (memory::tensor(output, of_output), derived)
    })
}

/// The greatest number of each window of each plane, and where in the plane it is; the first of equal ones, and NaN
/// before any number.
fn greatest(sizes: &Sizes, input: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let [from, to] = sizes.sample();
    let mut output = memory::buffer(sizes.batch * to);
    let mut places = vec![0_u32; sizes.batch * to];
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
    parts.for_each(|((output, places), input)| {
        let to_planes = output.chunks_mut(to).zip(places.chunks_mut(to));
        for ((output, places), input) in to_planes.zip(input.chunks(from)) {
            // The kernel's errors are lengths that do not fit; these do.
            let _ = pool::greatest(input, windows, output, places);
        }
    });
    (output, places)
}

impl Derived<1> for Pooled {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let gradient = readable(gradient);
        let gradient = gradient.as_slice::<f32>().unwrap_or_default();
        let count = self.shape[0] * self.shape[1];
        let plane = self.shape[2..].iter().product::<usize>();
        let to = gradient.len().checked_div(count).unwrap_or(0);
        let mut into = memory::zeros(count * plane);
        if plane * to > 0 {
            let part = count.div_ceil(rayon::current_num_threads());
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
        }
        [Some(memory::tensor(into, self.shape))]
    }
}
