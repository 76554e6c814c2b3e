//! A linear layer with what follows it: product, bias, activation and dropout while the numbers are in the cache, and
//! one node of the graph for all of them.

use super::product::{Matrix, MatrixMut, product, product_here};
use super::{
    Input, Operands, Primitive, Weighted, apply_weighted, change, memory, piece, readable, shape,
};
use crate::activation::Activation;
use crate::layer::Drawn;
use burn::tensor::Tensor;
use damper_kernels::dropout::{self, Word};
use damper_kernels::{Saved, columns};
use rayon::prelude::*;
use std::sync::Arc;

/// Numbers that the first cache holds beside others.
const CACHED: usize = 1 << 12;

/// So many multiplications are worth a second thread.
const SHARED: usize = 1 << 20;

/// A weight of more numbers than this is packed once for all threads, not once for each.
const LARGE: usize = 1 << 18;

/// What a pass through `activation` and dropout leaves for the way back.
#[derive(Clone, Debug)]
enum Through {
    /// The gradient goes on as it is.
    Nothing,
    /// Times `scale` where the mask has a bit, 0 elsewhere.
    Mask { mask: Arc<Vec<Word>>, scale: f32 },
    /// Times the slope of the activation, computed from `factor` times what is saved, behind the mask.
    Slope {
        activation: damper_kernels::Activation,
        saved: Primitive,
        factor: f32,
        mask: Option<(Arc<Vec<Word>>, f32)>,
    },
}

/// What the gradients are computed from.
#[derive(Clone, Debug)]
struct Dense {
    sizes: Sizes,
    /// The shape of the input.
    shape: Vec<usize>,
    input: Primitive,
    /// `[inputs, outputs]`
    weight: Primitive,
    through: Through,
}

/// `[rows, inputs]` times `[inputs, outputs]`.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

impl Sizes {
    /// `None` where the shapes do not fit one another.
    fn of(input: &[usize], [inputs, outputs]: [usize; 2], bias: Option<usize>) -> Option<Self> {
        let fits = input.last() == Some(&inputs)
            && inputs > 0
            && outputs > 0
            && bias.is_none_or(|bias| bias == outputs);
        let rows = input.iter().product::<usize>() / inputs.max(1);
        (fits && rows > 0).then_some(Self {
            rows,
            inputs,
            outputs,
        })
    }

    fn work(self) -> usize {
        self.rows
            .saturating_mul(self.inputs)
            .saturating_mul(self.outputs)
    }

    /// So many rows are whole words of a mask.
    fn unit(self) -> usize {
        let shift = self.outputs.trailing_zeros().min(6);
        dropout::WORD >> shift
    }

    /// So many rows fit the cache.
    fn cached(self) -> usize {
        (CACHED / self.outputs).max(1).next_multiple_of(self.unit())
    }
}

/// `activation(input weight + bias)` with some of it dropped; `Err` with the input where the memory cannot be reached,
/// or the shapes do not fit.
pub(crate) fn dense<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Option<Activation>,
    drop: Option<Drawn>,
) -> Result<Tensor<D>, Tensor<D>> {
    let of_bias = bias.as_ref().map(|bias| bias.dims()[0]);
    let Some(sizes) = Sizes::of(&input.dims(), weight.dims(), of_bias) else {
        return Err(input);
    };
    let operands = Operands::of(input, weight, bias)?;
    Ok(of_operands(operands, sizes, activation, drop).tensor())
}

fn of_operands(
    operands: Operands,
    sizes: Sizes,
    activation: Option<Activation>,
    drop: Option<Drawn>,
) -> Input {
    apply_weighted(operands, |input, weight, bias, keep| {
        let shape = shape(&input);
        let input = readable(input);
        let weight = positive(weight);
        let (output, through) = forward(sizes, &input, &weight, bias, activation, drop, keep);
        let mut of_output = shape.clone();
        if let Some(last) = of_output.last_mut() {
            *last = sizes.outputs;
        }
        let output = output.reshape(of_output.into());
        let derived = keep.then_some(Dense {
            sizes,
            shape,
            input,
            weight,
            through,
        });
        (output, derived)
    })
}

