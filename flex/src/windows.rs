//! The windows of convolutions and pooling: their sizes, and how they are laid out for a matrix product.

use crate::chunks::CHUNKS;
use crate::memory::Checked;

/// The number of values in the windows that are laid out at once. They fit into the second-level cache.
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
    /// The distance of neighboring kernel elements along each axis.
    pub dilation: [usize; 2],
    /// Zeros before and after each axis.
    pub padding: [(usize, usize); 2],
    /// The number of groups of channels. A group of output channels reads only its group of input channels.
    pub groups: usize,
}

/// The sizes of a [`Convolution`] of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) of: Convolution,
    pub(crate) batch: usize,
    /// Height and width of the input.
    pub(crate) from: [usize; 2],
    /// Height and width of the output.
    pub(crate) to: [usize; 2],
}

impl Sizes {
    pub(crate) fn new(of: Convolution, batch: usize, from: [usize; 2]) -> Option<Self> {
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

    /// The number of values in the input and the output of one sample.
    pub(crate) fn sample(&self) -> [usize; 2] {
        let [inputs, outputs] = self.of.channels;
        [
            inputs * self.from[0] * self.from[1],
            outputs * self.to[0] * self.to[1],
        ]
    }

    /// The number of input and output channels of a group.
    pub(crate) fn group(&self) -> [usize; 2] {
        self.of.channels.map(|channels| channels / self.of.groups)
    }

    /// The number of values in a window.
    pub(crate) fn window(&self) -> usize {
        self.group()[0] * self.of.kernel[0] * self.of.kernel[1]
    }

    /// True if each window is one position of the input.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.of.kernel == [1; 2] && self.of.stride == [1; 2] && self.of.padding == [(0, 0); 2]
    }

    /// The number of output rows whose windows are laid out at once.
    fn rows(&self) -> usize {
        let row = (self.window() * self.to[1]).max(1);
        (WINDOWS / row).clamp(1, self.to[0].max(1))
    }

    /// Lays out the windows of rows `first..first + rows` as `[window, rows * width]`.
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
    pub(crate) fn add_back(&self, windows: &[f32], first: usize, rows: usize, input: &mut [f32]) {
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

    /// Calls `run` with each line of the windows: its place among them, and the part of the input it is read from.
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
                    // The output positions whose window has this element inside of the input.
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

    /// Calls `run(group, first row, rows, windows)` for each block of rows of each group of a sample. The windows are laid
    /// out unless the input is empty.
    pub(crate) fn each_block(
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

    /// Memory for the windows that are laid out at once.
    pub(crate) fn windows(&self) -> Vec<f32> {
        vec![0.0; self.window() * self.rows() * self.to[1]]
    }

    /// The number of samples for each thread.
    pub(crate) fn part(&self) -> usize {
        self.batch.div_ceil(rayon::current_num_threads()).max(1)
    }

    /// The number of samples that share a gradient of the weight. It does not depend on the number of threads, so that
    /// sums do not either, and is large enough that clearing and adding these gradients takes little time.
    pub(crate) fn summed(&self) -> usize {
        let least = SUMMED.div_ceil((self.to[0] * self.to[1]).max(1));
        self.batch.div_ceil(CHUNKS).max(least).max(1)
    }
}

/// The least number of output positions that share a gradient of the weight.
const SUMMED: usize = 512;

/// One row of one element of all windows.
struct Line {
    /// Its start among the windows.
    windows: usize,
    /// Its start in the input, the number of its positions before the input, and the number inside of it.
    row: Option<(usize, usize, usize)>,
}

/// Sets the last axes of the shape `[batch, channels, height, width]`, or `[batch, channels, width]`.
pub(crate) fn set_axes(shape: &mut [usize], [height, width]: [usize; 2]) {
    match shape {
        [_, _, last] => *last = width,
        [_, _, first, last] => (*first, *last) = (height, width),
        _ => {}
    }
}
