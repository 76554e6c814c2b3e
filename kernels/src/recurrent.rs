//! One step of a recurrent layer, between its matrix products: the gates and the new state.
//!
//! Slices are rows, one for each sample; a row of gates is `gates` pieces of `hidden` numbers in PyTorch's order. With
//! the input's share `p` of a gate, the state's share `q` and PyTorch's names:
//! - RNN (Elman 1990): `h' = tanh(p + q)`;
//! - LSTM (Hochreiter & Schmidhuber 1997, Gers et al. 2000): `i, f, o = sigmoid(p + q)`, `g = tanh(p + q)`,
//!   `c' = f c + i g`, `h' = o tanh(c')`;
//! - GRU (Cho et al. 2014): `r, z = sigmoid(p + q)`, `n = tanh(p + r q)`, `h' = n + z (h - n)`.
//!
//! A bias is part of the state's share.

use core::mem::take;

use crate::{LengthMismatch, math};

/// The kind of a recurrent cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// One gate, the state itself.
    Rnn,
    /// Reset, update and new: `r`, `z`, `n`.
    Gru,
    /// Input, forget, new and output, `i`, `f`, `g`, `o`; a memory `c` beside the state.
    Lstm,
}

impl Cell {
    /// How many gates there are.
    pub const fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// Numbers of the gates, and of what only some cells have: `inner`, the second bias and `old`, the memory.
    fn sizes(self, states: usize) -> [usize; 4] {
        let if_any = |any: bool| if any { states } else { 0 };
        [
            self.gates() * states,
            if_any(self != Self::Rnn),
            if_any(self == Self::Gru),
            if_any(self == Self::Lstm),
        ]
    }
}

/// What [`forward`] reads and writes. What a cell does not have is empty.
#[derive(Debug)]
pub struct Step<'a> {
    /// The input's share of the gates; afterwards the gates: `[rows, gates * hidden]`.
    pub gates: &'a mut [f32],
    /// The state's share of the gates, without its bias: `[rows, gates * hidden]`.
    pub product: &'a [f32],
    /// The bias of the state's share, `[gates * hidden]`.
    pub bias: &'a [f32],
    /// GRU: the state before, `[rows, hidden]`.
    pub old: &'a [f32],
    /// LSTM: the memory before, `[rows, hidden]`.
    pub old_memory: &'a [f32],
    /// Kept for the backward pass, `[rows, hidden]`. LSTM: `tanh(c')`; GRU: the state's share of the new value, with its bias.
    pub inner: &'a mut [f32],
    /// LSTM: gets the new memory, `[rows, hidden]`.
    pub memory: &'a mut [f32],
    /// Gets the new state: `[rows, hidden]`.
    pub state: &'a mut [f32],
}

/// What [`backward`] reads and writes. What a cell does not have is empty.
#[derive(Debug)]
pub struct StepBackward<'a> {
    /// The gates, as [`forward`] left them; afterwards the gradient of the input's share of the gates, which is that of
    /// the state's as well but for a GRU: `[rows, gates * hidden]`.
    pub gates: &'a mut [f32],
    /// What [`forward`] kept: `[rows, hidden]`.
    pub inner: &'a [f32],
    /// GRU: the state before, `[rows, hidden]`.
    pub old: &'a [f32],
    /// LSTM: the memory before, `[rows, hidden]`.
    pub old_memory: &'a [f32],
    /// The gradient of the new state: `[rows, hidden]`.
    pub state: &'a [f32],
    /// LSTM: the gradient of the new memory, `[rows, hidden]`; afterwards that of the memory before.
    pub memory: &'a mut [f32],
    /// LSTM: what the memory before gets besides, `[rows, hidden]`.
    pub direct_memory: &'a [f32],
    /// GRU: what the state before gets without a product is added, `[rows, hidden]`.
    pub direct: &'a mut [f32],
    /// GRU: gets the gradient of the state's share, `[rows, gates * hidden]`.
    pub product: &'a mut [f32],
}

/// The new state, and the new memory, of one step.
///
/// # Errors
/// A slice does not fit `state`, or that is not whole rows.
pub fn forward(cell: Cell, hidden: usize, step: Step) -> Result<(), LengthMismatch> {
    let states = step.state.len();
    let hidden = LengthMismatch::check_rows("state", states, hidden)?;
    let [gates, inner, old, memory] = cell.sizes(states);
    LengthMismatch::check_all(
        gates,
        [("gates", step.gates.len()), ("product", step.product.len())],
    )?;
    LengthMismatch::check("inner", step.inner.len(), inner)?;
    LengthMismatch::check("old", step.old.len(), old)?;
    LengthMismatch::check_all(
        memory,
        [
            ("memory", step.memory.len()),
            ("old_memory", step.old_memory.len()),
        ],
    )?;
    LengthMismatch::check("bias", step.bias.len(), cell.gates() * hidden)?;
    match cell {
        Cell::Rnn => rnn(step, hidden),
        Cell::Gru => gru(step, hidden),
        Cell::Lstm => lstm(step, hidden),
    }
    Ok(())
}

