//! Operations on each number by itself: activations, dropout, noise, factors for groups of numbers, moving averages.

use crate::chunks::{chunk_len, for_each_chunk};
use crate::memory::{
    Checked, make_compact, make_contiguous, modify_in_place, modify_or_write, read,
};
use crate::op::{CustomBackward, Input, Primitive, run_op};
use burn::tensor::Tensor;
use damper_kernels::dropout::{self as kernel, DropoutMask, Outcome, Source, Word};
use damper_kernels::noise::{self, Kind};
use damper_kernels::{Activation, LengthMismatch, Saved};
use rayon::prelude::*;
use std::sync::Arc;

/// As [`for_each_chunk`], with the part of a mask that belongs to each chunk.
fn for_each_masked_chunk(
    numbers: &mut [f32],
    mask: &mut [Word],
    run: impl Fn(u64, &mut [f32], &mut [Word]) -> Checked + Sync,
) -> Checked {
    LengthMismatch::check("mask", mask.len(), kernel::words(numbers.len()))?;
    let size = chunk_len(numbers.len(), kernel::WORD);
    if size >= numbers.len() {
        return run(0, numbers, mask);
    }
    let words = size / kernel::WORD;
    let chunks = numbers.par_chunks_mut(size).zip(mask.par_chunks_mut(words));
    chunks
        .enumerate()
        .try_for_each(|(index, (numbers, mask))| run((index * words) as u64, numbers, mask))
}

/// The numbers of a slice that belong to a chunk.
fn part(numbers: &[f32], first: usize, count: usize) -> Checked<&[f32]> {
    let found = numbers.get(first..).unwrap_or_default();
    found.get(..count).ok_or(LengthMismatch {
        name: "chunk",
        expected: count,
        found: found.len(),
    })
}

/// The backward pass of an activation.
#[derive(Clone, Debug)]
struct ActivationBackward {
    activation: Activation,
    /// Its input or its output, as [`Activation::saved`] says.
    saved: Primitive,
}

/// An activation of every number: `[..]` to `[..]`.
///
/// # Errors
/// Returns the input if its memory cannot be reached: see [`Input::of`].
pub fn activate<const D: usize>(
    input: Tensor<D>,
    activation: Activation,
) -> Result<Tensor<D>, Tensor<D>> {
    Ok(activate_input(Input::of(input)?, activation).into_tensor())
}

fn activate_input(input: Input, activation: Activation) -> Input {
    run_op([input], |[input], keep| {
        let saves_input = keep && activation.saved() == Saved::Input;
        let input = make_compact(input);
        // A clone is a second owner, so that the results are written to new memory.
        let saved = saves_input.then(|| input.clone());
        let output = modify_or_write(
            input,
            |numbers| {
                for_each_chunk(numbers, 1, |_, numbers| {
                    activation.forward_in_place(numbers);
                    Ok(())
                })
            },
            |from, output| {
                for_each_chunk(output, 1, |first, output| {
                    activation.forward(part(from, first, output.len())?, output)
                })
            },
        );
        let backward = keep.then(|| ActivationBackward {
            activation,
            saved: saved.unwrap_or_else(|| output.clone()),
        });
        (output, backward)
    })
}

impl CustomBackward<1> for ActivationBackward {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let gradient = modify_in_place(gradient, |gradient| {
            let saved = read("saved", &self.saved, gradient.len())?;
            for_each_chunk(gradient, 1, |first, gradient| {
                let saved = part(saved, first, gradient.len())?;
                self.activation.backward_in_place(saved, 1.0, gradient)
            })
        });
        [Some(gradient)]
    }
}

/// The backward pass of dropout.
#[derive(Clone, Debug)]
struct DropoutBackward {
    mask: Arc<Vec<Word>>,
    scale: f32,
}

