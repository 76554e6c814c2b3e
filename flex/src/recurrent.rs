//! All steps of a recurrent layer as one node of the graph, with one loop over the gates in each step.
//!
//! The backward pass runs the steps from the last to the first with one product each. The gradient of the recurrent
//! weights is one product over all steps after that. Samples of a batch are independent: each thread runs the whole
//! sequences of some of them.

#![allow(
    clippy::similar_names,
    reason = "names are the weights' and the gates'"
)]

use crate::memory::{Buffer, Checked, make_compact, modify_with, read, shape, tensor};
use crate::op::{CustomBackward, Input, Primitive, run_op};
use crate::product::{Matrix, MatrixMut, product, product_here};
use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use damper_kernels::recurrent::{self, Cell, Step, StepBackward};
use damper_kernels::{LengthMismatch, bias};
use rayon::prelude::*;
use std::mem::take;
use std::sync::Arc;

/// The rows of some samples, for every step.
type Rows<'a> = Vec<&'a mut [f32]>;

/// The least number of samples for a thread: fewer do not fill the registers.
const ROWS: usize = 8;

/// The parameters of the steps of one direction of a recurrent layer.
///
/// Time is the first axis, so that the numbers of a step are contiguous.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// The kind of cell.
    pub cell: Cell,
    /// The weight from the state to the gates: `[hidden, gates * hidden]`.
    pub weight: &'a Tensor<2>,
    /// The bias that is added to the product of state and weight: `[gates * hidden]`.
    pub bias: &'a Tensor<1>,
    /// A mask by which the state is multiplied before its product: `[batch, hidden]`. It gets no gradient.
    pub mask: Option<&'a Tensor<2>>,
    /// The fraction of its old value that the state keeps: `[time, batch, hidden or 1]`. It gets no gradient.
    pub keep: Option<&'a Tensor<3>>,
    /// The same for the memory cell of an LSTM.
    pub keep_memory: Option<&'a Tensor<3>>,
    /// True if the steps run from the last to the first.
    pub reverse: bool,
}

impl Steps<'_> {
    /// True if the shapes fit those of the projected input.
    fn fits(&self, [time, batch, width]: [usize; 3]) -> bool {
        let [hidden, gates] = self.weight.dims();
        let keeps = |keep: Option<&Tensor<3>>| {
            keep.is_none_or(|keep| {
                let [steps, samples, numbers] = keep.dims();
                [steps, samples] == [time, batch] && (numbers == hidden || numbers == 1)
            })
        };
        time * batch * hidden > 0
            && width == self.cell.gates() * hidden
            && gates == width
            && self.bias.dims() == [width]
            && self.mask.is_none_or(|mask| mask.dims() == [batch, hidden])
            && keeps(self.keep)
            && keeps(self.keep_memory)
    }
}

/// The states of all steps, `[time, batch, hidden]`, from the input projected to the gates,
/// `[time, batch, gates * hidden]`.
///
/// # Errors
/// Returns the projected input if it is empty, the shapes do not fit, or the memory of one of the tensors cannot be reached
/// (see [`Input::of`]).
pub fn states(projected: Tensor<3>, steps: &Steps<'_>) -> Result<Tensor<3>, Tensor<3>> {
    let dims = projected.dims();
    if !steps.fits(dims) {
        return Err(projected);
    }
    let constants = [
        constant(steps.mask),
        constant(steps.keep),
        constant(steps.keep_memory),
    ];
    let operands = [
        Input::of(steps.weight.clone()).ok(),
        Input::of(steps.bias.clone()).ok(),
    ];
    let ([Some(mask), Some(keep), Some(keep_memory)], [Some(weight), Some(bias)]) =
        (constants, operands)
    else {
        return Err(projected);
    };
    let [time, batch, width] = dims;
    let config = Config {
        cell: steps.cell,
        time,
        batch,
        hidden: width / steps.cell.gates(),
        reverse: steps.reverse,
        mask,
        keep,
        keep_memory,
    };
    // Moved, because the gates are written over it.
    let inputs = [Input::of(projected)?, weight, bias];
    Ok(run_steps(inputs, config).into_tensor())
}

fn run_steps(inputs: [Input; 3], config: Config) -> Input {
    run_op(inputs, |read, keep| config.forward(read, keep))
}