/// The gradients of one step.
///
/// # Errors
/// A slice does not fit `state`, or that is not whole rows.
pub fn backward(cell: Cell, hidden: usize, step: StepBackward) -> Result<(), LengthMismatch> {
    let states = step.state.len();
    let hidden = LengthMismatch::check_rows("state", states, hidden)?;
    let [gates, inner, old, memory] = cell.sizes(states);
    LengthMismatch::check("gates", step.gates.len(), gates)?;
    LengthMismatch::check("inner", step.inner.len(), inner)?;
    LengthMismatch::check_all(
        old,
        [("old", step.old.len()), ("direct", step.direct.len())],
    )?;
    LengthMismatch::check("product", step.product.len(), cell.gates() * old)?;
    LengthMismatch::check_all(
        memory,
        [
            ("memory", step.memory.len()),
            ("old_memory", step.old_memory.len()),
            ("direct_memory", step.direct_memory.len()),
        ],
    )?;
    match cell {
        Cell::Rnn => rnn_back(step),
        Cell::Gru => gru_back(step, hidden),
        Cell::Lstm => lstm_back(step, hidden),
    }
    Ok(())
}

/// Sets `new` to `keep old + (1 - keep) new`, with one factor `keep` for each number or for each row: zoneout (Krueger et al.
/// 2017), or the steps of padding.
///
/// # Errors
/// `old` is not as long as `new`, or `keep` has another number of rows.
pub fn blend(new: &mut [f32], old: &[f32], keep: &[f32]) -> Result<(), LengthMismatch> {
    LengthMismatch::check("old", old.len(), new.len())?;
    match width(keep, new.len())? {
        1 => keep_all(new, old, keep),
        width => keep_rows(new, old, keep, width),
    }
    Ok(())
}

/// The backward pass of [`blend`]: writes `keep gradient`, for the old value, to `direct`, and subtracts it from `gradient`.
///
/// # Errors
/// Those of [`blend`].
pub fn blend_backward(
    gradient: &mut [f32],
    direct: &mut [f32],
    keep: &[f32],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("direct", direct.len(), gradient.len())?;
    match width(keep, gradient.len())? {
        1 => keep_all_back(gradient, direct, keep),
        width => keep_rows_back(gradient, direct, keep, width),
    }
    Ok(())
}

/// How many numbers share a factor.
fn width(keep: &[f32], numbers: usize) -> Result<usize, LengthMismatch> {
    let width = (numbers / keep.len().max(1)).max(1);
    LengthMismatch::check("keep", keep.len() * width, numbers)?;
    Ok(width)
}

/// Writes `mask * state` to `seen`: dropout on the state that a step reads (Gal & Ghahramani 2016).
///
/// # Errors
/// The slices are not of one length.
pub fn apply_mask(state: &[f32], mask: &[f32], seen: &mut [f32]) -> Result<(), LengthMismatch> {
    LengthMismatch::check_all(state.len(), [("mask", mask.len()), ("seen", seen.len())])?;
    multiply(state, mask, seen);
    Ok(())
}

/// Sets `gradient` to the gradient of a state, `mask * gradient + direct + others`: what the next step passed back
/// through its matrix product (multiplied by the dropout mask, if there is one), what it passed back directly, and what
/// the other users of the state pass back.
///
/// # Errors
/// The slices are not of one length.
pub fn state_gradient(
    gradient: &mut [f32],
    mask: Option<&[f32]>,
    direct: &[f32],
    others: &[f32],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check_all(
        gradient.len(),
        [
            ("mask", mask.map_or(gradient.len(), <[f32]>::len)),
            ("direct", direct.len()),
            ("others", others.len()),
        ],
    )?;
    match mask {
        Some(mask) => gather_masked(gradient, mask, direct, others),
        None => gather(gradient, direct, others),
    }
    Ok(())
}

/// Writes an expression over each number of a slice, of the number itself and of those at its place in other slices.
///
/// A function of its own, whose arguments the compiler knows not to overlap: pieces of one row would seem to.
macro_rules! each {
    ($to:expr, $number:ident, [$($other:ident: $others:expr),+] => $value:expr) => {{
        #[inline(always)]
        fn run(to: &mut [f32], $($other: &[f32]),+) {
            $(let $other = &$other[..to.len()];)+
            for place in 0..to.len() {
                let ($number, $($other),+) = (to[place], $($other[place]),+);
                to[place] = $value;
            }
        }
        run($to, $($others),+);
    }};
}

