//! One step's gates over plain numbers, compiled for the vector unit that the machine has.

#![expect(
    clippy::inline_always,
    reason = "a function that is not inlined is compiled for the oldest machine"
)]

use damper_spec::Cell;

/// One step of some samples, forwards. Everything is in rows, one for each sample.
pub(super) struct Step<'a> {
    pub projected: &'a [f32],
    pub product: &'a [f32],
    pub bias: &'a [f32],
    pub old: &'a [f32],
    pub old_memory: &'a [f32],
    pub gates: &'a mut [f32],
    pub inner: &'a mut [f32],
    pub memory: &'a mut [f32],
    pub state: &'a mut [f32],
}

/// One step of some samples, backwards.
pub(super) struct StepBack<'a> {
    pub gates: &'a [f32],
    pub inner: &'a [f32],
    pub old: &'a [f32],
    pub old_memory: &'a [f32],
    /// The gradient of the state.
    pub state: &'a [f32],
    /// The gradient of the memory; afterwards of the memory before.
    pub memory: &'a mut [f32],
    /// What the state before gets without a product.
    pub direct: &'a mut [f32],
    /// What the memory before gets without a gate.
    pub direct_memory: &'a [f32],
    /// The gradient of the input's share of the gates.
    pub projected: &'a mut [f32],
    /// The gradient of the state's share.
    pub product: &'a mut [f32],
}

/// Runs what is inlined here with the vector unit that the machine has.
fn dispatch(work: impl FnOnce()) {
    #[cfg(target_arch = "x86_64")]
    if let Some(unit) = pulp::x86::V3::try_new() {
        return unit.vectorize(work);
    }
    pulp::Arch::new().dispatch(work);
}

/// The new state (and memory) of one step.
pub(super) fn forward(cell: Cell, hidden: usize, step: Step<'_>) {
    dispatch(
        #[inline(always)]
        || match cell {
            Cell::Rnn => rnn(step),
            Cell::Gru => gru(hidden, step),
            Cell::Lstm => lstm(hidden, step),
        },
    );
}

/// The gradients of one step.
pub(super) fn backward(cell: Cell, hidden: usize, step: StepBack<'_>) {
    dispatch(
        #[inline(always)]
        || match cell {
            Cell::Rnn => rnn_back(step),
            Cell::Gru => gru_back(hidden, step),
            Cell::Lstm => lstm_back(hidden, step),
        },
    );
}

/// `new` moves towards `old` by the share that is kept: one for each number, or one for each row.
pub(super) fn keep(new: &mut [f32], old: &[f32], keep: &[f32]) {
    let width = new.len() / keep.len().max(1);
    for ((new, old), keep) in new
        .chunks_exact_mut(width)
        .zip(old.chunks_exact(width))
        .zip(keep)
    {
        for (new, old) in new.iter_mut().zip(old) {
            *new = keep * old + (1.0 - keep) * *new;
        }
    }
}

/// Shares a gradient between the old value (`direct`) and the new one (`grad`).
pub(super) fn keep_back(grad: &mut [f32], direct: &mut [f32], keep: &[f32]) {
    let width = grad.len() / keep.len().max(1);
    for ((grad, direct), keep) in grad
        .chunks_exact_mut(width)
        .zip(direct.chunks_exact_mut(width))
        .zip(keep)
    {
        for (grad, direct) in grad.iter_mut().zip(direct) {
            *direct = keep * *grad;
            *grad -= *direct;
        }
    }
}

pub(super) fn add(sum: &mut [f32], other: &[f32]) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}

pub(super) fn multiply(product: &mut [f32], other: &[f32]) {
    for (product, other) in product.iter_mut().zip(other) {
        *product *= other;
    }
}

#[inline(always)]
fn activate(out: &mut [f32], projected: &[f32], product: &[f32], activation: impl Fn(f32) -> f32) {
    for ((out, projected), product) in out.iter_mut().zip(projected).zip(product) {
        *out = activation(projected + product);
    }
}

#[inline(always)]
fn rnn(step: Step<'_>) {
    activate(step.gates, step.projected, step.product, tanh);
    step.state.copy_from_slice(step.gates);
}

#[inline(always)]
fn rnn_back(step: StepBack<'_>) {
    let out = step.projected.iter_mut().zip(step.product);
    for (((projected, product), gate), state) in out.zip(step.gates).zip(step.state) {
        *projected = state * (1.0 - gate * gate);
        *product = *projected;
    }
}

