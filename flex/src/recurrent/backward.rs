//! The backward pass of a sequence of steps.

use super::config::{Config, Part, ROWS, rows_at};
use crate::memory::{Buffer, Checked, modify_with, read, shape, tensor};
use crate::op::{CustomBackward, Primitive};
use crate::product::{Matrix, MatrixMut, product};
use damper_kernels::recurrent::{self, Cell, StepBackward};
use damper_kernels::{LengthMismatch, bias};
use rayon::prelude::*;
use std::sync::Arc;

/// The backward pass.
#[derive(Clone, Debug)]
pub(super) struct RecurrentBackward {
    /// The activated gates, which their gradient is written over: `[time, batch, gates * hidden]`.
    pub(super) gates: Primitive,
    pub(super) saved: SavedState,
}

/// The values that the backward pass only reads.
#[derive(Clone, Debug)]
pub(super) struct SavedState {
    pub(super) config: Config,
    /// `[hidden, gates * hidden]`
    pub(super) weight: Primitive,
    /// `[time, batch, hidden]`
    pub(super) states: Primitive,
    /// LSTM: `tanh` of the memory; GRU: the product of the state for the new value. `[time, batch, hidden]`
    pub(super) inner: Arc<Buffer>,
    /// LSTM: the memory. `[time, batch, hidden]`
    pub(super) memory: Arc<Buffer>,
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