/// The parameters of both passes.
#[derive(Clone, Debug)]
struct Config {
    cell: Cell,
    time: usize,
    batch: usize,
    hidden: usize,
    reverse: bool,
    mask: Option<Primitive>,
    keep: Option<Primitive>,
    keep_memory: Option<Primitive>,
}

/// The backward pass.
#[derive(Clone, Debug)]
struct RecurrentBackward {
    /// The activated gates, which their gradient is written over: `[time, batch, gates * hidden]`.
    gates: Primitive,
    saved: SavedState,
}

/// The values that the backward pass only reads.
#[derive(Clone, Debug)]
struct SavedState {
    config: Config,
    /// `[hidden, gates * hidden]`
    weight: Primitive,
    /// `[time, batch, hidden]`
    states: Primitive,
    /// LSTM: `tanh` of the memory; GRU: the product of the state for the new value. `[time, batch, hidden]`
    inner: Arc<Buffer>,
    /// LSTM: the memory. `[time, batch, hidden]`
    memory: Arc<Buffer>,
}

/// Samples that one thread runs, with the rows that it writes.
struct Part<'a, const N: usize> {
    first: usize,
    count: usize,
    rows: [Rows<'a>; N],
}

impl CustomBackward<3> for RecurrentBackward {
    fn backward(self, gradient: Primitive, wanted: [bool; 3]) -> [Option<Primitive>; 3] {
        let Self { gates, saved } = self;
        let config = &saved.config;
        let (hidden, width) = (config.hidden, config.width());
        let of_state = match config.cell {
            Cell::Gru => config.samples() * width,
            Cell::Rnn | Cell::Lstm => 0,
        };
        let (projected, [of_state, bias]) =
            modify_with(gates, [of_state, width], |gates, [of_state, bias]| {
                saved.write(gradient, gates, of_state, bias)
            });
        let weight = wanted[1].then(|| {
            let weight = Buffer::summed(hidden * width, |weight| {
                let of_state = if of_state.is_empty() {
                    read("gates", &projected, config.samples() * width)?
                } else {
                    &of_state[..]
                };
                saved.add_weight_gradient(of_state, weight)
            });
            tensor(weight, [hidden, width])
        });
        [
            wanted[0].then_some(projected),
            weight,
            wanted[2].then(|| tensor(bias, [width])),
        ]
    }
}

impl Config {
    fn width(&self) -> usize {
        self.cell.gates() * self.hidden
    }

    /// The number of samples of all steps together.
    fn samples(&self) -> usize {
        self.time * self.batch
    }

    /// The number of values of a sample in `inner`, in the second bias of a GRU, and in the memory; 0 if the cell does not
    /// have one.
    fn sizes(&self) -> [usize; 3] {
        let (gru, lstm) = (self.cell == Cell::Gru, self.cell == Cell::Lstm);
        [gru || lstm, gru, lstm].map(|any| if any { self.hidden } else { 0 })
    }

    /// The steps in the order in which they run.
    fn order(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (time, reverse) = (self.time, self.reverse);
        (0..time).map(move |turn| if reverse { time - 1 - turn } else { turn })
    }

    /// The number of samples of each thread: whole blocks of [`ROWS`], except for the last thread.
    fn parts(&self) -> Vec<usize> {
        let blocks = self.batch.div_ceil(ROWS);
        let count = rayon::current_num_threads().min(self.batch / ROWS).max(1);
        let end = |index: usize| (index * blocks / count * ROWS).min(self.batch);
        (0..count)
            .map(|index| end(index + 1) - end(index))
            .collect()
    }

