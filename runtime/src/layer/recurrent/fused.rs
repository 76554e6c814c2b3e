//! The steps on flex: one pass over the gates in each step, and one node of the graph for the whole sequence.
//!
//! Its backward runs the steps backwards with one product each; what the recurrent weights get is one product over all
//! steps behind it. The samples of a batch do not see one another: the threads share them, and each runs the whole
//! sequence of its own.

use super::Steps;
use crate::flex::memory::{self, Buffer};
use crate::flex::product::{Matrix, MatrixMut, product, product_here};
use crate::flex::{Derived, Input, Primitive, apply, change, contiguous};
use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use damper_kernels::columns;
use damper_kernels::recurrent::{self, Cell, Step, StepBack};
use rayon::prelude::*;
use std::mem::take;
use std::sync::Arc;

/// The rows of some samples, for every step.
type Rows<'a> = Vec<&'a mut [f32]>;

/// Samples that a thread should have at least: fewer fill no registers.
const ROWS: usize = 8;

/// What both directions of the pass are computed from.
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

/// What the gradients are computed from.
#[derive(Clone, Debug)]
struct Kept {
    /// The gates behind their activation, which their gradient is written over: `[time, batch, gates * hidden]`.
    gates: Primitive,
    past: Past,
}

/// What of it is only read.
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

impl Steps {
    /// The states of all steps, `[time, batch, hidden]`; the steps again if the numbers cannot be reached.
    pub(super) fn fused(self) -> Result<Tensor<3>, Box<Self>> {
        let constants = [
            constant(self.mask.as_ref()),
            constant(self.keep.as_ref()),
            constant(self.keep_memory.as_ref()),
        ];
        let operands = [
            Input::of(self.weight.clone()).ok(),
            Input::of(self.bias.clone()).ok(),
        ];
        let ([Some(mask), Some(keep), Some(keep_memory)], [Some(weight), Some(bias)]) =
            (constants, operands)
        else {
            return Err(Box::new(self));
        };
        let [time, batch, _] = self.projected.dims();
        let [hidden, _] = self.weight.dims();
        let given = Given {
            cell: match self.cell {
                damper_ir::Cell::Rnn => Cell::Rnn,
                damper_ir::Cell::Gru => Cell::Gru,
                damper_ir::Cell::Lstm => Cell::Lstm,
            },
            time,
            batch,
            hidden,
            reverse: self.reverse,
            mask,
            keep,
            keep_memory,
        };
        // Not a copy: the gates are written over it.
        match Input::of(self.projected) {
            Ok(projected) => Ok(apply([projected, weight, bias], |read, keep| {
                given.forward(read, keep)
            })),
            Err(projected) => Err(Box::new(Self { projected, ..self })),
        }
    }
}

impl Derived<3> for Kept {
    fn backward(self, gradient: Primitive, wanted: [bool; 3]) -> [Option<Primitive>; 3] {
        let Self { gates, past } = self;
        let given = &past.given;
        let (hidden, width) = (given.hidden, given.width());
        let mut of_state = Buffer(memory::buffer(if given.cell == Cell::Gru {
            given.time * given.batch * width
        } else {
            0
        }));
        let mut bias = Vec::new();
        let projected = change(gates, |gates| {
            bias = past.through(gradient, gates, &mut of_state.0);
        });
        let weight = wanted[1].then(|| {
            let of_state = if of_state.is_empty() {
                projected.storage()
            } else {
                &of_state[..]
            };
            memory::tensor(past.weight_gradient(of_state), [hidden, width])
        });
        [
            wanted[0].then_some(projected),
            weight,
            wanted[2].then(|| memory::tensor(bias, [width])),
        ]
    }
}

impl Given {
    fn width(&self) -> usize {
        self.cell.gates() * self.hidden
    }

    /// Numbers that a sample's state has of what only some cells have: `inner`, the second bias and what is behind it,
    /// the memory.
    fn sizes(&self) -> [usize; 3] {
        let (gru, lstm) = (self.cell == Cell::Gru, self.cell == Cell::Lstm);
        [gru || lstm, gru, lstm].map(|any| if any { self.hidden } else { 0 })
    }

