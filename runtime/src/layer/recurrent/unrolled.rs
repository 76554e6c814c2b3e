//! The steps as tensor operations, on any backend.

use super::Steps;
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::module::linear;
use burn::tensor::{Tensor, s};
use damper_ir::Cell;

impl Steps {
    /// The states of all steps: `[time, batch, hidden]`.
    pub(super) fn unrolled(self) -> Tensor<3> {
        let [time, batch, _] = self.projected.dims();
        let [hidden, _] = self.weight.dims();
        let mut state = Tensor::<2>::zeros([batch, hidden], &self.projected.device());
        let mut memory = state.clone();
        let mut states = Vec::with_capacity(time);
        for turn in 0..time {
            let step = if self.reverse { time - 1 - turn } else { turn };
            let at =
                |tensor: &Tensor<3>| tensor.clone().slice(s![step, .., ..]).squeeze_dim::<2>(0);
            let seen = match &self.mask {
                Some(mask) => state.clone() * mask.clone(),
                None => state.clone(),
            };
            let recurrent = linear(seen, self.weight.clone(), Some(self.bias.clone()));
            let projected = at(&self.projected);
            let new = match self.cell {
                Cell::Rnn => tanh(projected + recurrent),
                Cell::Gru => {
                    let gate = |gates: &Tensor<2>, index: usize| {
                        gates.clone().narrow(1, index * hidden, hidden)
                    };
                    let reset = sigmoid(gate(&projected, 0) + gate(&recurrent, 0));
                    let update = sigmoid(gate(&projected, 1) + gate(&recurrent, 1));
                    let new = tanh(gate(&projected, 2) + reset * gate(&recurrent, 2));
                    // (1 - update) * new + update * state
                    new.clone() + update * (state.clone() - new)
                }
                Cell::Lstm => {
                    let gates = projected + recurrent;
                    let gate = |index: usize| gates.clone().narrow(1, index * hidden, hidden);
                    let (input, forget) = (sigmoid(gate(0)), sigmoid(gate(1)));
                    let candidate = forget * memory.clone() + input * tanh(gate(2));
                    let new = sigmoid(gate(3)) * tanh(candidate.clone());
                    memory = kept(memory, candidate, self.keep_memory.as_ref().map(at));
                    new
                }
            };
            state = kept(state, new, self.keep.as_ref().map(at));
            states.push(state.clone());
        }
        if self.reverse {
            states.reverse();
        }
        Tensor::stack(states, 0)
    }
}

/// The mean of the old and the new value, weighted by the fraction that is kept.
fn kept(old: Tensor<2>, new: Tensor<2>, keep: Option<Tensor<2>>) -> Tensor<2> {
    match keep {
        Some(keep) => keep.clone() * old + keep.neg().add_scalar(1.0) * new,
        None => new,
    }
}