vectorized! {
    fn rnn(step: Step<'a>, hidden: usize) {
        let rows = step.gates.chunks_exact_mut(hidden);
        for (gates, product) in rows.zip(step.product.chunks_exact(hidden)) {
            tangents(gates, product, step.bias);
        }
        step.state.copy_from_slice(step.gates);
    }

    fn rnn_back(step: StepBackward<'a>) {
        each!(step.gates, gate, [state: step.state] => state * math::tanh_slope(gate));
    }

    fn lstm(step: Step<'a>, hidden: usize) {
        let width = 4 * hidden;
        let rows = step
            .gates
            .chunks_exact_mut(width)
            .zip(step.product.chunks_exact(width))
            .zip(step.old_memory.chunks_exact(hidden))
            .zip(step.memory.chunks_exact_mut(hidden))
            .zip(step.inner.chunks_exact_mut(hidden))
            .zip(step.state.chunks_exact_mut(hidden));
        for (((((gates, product), old), memory), inner), state) in rows {
            let (two, rest) = (2 * hidden, 3 * hidden);
            let bias = step.bias;
            sigmoids(&mut gates[..two], &product[..two], &bias[..two]);
            tangents(&mut gates[two..rest], &product[two..rest], &bias[two..rest]);
            sigmoids(&mut gates[rest..], &product[rest..], &bias[rest..]);
            let [input, forget, new, output] = pieces(gates, hidden);
            each!(memory, _to, [i: input, f: forget, g: new, c: old] => f.mul_add(c, i * g));
            each!(inner, _to, [c: memory] => math::gate_tanh(c));
            each!(state, _to, [o: output, inner: inner] => o * inner);
        }
    }

    fn lstm_back(step: StepBackward<'a>, hidden: usize) {
        let width = 4 * hidden;
        let mut gates = vec![0.0; width];
        let rows = step
            .gates
            .chunks_exact_mut(width)
            .zip(step.inner.chunks_exact(hidden))
            .zip(step.old_memory.chunks_exact(hidden))
            .zip(step.state.chunks_exact(hidden))
            .zip(step.direct_memory.chunks_exact(hidden))
            .zip(step.memory.chunks_exact_mut(hidden));
        for (((((to, inner), old), state), direct), memory) in rows {
            gates.copy_from_slice(to);
            let [input, forget, new, output] = pieces(&gates, hidden);
            let [to_input, to_forget, to_new, to_output] = pieces_mut(to, hidden);
            each!(memory, memory, [state: state, o: output, inner: inner] => {
                (state * o).mul_add(math::tanh_slope(inner), memory)
            });
            each!(to_input, _to, [memory: memory, i: input, g: new] => {
                memory * g * math::sigmoid_slope(i)
            });
            each!(to_forget, _to, [memory: memory, f: forget, old: old] => {
                memory * old * math::sigmoid_slope(f)
            });
            each!(to_new, _to, [memory: memory, i: input, g: new] => {
                memory * i * math::tanh_slope(g)
            });
            each!(to_output, _to, [state: state, o: output, inner: inner] => {
                state * inner * math::sigmoid_slope(o)
            });
            each!(memory, memory, [f: forget, direct: direct] => memory.mul_add(f, direct));
        }
    }

    fn gru(step: Step<'a>, hidden: usize) {
        let width = 3 * hidden;
        let (of_two, of_new) = step.bias.split_at(2 * hidden);
        let rows = step
            .gates
            .chunks_exact_mut(width)
            .zip(step.product.chunks_exact(width))
            .zip(step.old.chunks_exact(hidden))
            .zip(step.inner.chunks_exact_mut(hidden))
            .zip(step.state.chunks_exact_mut(hidden));
        for ((((gates, product), old), inner), state) in rows {
            let (two, new) = gates.split_at_mut(2 * hidden);
            let (to_two, to_new) = product.split_at(2 * hidden);
            sigmoids(two, to_two, of_two);
            let [reset, update] = pieces(two, hidden);
            each!(inner, _to, [product: to_new, bias: of_new] => product + bias);
            each!(new, new, [r: reset, inner: inner] => math::gate_tanh(r.mul_add(inner, new)));
            each!(state, _to, [z: update, n: new, old: old] => z.mul_add(old - n, n));
        }
    }

    fn gru_back(step: StepBackward<'a>, hidden: usize) {
        let width = 3 * hidden;
        let mut gates = vec![0.0; width];
        let rows = step
            .gates
            .chunks_exact_mut(width)
            .zip(step.product.chunks_exact_mut(width))
            .zip(step.inner.chunks_exact(hidden))
            .zip(step.old.chunks_exact(hidden))
            .zip(step.state.chunks_exact(hidden))
            .zip(step.direct.chunks_exact_mut(hidden));
        for (((((to, product), inner), old), state), direct) in rows {
            gates.copy_from_slice(to);
            let [reset, update, new] = pieces(&gates, hidden);
            let (to_two, to_new) = to.split_at_mut(2 * hidden);
            let (of_two, of_new) = product.split_at_mut(2 * hidden);
            let [to_reset, to_update] = pieces_mut(to_two, hidden);
            each!(to_new, _to, [state: state, z: update, n: new] => {
                state * (1.0 - z) * math::tanh_slope(n)
            });
            each!(of_new, _to, [through: to_new, r: reset] => through * r);
            each!(to_reset, _to, [through: to_new, inner: inner, r: reset] => {
                through * inner * math::sigmoid_slope(r)
            });
            each!(to_update, _to, [state: state, z: update, n: new, old: old] => {
                state * (old - n) * math::sigmoid_slope(z)
            });
            of_two.copy_from_slice(to_two);
            each!(direct, direct, [state: state, z: update] => state.mul_add(z, direct));
        }
    }

    fn keep_all(new: &'a mut [f32], old: &'a [f32], keep: &'a [f32]) {
        each!(new, new, [old: old, keep: keep] => keep.mul_add(old, (1.0 - keep) * new));
    }

    fn keep_rows(new: &'a mut [f32], old: &'a [f32], keep: &'a [f32], width: usize) {
        let rows = new.chunks_exact_mut(width).zip(old.chunks_exact(width));
        for ((new, old), keep) in rows.zip(keep) {
            for (new, old) in new.iter_mut().zip(old) {
                *new = keep.mul_add(*old, (1.0 - keep) * *new);
            }
        }
    }

    fn keep_all_back(gradient: &'a mut [f32], direct: &'a mut [f32], keep: &'a [f32]) {
        each!(direct, _to, [gradient: gradient, keep: keep] => keep * gradient);
        each!(gradient, gradient, [direct: direct] => gradient - direct);
    }

    fn keep_rows_back(
        gradient: &'a mut [f32],
        direct: &'a mut [f32],
        keep: &'a [f32],
        width: usize,
    ) {
        let rows = direct.chunks_exact_mut(width).zip(gradient.chunks_exact(width));
        for ((direct, gradient), keep) in rows.zip(keep) {
            for (direct, gradient) in direct.iter_mut().zip(gradient) {
                *direct = keep * gradient;
            }
        }
        each!(gradient, gradient, [direct: direct] => gradient - direct);
    }

    fn multiply(state: &'a [f32], mask: &'a [f32], seen: &'a mut [f32]) {
        each!(seen, _to, [state: state, mask: mask] => state * mask);
    }

    fn gather(gradient: &'a mut [f32], direct: &'a [f32], others: &'a [f32]) {
        each!(gradient, gradient, [direct: direct, others: others] => {
            gradient + (direct + others)
        });
    }

    fn gather_masked(
        gradient: &'a mut [f32],
        mask: &'a [f32],
        direct: &'a [f32],
        others: &'a [f32],
    ) {
        each!(gradient, gradient, [mask: mask, direct: direct, others: others] => {
            gradient.mul_add(mask, direct + others)
        });
    }
}

/// Adds the state's share, with its bias, to the input's share of some gates.
#[inline(always)]
fn sigmoids(gates: &mut [f32], product: &[f32], bias: &[f32]) {
    each!(gates, gate, [product: product, bias: bias] => {
        math::gate_sigmoid(gate + (product + bias))
    });
}

#[inline(always)]
fn tangents(gates: &mut [f32], product: &[f32], bias: &[f32]) {
    each!(gates, gate, [product: product, bias: bias] => math::gate_tanh(gate + (product + bias)));
}

/// The gates of a row.
#[inline(always)]
fn pieces<const N: usize>(mut gates: &[f32], hidden: usize) -> [&[f32]; N] {
    core::array::from_fn(|_| {
        let (piece, rest) = gates.split_at(hidden);
        gates = rest;
        piece
    })
}

#[inline(always)]
fn pieces_mut<const N: usize>(mut gates: &mut [f32], hidden: usize) -> [&mut [f32]; N] {
    core::array::from_fn(|_| {
        let (piece, rest) = take(&mut gates).split_at_mut(hidden);
        gates = rest;
        piece
    })
}
