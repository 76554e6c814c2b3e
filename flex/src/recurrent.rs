//! All steps of a recurrent layer as one node of the graph, with one loop over the gates in each step.
//!
//! The backward pass runs the steps from the last to the first with one product each; the gradient of the recurrent
//! weights is one product over all steps after that. The samples of a batch do not see one another: the threads share
//! them, and each runs the whole sequence of its own.

#![allow(
    clippy::similar_names,
    reason = "names are the weights' and the gates'"
)]

use crate::memory::{Buffer, Checked, make_compact, modify_with, read, shape, tensor};
use crate::product::{Matrix, MatrixMut, product, product_here};
use crate::{CustomBackward, Input, Primitive, run_op};
use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use damper_kernels::recurrent::{self, Cell, Step, StepBackward};
use damper_kernels::{LengthMismatch, bias};
use rayon::prelude::*;
use std::mem::take;
use std::sync::Arc;

/// The rows of some samples, for every step.
type Rows<'a> = Vec<&'a mut [f32]>;

/// How many samples a thread should have at least: fewer do not fill the registers.
const ROWS: usize = 8;

/// What the steps of one direction of a recurrent layer are computed from, besides the input's share of the gates.
///
/// Time is the first axis, so that the numbers of a step follow one another.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// What a step computes.
    pub cell: Cell,
    /// From the state to the gates: `[hidden, gates * hidden]`.
    pub weight: &'a Tensor<2>,
    /// Added to the state's share of the gates: `[gates * hidden]`.
    pub bias: &'a Tensor<1>,
    /// What the state is multiplied by before its product: `[batch, hidden]`. It gets no gradient.
    pub mask: Option<&'a Tensor<2>>,
    /// How much of its old value the state keeps: `[time, batch, hidden or 1]`. It gets no gradient.
    pub keep: Option<&'a Tensor<3>>,
    /// The same for the memory cell of an LSTM.
    pub keep_memory: Option<&'a Tensor<3>>,
    /// Whether the steps run from the last to the first.
    pub reverse: bool,
}

impl Steps<'_> {
    /// Whether the shapes fit the input's share of the gates.
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

/// The states of all steps, `[time, batch, hidden]`, from the input's share of the gates,
/// `[time, batch, gates * hidden]`.
///
/// # Errors
/// The input's share: it is empty, the shapes do not fit, or the memory of one of the tensors cannot be reached (see
/// [`Input::of`]).
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
    let given = Given {
        cell: steps.cell,
        time,
        batch,
        hidden: width / steps.cell.gates(),
        reverse: steps.reverse,
        mask,
        keep,
        keep_memory,
    };
    // Not a copy: the gates are written over it.
    let inputs = [Input::of(projected)?, weight, bias];
    Ok(run_steps(inputs, given).into_tensor())
}

fn run_steps(inputs: [Input; 3], given: Given) -> Input {
    run_op(inputs, |read, keep| given.forward(read, keep))
}

