//! A linear layer with its activation and dropout, as one node of the graph. Bias, activation and dropout are applied
//! while the product is in the cache.

use crate::chunks::{SERIAL, chunk_len, padded_chunks};
use crate::memory::{Buffer, Checked, make_contiguous, modify_in_place, read, shape, tensor};
use crate::op::{Input, Operands, Primitive, WeightedBackward, run_weighted_op};
use crate::product::{Matrix, MatrixMut, product, product_here};
use burn::tensor::Tensor;
use damper_kernels::dropout::{self, DropoutMask, Word};
use damper_kernels::{Activation, LengthMismatch, Saved, bias};
use rayon::prelude::*;
use std::sync::Arc;

/// The number of values in a block of the output. It leaves room in the first-level cache.
const CACHED: usize = 1 << 12;

/// From this number of multiplications on, a second thread is worth it.
const SHARED: usize = 1 << 20;

/// A weight with more numbers than this is packed once for all threads, not once for each.
const LARGE: usize = 1 << 18;

/// The state of activation and dropout for the backward pass.
#[derive(Clone, Debug)]
enum BackwardState {
    /// The gradient is not changed.
    Nothing,
    /// The gradient is multiplied by `scale` if the mask keeps it, else it is 0.
    Mask { mask: Arc<Vec<Word>>, scale: f32 },
    /// The gradient is masked, then multiplied by the derivative of the activation, which is computed from `factor` times
    /// `saved`.
    Derivative {
        activation: Activation,
        saved: Primitive,
        factor: f32,
        mask: Option<(Arc<Vec<Word>>, f32)>,
    },
}

/// The backward pass of the layer.
#[derive(Clone, Debug)]
struct DenseBackward {
    sizes: Sizes,
    /// The shape of the input.
    shape: Vec<usize>,
    input: Primitive,
    /// `[inputs, outputs]`
    weight: Primitive,
    state: BackwardState,
}

/// `[rows, inputs]` times `[inputs, outputs]`.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

impl Sizes {
    /// `None` if the shapes do not fit.
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

    /// The number of multiplications of the product.
    fn work(self) -> usize {
        self.rows
            .saturating_mul(self.inputs)
            .saturating_mul(self.outputs)
    }

    /// The smallest number of rows that is a whole number of words of a mask.
    fn unit(self) -> usize {
        let shift = self.outputs.trailing_zeros().min(6);
        dropout::WORD >> shift
    }

    /// The number of rows in a block of the output.
    fn cached(self) -> usize {
        (CACHED / self.outputs).max(1).next_multiple_of(self.unit())
    }
}

/// `activation(input weight + bias)`, with dropout if `drop` is given: `[.., inputs]` to `[.., outputs]`, with a weight
/// `[inputs, outputs]` and a bias `[outputs]`.
///
/// # Errors
/// Returns the input if the shapes do not fit, it is empty, or the memory of one of the tensors cannot be reached (see
/// [`Input::of`]).
pub fn dense<const D: usize>(
    input: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    activation: Option<Activation>,
    drop: Option<DropoutMask>,
) -> Result<Tensor<D>, Tensor<D>> {
    let of_bias = bias.as_ref().map(|bias| bias.dims()[0]);
    let Some(sizes) = Sizes::of(&input.dims(), weight.dims(), of_bias) else {
        return Err(input);
    };
    let operands = Operands::of(input, weight, bias)?;
    Ok(run_dense(operands, sizes, activation, drop).into_tensor())
}

fn run_dense(
    operands: Operands,
    sizes: Sizes,
    activation: Option<Activation>,
    drop: Option<DropoutMask>,
) -> Input {
    run_weighted_op(operands, |input, weight, bias, keep| {
        let shape = shape(&input);
        let input = make_contiguous(input);
        let weight = with_positive_strides(weight);
        let (output, state) = forward(sizes, &input, &weight, bias, activation, drop, keep);
        let mut of_output = shape.clone();
        if let Some(last) = of_output.last_mut() {
            *last = sizes.outputs;
        }
        let output = output.reshape(of_output.into());
        let backward = keep.then_some(DenseBackward {
            sizes,
            shape,
            input,
            weight,
            state,
        });
        (output, backward)
    })
}