    /// For each thread, the rows of its samples in slices that have this number of values for each sample of a step.
    fn split<'a, const N: usize>(&self, slices: [(&'a mut [f32], usize); N]) -> Vec<Part<'a, N>> {
        let counts = self.parts();
        let mut parts = Vec::with_capacity(counts.len());
        let mut first = 0;
        for count in &counts {
            parts.push(Part {
                first,
                count: *count,
                rows: std::array::from_fn(|_| Vec::with_capacity(self.time)),
            });
            first += count;
        }
        for (index, (mut numbers, width)) in slices.into_iter().enumerate() {
            for _ in 0..self.time {
                for part in &mut parts {
                    let (rows, rest) = take(&mut numbers).split_at_mut(part.count * width);
                    part.rows[index].push(rows);
                    numbers = rest;
                }
            }
        }
        parts
    }

    /// The rows of a part in one step, in a slice with `width` values for each sample.
    fn rows<'a>(
        &self,
        numbers: &'a [f32],
        width: usize,
        step: usize,
        (first, count): (usize, usize),
    ) -> Checked<&'a [f32]> {
        let place = (step * self.batch + first) * width;
        rows_at("rows", numbers, place, count * width)
    }

    /// The fraction of its old value that each number of a part keeps in one step.
    fn kept<'a>(
        &self,
        keep: Option<&'a Primitive>,
        step: usize,
        part: (usize, usize),
    ) -> Checked<Option<&'a [f32]>> {
        let Some(keep) = keep else {
            return Ok(None);
        };
        let width = keep.layout().shape()[2];
        let numbers = read("keep", keep, self.samples() * width)?;
        self.rows(numbers, width, step, part).map(Some)
    }

    /// The mask by which the states of some samples are multiplied before their product.
    fn masked(&self, (first, count): (usize, usize)) -> Checked<Option<&[f32]>> {
        let Some(mask) = &self.mask else {
            return Ok(None);
        };
        let mask = read("mask", mask, self.batch * self.hidden)?;
        rows_at("mask", mask, first * self.hidden, count * self.hidden).map(Some)
    }

    /// Writes the product of the rows of some samples and a matrix. If one thread has all samples, all threads share it.
    fn multiply(
        &self,
        out: &mut [f32],
        rows: &[f32],
        matrix: &[f32],
        [from, to]: [usize; 2],
    ) -> Checked {
        let count = rows.len() / from;
        let out = MatrixMut::rows(out, [count, to])?;
        let (rows, matrix) = (
            Matrix::rows(rows, [count, from])?,
            Matrix::rows(matrix, [from, to])?,
        );
        if count == self.batch {
            product(out, 1.0, rows, matrix)
        } else {
            product_here(out, 1.0, rows, matrix)
        }
    }

    /// The states of all steps, and the state of the backward pass if `keep` is true.
    fn forward(self, inputs: [Primitive; 3], keep: bool) -> (Primitive, Option<RecurrentBackward>) {
        let [projected, weight, bias] = inputs;
        let [weight, bias] = [weight, bias].map(make_compact);
        let (hidden, width) = (self.hidden, self.width());
        let [inner, _, memory] = self.sizes();
        let samples = self.samples();
        // Without a backward pass, each step overwrites the one before.
        let inner = if keep { inner } else { 0 };
        let counts = [samples * hidden, samples * inner, samples * memory];
        let (gates, [states, of_inner, of_memory]) =
            modify_with(projected, counts, |gates, [states, inners, memories]| {
                LengthMismatch::check("gates", gates.len(), samples * width)?;
                let weights = [
                    read("weight", &weight, hidden * width)?,
                    read("bias", &bias, width)?,
                ];
                let parts = self.split([
                    (states, hidden),
                    (gates, width),
                    (inners, inner),
                    (memories, memory),
                ]);
                parts
                    .into_par_iter()
                    .try_for_each(|part| self.run(part, weights))
            });
        let states = tensor(states, [self.time, self.batch, hidden]);
        let kept = keep.then(|| RecurrentBackward {
            gates,
            saved: SavedState {
                config: self,
                weight,
                states: states.clone(),
                inner: Arc::new(of_inner),
                memory: Arc::new(of_memory),
            },
        });
        (states, kept)
    }

    /// All steps of some samples.
    fn run(&self, part: Part<'_, 4>, [weight, bias]: [&[f32]; 2]) -> Checked {
        let (hidden, width) = (self.hidden, self.width());
        let [inner, second, memory] = self.sizes();
        let Part { first, count, rows } = part;
        let [mut states, mut gates, mut inners, mut memories] = rows;
        let part = (first, count);
        let mask = self.masked(part)?;
        let zeros = vec![0.0_f32; count * hidden];
        let mut seen = vec![0.0_f32; mask.map_or(0, <[f32]>::len)];
        let (mut product, mut one_inner) = (vec![0.0_f32; count * width], Vec::new());
        let mut before: Option<usize> = None;
        for step in self.order() {
            let (state, new_memory) = (take(&mut states[step]), take(&mut memories[step]));
            let (old, old_memory) = match before {
                Some(before) => (&*states[before], &*memories[before]),
                None => (&zeros[..], &zeros[..count * memory]),
            };
            // Before the first step there is no state, and the product stays 0.
            if let (Some(_), Some(mask)) = (before, mask) {
                recurrent::apply_mask(old, mask, &mut seen)?;
                self.multiply(&mut product, &seen, weight, [hidden, width])?;
            } else if before.is_some() {
                self.multiply(&mut product, old, weight, [hidden, width])?;
            }
            let forward = Step {
                gates: take(&mut gates[step]),
                product: &product,
                bias,
                old: &old[..count * second],
                old_memory,
                inner: rows_or(take(&mut inners[step]), &mut one_inner, count * inner),
                memory: &mut *new_memory,
                state: &mut *state,
            };
            recurrent::forward(self.cell, hidden, forward)?;
            if let Some(keep) = self.kept(self.keep.as_ref(), step, part)? {
                recurrent::blend(state, old, keep)?;
            }
            if let Some(keep) = self.kept(self.keep_memory.as_ref(), step, part)? {
                recurrent::blend(new_memory, old_memory, keep)?;
            }
            states[step] = state;
            memories[step] = new_memory;
            before = Some(step);
        }
        Ok(())
    }
}

