//! One step of a recurrent layer, between its matrix products: the gates and the new state.
//!
//! Slices have a row for each sample; a row of gates is `gates` pieces of `hidden` numbers in PyTorch's order. A gate is
//! computed from the product of the input, `p`, and the product of the state, `q`. With PyTorch's names:
//! - RNN (Elman 1990): `h' = tanh(p + q)`;
//! - LSTM (Hochreiter & Schmidhuber 1997, Gers et al. 2000): `i, f, o = sigmoid(p + q)`, `g = tanh(p + q)`,
//!   `c' = f c + i g`, `h' = o tanh(c')`;
//! - GRU (Cho et al. 2014): `r, z = sigmoid(p + q)`, `n = tanh(p + r q)`, `h' = n + z (h - n)`.
//!
//! The bias is part of `q`.

use core::mem::take;

use crate::{LengthMismatch, math};

/// The kind of a recurrent cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// One gate, the state itself.
    Rnn,
    /// Reset, update and new: `r`, `z`, `n`.
    Gru,
    /// Input, forget, new and output, `i`, `f`, `g`, `o`; a memory cell `c` besides the state.
    Lstm,
}

impl Cell {
    /// The number of gates.
    pub const fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// The lengths of the gates, of `inner`, of `old`, and of the memory; 0 if the cell does not have one.
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

/// The slices that [`forward`] reads and writes; empty if a cell does not have one.
#[derive(Debug)]
pub struct Step<'a> {
    /// The product of the input; afterwards the gates: `[rows, gates * hidden]`.
    pub gates: &'a mut [f32],
    /// The product of the state, without the bias: `[rows, gates * hidden]`.
    pub product: &'a [f32],
    /// The bias of the product of the state: `[gates * hidden]`.
    pub bias: &'a [f32],
    /// GRU: the old state, `[rows, hidden]`.
    pub old: &'a [f32],
    /// LSTM: the old memory, `[rows, hidden]`.
    pub old_memory: &'a [f32],
    /// Written for the backward pass, `[rows, hidden]`. LSTM: `tanh(c')`; GRU: the `q` of the gate `n`, with its bias.
    pub inner: &'a mut [f32],
    /// LSTM: the new memory, which is written: `[rows, hidden]`.
    pub memory: &'a mut [f32],
    /// The new state, which is written: `[rows, hidden]`.
    pub state: &'a mut [f32],
}

/// The slices that [`backward`] reads and writes; empty if a cell does not have one.
#[derive(Debug)]
pub struct StepBackward<'a> {
    /// The gates of [`forward`]; afterwards the gradient of the product of the input, which is also that of the product of
    /// the state except for a GRU: `[rows, gates * hidden]`.
    pub gates: &'a mut [f32],
    /// The `inner` of [`forward`]: `[rows, hidden]`.
    pub inner: &'a [f32],
    /// GRU: the old state, `[rows, hidden]`.
    pub old: &'a [f32],
    /// LSTM: the old memory, `[rows, hidden]`.
    pub old_memory: &'a [f32],
    /// The gradient of the new state: `[rows, hidden]`.
    pub state: &'a [f32],
    /// LSTM: the gradient of the new memory; afterwards that of the old memory: `[rows, hidden]`.
    pub memory: &'a mut [f32],
    /// LSTM: a term that is added to the gradient of the old memory, `[rows, hidden]`.
    pub direct_memory: &'a [f32],
    /// GRU: the gradient that the old state gets directly, not through a product, is added to it: `[rows, hidden]`.
    pub direct: &'a mut [f32],
    /// GRU: the gradient of the product of the state, which is written: `[rows, gates * hidden]`.
    pub product: &'a mut [f32],
}

/// The new state, and the new memory, of one step.
///
/// # Errors
/// The length of a slice does not fit `state`, or `state` is not whole rows.
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
/// The length of a slice does not fit `state`, or `state` is not whole rows.
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

/// Sets `new` to `keep old + (1 - keep) new`, with one factor `keep` for each number or for each row: for zoneout (Krueger
/// et al. 2017), and for steps that are padding.
///
/// # Errors
/// `old` and `new` have different lengths, or `keep` has another number of rows.
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
/// As [`blend`].
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

/// The number of values that share a factor.
fn width(keep: &[f32], numbers: usize) -> Result<usize, LengthMismatch> {
    let width = (numbers / keep.len().max(1)).max(1);
    LengthMismatch::check("keep", keep.len() * width, numbers)?;
    Ok(width)
}

/// Writes `mask * state` to `seen`: dropout on the state that a step reads (Gal & Ghahramani 2016).
///
/// # Errors
/// The slices have different lengths.
pub fn apply_mask(state: &[f32], mask: &[f32], seen: &mut [f32]) -> Result<(), LengthMismatch> {
    LengthMismatch::check_all(state.len(), [("mask", mask.len()), ("seen", seen.len())])?;
    multiply(state, mask, seen);
    Ok(())
}

/// Sets `gradient` to the gradient of a state, `mask * gradient + direct + others`. The terms come from the matrix product
/// of the next step (multiplied by the dropout mask, if there is one), from that step directly, and from all other uses
/// of the state.
///
/// # Errors
/// The slices have different lengths.
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

/// Overwrites each number of a slice with an expression of it and of the numbers at the same index of other slices.
///
/// The loop is in a function, because the compiler knows that its arguments do not overlap. For pieces of one row it
/// would not.
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

/// The sigmoid of the sum of both products and the bias, for some gates.
#[inline(always)]
fn sigmoids(gates: &mut [f32], product: &[f32], bias: &[f32]) {
    each!(gates, gate, [product: product, bias: bias] => {
        math::gate_sigmoid(gate + (product + bias))
    });
}

/// The same with tanh.
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