/// The tensor in a memory layout whose strides are not negative.
fn with_positive_strides(tensor: Primitive) -> Primitive {
    if tensor.layout().strides().iter().all(|stride| *stride >= 0) {
        tensor
    } else {
        make_contiguous(tensor)
    }
}

/// A tensor with two axes as a matrix. This never fails, because the layout of a tensor is within its memory.
fn matrix(tensor: &Primitive) -> Checked<Matrix<'_>> {
    let layout = tensor.layout();
    let none = LengthMismatch {
        name: "axes of the weight",
        expected: 2,
        found: layout.shape().len(),
    };
    let numbers = tensor.storage::<f32>().get(layout.start_offset()..);
    let ([rows, columns], [row, column]) = (&layout.shape()[..], layout.strides()) else {
        return Err(none);
    };
    let strides = usize::try_from(*row)
        .ok()
        .zip(usize::try_from(*column).ok());
    let (Some(numbers), Some((row, column))) = (numbers, strides) else {
        return Err(none);
    };
    Matrix::strided(numbers, [*rows, *columns], [row, column])
}

fn forward(
    sizes: Sizes,
    input: &Primitive,
    weight: &Primitive,
    bias: Option<Primitive>,
    activation: Option<Activation>,
    drop: Option<DropoutMask>,
    keep: bool,
) -> (Primitive, BackwardState) {
    let Sizes { rows, outputs, .. } = sizes;
    let count = rows * outputs;
    let bias = bias.map(make_contiguous);
    // Relu needs one bit of each number for its backward pass, which it shares with dropout.
    let relu = activation == Some(Activation::Relu);
    let curve = activation.filter(|_| !relu);
    let wants_mask = drop.is_some() || (keep && relu);
    let words = if wants_mask { dropout::words(count) } else { 0 };
    let mut mask = vec![Word::default(); words];
    let saves_input = keep && curve.is_some_and(|curve| curve.saved() == Saved::Input);
    let saved = if saves_input { count } else { 0 };
    let [output, saved] = Buffer::all_written([count, saved], |[output, saved]| {
        let bias = match &bias {
            Some(bias) => Some(read("bias", bias, outputs)?),
            None => None,
        };
        let epilogue = Epilogue {
            bias,
            relu,
            curve,
            drop,
        };
        write(sizes, input, weight, &epilogue, output, &mut mask, saved)
    });
    let output = tensor(output, [rows, outputs]);
    let scale = drop.map_or(1.0, |drop| drop.rate.scale());
    let mask = (!mask.is_empty()).then(|| Arc::new(mask));
    let state = match (keep, curve, mask) {
        (true, Some(activation), mask) => BackwardState::Derivative {
            activation,
            saved: match activation.saved() {
                Saved::Input => tensor(saved, [rows, outputs]),
                Saved::Output => output.clone(),
            },
            factor: match activation.saved() {
                Saved::Input => 1.0,
                // Everything is dropped, so gradient and output are 0.
                Saved::Output if scale == 0.0 => 0.0,
                Saved::Output => scale.recip(),
            },
            mask: mask.map(|mask| (mask, scale)),
        },
        (true, None, Some(mask)) => BackwardState::Mask { mask, scale },
        _ => BackwardState::Nothing,
    };
    (output, state)
}