/// Dropout of single numbers, `[..]` to `[..]`: each becomes what `outcome` says, for kept and for dropped numbers.
///
/// # Errors
/// Returns the input if its memory cannot be reached: see [`Input::of`].
pub fn dropout<const D: usize>(
    input: Tensor<D>,
    mask: DropoutMask,
    outcome: Outcome,
) -> Result<Tensor<D>, Tensor<D>> {
    Ok(dropout_input(Input::of(input)?, mask, outcome).into_tensor())
}

fn dropout_input(
    input: Input,
    DropoutMask { source, rate }: DropoutMask,
    outcome: Outcome,
) -> Input {
    run_op([input], |[input], keep| {
        let mut mask = vec![Word::default(); kernel::words(input.layout().num_elements())];
        // Both closures borrow the mask, but only one of them runs.
        let mask_of = std::cell::RefCell::new(&mut mask);
        let output = modify_or_write(
            input,
            |numbers| {
                for_each_masked_chunk(
                    numbers,
                    &mut mask_of.borrow_mut(),
                    |first, numbers, mask| {
                        kernel::forward_in_place(source, rate, outcome, first, numbers, mask)
                    },
                )
            },
            |from, output| {
                for_each_masked_chunk(output, &mut mask_of.borrow_mut(), |first, output, mask| {
                    let from = part(from, first as usize * kernel::WORD, output.len())?;
                    kernel::forward(source, rate, outcome, first, from, output, mask)
                })
            },
        );
        let backward = keep.then(|| DropoutBackward {
            mask: Arc::new(mask),
            scale: outcome.scale,
        });
        (output, backward)
    })
}

impl CustomBackward<1> for DropoutBackward {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let Self { mask, scale } = self;
        // If the mask is too short, its part is too short as well, and the kernel refuses it.
        let masked = |first: usize, count: usize| {
            let rest = mask.get(first / kernel::WORD..).unwrap_or_default();
            rest.get(..kernel::words(count)).unwrap_or_default()
        };
        let gradient = modify_or_write(
            gradient,
            |gradient| {
                for_each_chunk(gradient, kernel::WORD, |first, gradient| {
                    kernel::backward_in_place(scale, masked(first, gradient.len()), gradient)
                })
            },
            |gradient, into| {
                for_each_chunk(into, kernel::WORD, |first, into| {
                    let gradient = part(gradient, first, into.len())?;
                    kernel::backward(scale, masked(first, into.len()), gradient, into)
                })
            },
        );
        [Some(gradient)]
    }
}

/// Noise, which the backward pass draws again.
#[derive(Clone, Debug)]
struct Noise {
    source: Source,
    kind: Kind,
    deviation: f32,
}

impl Noise {
    fn act(&self, numbers: &mut [f32]) -> Checked {
        let Self {
            source,
            kind,
            deviation,
        } = *self;
        for_each_chunk(numbers, noise::WORD, |first, numbers| {
            let first = (first / noise::WORD) as u64;
            noise::apply(source, kind, deviation, first, numbers);
            Ok(())
        })
    }
}

/// Gaussian noise of mean 0 that is added to every number or multiplies it: `[..]` to `[..]`.
///
/// # Errors
/// Returns the input if its memory cannot be reached: see [`Input::of`].
pub fn noise<const D: usize>(
    input: Tensor<D>,
    source: Source,
    kind: Kind,
    deviation: f32,
) -> Result<Tensor<D>, Tensor<D>> {
    let input = Input::of(input)?;
    let noise = Noise {
        source,
        kind,
        deviation,
    };
    Ok(add_noise(input, noise).into_tensor())
}

fn add_noise(input: Input, noise: Noise) -> Input {
    run_op([input], |[input], keep| {
        let output = modify_in_place(input, |numbers| noise.act(numbers));
        (output, keep.then_some(noise))
    })
}

impl CustomBackward<1> for Noise {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        match self.kind {
            Kind::Add => [Some(gradient)],
            Kind::Multiply => [Some(modify_in_place(gradient, |gradient| {
                self.act(gradient)
            }))],
            Kind::Replace => [None],
        }
    }
}

