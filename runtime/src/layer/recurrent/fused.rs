//! The steps on flex: one pass over the gates in each step, and one node of the graph for the whole sequence.
//!
//! Its backward runs the steps backwards with one product each; what the recurrent weights get is one product over all
//! steps behind it. The samples of a batch do not see one another: the threads share them, and each runs the whole
//! sequence of its own.

use super::Steps;
use super::kernels::{self, Step, StepBack};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Tensor, TensorData};
use damper_spec::Cell;
use rayon::prelude::*;
use std::mem::take;
use std::sync::Arc;

type Primitive = FloatTensor<Flex>;
/// The rows of some samples, for every step.
type Rows<'a> = Vec<&'a mut [f32]>;
type Tracked = FloatTensor<Autodiff<Flex>>;

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
    /// `[hidden, gates * hidden]`
    weight: Primitive,
    mask: Option<Primitive>,
    keep: Option<Primitive>,
    keep_memory: Option<Primitive>,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug)]
struct Saved {
    /// The gates behind their activation: `[time, batch, gates * hidden]`.
    gates: Vec<f32>,
    /// LSTM: `tanh` of the memory; GRU: the state's share of the new value. `[time, batch, hidden]`
    inner: Vec<f32>,
    /// LSTM: the memory. `[time, batch, hidden]`
    memory: Vec<f32>,
}

/// The node of a sequence; its parents are the input's share of the gates, the weights and the second bias.
#[derive(Debug)]
struct Sequence;

/// What the gradients are computed from.
#[derive(Clone, Debug)]
struct Kept {
    given: Given,
    saved: Arc<Saved>,
    states: Primitive,
}

impl Steps {
    /// The states of all steps, `[time, batch, hidden]`, if the numbers can be reached.
    pub(super) fn fused(&self) -> Option<Tensor<3>> {
        let [time, batch, _] = self.projected.dims();
        let [hidden, _] = self.weight.dims();
        let bias = self
            .bias
            .clone()
            .unwrap_or_else(|| Tensor::zeros([1], &self.projected.device()));
        let given = |weight: &Primitive| {
            Some(Given {
                cell: self.cell,
                time,
                batch,
                hidden,
                reverse: self.reverse,
                weight: numbers(weight.clone())?,
                mask: constant(self.mask.as_ref())?,
                keep: constant(self.keep.as_ref())?,
                keep_memory: constant(self.keep_memory.as_ref())?,
            })
        };
        if !self.projected.is_autodiff() {
            let [projected, weight, bias] = [
                self.projected.clone().try_into_primitive::<Flex>().ok()?,
                self.weight.clone().try_into_primitive::<Flex>().ok()?,
                bias.try_into_primitive::<Flex>().ok()?,
            ];
            let (states, _) = given(&weight)?.forward(&numbers(projected)?, &numbers(bias)?)?;
            return Some(Tensor::from_primitive::<Flex>(states));
        }
        let [projected, weight, bias]: [Tracked; 3] = [
            self.projected
                .clone()
                .try_into_primitive::<Autodiff<Flex>>()
                .ok()?,
            self.weight
                .clone()
                .try_into_primitive::<Autodiff<Flex>>()
                .ok()?,
            bias.try_into_primitive::<Autodiff<Flex>>().ok()?,
        ];
        let given = given(weight.primitive())?;
        let (states, saved) = given.forward(
            &numbers(projected.primitive().clone())?,
            &numbers(bias.primitive().clone())?,
        )?;
        let nodes = [projected.node(), weight.node(), bias.node()];
        let states = match Sequence
            .prepare::<burn::backend::autodiff::checkpoint::strategy::NoCheckpointing>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(preparation) => {
                let kept = Kept {
                    given,
                    saved: Arc::new(saved),
                    states: states.clone(),
                };
                preparation.finish(kept, states)
            }
            OpsKind::UnTracked(preparation) => preparation.finish(states),
        };
        Some(Tensor::from_primitive::<Autodiff<Flex>>(states))
    }
}

impl Backward<Flex, 3> for Sequence {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let Kept {
            given,
            saved,
            states,
        } = ops.state;
        let (projected, product) = given.backward(&saved, &states, &grad.to_contiguous());
        let product = product.unwrap_or_else(|| projected.clone());
        let [to_projected, to_weight, to_bias] = ops.parents;
        if let Some(node) = to_weight {
            grads.register::<Flex>(node.id, given.weight_gradient(&states, &product));
        }
        if let (Some(node), Cell::Gru) = (to_bias, given.cell) {
            let width = given.width();
            let rows = product.reshape([given.time * given.batch, width].into());
            let sum = Flex::float_sum_dim(rows, 0).reshape([width].into());
            grads.register::<Flex>(node.id, sum);
        }
        if let Some(node) = to_projected {
            grads.register::<Flex>(node.id, projected);
        }
    }
}

impl Given {
    fn width(&self) -> usize {
        self.cell.gates() * self.hidden
    }