/// What both passes are computed from.
#[derive(Clone, Debug)]
struct Given {
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
struct Kept {
    /// The activated gates, which their gradient is written over: `[time, batch, gates * hidden]`.
    gates: Primitive,
    past: Past,
}

/// What the backward pass only reads.
#[derive(Clone, Debug)]
struct Past {
    given: Given,
    /// `[hidden, gates * hidden]`
    weight: Primitive,
    /// `[time, batch, hidden]`
    states: Primitive,
    /// LSTM: `tanh` of the memory; GRU: the state's share of the new value. `[time, batch, hidden]`
    inner: Arc<Buffer>,
    /// LSTM: the memory. `[time, batch, hidden]`
    memory: Arc<Buffer>,
}

/// Samples that one thread runs, with their rows of what is written.
struct Part<'a, const N: usize> {
    first: usize,
    count: usize,
    rows: [Rows<'a>; N],
}

impl CustomBackward<3> for Kept {
    fn backward(self, gradient: Primitive, wanted: [bool; 3]) -> [Option<Primitive>; 3] {
        let Self { gates, past } = self;
        let given = &past.given;
        let (hidden, width) = (given.hidden, given.width());
        let of_state = match given.cell {
            Cell::Gru => given.samples() * width,
            Cell::Rnn | Cell::Lstm => 0,
        };
        let (projected, [of_state, bias]) =
            modify_with(gates, [of_state, width], |gates, [of_state, bias]| {
                past.write(gradient, gates, of_state, bias)
            });
        let weight = wanted[1].then(|| {
            let weight = Buffer::summed(hidden * width, |weight| {
                let of_state = if of_state.is_empty() {
                    read("gates", &projected, given.samples() * width)?
                } else {
                    &of_state[..]
                };
                past.add_weight_gradient(of_state, weight)
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

impl Given {
    fn width(&self) -> usize {
        self.cell.gates() * self.hidden
    }

    /// How many samples all steps have together.
    fn samples(&self) -> usize {
        self.time * self.batch
    }

    /// How many numbers a sample has of what only some cells have: `inner`, the second bias and what follows from it, the
    /// memory.
    fn sizes(&self) -> [usize; 3] {
        let (gru, lstm) = (self.cell == Cell::Gru, self.cell == Cell::Lstm);
        [gru || lstm, gru, lstm].map(|any| if any { self.hidden } else { 0 })
    }

    /// The steps in the order in which they run.
    fn order(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (time, reverse) = (self.time, self.reverse);
        (0..time).map(move |turn| if reverse { time - 1 - turn } else { turn })
    }

    /// How many samples each thread takes: whole blocks of [`ROWS`], but for the last thread.
    fn parts(&self) -> Vec<usize> {
        let blocks = self.batch.div_ceil(ROWS);
        let count = rayon::current_num_threads().min(self.batch / ROWS).max(1);
        let end = |index: usize| (index * blocks / count * ROWS).min(self.batch);
        (0..count)
            .map(|index| end(index + 1) - end(index))
            .collect()
    }

    /// For each thread, the rows of its samples in slices with these numbers for each sample of a step.
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

    /// A part's rows of one step, among numbers with so many for each sample.
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

    /// How much of their old values the numbers of one step's samples keep.
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

    /// What the states of some samples are multiplied by before their product.
    fn masked(&self, (first, count): (usize, usize)) -> Checked<Option<&[f32]>> {
        let Some(mask) = &self.mask else {
            return Ok(None);
        };
        let mask = read("mask", mask, self.batch * self.hidden)?;
        rows_at("mask", mask, first * self.hidden, count * self.hidden).map(Some)
    }

    /// Writes the product of the samples' rows and a matrix. Where one thread has all samples, the others help.
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

    /// The states of all steps, and what the backward pass needs if `keep` says so.
    fn forward(self, inputs: [Primitive; 3], keep: bool) -> (Primitive, Option<Kept>) {
        let [projected, weight, bias] = inputs;
        let [weight, bias] = [weight, bias].map(make_compact);
        let (hidden, width) = (self.hidden, self.width());
        let [inner, _, memory] = self.sizes();
        let samples = self.samples();
        // Without a backward pass each step overwrites the one before.
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
        let kept = keep.then(|| Kept {
            gates,
            past: Past {
                given: self,
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
            // Before the first step there is no state, and its product stays 0.
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

impl Past {
    /// Writes the gradient of the input's share of the gates over the gates, for a GRU that of the state's share to
    /// `of_state`, and that of the bias.
    fn write(
        &self,
        gradient: Primitive,
        gates: &mut [f32],
        of_state: &mut [f32],
        bias: &mut [f32],
    ) -> Checked {
        let given = &self.given;
        let (hidden, width, samples) = (given.hidden, given.width(), given.samples());
        let [inner, second, memory] = given.sizes();
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
        let parts = given.split([(gates, width), (of_state, given.cell.gates() * second)]);
        let gradient = Rowed::of(gradient, [given.time, given.batch, hidden])?;
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

    /// All steps of some samples, from the last to the first; returns the bias gradient of each block of them.
    fn run(&self, part: Part<'_, 2>, gradient: &Rowed, weight: &[f32]) -> Checked<Vec<f32>> {
        let given = &self.given;
        let (cell, hidden, width) = (given.cell, given.hidden, given.width());
        let [inner, second, memory] = given.sizes();
        let Part { first, count, rows } = part;
        let [mut gates, mut product] = rows;
        let part = (first, count);
        let zeros = vec![0.0_f32; count * hidden];
        let mut state = zeros.clone();
        let mut direct = zeros.clone();
        let mut of_memory = vec![0.0_f32; count * memory];
        let mut direct_memory = of_memory.clone();
        // A sum for each block: which thread has it makes no difference.
        let mut bias = vec![0.0_f32; count.div_ceil(ROWS) * width];
        let mut one_bias = vec![0.0_f32; width];
        let mut order = given.order().rev().peekable();
        while let Some(step) = order.next() {
            let states = read("states", &self.states, given.samples() * hidden)?;
            let (old, old_memory) = match order.peek() {
                Some(before) => (
                    given.rows(states, hidden, *before, part)?,
                    given.rows(&self.memory, memory, *before, part)?,
                ),
                None => (&zeros[..], &zeros[..count * memory]),
            };
            gradient.add(step, part, &mut state, given.masked(part)?, &direct)?;
            match given.kept(given.keep.as_ref(), step, part)? {
                Some(keep) => recurrent::blend_backward(&mut state, &mut direct, keep)?,
                None if cell == Cell::Gru => direct.fill(0.0),
                None => {}
            }
            if let Some(keep) = given.kept(given.keep_memory.as_ref(), step, part)? {
                recurrent::blend_backward(&mut of_memory, &mut direct_memory, keep)?;
            }
            let backward = StepBackward {
                gates: &mut *gates[step],
                inner: given.rows(&self.inner, inner, step, part)?,
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
            // The sums of each step first: sums of few terms lose little.
            for (rows, bias) in product.chunks(ROWS * width).zip(bias.chunks_mut(width)) {
                one_bias.fill(0.0);
                bias::add_column_sums(rows, &mut one_bias)?;
                bias::add_bias(&one_bias, bias)?;
            }
            if order.peek().is_some() {
                given.multiply(&mut state, product, weight, [width, hidden])?;
            }
        }
        Ok(bias)
    }

    /// Adds the sum over all steps of the state before, times the gradient of its share of the gates, in one product.
    fn add_weight_gradient(&self, of_state: &[f32], gradient: &mut [f32]) -> Checked {
        let given = &self.given;
        let (hidden, width) = (given.hidden, given.width());
        let rows = given.samples().saturating_sub(given.batch);
        // The step that comes first in this direction has no state before it.
        let (before, after) = if given.reverse {
            (given.batch, 0)
        } else {
            (0, given.batch)
        };
        let states = read("states", &self.states, given.samples() * hidden)?;
        let states = rows_at("states", states, before * hidden, rows * hidden)?;
        let of_state = rows_at("gates", of_state, after * width, rows * width)?;
        let masked = match &given.mask {
            Some(mask) => {
                let step = given.batch * hidden;
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
    /// Where the first row begins, and how far apart those of steps and samples are.
    start: usize,
    strides: [usize; 2],
}

impl Rowed {
    /// Without a copy where time and batch have only changed places, as they do after the layer.
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
        // Rows that follow one another are one.
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

/// The rows of a step, or, where none are kept, those that every step overwrites.
fn rows_or<'a>(rows: &'a mut [f32], one: &'a mut Vec<f32>, numbers: usize) -> &'a mut [f32] {
    if rows.is_empty() {
        one.resize(numbers, 0.0);
        one
    } else {
        rows
    }
}

/// The numbers of a tensor that takes no gradient; `None` where they cannot be reached.
#[expect(
    clippy::option_option,
    reason = "the inner one is whether there is a tensor"
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

    fn given(cell: Cell) -> Given {
        Given {
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
            let (_, kept) = given(cell).forward(inputs, true);
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
            let run = |time: usize, given: Given| {
                let [weight, bias] = weights(cell);
                let inputs = [ones([time, 20, width]), weight, bias].map(Input::Plain);
                crate::assert_nan([Some(run_steps(inputs, given).into_primitive())]);
            };
            run(2, given(cell));
            let mask = Some(ones([1, 19, 4]));
            run(
                3,
                Given {
                    mask,
                    ..given(cell)
                },
            );
            let keep = Some(ones([3, 19, 4]));
            run(
                3,
                Given {
                    keep,
                    ..given(cell)
                },
            );
        }
    }
}