/// Writes the output, the mask, and the input of the activation (to `saved`, if that is not empty).
fn write(
    sizes: Sizes,
    input: &Primitive,
    weight: &Primitive,
    epilogue: &Epilogue<'_>,
    output: &mut [f32],
    mask: &mut [Word],
    saved: &mut [f32],
) -> Checked {
    let Sizes {
        rows,
        inputs,
        outputs,
    } = sizes;
    let threads = rayon::current_num_threads();
    let alone = sizes.work() < SHARED || threads < 2;
    let multiplied_before = !alone && inputs * outputs > LARGE;
    let (numbers, right) = (read("input", input, rows * inputs)?, matrix(weight)?);
    if multiplied_before {
        let out = MatrixMut::rows(output, [rows, outputs])?;
        product(out, 1.0, Matrix::rows(numbers, [rows, inputs])?, right)?;
    }
    let chunk = if alone && rows * outputs < SERIAL {
        rows
    } else {
        rows.div_ceil(threads).next_multiple_of(sizes.unit())
    };
    let words = (chunk * outputs).div_ceil(dropout::WORD).max(1);
    let work = |index: usize, output: &mut [f32], mask: &mut [Word], saved: &mut [f32]| {
        let first = index * chunk;
        let here = output.len() / outputs;
        if !multiplied_before {
            let numbers = &numbers[first * inputs..(first + here) * inputs];
            let out = MatrixMut::rows(output, [here, outputs])?;
            product_here(out, 1.0, Matrix::rows(numbers, [here, inputs])?, right)?;
        }
        let first = (first * outputs / dropout::WORD) as u64;
        epilogue.run(sizes, first, output, mask, saved)
    };
    if chunk >= rows {
        return work(0, output, mask, saved);
    }
    let count = rows.div_ceil(chunk);
    // If there is no mask, or nothing is saved, each chunk gets an empty slice.
    let masks = padded_chunks(mask, words, count);
    let saved = padded_chunks(saved, chunk * outputs, count);
    let chunks = output.par_chunks_mut(chunk * outputs).enumerate();
    chunks
        .zip(masks)
        .zip(saved)
        .try_for_each(|(((index, output), mask), saved)| work(index, output, mask, saved))
}

/// The operations after the product.
struct Epilogue<'a> {
    bias: Option<&'a [f32]>,
    relu: bool,
    /// The activation, if it is not relu.
    curve: Option<Activation>,
    drop: Option<DropoutMask>,
}

impl Epilogue<'_> {
    /// Finishes rows block by block. `first` is the index of the first word of `mask` in the whole mask.
    fn run(
        &self,
        sizes: Sizes,
        first: u64,
        output: &mut [f32],
        mask: &mut [Word],
        saved: &mut [f32],
    ) -> Checked {
        let block = sizes.cached() * sizes.outputs;
        let words = block / dropout::WORD;
        let count = output.len().div_ceil(block);
        let masks = padded_chunks(mask, words, count);
        let saved = padded_chunks(saved, block, count);
        let blocks = output.chunks_mut(block).zip(masks).zip(saved);
        for (index, ((output, mask), saved)) in blocks.enumerate() {
            let first = first + (index * words) as u64;
            if let Some(bias) = self.bias {
                bias::add_bias(bias, output)?;
            }
            if self.relu {
                if mask.is_empty() {
                    Activation::Relu.forward_in_place(output);
                } else {
                    let drop = self.drop.map(|drop| (drop.source, drop.rate));
                    dropout::relu_dropout_in_place(drop, first, output, mask)?;
                }
                continue;
            }
            if let Some(curve) = self.curve {
                if !saved.is_empty() {
                    LengthMismatch::check("saved", saved.len(), output.len())?;
                    saved.copy_from_slice(output);
                }
                curve.forward_in_place(output);
            }
            if let Some(DropoutMask { source, rate }) = self.drop {
                dropout::forward_in_place(source, rate, rate.into(), first, output, mask)?;
            }
        }
        Ok(())
    }
}

/// The sum of two rows.
fn add(mut left: Vec<f32>, right: Vec<f32>) -> Vec<f32> {
    for (left, right) in left.iter_mut().zip(right) {
        *left += right;
    }
    left
}

