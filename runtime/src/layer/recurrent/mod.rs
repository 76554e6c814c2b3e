//! `lstm`, `gru` and `rnn`: PyTorch's cells, with the regularizers of recurrent networks.

mod steps;

use super::dense::product;
use super::dropout::ApplyMask;
use super::dropout::Dropout;
use super::from_op::{Layer, probability};
use crate::Pass;
use crate::autodiff::match_autodiff;
use crate::weights::Weights;
use burn::module::{Flag, Module, Param};
use burn::tensor::{Bool, Tensor};
use damper_ir::op::recurrent::{Directions, StateFunction};
use damper_ir::{Cell, Op, OpKind, Rate, RuleKind, Shape};
use steps::Steps;

/// A recurrent layer: one or more cells in series, each in one direction or two.
///
/// The cells, the order of the gates and the numbers are those of PyTorch's `nn.LSTM`, `nn.GRU` and `nn.RNN`.
/// All rates act only while training, except zoneout, for which inference uses the expectation.
#[derive(Module, Debug)]
pub struct Recurrent {
    /// The layers in series: the first reads the input, each other one the output of the one before.
    pub layers: Vec<RecurrentLayer>,
    /// Ordinary dropout between the layers.
    pub between: Dropout,
    /// The rate of dropout on the input of each layer, one mask for all steps (Gal and Ghahramani, arXiv 1512.05287).
    pub variational: f64,
    /// The rate of dropout on the state that a step reads, one mask for all steps.
    pub recurrent: f64,
    /// The probability that a number of the state keeps its old value (Krueger et al., arXiv 1606.01305).
    pub zoneout: f64,
    /// The rate of dropout on the recurrent weights, one mask in a pass (Merity et al., arXiv 1708.02182).
    pub drop_connect: f64,
    /// If false, the rates do nothing on a training device either; `freeze` clears it.
    pub training: Param<Flag>,
    /// Whether the states of two directions are added.
    pub adds: bool,
    /// Whether the cell of an `rnn` is a rectifier, instead of a hyperbolic tangent.
    pub rectifies: bool,
    #[module(skip)]
    cell: Cell,
}

/// One layer of a [`Recurrent`].
#[derive(Module, Debug)]
pub struct RecurrentLayer {
    /// The direction from the first step to the last.
    pub forward: RecurrentCell,
    /// The direction from the last step to the first, if the layer is bidirectional.
    pub reverse: Option<RecurrentCell>,
}

/// The weights of one direction of one layer.
#[derive(Module, Debug)]
pub struct RecurrentCell {
    /// The weight from the input to the gates: `[features, gates * hidden]`.
    pub weight_ih: Param<Tensor<2>>,
    /// The weight from the state to the gates: `[hidden, gates * hidden]`.
    pub weight_hh: Param<Tensor<2>>,
    /// The bias of the first product: `[gates * hidden]`.
    pub bias_ih: Param<Tensor<1>>,
    /// The bias of the second product: `[gates * hidden]`.
    pub bias_hh: Param<Tensor<1>>,
}

impl RecurrentCell {
    /// Weights and biases are uniform between `-1 / sqrt(hidden)` and `1 / sqrt(hidden)`, as in PyTorch.
    fn new(cell: Cell, features: usize, hidden: usize, weights: &Weights) -> Self {
        let bound = 1.0 / (hidden as f64).sqrt();
        let width = cell.gates() * hidden;
        Self {
            weight_ih: weights.uniform([features, width], bound),
            weight_hh: weights.uniform([hidden, width], bound),
            bias_ih: weights.uniform([width], bound),
            bias_hh: weights.uniform([width], bound),
        }
    }
}