/// The memory from the first number on, with strides that do not go back.
fn positive(tensor: Primitive) -> Primitive {
    if tensor.layout().strides().iter().all(|stride| *stride >= 0) {
        tensor
    } else {
        readable(tensor)
    }
}

/// A tensor with two axes as a matrix; `None` never, as its layout lies within its memory.
fn matrix(tensor: &Primitive) -> Option<Matrix<'_>> {
    let layout = tensor.layout();
    let (shape, strides) = (layout.shape(), layout.strides());
    let numbers = tensor.storage::<f32>().get(layout.start_offset()..)?;
    let size = [*shape.first()?, *shape.get(1)?];
    let strides = [
        usize::try_from(*strides.first()?).ok()?,
        usize::try_from(*strides.get(1)?).ok()?,
    ];
    Matrix::strided(numbers, size, strides)
}

fn forward(
    sizes: Sizes,
    input: &Primitive,
    weight: &Primitive,
    bias: Option<Primitive>,
    activation: Option<Activation>,
    drop: Option<Drawn>,
    keep: bool,
) -> (Primitive, Through) {
    let Sizes {
        rows,
        inputs,
        outputs,
    } = sizes;
    let bias = bias.map(readable);
    let bias = bias.as_ref().and_then(|bias| bias.as_slice::<f32>());
    let mut output = memory::buffer(rows * outputs);
    let wants_mask = drop.is_some() || (keep && activation == Some(Activation::Relu));
    let mut mask = vec![
        Word::default();
        if wants_mask {
            dropout::words(output.len())
        } else {
            0
        }
    ];
    let curve = activation.and_then(Activation::curve);
    let saves_input = keep && curve.is_some_and(|curve| curve.saved() == Saved::Input);
    let mut saved = memory::buffer(if saves_input { output.len() } else { 0 });

    let threads = rayon::current_num_threads();
    let alone = sizes.work() < SHARED || threads < 2;
    let multiplied_before = !alone && inputs * outputs > LARGE;
    let (Some(numbers), Some(right)) = (input.as_slice::<f32>(), matrix(weight)) else {
        return (memory::tensor(output, [rows, outputs]), Through::Nothing);
    };
    if multiplied_before
        && let Some((out, left)) =
            MatrixMut::rows(&mut output, [rows, outputs]).zip(Matrix::rows(numbers, [rows, inputs]))
    {
        product(out, 1.0, left, right);
    }
    let piece = if alone && rows * outputs < super::ALONE {
        rows
    } else {
        rows.div_ceil(threads).next_multiple_of(sizes.unit())
    };
    let words = (piece * outputs).div_ceil(dropout::WORD).max(1);
    let work = |index: usize, output: &mut [f32], mask: &mut [Word], saved: &mut [f32]| {
        let first = index * piece;
        let here = output.len() / outputs;
        if !multiplied_before
            && let Some(numbers) = numbers.get(first * inputs..(first + here) * inputs)
            && let Some((out, left)) =
                MatrixMut::rows(output, [here, outputs]).zip(Matrix::rows(numbers, [here, inputs]))
        {
            product_here(out, 1.0, left, right);
        }
        let finish = Finish {
            bias,
            relu: activation == Some(Activation::Relu),
            curve,
            drop,
            first: (first * outputs / dropout::WORD) as u64,
        };
        finish.run(sizes, output, mask, saved);
    };
    if piece >= rows {
        work(0, &mut output, &mut mask, &mut saved);
    } else {
        let empty = |numbers: usize| if numbers == 0 { 1 } else { piece * outputs };
        let pieces = output.par_chunks_mut(piece * outputs).enumerate();
        // Where there is no mask, or nothing saved, each piece gets none.
        let masks = chunks(&mut mask, words, rows.div_ceil(piece));
        let size = empty(saved.len());
        let saved = chunks(&mut saved, size, rows.div_ceil(piece));
        pieces
            .zip(masks)
            .zip(saved)
            .for_each(|(((index, output), mask), saved)| work(index, output, mask, saved));
    }
    let output = memory::tensor(output, [rows, outputs]);
    let scale = drop.map_or(1.0, |drop| drop.rate.scale());
    let mask = (!mask.is_empty()).then(|| Arc::new(mask));
    let through = match (keep, curve, mask) {
        (true, Some(activation), mask) => Through::Slope {
            activation,
            saved: match activation.saved() {
                Saved::Input => memory::tensor(saved, [rows, outputs]),
                Saved::Output => output.clone(),
            },
            factor: match activation.saved() {
                Saved::Input => 1.0,
                // All is dropped: nothing goes back, and the output is 0.
                Saved::Output if scale == 0.0 => 0.0,
                Saved::Output => scale.recip(),
            },
            mask: mask.map(|mask| (mask, scale)),
        },
        (true, None, Some(mask)) => Through::Mask { mask, scale },
        _ => Through::Nothing,
    };
    (output, through)
}