#[inline(always)]
fn lstm(hidden: usize, step: Step<'_>) {
    let width = 4 * hidden;
    let rows = step
        .gates
        .chunks_exact_mut(width)
        .zip(step.projected.chunks_exact(width))
        .zip(step.product.chunks_exact(width));
    for ((gates, projected), product) in rows {
        let (two, rest) = (2 * hidden, 3 * hidden);
        activate(
            &mut gates[..two],
            &projected[..two],
            &product[..two],
            sigmoid,
        );
        activate(
            &mut gates[two..rest],
            &projected[two..rest],
            &product[two..rest],
            tanh,
        );
        activate(
            &mut gates[rest..],
            &projected[rest..],
            &product[rest..],
            sigmoid,
        );
    }
    let rows = step
        .gates
        .chunks_exact(width)
        .zip(step.old_memory.chunks_exact(hidden))
        .zip(step.memory.chunks_exact_mut(hidden))
        .zip(step.inner.chunks_exact_mut(hidden))
        .zip(step.state.chunks_exact_mut(hidden));
    for ((((gates, old), memory), inner), state) in rows {
        let [input, forget, new, output] = quarters(gates, hidden);
        let (old, memory) = (&old[..hidden], &mut memory[..hidden]);
        let (inner, state) = (&mut inner[..hidden], &mut state[..hidden]);
        for unit in 0..hidden {
            memory[unit] = forget[unit] * old[unit] + input[unit] * new[unit];
            inner[unit] = tanh(memory[unit]);
            state[unit] = output[unit] * inner[unit];
        }
    }
}

#[inline(always)]
fn quarters(gates: &[f32], hidden: usize) -> [&[f32]; 4] {
    [
        &gates[..hidden],
        &gates[hidden..2 * hidden],
        &gates[2 * hidden..3 * hidden],
        &gates[3 * hidden..4 * hidden],
    ]
}

#[inline(always)]
fn lstm_back(hidden: usize, step: StepBack<'_>) {
    let width = 4 * hidden;
    let rows = step
        .projected
        .chunks_exact_mut(width)
        .zip(step.gates.chunks_exact(width))
        .zip(step.inner.chunks_exact(hidden))
        .zip(step.old_memory.chunks_exact(hidden))
        .zip(step.state.chunks_exact(hidden))
        .zip(step.direct_memory.chunks_exact(hidden))
        .zip(step.memory.chunks_exact_mut(hidden));
    for ((((((out, gates), inner), old), state), direct), memory) in rows {
        let [input, forget, new, output] = quarters(gates, hidden);
        let (to_input, out) = out.split_at_mut(hidden);
        let (to_forget, out) = out.split_at_mut(hidden);
        let (to_new, to_output) = out.split_at_mut(hidden);
        let (inner, old, state) = (&inner[..hidden], &old[..hidden], &state[..hidden]);
        let (direct, memory) = (&direct[..hidden], &mut memory[..hidden]);
        let to_output = &mut to_output[..hidden];
        for unit in 0..hidden {
            let (i, f, n, o) = (input[unit], forget[unit], new[unit], output[unit]);
            let (inner, grad) = (inner[unit], state[unit]);
            let through = memory[unit] + grad * o * (1.0 - inner * inner);
            to_input[unit] = through * n * i * (1.0 - i);
            to_forget[unit] = through * old[unit] * f * (1.0 - f);
            to_new[unit] = through * i * (1.0 - n * n);
            to_output[unit] = grad * inner * o * (1.0 - o);
            memory[unit] = through * f + direct[unit];
        }
    }
    step.product.copy_from_slice(step.projected);
}

#[inline(always)]
fn gru(hidden: usize, step: Step<'_>) {
    let (two, width) = (2 * hidden, 3 * hidden);
    let (two_biases, bias) = step.bias.split_at(two);
    let rows = step
        .gates
        .chunks_exact_mut(width)
        .zip(step.projected.chunks_exact(width))
        .zip(step.product.chunks_exact(width))
        .zip(step.old.chunks_exact(hidden))
        .zip(step.inner.chunks_exact_mut(hidden))
        .zip(step.state.chunks_exact_mut(hidden));
    for (((((gates, projected), product), old), inner), state) in rows {
        let (two_gates, gate) = gates.split_at_mut(two);
        let sums = two_gates.iter_mut().zip(projected).zip(product);
        for (((out, projected), product), bias) in sums.zip(two_biases) {
            *out = sigmoid(projected + product + bias);
        }
        let (reset, update) = two_gates.split_at(hidden);
        let (projected, product) = (&projected[two..width], &product[two..width]);
        let (gate, bias, old) = (&mut gate[..hidden], &bias[..hidden], &old[..hidden]);
        let (reset, update) = (&reset[..hidden], &update[..hidden]);
        let (inner, state) = (&mut inner[..hidden], &mut state[..hidden]);
        for unit in 0..hidden {
            inner[unit] = product[unit] + bias[unit];
            let new = tanh(projected[unit] + reset[unit] * inner[unit]);
            gate[unit] = new;
            state[unit] = new + update[unit] * (old[unit] - new);
        }
    }
}