/// One factor for each group of numbers.
#[derive(Clone, Debug)]
struct Groups {
    factors: Arc<Vec<f32>>,
    sizes: GroupSizes,
}

/// Numbers as `[outer, repeats, width, inner]` under factors `[outer, 1, width, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct GroupSizes {
    outer: usize,
    /// The number of consecutive rows with the same factors.
    repeats: usize,
    /// The number of factors of a row.
    width: usize,
    /// The number of consecutive values with the same factor.
    inner: usize,
}

impl GroupSizes {
    /// The sizes for numbers and factors of these shapes. Axes that repeat a factor must be in at most two runs; else
    /// `None`.
    fn of(numbers: &[usize], factors: &[usize]) -> Option<Self> {
        let mut sizes = [1; 4];
        let mut place = 0;
        for (size, factor) in numbers.iter().zip(factors) {
            let repeats = *factor == 1 && *size != 1;
            // Even places are for axes with factors, odd ones for axes that repeat them.
            if *size != 1 && repeats != (place % 2 == 1) {
                place += 1;
            }
            *sizes.get_mut(place)? *= size;
            if !repeats && factor != size {
                return None;
            }
        }
        let [outer, repeats, width, inner] = sizes;
        Some(Self {
            outer,
            repeats,
            width,
            inner,
        })
    }
}

impl Groups {
    fn act(&self, numbers: &mut [f32]) -> Checked {
        let GroupSizes {
            outer,
            repeats,
            width,
            inner,
        } = self.sizes;
        let row = width * inner;
        LengthMismatch::check("factors", self.factors.len(), outer * width)?;
        LengthMismatch::check("numbers", numbers.len(), outer * repeats * row)?;
        if row == 0 {
            return Ok(());
        }
        for_each_chunk(numbers, row, |first, numbers| {
            for (index, row) in (first / row..).zip(numbers.chunks_mut(row)) {
                let outer = index / repeats.max(1);
                let factors = &self.factors[outer * width..(outer + 1) * width];
                if inner == 1 {
                    for (number, factor) in row.iter_mut().zip(factors) {
                        *number *= factor;
                    }
                } else {
                    for (numbers, factor) in row.chunks_mut(inner).zip(factors) {
                        for number in numbers {
                            *number *= factor;
                        }
                    }
                }
            }
            Ok(())
        })
    }
}

/// Multiplies the input, `[..]`, by factors of the shape `shape`, which is 1 on axes whose numbers share a factor.
/// `factors` returns as many of them as it is asked for.
///
/// # Errors
/// Returns the input if its memory cannot be reached (see [`Input::of`]), the shape does not fit, or there are more than
/// two runs of axes that share factors.
pub fn scale_groups<const D: usize>(
    input: Tensor<D>,
    shape: [usize; D],
    factors: impl FnOnce(usize) -> Vec<f32>,
) -> Result<Tensor<D>, Tensor<D>> {
    let Some(sizes) = GroupSizes::of(&input.dims(), &shape) else {
        return Err(input);
    };
    let input = Input::of(input)?;
    let groups = Groups {
        factors: Arc::new(factors(sizes.outer * sizes.width)),
        sizes,
    };
    Ok(scale_input(input, groups).into_tensor())
}

fn scale_input(input: Input, groups: Groups) -> Input {
    run_op([input], |[input], keep| {
        let output = modify_in_place(input, |numbers| groups.act(numbers));
        (output, keep.then_some(groups))
    })
}

impl CustomBackward<1> for Groups {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        [Some(modify_in_place(gradient, |gradient| {
            self.act(gradient)
        }))]
    }
}