impl Recurrent {
    /// The states of all steps; those of two directions are concatenated or added.
    ///
    /// The state does not change on a step that is padding: its output is the state of the step before (0 before the first
    /// one). So the reverse direction begins at the end of each padded sequence, as with PyTorch's packed sequences.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, time, features]`
    /// - padding: `[batch, time]`, true where a step is padding
    /// - output: `[batch, time, hidden * directions]`
    #[must_use]
    pub fn forward(
        &self,
        input: Tensor<3>,
        padding: Option<&Tensor<2, Bool>>,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let padding = padding.map(|padding| {
            let padding = padding.clone().float().swap_dims(0, 1).unsqueeze_dim(2);
            match_autodiff(padding, &input)
        });
        let mut value = input.swap_dims(0, 1);
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                value = self.between.forward(value, pass);
            }
            if let Some(mask) = pass.dropout_mask(self.variational, &self.training, &value) {
                let [_, batch, features] = value.dims();
                value = mask.apply_to_groups(value, [1, batch, features]);
            }
            let padding = padding.as_ref();
            let forward = self.direction(&layer.forward, value.clone(), padding, false, pass);
            value = match &layer.reverse {
                Some(reverse) => {
                    let reverse = self.direction(reverse, value, padding, true, pass);
                    if self.adds {
                        forward + reverse
                    } else {
                        Tensor::cat(vec![forward, reverse], 2)
                    }
                }
                None => forward,
            };
        }
        value.swap_dims(0, 1)
    }

    /// One direction of one layer: `[time, batch, features]` to `[time, batch, hidden]`.
    fn direction(
        &self,
        cell: &RecurrentCell,
        input: Tensor<3>,
        padding: Option<&Tensor<3>>,
        reverse: bool,
        pass: &mut Pass,
    ) -> Tensor<3> {
        let [time, batch, features] = input.dims();
        let device = input.device();
        let mut weight = cell.weight_hh.val();
        let [hidden, width] = weight.dims();
        if time == 0 || batch == 0 {
            return Tensor::zeros([time, batch, hidden], &device);
        }
        if let Some(mask) = pass.dropout_mask(self.drop_connect, &self.training, &weight) {
            weight = mask.apply(weight);
        }
        // The reset gate of a GRU is applied after its second bias. For the other cells, the biases can be added.
        let (first, bias) = match self.cell {
            Cell::Gru => (Some(cell.bias_ih.val()), cell.bias_hh.val()),
            Cell::Lstm | Cell::Rnn => (None, cell.bias_ih.val() + cell.bias_hh.val()),
        };
        let mask = pass
            .dropout_mask(self.recurrent, &self.training, &input)
            .map(|mask| mask.to_factors([batch, hidden], &device));
        let shape = [time, batch, hidden];
        let keep = self.keep(shape, &input, padding, pass);
        let keep_memory = match self.cell {
            Cell::Lstm => self.keep(shape, &input, padding, pass),
            Cell::Gru | Cell::Rnn => None,
        };
        let rows = input.reshape([time * batch, features]);
        let projected =
            product(rows, cell.weight_ih.val(), first, None, None).reshape([time, batch, width]);
        let steps = Steps {
            cell: self.cell,
            rectifies: self.rectifies,
            projected,
            weight,
            bias,
            mask,
            keep,
            keep_memory,
            reverse,
        };
        steps.states()
    }

    /// The fraction of its old value that each number of the state keeps, because of zoneout and padding.
    fn keep(
        &self,
        shape: [usize; 3],
        input: &Tensor<3>,
        padding: Option<&Tensor<3>>,
        pass: &mut Pass,
    ) -> Option<Tensor<3>> {
        let device = input.device();
        let mask = pass.dropout_mask(self.zoneout, &self.training, input);
        let zoneout = if let Some(mask) = mask {
            Some(mask.to_marks(shape, &device))
        } else if self.zoneout > 0.0 {
            Some(Tensor::full([shape[0], shape[1], 1], self.zoneout, &device))
        } else {
            None
        };
        match (zoneout, padding) {
            (Some(zoneout), Some(padding)) => {
                let rest = zoneout.clone().neg().add_scalar(1.0);
                Some(zoneout + rest * padding.clone())
            }
            (zoneout, padding) => zoneout.or_else(|| padding.cloned()),
        }
    }
}

impl Layer for Recurrent {
    const WORD: &'static str = "`lstm`, `gru` or `rnn`";

    fn make(op: &Op, input: &Shape, weights: &Weights) -> Option<Self> {
        let OpKind::Recurrent(recurrent) = &op.kind else {
            return None;
        };
        let features = input.0.last().copied().flatten().filter(|size| *size > 0)?;
        let hidden = recurrent.hidden.size().filter(|size| *size > 0)?;
        let count = recurrent.layers.size().filter(|count| *count > 0)?;
        let bidirectional = recurrent.bidirectional.is_true()?;
        let inner = hidden.checked_mul(recurrent.width()?)?;
        let width = recurrent.cell.gates().checked_mul(hidden)?;
        let bytes = features
            .max(inner)
            .checked_mul(width)?
            .checked_mul(size_of::<f32>())?;
        isize::try_from(bytes).ok()?;
        let drop_connect = op.rules.iter().find_map(|rule| match &rule.kind {
            RuleKind::DropConnect { rate } => Some(probability(rate)),
            _ => None,
        });
        let rate = |rate: &Option<Rate>| match rate {
            Some(rate) => probability(&rate.rate),
            None => Some(0.0),
        };
        let layers = (0..count)
            .map(|index| {
                let features = if index == 0 { features } else { inner };
                let new = || RecurrentCell::new(recurrent.cell, features, hidden, weights);
                RecurrentLayer {
                    forward: new(),
                    reverse: bidirectional.then(new),
                }
            })
            .collect();
        Some(Self {
            layers,
            between: Dropout::new(rate(&recurrent.between)?),
            variational: rate(&recurrent.variational)?,
            recurrent: rate(&recurrent.recurrent)?,
            zoneout: rate(&recurrent.zoneout)?,
            drop_connect: drop_connect.unwrap_or(Some(0.0))?,
            training: Param::from_bool(true),
            adds: recurrent.merge == Directions::Sum,
            rectifies: recurrent.activation == StateFunction::Relu,
            cell: recurrent.cell,
        })
    }
}