impl SavedState {
    /// Overwrites the gates with the gradient of the projected input, and writes the gradients of the product of the state
    /// (for a GRU, to `of_state`) and of the bias.
    fn write(
        &self,
        gradient: Primitive,
        gates: &mut [f32],
        of_state: &mut [f32],
        bias: &mut [f32],
    ) -> Checked {
        let config = &self.config;
        let (hidden, width, samples) = (config.hidden, config.width(), config.samples());
        let [inner, second, memory] = config.sizes();
        LengthMismatch::check("gates", gates.len(), samples * width)?;
        LengthMismatch::check(
            "states",
            self.states.layout().num_elements(),
            samples * hidden,
        )?;
        LengthMismatch::check("inner", self.inner.len(), samples * inner)?;
        LengthMismatch::check("memory", self.memory.len(), samples * memory)?;
        let weight = self.weight.transpose(0, 1).to_contiguous();
        let weight = read("weight", &weight, hidden * width)?;
        let parts = config.split([(gates, width), (of_state, config.cell.gates() * second)]);
        let gradient = Rowed::of(gradient, [config.time, config.batch, hidden])?;
        let parts = parts
            .into_par_iter()
            .map(|part| self.run(part, &gradient, weight))
            .collect::<Checked<Vec<_>>>()?;
        bias.fill(0.0);
        for block in parts.iter().flat_map(|part| part.chunks(width)) {
            bias::add_bias(block, bias)?;
        }
        Ok(())
    }