#[inline(always)]
fn gru_back(hidden: usize, step: StepBack<'_>) {
    let width = 3 * hidden;
    let rows = step
        .projected
        .chunks_exact_mut(width)
        .zip(step.product.chunks_exact_mut(width))
        .zip(step.gates.chunks_exact(width))
        .zip(step.inner.chunks_exact(hidden))
        .zip(step.old.chunks_exact(hidden))
        .zip(step.state.chunks_exact(hidden))
        .zip(step.direct.chunks_exact_mut(hidden));
    for ((((((out, product), gates), inner), old), state), direct) in rows {
        let (reset, rest) = gates.split_at(hidden);
        let (update, new) = rest.split_at(hidden);
        let (to_reset, out) = out.split_at_mut(hidden);
        let (to_update, to_new) = out.split_at_mut(hidden);
        let (reset, update, new) = (&reset[..hidden], &update[..hidden], &new[..hidden]);
        let (inner, old, state) = (&inner[..hidden], &old[..hidden], &state[..hidden]);
        let (to_reset, to_update) = (&mut to_reset[..hidden], &mut to_update[..hidden]);
        let (to_new, direct) = (&mut to_new[..hidden], &mut direct[..hidden]);
        let (two_products, product) = product.split_at_mut(2 * hidden);
        let product = &mut product[..hidden];
        for unit in 0..hidden {
            let (r, z, n, grad) = (reset[unit], update[unit], new[unit], state[unit]);
            let through = grad * (1.0 - z) * (1.0 - n * n);
            to_new[unit] = through;
            product[unit] = through * r;
            to_reset[unit] = through * inner[unit] * r * (1.0 - r);
            to_update[unit] = grad * (old[unit] - n) * z * (1.0 - z);
            direct[unit] += grad * z;
        }
        two_products[..hidden].copy_from_slice(to_reset);
        two_products[hidden..].copy_from_slice(to_update);
    }
}

/// `e^x` in the range of finite results, without a branch, so that it is computed for many numbers at once; a number
/// that is none stays so (polynomial of Cephes, `expf`).
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it leaves a whole number in the low bits.
    const WHOLE: f32 = 12_582_912.0;
    let x = if x > 88.0 { 88.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let power = shifted - WHOLE;
    let rest = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let mut sum = 1.987_569_1e-4;
    sum = sum * rest + 1.398_2e-3;
    sum = sum * rest + 8.333_452e-3;
    sum = sum * rest + 4.166_579_6e-2;
    sum = sum * rest + 1.666_666_6e-1;
    sum = sum * rest + 0.5;
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    (sum * rest * rest + rest + 1.0) * scale
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The odd polynomial of Cephes near 0, else by way of [`exp`].
#[inline(always)]
fn tanh(x: f32) -> f32 {
    let square = x * x;
    let mut sum = -5.704_988_7e-3;
    sum = sum * square + 2.063_908_9e-2;
    sum = sum * square - 5.373_971_6e-2;
    sum = sum * square + 1.333_144_2e-1;
    sum = sum * square - 3.333_328_2e-1;
    let near = sum * square * x + x;
    let far = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The greatest distance from the exact value, in units of the last place of it.
    fn worst(ours: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        (-200_000..=200_000)
            .map(|index| index as f32 * 4e-4)
            .map(|x| {
                let exact = exact(f64::from(x));
                let unit =
                    (f64::from(f32::EPSILON) / 2.0) * exact.abs().log2().floor().exp2() * 2.0;
                if exact == 0.0 {
                    f64::from(ours(x)).abs()
                } else {
                    (f64::from(ours(x)) - exact).abs() / unit
                }
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_functions_are_right_to_the_last_places() {
        let exponential = worst(exp, f64::exp);
        let sigmoid = worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
        let tanh = worst(tanh, f64::tanh);
        assert!(exponential < 2.0, "exp: {exponential}");
        assert!(sigmoid < 3.0, "sigmoid: {sigmoid}");
        assert!(tanh < 2.0, "tanh: {tanh}");
    }

    #[test]
    fn what_is_no_number_stays_so() {
        assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert!((sigmoid(f32::INFINITY) - 1.0).abs() < 1e-7 && sigmoid(f32::NEG_INFINITY) < 1e-37);
        assert!((tanh(f32::INFINITY) - 1.0).abs() < 1e-7 && (tanh(-1e30) + 1.0).abs() < 1e-7);
    }
}