impl BackwardState {
    /// The contiguous gradient of the product, and its sums over the rows if they are wanted.
    fn backward(&self, sizes: Sizes, gradient: Primitive, sums: bool) -> (Primitive, Buffer) {
        let outputs = sizes.outputs;
        let mut total = None;
        let gradient = if let Self::Nothing = self {
            let gradient = make_contiguous(gradient);
            if sums {
                let sum = || sums_of(sizes, read("gradient", &gradient, sizes.rows * outputs)?);
                total = sum().ok();
            }
            gradient
        } else {
            modify_in_place(gradient, |numbers| {
                total = Some(self.write(sizes, numbers, sums)?);
                Ok(())
            })
        };
        let none = || vec![f32::NAN; if sums { outputs } else { 0 }];
        (gradient, total.unwrap_or_else(none).into())
    }

    /// Modifies the gradient, and returns its sums over the rows if they are wanted.
    fn write(&self, sizes: Sizes, numbers: &mut [f32], sums: bool) -> Checked<Vec<f32>> {
        let outputs = sizes.outputs;
        LengthMismatch::check("gradient", numbers.len(), sizes.rows * outputs)?;
        let none = || vec![0.0_f32; if sums { outputs } else { 0 }];
        let size = chunk_len(sizes.rows * outputs, sizes.unit() * outputs);
        let work = |(index, numbers): (usize, &mut [f32])| {
            let block = sizes.cached() * outputs;
            let mut total = none();
            for (number, numbers) in numbers.chunks_mut(block).enumerate() {
                self.block(index * size + number * block, numbers)?;
                if sums {
                    let mut here = none();
                    bias::add_column_sums(numbers, &mut here)?;
                    total = add(total, here);
                }
            }
            Ok(total)
        };
        if size >= numbers.len() {
            return work((0, numbers));
        }
        let chunks = numbers.par_chunks_mut(size).enumerate();
        let parts = chunks.map(work).collect::<Checked<Vec<_>>>()?;
        Ok(parts.into_iter().fold(none(), add))
    }

    /// Modifies a block of the gradient, which begins at a whole word of the mask.
    fn block(&self, first: usize, gradient: &mut [f32]) -> Checked {
        // If the mask is too short, its part is too short as well, and the kernel refuses it.
        let masked = |mask: &[Word], scale: f32, gradient: &mut [f32]| {
            let rest = mask.get(first / dropout::WORD..).unwrap_or_default();
            let mask = rest.get(..dropout::words(gradient.len()));
            dropout::backward_in_place(scale, mask.unwrap_or_default(), gradient)
        };
        match self {
            Self::Nothing => Ok(()),
            Self::Mask { mask, scale } => masked(mask, *scale, gradient),
            Self::Derivative {
                activation,
                saved,
                factor,
                mask,
            } => {
                if let Some((mask, scale)) = mask {
                    masked(mask, *scale, gradient)?;
                }
                let saved = read("saved", saved, saved.layout().num_elements())?;
                let saved = saved.get(first..first + gradient.len());
                activation.backward_in_place(saved.unwrap_or_default(), *factor, gradient)
            }
        }
    }
}

/// The sums of numbers over their rows.
fn sums_of(sizes: Sizes, numbers: &[f32]) -> Checked<Vec<f32>> {
    let outputs = sizes.outputs;
    let none = || vec![0.0_f32; outputs];
    let block = sizes.cached() * outputs;
    let sum = |numbers: &[f32]| {
        numbers.chunks(block).try_fold(none(), |total, block| {
            let mut here = none();
            bias::add_column_sums(block, &mut here)?;
            Ok(add(total, here))
        })
    };
    let size = chunk_len(sizes.rows * outputs, sizes.unit() * outputs);
    if size >= numbers.len() {
        return sum(numbers);
    }
    let parts = numbers
        .par_chunks(size)
        .map(sum)
        .collect::<Checked<Vec<_>>>()?;
    Ok(parts.into_iter().fold(none(), add))
}