    /// Runs all steps of some samples, from the last to the first. Returns the bias gradient of each block of them.
    fn run(&self, part: Part<'_, 2>, gradient: &Rowed, weight: &[f32]) -> Checked<Vec<f32>> {
        let config = &self.config;
        let (cell, hidden, width) = (config.cell, config.hidden, config.width());
        let [inner, second, memory] = config.sizes();
        let Part { first, count, rows } = part;
        let [mut gates, mut product] = rows;
        let part = (first, count);
        let zeros = vec![0.0_f32; count * hidden];
        let mut state = zeros.clone();
        let mut direct = zeros.clone();
        let mut of_memory = vec![0.0_f32; count * memory];
        let mut direct_memory = of_memory.clone();
        // One sum for each block, so that the result does not depend on the split among threads.
        let mut bias = vec![0.0_f32; count.div_ceil(ROWS) * width];
        let mut one_bias = vec![0.0_f32; width];
        let mut order = config.order().rev().peekable();
        while let Some(step) = order.next() {
            let states = read("states", &self.states, config.samples() * hidden)?;
            let (old, old_memory) = match order.peek() {
                Some(before) => (
                    config.rows(states, hidden, *before, part)?,
                    config.rows(&self.memory, memory, *before, part)?,
                ),
                None => (&zeros[..], &zeros[..count * memory]),
            };
            gradient.add(step, part, &mut state, config.masked(part)?, &direct)?;
            match config.kept(config.keep.as_ref(), step, part)? {
                Some(keep) => recurrent::blend_backward(&mut state, &mut direct, keep)?,
                None if cell == Cell::Gru => direct.fill(0.0),
                None => {}
            }
            if let Some(keep) = config.kept(config.keep_memory.as_ref(), step, part)? {
                recurrent::blend_backward(&mut of_memory, &mut direct_memory, keep)?;
            }
            let backward = StepBackward {
                gates: &mut *gates[step],
                inner: config.rows(&self.inner, inner, step, part)?,
                old: &old[..count * second],
                old_memory,
                state: &state,
                memory: &mut of_memory,
                direct_memory: &direct_memory,
                direct: &mut direct[..count * second],
                product: &mut *product[step],
            };
            recurrent::backward(cell, hidden, backward)?;
            let product = if cell == Cell::Gru {
                &product[step]
            } else {
                &gates[step]
            };
            // The terms of each step are summed first, because sums of few terms have small rounding errors.
            for (rows, bias) in product.chunks(ROWS * width).zip(bias.chunks_mut(width)) {
                one_bias.fill(0.0);
                bias::add_column_sums(rows, &mut one_bias)?;
                bias::add_bias(&one_bias, bias)?;
            }
            if order.peek().is_some() {
                config.multiply(&mut state, product, weight, [width, hidden])?;
            }
        }
        Ok(bias)
    }

    /// Adds the gradient of the weight: the sum over all steps of the old state times the gradient of its product with the
    /// weight, in one matrix product.
    fn add_weight_gradient(&self, of_state: &[f32], gradient: &mut [f32]) -> Checked {
        let config = &self.config;
        let (hidden, width) = (config.hidden, config.width());
        let rows = config.samples().saturating_sub(config.batch);
        // The first step in this direction has no old state.
        let (before, after) = if config.reverse {
            (config.batch, 0)
        } else {
            (0, config.batch)
        };
        let states = read("states", &self.states, config.samples() * hidden)?;
        let states = rows_at("states", states, before * hidden, rows * hidden)?;
        let of_state = rows_at("gates", of_state, after * width, rows * width)?;
        let masked = match &config.mask {
            Some(mask) => {
                let step = config.batch * hidden;
                let mask = read("mask", mask, step)?;
                Some(Buffer::written(states.len(), |masked| {
                    states
                        .chunks(step)
                        .zip(masked.chunks_mut(step))
                        .try_for_each(|(states, masked)| {
                            recurrent::apply_mask(states, mask, masked)
                        })
                }))
            }
            None => None,
        };
        let out = MatrixMut::rows(gradient, [hidden, width])?;
        let states = Matrix::rows(masked.as_deref().unwrap_or(states), [rows, hidden])?;
        let of_state = Matrix::rows(of_state, [rows, width])?;
        product(out, 1.0, states.transposed(), of_state)
    }
}

/// A tensor whose rows have no gaps: `[time, batch, hidden]`.
struct Rowed {
    tensor: Primitive,
    /// The place of the first row, and the distances between the rows of steps and of samples.
    start: usize,
    strides: [usize; 2],
}

impl Rowed {
    /// Does not copy if only time and batch are exchanged, as they are after the layer.
    fn of(tensor: Primitive, sizes: [usize; 3]) -> Checked<Self> {
        let [time, batch, hidden] = sizes;
        let count = tensor.layout().num_elements();
        LengthMismatch::check("gradient", count, time * batch * hidden)?;
        let found = match (shape(&tensor)[..] == sizes, tensor.layout().strides()) {
            (true, [time, batch, 1]) => usize::try_from(*time)
                .ok()
                .zip(usize::try_from(*batch).ok()),
            _ => None,
        };
        let (tensor, strides) = match found {
            Some((time, batch)) => (tensor, [time, batch]),
            None => (tensor.to_contiguous(), [batch * hidden, hidden]),
        };
        Ok(Self {
            start: tensor.layout().start_offset(),
            tensor,
            strides,
        })
    }

