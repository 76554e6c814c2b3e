//! All steps of a recurrent layer as one node of the graph, with one loop over the gates in each step.
//!
//! The backward pass runs the steps from the last to the first with one product each. The gradient of the recurrent
//! weights is one product over all steps after that. Samples of a batch are independent: each thread runs the whole
//! sequences of some of them.

mod backward;
mod config;
mod forward;

use crate::memory::make_compact;
use crate::op::{Input, Primitive, run_op};
use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use config::Config;
use damper_kernels::recurrent::Cell;

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
    use crate::memory::tensor;
    use crate::op::CustomBackward;

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