/// `keep * average + (1 - keep) * new`, both `[..]`, in the memory of the average; not part of a graph.
///
/// # Errors
/// Returns both if they have different shapes, are part of a graph, or their memory cannot be reached.
pub fn blend<const D: usize>(
    average: Tensor<D>,
    new: Tensor<D>,
    keep: f64,
) -> Result<Tensor<D>, (Tensor<D>, Tensor<D>)> {
    if average.is_autodiff() || new.is_autodiff() || average.dims() != new.dims() {
        return Err((average, new));
    }
    let given = new.clone();
    let new = match Input::of(new) {
        Ok(new) => make_contiguous(new.into_primitive()),
        Err(new) => return Err((average, new)),
    };
    let average = match Input::of(average) {
        Ok(average) => average.into_primitive(),
        Err(average) => return Err((average, given)),
    };
    Ok(Input::Plain(blend_primitives(average, &new, keep)).into_tensor())
}

fn blend_primitives(average: Primitive, new: &Primitive, keep: f64) -> Primitive {
    let (keep, rest) = (keep as f32, (1.0 - keep) as f32);
    modify_in_place(average, |average| {
        let new = read("new", new, average.len())?;
        for_each_chunk(average, 1, |first, average| {
            let new = part(new, first, average.len())?;
            for (average, new) in average.iter_mut().zip(new) {
                *average = keep * *average + rest * new;
            }
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::tensor;
    use damper_kernels::dropout::Rate;

    fn groups<const N: usize>(numbers: [usize; N], factors: [usize; N]) -> Option<[usize; 4]> {
        let sizes = GroupSizes::of(&numbers, &factors)?;
        Some([sizes.outer, sizes.repeats, sizes.width, sizes.inner])
    }

    #[test]
    fn axes_that_share_a_factor_are_found() {
        // Factors for channels, samples, steps, single values.
        assert_eq!(groups([2, 3, 4, 5], [2, 3, 1, 1]), Some([6, 20, 1, 1]));
        assert_eq!(groups([2, 3, 4], [2, 1, 1]), Some([2, 12, 1, 1]));
        assert_eq!(groups([2, 3, 4], [2, 1, 4]), Some([2, 3, 4, 1]));
        assert_eq!(groups([3, 2, 4], [1, 2, 4]), Some([1, 3, 8, 1]));
        assert_eq!(groups([2, 3], [2, 3]), Some([6, 1, 1, 1]));
        assert_eq!(groups([1, 3, 4], [1, 3, 1]), Some([3, 4, 1, 1]));
        // Three runs of axes without a factor do not fit.
        assert_eq!(groups([2, 3, 4, 5, 6], [2, 1, 4, 1, 6]), None);
        assert_eq!(groups([2, 3], [2, 2]), None);
    }

    /// For few numbers, and for numbers that are split among threads.
    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for count in [10, 200_000] {
            let numbers = |count: usize| tensor(vec![0.5; count], [count]);
            let longer = || numbers(count + 1);
            let source = Source {
                seed: 1,
                step: 2,
                layer: 3,
            };
            let rate = Rate::new(0.5);
            let mut mask = vec![Word::default(); kernel::words(count)];
            let mut kept = vec![1.0; count];
            let outcome = rate.into();
            kernel::forward_in_place(source, rate, outcome, 0, &mut kept, &mut mask).unwrap();
            let mask = Arc::new(mask[1..].to_vec());
            let sizes = GroupSizes {
                outer: 1,
                repeats: 1,
                width: count,
                inner: 1,
            };
            let factors = Arc::new(vec![1.0; count]);
            for activation in Activation::ALL {
                let saved = numbers(count);
                let activated = ActivationBackward { activation, saved };
                crate::assert_nan(activated.backward(longer(), [true]));
            }
            let dropped = DropoutBackward { mask, scale: 2.0 };
            crate::assert_nan(dropped.clone().backward(longer(), [true]));
            let shared = longer();
            crate::assert_nan(dropped.backward(shared.clone(), [true]));
            crate::assert_nan(Groups { factors, sizes }.backward(longer(), [true]));
            crate::assert_nan([Some(blend_primitives(longer(), &numbers(count), 0.9))]);
        }
    }
}