/// Pieces of `size`, and empty ones until there are `count`.
fn chunks<T: Send>(all: &mut [T], size: usize, count: usize) -> Vec<&mut [T]> {
    let mut pieces: Vec<&mut [T]> = all.chunks_mut(size).collect();
    pieces.resize_with(count, Default::default);
    pieces
}

/// What follows the product.
struct Finish<'a> {
    bias: Option<&'a [f32]>,
    relu: bool,
    curve: Option<damper_kernels::Activation>,
    drop: Option<Drawn>,
    /// The index of the first word of the mask within the whole.
    first: u64,
}

impl Finish<'_> {
    /// Goes over a block of rows as long as it is in the cache. The kernels' errors are lengths that do not fit; these
    /// do, block by block.
    fn run(&self, sizes: Sizes, output: &mut [f32], mask: &mut [Word], saved: &mut [f32]) {
        let block = sizes.cached() * sizes.outputs;
        let words = block / dropout::WORD;
        let count = output.len().div_ceil(block);
        let masks = chunks(mask, words.max(1), count);
        let saved = chunks(saved, block, count);
        let blocks = output.chunks_mut(block).zip(masks).zip(saved);
        for (index, ((output, mask), saved)) in blocks.enumerate() {
            let first = self.first + (index * words) as u64;
            if let Some(bias) = self.bias {
                let _ = columns::add(bias, output);
            }
            if self.relu {
                if mask.is_empty() {
                    columns::rectify(output);
                } else {
                    let drop = self.drop.map(|drop| (drop.source, drop.rate));
                    let _ = dropout::rectify_in_place(drop, first, output, mask);
                }
                continue;
            }
            if let Some(curve) = self.curve {
                if !saved.is_empty() {
                    saved.copy_from_slice(output);
                }
                curve.forward_in_place(output);
            }
            if let Some(Drawn { source, rate }) = self.drop {
                let _ = dropout::forward_in_place(source, rate, rate.into(), first, output, mask);
            }
        }
    }
}

impl Through {
    /// The gradient in front of it, in one piece, with the sums over its rows if they are wanted.
    fn backward(&self, sizes: Sizes, gradient: Primitive, sums: bool) -> (Primitive, Vec<f32>) {
        let outputs = sizes.outputs;
        let none = || vec![0.0_f32; if sums { outputs } else { 0 }];
        let add = |mut left: Vec<f32>, right: Vec<f32>| {
            for (left, right) in left.iter_mut().zip(right) {
                *left += right;
            }
            left
        };
        let rows = piece(sizes.rows * outputs, sizes.unit() * outputs);
        if let Self::Nothing = self {
            let gradient = readable(gradient);
            let mut total = none();
            if sums && let Some(numbers) = gradient.as_slice::<f32>() {
                let block = sizes.cached() * outputs;
                let sum = |numbers: &[f32]| {
                    numbers.chunks(block).fold(none(), |total, block| {
                        let mut here = none();
                        let _ = columns::sum(block, &mut here);
                        add(total, here)
                    })
                };
                total = if rows >= numbers.len() {
                    sum(numbers)
                } else {
                    let parts: Vec<_> = numbers.par_chunks(rows).map(sum).collect();
                    parts.into_iter().fold(none(), add)
                };
            }
            return (gradient, total);
        }
        let mut total = none();
        let gradient = change(gradient, |numbers| {
            let work = |(index, numbers): (usize, &mut [f32])| {
                let block = sizes.cached() * outputs;
                let mut total = none();
                for (number, numbers) in numbers.chunks_mut(block).enumerate() {
                    self.block(index * rows + number * block, numbers);
                    if sums {
                        let mut here = none();
                        let _ = columns::sum(numbers, &mut here);
                        total = add(total, here);
                    }
                }
                total
            };
            total = if rows >= numbers.len() {
                work((0, numbers))
            } else {
                let pieces = numbers.par_chunks_mut(rows).enumerate();
                let parts: Vec<_> = pieces.map(work).collect();
                parts.into_iter().fold(none(), add)
            };
        });
        (gradient, total)
    }