    /// Which steps follow one another.
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
    ) -> &'a [f32] {
        &numbers[(step * self.batch + first) * width..][..count * width]
    }

    /// What the numbers of one step's samples are kept with.
    fn kept<'a>(
        &self,
        keep: Option<&'a Primitive>,
        step: usize,
        part: (usize, usize),
    ) -> Option<&'a [f32]> {
        let keep = keep?;
        let width = keep.layout().shape()[2];
        Some(self.rows(keep.storage(), width, step, part))
    }

    /// What the states of some samples are multiplied with before their product.
    fn masked(&self, (first, count): (usize, usize)) -> Option<&[f32]> {
        let mask = self.mask.as_ref()?.storage::<f32>();
        Some(&mask[first * self.hidden..][..count * self.hidden])
    }

    /// Writes the product of the samples' rows and a matrix; where one thread has them all, the others help.
    fn multiply(
        &self,
        out: &mut [f32],
        rows: &[f32],
        matrix: &[f32],
        [from, to]: [usize; 2],
    ) -> Option<()> {
        let count = rows.len() / from;
        let out = MatrixMut::rows(out, [count, to])?;
        let (rows, matrix) = (
            Matrix::rows(rows, [count, from])?,
            Matrix::rows(matrix, [from, to])?,
        );
        if count == self.batch {
            product(out, 1.0, rows, matrix);
        } else {
            product_here(out, 1.0, rows, matrix);
        }
        Some(())
    }

    /// The states of all steps, and what the backward pass needs if it is told to keep it.
    fn forward(self, read: [Primitive; 3], keep: bool) -> (Primitive, Option<Kept>) {
        let [projected, weight, bias] = read;
        let [weight, bias] = [weight, bias].map(contiguous);
        let [inner, _, memory] = self.sizes();
        let samples = self.time * self.batch;
        // Without a way back each step writes over the one before.
        let inner = if keep { inner } else { 0 };
        let mut states = memory::buffer(samples * self.hidden);
        let [mut of_inner, mut of_memory] =
            [inner, memory].map(|width| memory::buffer(samples * width));
        let gates = change(projected, |gates| {
            let parts = self.split([
                (&mut states, self.hidden),
                (gates, self.width()),
                (&mut of_inner, inner),
                (&mut of_memory, memory),
            ]);
            let read = [weight.storage(), bias.storage()];
            parts.into_par_iter().for_each(|part| {
                let _ = self.run(part, read);
            });
        });
        let states = memory::tensor(states, [self.time, self.batch, self.hidden]);
        let [inner, memory] = [of_inner, of_memory].map(Buffer);
        let kept = keep.then(|| Kept {
            gates,
            past: Past {
                given: self,
                weight,
                states: states.clone(),
                inner: Arc::new(inner),
                memory: Arc::new(memory),
            },
        });
        (states, kept)
    }

    /// All steps of some samples.
    fn run(&self, part: Part<'_, 4>, [weight, bias]: [&[f32]; 2]) -> Option<()> {
        let (hidden, width) = (self.hidden, self.width());
        let [inner, second, memory] = self.sizes();
        let Part { first, count, rows } = part;
        let [mut states, mut gates, mut inners, mut memories] = rows;
        let part = (first, count);
        let mask = self.masked(part);
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
                recurrent::see(old, mask, &mut seen).ok()?;
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
            recurrent::forward(self.cell, hidden, forward).ok()?;
            if let Some(keep) = self.kept(self.keep.as_ref(), step, part) {
                recurrent::keep(state, old, keep).ok()?;
            }
            if let Some(keep) = self.kept(self.keep_memory.as_ref(), step, part) {
                recurrent::keep(new_memory, old_memory, keep).ok()?;
            }
            states[step] = state;
            memories[step] = new_memory;
            before = Some(step);
        }
        Some(())
    }
}

impl Past {
    /// Writes the gradient of the input's share of the gates over the gates, and of a GRU that of the state's to
    /// `product`; returns that of the bias.
    fn through(&self, gradient: Primitive, gates: &mut [f32], product: &mut [f32]) -> Vec<f32> {
        let given = &self.given;
        let (width, [_, second, _]) = (given.width(), given.sizes());
        let second = given.cell.gates() * second;
        let weight = self.weight.transpose(0, 1).to_contiguous();
        let parts = given.split([(gates, width), (product, second)]);
        let gradient = Rowed::of(gradient);
        let parts: Vec<Vec<f32>> = parts
            .into_par_iter()
            .filter_map(|part| self.run(part, &gradient, weight.storage()))
            .collect();
        let mut bias = vec![0.0; width];
        for block in parts.iter().flat_map(|part| part.chunks(width)) {
            let _ = columns::add(block, &mut bias);
        }
        bias
    }