impl WeightedBackward for DenseBackward {
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
        let (gradient, sums) = self.state.backward(sizes, gradient, to_bias);
        let gradient = || {
            Matrix::rows(
                read("gradient", &gradient, rows * outputs)?,
                [rows, outputs],
            )
        };
        let input = || Matrix::rows(read("input", &self.input, rows * inputs)?, [rows, inputs]);
        let multiply = |out: MatrixMut<'_>, left, right, here: bool| {
            if here {
                product_here(out, 1.0, left, right)
            } else {
                product(out, 1.0, left, right)
            }
        };
        let of_input = |here| {
            to_input.then(|| {
                Buffer::written(rows * inputs, |numbers| {
                    let out = MatrixMut::rows(numbers, [rows, inputs])?;
                    multiply(out, gradient()?, matrix(&self.weight)?.transposed(), here)
                })
            })
        };
        let of_weight = |here| {
            to_weight.then(|| {
                Buffer::written(inputs * outputs, |numbers| {
                    let out = MatrixMut::rows(numbers, [inputs, outputs])?;
                    multiply(out, input()?.transposed(), gradient()?, here)
                })
            })
        };
        let work = sizes.work();
        // Each on its own thread, unless one of them can use all threads.
        let side_by_side = (SHARED..8 * SHARED).contains(&work) && to_input && to_weight;
        let (of_input, of_weight) = if side_by_side {
            rayon::join(|| of_input(true), || of_weight(true))
        } else {
            (of_input(false), of_weight(false))
        };
        [
            of_input.map(|numbers| tensor(numbers, self.shape.clone())),
            of_weight.map(|numbers| tensor(numbers, [inputs, outputs])),
            to_bias.then(|| tensor(sums, [outputs])),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use damper_kernels::dropout::{Rate, Source};

    fn ones(rows: usize, columns: usize) -> Primitive {
        tensor(vec![1.0; rows * columns], [rows, columns])
    }

    /// A layer after its forward pass.
    fn layer(rows: usize, activation: Option<Activation>, drop: bool) -> DenseBackward {
        let sizes = Sizes {
            rows,
            inputs: 4,
            outputs: 6,
        };
        let (input, weight) = (ones(rows, 4), ones(4, 6));
        let source = Source {
            seed: 1,
            step: 2,
            layer: 3,
        };
        let rate = Rate::new(0.5);
        let drop = drop.then_some(DropoutMask { source, rate });
        let (output, state) = forward(sizes, &input, &weight, None, activation, drop, true);
        assert!(output.storage::<f32>().iter().all(|x| x.is_finite()));
        DenseBackward {
            sizes,
            shape: vec![rows, 4],
            input,
            weight,
            state,
        }
    }

    /// For few rows, and for rows that are split among threads.
    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        let activations = [None, Some(Activation::Relu), Some(Activation::Gelu)];
        for rows in [5, 20_000] {
            for activation in activations {
                for drop in [false, true] {
                    let layer = layer(rows, activation, drop);
                    for wrong in [rows - 1, rows + 1] {
                        crate::assert_nan(layer.gradients(ones(wrong, 6), [true; 3]));
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_saved_in_another_length_gives_nan() {
        let mut layer = layer(5, Some(Activation::Gelu), true);
        if let BackwardState::Derivative { saved, .. } = &mut layer.state {
            *saved = ones(3, 6);
        }
        crate::assert_nan(layer.gradients(ones(5, 6), [true; 3]));
    }

    #[test]
    fn operands_of_another_size_give_nan() {
        let sizes = Sizes {
            rows: 5,
            inputs: 4,
            outputs: 6,
        };
        let run = |input: Primitive, weight: Primitive, bias: Option<Primitive>| {
            let (output, _) = forward(sizes, &input, &weight, bias, None, None, true);
            crate::assert_nan([Some(output)]);
        };
        run(ones(4, 4), ones(4, 6), None);
        run(ones(5, 4), ones(3, 6), None);
        run(ones(5, 4), ones(4, 6), Some(ones(1, 5)));
    }
}