    /// The gradient of a block that begins at a whole word of the mask.
    fn block(&self, first: usize, gradient: &mut [f32]) {
        let masked = |mask: &[Word], scale: f32, gradient: &mut [f32]| {
            let from = first / dropout::WORD;
            if let Some(mask) = mask.get(from..from + dropout::words(gradient.len())) {
                let _ = dropout::backward_in_place(scale, mask, gradient);
            }
        };
        match self {
            Self::Nothing => {}
            Self::Mask { mask, scale } => masked(mask, *scale, gradient),
            Self::Slope {
                activation,
                saved,
                factor,
                mask,
            } => {
                if let Some((mask, scale)) = mask {
                    masked(mask, *scale, gradient);
                }
                let saved = saved.as_slice::<f32>();
                if let Some(saved) =
                    saved.and_then(|saved| saved.get(first..first + gradient.len()))
                {
                    let _ = activation.backward_in_place(saved, *factor, gradient);
                }
            }
        }
    }
}

impl Weighted for Dense {
    fn gradients(
        &self,
        gradient: Primitive,
        [to_input, to_weight, to_bias]: [bool; 3],
    ) -> [Option<Primitive>; 3] {
        let sizes = self.sizes;
        let Sizes {
            rows,
            inputs,
            outputs,
        } = sizes;
        let (gradient, sums) = self.through.backward(sizes, gradient, to_bias);
        let bias = to_bias.then(|| memory::tensor(sums, [outputs]));
        let operands = gradient
            .as_slice::<f32>()
            .and_then(|numbers| Matrix::rows(numbers, [rows, outputs]))
            .zip(matrix(&self.weight))
            .zip(
                self.input
                    .as_slice::<f32>()
                    .and_then(|numbers| Matrix::rows(numbers, [rows, inputs])),
            );
        let Some(((gradient, weight), input)) = operands else {
            return [None, None, bias];
        };
        let multiply = |wanted: bool, size: [usize; 2], left, right: Matrix<'_>, here: bool| {
            wanted.then(|| {
                let mut numbers = memory::buffer(size[0] * size[1]);
                if let Some(out) = MatrixMut::rows(&mut numbers, size) {
                    if here {
                        product_here(out, 1.0, left, right);
                    } else {
                        product(out, 1.0, left, right);
                    }
                }
                numbers
            })
        };
        let of_input = |here| {
            multiply(
                to_input,
                [rows, inputs],
                gradient,
                weight.transposed(),
                here,
            )
        };
        let of_weight = |here| {
            multiply(
                to_weight,
                [inputs, outputs],
                input.transposed(),
                gradient,
                here,
            )
        };
        let work = sizes.work();
        // Each on a thread of its own unless one alone keeps all of them busy.
        let side_by_side = (SHARED..8 * SHARED).contains(&work) && to_input && to_weight;
        let (of_input, of_weight) = if side_by_side {
            rayon::join(|| of_input(true), || of_weight(true))
        } else {
            (of_input(false), of_weight(false))
        };
        [
            of_input.map(|numbers| memory::tensor(numbers, self.shape.clone())),
            of_weight.map(|numbers| memory::tensor(numbers, [inputs, outputs])),
            bias,
        ]
    }
}