    /// All steps of some samples, from the last to the first; returns what the bias gets of each block of them.
    fn run(&self, part: Part<'_, 2>, gradient: &Rowed, weight: &[f32]) -> Option<Vec<f32>> {
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
            let states = self.states.storage::<f32>();
            let (old, old_memory) = match order.peek() {
                Some(before) => (
                    given.rows(states, hidden, *before, part),
                    given.rows(&self.memory, memory, *before, part),
                ),
                None => (&zeros[..], &zeros[..count * memory]),
            };
            gradient.add(step, part, &mut state, given.masked(part), &direct)?;
            match given.kept(given.keep.as_ref(), step, part) {
                Some(keep) => recurrent::keep_backward(&mut state, &mut direct, keep).ok()?,
                None if cell == Cell::Gru => direct.fill(0.0),
                None => {}
            }
            if let Some(keep) = given.kept(given.keep_memory.as_ref(), step, part) {
                recurrent::keep_backward(&mut of_memory, &mut direct_memory, keep).ok()?;
            }
            let backward = StepBack {
                gates: &mut *gates[step],
                inner: given.rows(&self.inner, inner, step, part),
                old: &old[..count * second],
                old_memory,
                state: &state,
                memory: &mut of_memory,
                direct_memory: &direct_memory,
                direct: &mut direct[..count * second],
                product: &mut *product[step],
            };
            recurrent::backward(cell, hidden, backward).ok()?;
            let product = if cell == Cell::Gru {
                &product[step]
            } else {
                &gates[step]
            };
            // By way of the sums of each step: few terms lose little.
            for (rows, bias) in product.chunks(ROWS * width).zip(bias.chunks_mut(width)) {
                one_bias.fill(0.0);
                columns::sum(rows, &mut one_bias).ok()?;
                columns::add(&one_bias, bias).ok()?;
            }
            if order.peek().is_some() {
                given.multiply(&mut state, product, weight, [width, hidden])?;
            }
        }
        Some(bias)
    }

    /// The sum over all steps of the state before times what its product gets, in one product.
    fn weight_gradient(&self, of_product: &[f32]) -> Vec<f32> {
        let given = &self.given;
        let (hidden, width) = (given.hidden, given.width());
        let rows = (given.time - 1) * given.batch;
        let mut gradient = memory::zeros(hidden * width);
        // The step that comes first in this direction has no state before it.
        let (before, behind) = if given.reverse {
            (given.batch, 0)
        } else {
            (0, given.batch)
        };
        let states = &self.states.storage::<f32>()[before * hidden..][..rows * hidden];
        let masked = given.mask.as_ref().map(|mask| {
            let mut masked = Buffer(memory::buffer(states.len()));
            let step = given.batch * hidden;
            for (states, masked) in states.chunks(step).zip(masked.0.chunks_mut(step)) {
                let _ = recurrent::see(states, mask.storage(), masked);
            }
            masked
        });
        let out = MatrixMut::rows(&mut gradient, [hidden, width]);
        let states = Matrix::rows(masked.as_deref().unwrap_or(states), [rows, hidden]);
        let of_product = Matrix::rows(&of_product[behind * width..], [rows, width]);
        if let ((Some(out), Some(states)), Some(of_product)) = ((out, states), of_product) {
            product(out, 1.0, states.transposed(), of_product);
        }
        gradient
    }
}

/// A tensor whose rows lie in one piece each: `[time, batch, hidden]`.
struct Rowed {
    tensor: Primitive,
    /// Where the first row begins, and how far apart those of steps and samples are.
    start: usize,
    strides: [usize; 2],
}

impl Rowed {
    /// Without a copy where time and batch have only changed places, as they do behind the layer.
    fn of(tensor: Primitive) -> Self {
        let found = match tensor.layout().strides() {
            [time, batch, 1] => usize::try_from(*time)
                .ok()
                .zip(usize::try_from(*batch).ok()),
            _ => None,
        };
        let Some((time, batch)) = found else {
            let tensor = tensor.to_contiguous();
            let [batch, hidden] = [1, 2].map(|axis| tensor.layout().shape()[axis]);
            return Self {
                start: tensor.layout().start_offset(),
                tensor,
                strides: [batch * hidden, hidden],
            };
        };
        Self {
            start: tensor.layout().start_offset(),
            tensor,
            strides: [time, batch],
        }
    }

    /// Adds the rows of one step's samples to the gradient of their state.
    fn add(
        &self,
        step: usize,
        (first, count): (usize, usize),
        state: &mut [f32],
        mask: Option<&[f32]>,
        direct: &[f32],
    ) -> Option<()> {
        let [time, batch] = self.strides;
        let start = self.start + step * time + first * batch;
        let rows = self.tensor.storage::<f32>().get(start..)?;
        let hidden = state.len() / count.max(1);
        // Rows that follow one another are one.
        let hidden = if batch == hidden { state.len() } else { hidden };
        let pieces = state
            .chunks_mut(hidden.max(1))
            .zip(direct.chunks(hidden.max(1)));
        for (sample, (state, direct)) in pieces.enumerate() {
            let others = rows.get(sample * batch..)?.get(..hidden)?;
            let mask = match mask {
                Some(mask) => Some(mask.get(sample * hidden..)?.get(..hidden)?),
                None => None,
            };
            recurrent::see_backward(state, mask, direct, others).ok()?;
        }
        Some(())
    }
}

/// The rows of a step, or, where none are kept, those that every step writes over.
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
    (tensor.dtype() == DType::F32).then(|| Some(contiguous(tensor)))
}
