//! All steps of one direction of a recurrent layer: fused on `flex`, as tensor operations on other backends.

use burn::tensor::activation::{relu, sigmoid, tanh};
use burn::tensor::module::linear;
use burn::tensor::{Tensor, s};
use damper_ir::Cell;

/// The values from which the steps of one direction are computed. Time is the first axis, so that a step is contiguous.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) cell: Cell,
    /// Whether the cell of an `rnn` is a rectifier; that one is not fused.
    pub(super) rectifies: bool,
    /// The input projected to the gates, for all steps: `[time, batch, gates * hidden]`.
    pub(super) projected: Tensor<3>,
    /// `[hidden, gates * hidden]`
    pub(super) weight: Tensor<2>,
    /// The bias of the product of state and weight: `[gates * hidden]`.
    pub(super) bias: Tensor<1>,
    /// The mask by which the state is multiplied before its product: `[batch, hidden]`.
    pub(super) mask: Option<Tensor<2>>,
    /// The fraction of its old value that the state keeps: `[time, batch, hidden or 1]`.
    pub(super) keep: Option<Tensor<3>>,
    /// The same for the memory cell.
    pub(super) keep_memory: Option<Tensor<3>>,
    /// True for the direction from the last step to the first.
    pub(super) reverse: bool,
}

impl Steps {
    /// The states of all steps: `[time, batch, hidden]`.
    pub(super) fn states(self) -> Tensor<3> {
        let this = self;
        fused!(this => this.fused());
        this.unrolled()
    }

    /// The states of all steps, or these values if the fused operation cannot be used.
    #[cfg(feature = "flex")]
    fn fused(self) -> Result<Tensor<3>, Box<Self>> {
        use damper_kernels::recurrent::Cell as Kernel;
        if self.rectifies {
            return Err(Box::new(self));
        }
        let steps = damper_flex::recurrent::Steps {
            cell: match self.cell {
                Cell::Rnn => Kernel::Rnn,
                Cell::Gru => Kernel::Gru,
                Cell::Lstm => Kernel::Lstm,
            },
            weight: &self.weight,
            bias: &self.bias,
            mask: self.mask.as_ref(),
            keep: self.keep.as_ref(),
            keep_memory: self.keep_memory.as_ref(),
            reverse: self.reverse,
        };
        // Moved, because the gates are written over it.
        match damper_flex::recurrent::states(self.projected, &steps) {
            Ok(states) => Ok(states),
            Err(projected) => Err(Box::new(Self { projected, ..self })),
        }
    }

    /// The states of all steps as tensor operations, on any backend.
    fn unrolled(self) -> Tensor<3> {
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
                Cell::Rnn if self.rectifies => relu(projected + recurrent),
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, Tolerance};

    /// The states of the fused steps, and all gradients, are those of automatic differentiation.
    fn compare(cell: Cell, masked: bool, kept: bool, reverse: bool) {
        let (time, batch, hidden) = (4, 19, 5);
        let width = cell.gates() * hidden;
        let device = Device::flex().autodiff();
        device.seed(9);
        let normal = Distribution::Normal(0.0, 1.0);
        let share = Distribution::Uniform(0.0, 1.0);
        let projected = Tensor::<3>::random([time, batch, width], normal, &device);
        let weight = Tensor::<2>::random([hidden, width], normal, &device);
        let bias = Tensor::<1>::random([width], normal, &device);
        let mask = masked.then(|| Tensor::random([batch, hidden], share, &device));
        let keep = kept.then(|| Tensor::random([time, batch, hidden], share, &device));
        let keep_memory = kept.then(|| Tensor::random([time, batch, 1], share, &device));
        let towards = Tensor::<3>::random([batch, time, hidden], normal, &device);
        let run = |states: fn(Steps) -> Option<Tensor<3>>| {
            let (projected, weight, bias) = (
                projected.clone().detach().require_grad(),
                weight.clone().detach().require_grad(),
                bias.clone().detach().require_grad(),
            );
            let states = states(Steps {
                cell,
                rectifies: false,
                projected: projected.clone(),
                weight: weight.clone(),
                bias: bias.clone(),
                mask: mask.clone(),
                keep: keep.clone(),
                keep_memory: keep_memory.clone().filter(|_| cell == Cell::Lstm),
                reverse,
            })
            .expect("states");
            // As in a layer, where the gradient has the batch as its first axis.
            let outputs = states.clone().swap_dims(0, 1) * towards.clone();
            let mut gradients = outputs.sum().backward();
            [
                Some(states.inner().into_data()),
                projected
                    .grad_remove(&mut gradients)
                    .map(|grad| grad.into_data()),
                weight
                    .grad_remove(&mut gradients)
                    .map(|grad| grad.into_data()),
                bias.grad_remove(&mut gradients)
                    .map(|grad| grad.into_data()),
            ]
        };
        let fused = run(|steps| steps.fused().ok());
        let unrolled = run(|steps| Some(steps.unrolled()));
        for (index, (fused, unrolled)) in fused.into_iter().zip(unrolled).enumerate() {
            let (Some(fused), Some(unrolled)) = (fused, unrolled) else {
                panic!("{cell:?}: number {index} has no gradient");
            };
            fused.assert_approx_eq::<f32>(&unrolled, Tolerance::rel_abs(1e-4, 1e-5));
        }
    }

    #[test]
    fn the_derived_gradients_are_those_of_automatic_differentiation() {
        for cell in [Cell::Lstm, Cell::Gru, Cell::Rnn] {
            for reverse in [false, true] {
                compare(cell, false, false, reverse);
                compare(cell, true, false, reverse);
                compare(cell, true, true, reverse);
            }
        }
    }
}