    /// Which steps follow one another.
    fn order(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (time, reverse) = (self.time, self.reverse);
        (0..time).map(move |turn| if reverse { time - 1 - turn } else { turn })
    }

    /// How many samples each thread takes.
    fn parts(&self) -> Vec<usize> {
        let count = rayon::current_num_threads().min(self.batch / ROWS).max(1);
        (0..count)
            .map(|index| (index + 1) * self.batch / count - index * self.batch / count)
            .collect()
    }

    /// What the numbers of one step's samples are kept with.
    fn kept<'a>(
        &self,
        keep: Option<&'a Primitive>,
        step: usize,
        first: usize,
        rows: usize,
    ) -> Option<&'a [f32]> {
        let keep = keep?;
        let width = keep.layout().shape()[2];
        Some(&keep.storage::<f32>()[(step * self.batch + first) * width..][..rows * width])
    }

    /// The states of all steps, and what the backward pass needs.
    fn forward(&self, projected: &Primitive, bias: &Primitive) -> Option<(Primitive, Saved)> {
        let (time, batch, hidden, width) = (self.time, self.batch, self.hidden, self.width());
        let projected = projected.as_slice::<f32>()?;
        let bias = bias.as_slice::<f32>()?;
        let count = time * batch * hidden;
        let with = |has: bool| vec![0.0; if has { count } else { 0 }];
        let mut saved = Saved {
            gates: vec![0.0; time * batch * width],
            inner: with(self.cell != Cell::Rnn),
            memory: with(self.cell == Cell::Lstm),
        };
        let mut states = vec![0.0_f32; count];
        let parts = self.parts();
        let of = |has: bool| if has { hidden } else { 0 };
        let buffers = split(&mut states, time, hidden, &parts)
            .into_iter()
            .zip(split(&mut saved.gates, time, width, &parts))
            .zip(split(
                &mut saved.inner,
                time,
                of(self.cell != Cell::Rnn),
                &parts,
            ))
            .zip(split(
                &mut saved.memory,
                time,
                of(self.cell == Cell::Lstm),
                &parts,
            ));
        let mut first = 0;
        let mut work: Vec<(usize, usize, Rows<'_>, Rows<'_>, Rows<'_>, Rows<'_>)> =
            Vec::with_capacity(parts.len());
        for ((((states, gates), inner), memory), rows) in buffers.zip(parts) {
            work.push((first, rows, states, gates, inner, memory));
            first += rows;
        }
        work.into_par_iter().for_each(
            |(first, rows, mut states, mut gates, mut inner, mut memories)| {
                let mut seen = Primitive::zeros([rows, hidden].into(), DType::F32);
                let zeros = vec![0.0_f32; rows * hidden];
                let mut before: Option<usize> = None;
                for step in self.order() {
                    let product = Flex::float_matmul(seen.clone(), self.weight.clone());
                    let mut state = take(&mut states[step]);
                    let mut memory = take(&mut memories[step]);
                    let (old, old_memory) = match before {
                        Some(before) => (&*states[before], &*memories[before]),
                        None => (&zeros[..], &zeros[..]),
                    };
                    kernels::forward(
                        self.cell,
                        hidden,
                        Step {
                            projected: &projected[(step * batch + first) * width..][..rows * width],
                            product: product.storage(),
                            bias,
                            old,
                            old_memory,
                            gates: take(&mut gates[step]),
                            inner: take(&mut inner[step]),
                            memory: &mut *memory,
                            state: &mut *state,
                        },
                    );
                    if let Some(keep) = self.kept(self.keep.as_ref(), step, first, rows) {
                        kernels::keep(state, old, keep);
                    }
                    if let Some(keep) = self.kept(self.keep_memory.as_ref(), step, first, rows) {
                        kernels::keep(memory, old_memory, keep);
                    }
                    let seen = seen.storage_mut::<f32>();
                    seen.copy_from_slice(state);
                    if let Some(mask) = &self.mask {
                        kernels::multiply(seen, &mask.storage()[first * hidden..]);
                    }
                    states[step] = take(&mut state);
                    memories[step] = take(&mut memory);
                    before = Some(step);
                }
            },
        );
        Some((tensor(states, [time, batch, hidden]), saved))
    }

    /// The gradient of the input's share of the gates, and that of the state's where it is another.
    fn backward(
        &self,
        saved: &Saved,
        states: &Primitive,
        grad: &Primitive,
    ) -> (Primitive, Option<Primitive>) {
        let (time, batch, hidden, width) = (self.time, self.batch, self.hidden, self.width());
        let (states, grad) = (states.storage::<f32>(), grad.storage::<f32>());
        let two = self.cell == Cell::Gru;
        let mut projected = vec![0.0_f32; time * batch * width];
        let mut product = vec![0.0_f32; if two { projected.len() } else { 0 }];
        let transposed = self.weight.transpose(0, 1).to_contiguous();
        let parts = self.parts();
        let buffers = split(&mut projected, time, width, &parts)
            .into_iter()
            .zip(split(
                &mut product,
                time,
                if two { width } else { 0 },
                &parts,
            ));
        let mut first = 0;
        let mut work: Vec<(usize, usize, Rows<'_>, Rows<'_>)> = Vec::with_capacity(parts.len());
        for ((projected, product), rows) in buffers.zip(parts) {
            work.push((first, rows, projected, product));
            first += rows;
        }
        work.into_par_iter()
            .for_each(|(first, rows, mut projected, mut product)| {
                let zeros = vec![0.0_f32; rows * hidden];
                let mut state = zeros.clone();
                let mut memory = zeros.clone();
                let mut direct = zeros.clone();
                let mut direct_memory = zeros.clone();
                let mut through = Primitive::zeros([rows, width].into(), DType::F32);
                let mut order = self.order().rev().peekable();
                while let Some(step) = order.next() {
                    let at = |step: usize, width: usize| {
                        (step * batch + first) * width..(step * batch + first + rows) * width
                    };
                    let old = order
                        .peek()
                        .map_or(&zeros[..], |before| &states[at(*before, hidden)]);
                    let lstm = self.cell == Cell::Lstm;
                    let old_memory = match order.peek() {
                        Some(before) if lstm => &saved.memory[at(*before, hidden)],
                        _ => &zeros[..],
                    };
                    kernels::add(&mut state, &grad[at(step, hidden)]);
                    match self.kept(self.keep.as_ref(), step, first, rows) {
                        Some(keep) => kernels::keep_back(&mut state, &mut direct, keep),
                        None => direct.fill(0.0),
                    }
                    match self.kept(self.keep_memory.as_ref(), step, first, rows) {
                        Some(keep) => kernels::keep_back(&mut memory, &mut direct_memory, keep),
                        None if lstm => direct_memory.fill(0.0),
                        None => {}
                    }
                    let gradient = through.storage_mut::<f32>();
                    kernels::backward(
                        self.cell,
                        hidden,
                        StepBack {
                            gates: &saved.gates[at(step, width)],
                            inner: if self.cell == Cell::Rnn {
                                &[]
                            } else {
                                &saved.inner[at(step, hidden)]
                            },
                            old,
                            old_memory,
                            state: &state,
                            memory: &mut memory,
                            direct: &mut direct,
                            direct_memory: &direct_memory,
                            projected: take(&mut projected[step]),
                            product: &mut *gradient,
                        },
                    );
                    let product = take(&mut product[step]);
                    product.copy_from_slice(&gradient[..product.len()]);
                    let back = Flex::float_matmul(through.clone(), transposed.clone());
                    state.copy_from_slice(back.storage());
                    if let Some(mask) = &self.mask {
                        kernels::multiply(&mut state, &mask.storage()[first * hidden..]);
                    }
                    kernels::add(&mut state, &direct);
                }
            });
        let shape = [time, batch, width];
        (
            tensor(projected, shape),
            two.then(|| tensor(product, shape)),
        )
    }

    /// The sum over all steps of the state before times what its product gets, in one product.
    fn weight_gradient(&self, states: &Primitive, product: &Primitive) -> Primitive {
        let (hidden, width) = (self.hidden, self.width());
        let steps = self.time - 1;
        if steps == 0 {
            return Primitive::zeros([hidden, width].into(), DType::F32);
        }
        // The step that comes first in this direction has no state before it.
        let (before, behind) = if self.reverse { (1, 0) } else { (0, 1) };
        let mut states = states.narrow(0, before, steps);
        if let Some(mask) = &self.mask {
            let mask = mask.reshape([1, self.batch, hidden].into());
            states = Flex::float_mul(states, mask);
        }
        let rows = steps * self.batch;
        let states = states.reshape([rows, hidden].into());
        let product = product
            .narrow(0, behind, steps)
            .reshape([rows, width].into());
        Flex::float_matmul(states.transpose(0, 1), product)
    }
}

/// The numbers in one piece, from the first on.
fn numbers(tensor: Primitive) -> Option<Primitive> {
    if tensor.dtype() != DType::F32 {
        return None;
    }
    if tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        Some(tensor)
    } else {
        Some(tensor.to_contiguous())
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
    numbers(tensor).map(Some)
}

fn tensor(numbers: Vec<f32>, shape: [usize; 3]) -> Primitive {
    Primitive::from_data(TensorData::new(numbers, shape))
}

/// For each part of the samples, its rows of every step.
fn split<'a>(
    mut numbers: &'a mut [f32],
    time: usize,
    width: usize,
    parts: &[usize],
) -> Vec<Rows<'a>> {
    let mut split: Vec<_> = parts.iter().map(|_| Vec::with_capacity(time)).collect();
    for _ in 0..time {
        for (part, rows) in split.iter_mut().zip(parts) {
            let (rows, rest) = take(&mut numbers).split_at_mut(rows * width);
            part.push(rows);
            numbers = rest;
        }
    }
    split
}