    /// Adds the rows of one step's samples to the gradient of their state.
    fn add(
        &self,
        step: usize,
        (first, count): (usize, usize),
        state: &mut [f32],
        mask: Option<&[f32]>,
        direct: &[f32],
    ) -> Checked {
        let [time, batch] = self.strides;
        let start = self.start + step * time + first * batch;
        let rows = self.tensor.storage::<f32>();
        let hidden = state.len() / count.max(1);
        // Adjacent rows are handled as one.
        let hidden = if batch == hidden { state.len() } else { hidden };
        let pieces = state
            .chunks_mut(hidden.max(1))
            .zip(direct.chunks(hidden.max(1)));
        for (sample, (state, direct)) in pieces.enumerate() {
            let others = rows_at("gradient", rows, start + sample * batch, hidden)?;
            let mask = match mask {
                Some(mask) => Some(rows_at("mask", mask, sample * hidden, hidden)?),
                None => None,
            };
            recurrent::state_gradient(state, mask, direct, others)?;
        }
        Ok(())
    }
}

/// `count` numbers from the index `first` on.
fn rows_at<'a>(
    name: &'static str,
    numbers: &'a [f32],
    first: usize,
    count: usize,
) -> Checked<&'a [f32]> {
    let found = numbers.get(first..).unwrap_or_default();
    found.get(..count).ok_or(LengthMismatch {
        name,
        expected: count,
        found: found.len(),
    })
}

/// The rows of a step, or one buffer for all steps if they are not kept.
fn rows_or<'a>(rows: &'a mut [f32], one: &'a mut Vec<f32>, numbers: usize) -> &'a mut [f32] {
    if rows.is_empty() {
        one.resize(numbers, 0.0);
        one
    } else {
        rows
    }
}

/// The numbers of a tensor that gets no gradient; `None` if they cannot be reached.
#[expect(
    clippy::option_option,
    reason = "the inner option is whether there is a tensor"
)]
fn constant<const D: usize>(tensor: Option<&Tensor<D>>) -> Option<Option<Primitive>> {
    let Some(tensor) = tensor else {
        return Some(None);
    };
    let tensor = tensor.clone().inner().try_into_primitive::<Flex>().ok()?;
    (tensor.dtype() == DType::F32).then(|| Some(make_compact(tensor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ones(shape: [usize; 3]) -> Primitive {
        tensor(vec![1.0; shape.iter().product()], shape)
    }

    fn config(cell: Cell) -> Config {
        Config {
            cell,
            time: 3,
            batch: 20,
            hidden: 4,
            reverse: false,
            mask: None,
            keep: None,
            keep_memory: None,
        }
    }

    fn weights(cell: Cell) -> [Primitive; 2] {
        let width = cell.gates() * 4;
        [
            tensor(vec![0.1; 4 * width], [4, width]),
            tensor(vec![0.1; width], [width]),
        ]
    }

    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for cell in [Cell::Rnn, Cell::Gru, Cell::Lstm] {
            let [weight, bias] = weights(cell);
            let inputs = [ones([3, 20, cell.gates() * 4]), weight, bias];
            let (_, kept) = config(cell).forward(inputs, true);
            let kept = kept.unwrap();
            for time in [2, 4] {
                let gradient = ones([time, 20, 4]);
                crate::assert_nan(kept.clone().backward(gradient, [true; 3]));
            }
        }
    }

    #[test]
    fn operands_of_another_size_give_nan() {
        for cell in [Cell::Rnn, Cell::Gru, Cell::Lstm] {
            let width = cell.gates() * 4;
            let run = |time: usize, config: Config| {
                let [weight, bias] = weights(cell);
                let inputs = [ones([time, 20, width]), weight, bias].map(Input::Plain);
                crate::assert_nan([Some(run_steps(inputs, config).into_primitive())]);
            };
            run(2, config(cell));
            let mask = Some(ones([1, 19, 4]));
            run(
                3,
                Config {
                    mask,
                    ..config(cell)
                },
            );
            let keep = Some(ones([3, 19, 4]));
            run(
                3,
                Config {
                    keep,
                    ..config(cell)
                },
            );
        }
    }
}
