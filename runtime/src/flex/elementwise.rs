//! Activations, dropout and noise: each number by itself.

use super::{Derived, Input, Primitive, applied, change, contiguous, map, piece, readable};
use crate::activation::Activation;
use crate::layer::Drawn;
use burn::tensor::Tensor;
use damper_kernels::dropout::{self, Outcome, Source, Word};
use damper_kernels::noise::{self, Kind};
use damper_kernels::{Saved, columns};
use rayon::prelude::*;
use std::sync::Arc;

/// Runs over pieces of the numbers, on as many threads as there are: `run` gets the index of a piece's first number.
fn over(numbers: &mut [f32], unit: usize, run: impl Fn(usize, &mut [f32]) + Sync) {
    let size = piece(numbers.len(), unit);
    if size >= numbers.len() {
        return run(0, numbers);
    }
    let pieces = numbers.par_chunks_mut(size).enumerate();
    pieces.for_each(|(index, numbers)| run(index * size, numbers));
}

/// As [`over`], with the piece of a mask that belongs to each piece.
fn over_masked(
    numbers: &mut [f32],
    mask: &mut [Word],
    run: impl Fn(u64, &mut [f32], &mut [Word]) + Sync,
) {
    let size = piece(numbers.len(), dropout::WORD);
    if size >= numbers.len() {
        return run(0, numbers, mask);
    }
    let words = size / dropout::WORD;
    let pieces = numbers.par_chunks_mut(size).zip(mask.par_chunks_mut(words));
    let pieces = pieces.enumerate();
    pieces.for_each(|(index, (numbers, mask))| run((index * words) as u64, numbers, mask));
}

#[derive(Clone, Debug)]
enum Activated {
    Rectified(Primitive),
    Curved(damper_kernels::Activation, Primitive),
}

/// The activation of every number.
pub(crate) fn activate<const D: usize>(
    input: Tensor<D>,
    activation: Activation,
) -> Result<Tensor<D>, Tensor<D>> {
    Ok(activated(Input::of(input)?, activation).tensor())
}

fn activated(input: Input, activation: Activation) -> Input {
    applied([input], |[input], keep| {
        let Some(curve) = activation.curve() else {
            let output = change(input, |numbers| {
                over(numbers, 1, |_, numbers| columns::rectify(numbers));
            });
            let derived = keep.then(|| Activated::Rectified(output.clone()));
            return (output, derived);
        };
        // The kernels' errors are lengths that do not fit; these do.
        let saves_input = keep && curve.saved() == Saved::Input;
        let input = contiguous(input);
        // What is kept has a second owner, so that the values go to other memory.
        let kept = saves_input.then(|| input.clone());
        let output = map(
            input,
            |numbers| over(numbers, 1, |_, numbers| curve.forward_in_place(numbers)),
            |from, output| {
                over(output, 1, |first, output| {
                    let _ = curve.forward(&from[first..first + output.len()], output);
                });
            },
        );
        let derived =
            keep.then(|| Activated::Curved(curve, kept.unwrap_or_else(|| output.clone())));
        (output, derived)
    })
}

impl Derived<1> for Activated {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let gradient = change(gradient, |gradient| match &self {
            Self::Rectified(output) => {
                let output = output.as_slice::<f32>().unwrap_or_default();
                over(gradient, 1, |first, gradient| {
                    for (gradient, output) in gradient.iter_mut().zip(&output[first..]) {
                        if *output <= 0.0 {
                            *gradient = 0.0;
                        }
                    }
                });
            }
            Self::Curved(curve, saved) => {
                let saved = saved.as_slice::<f32>().unwrap_or_default();
                over(gradient, 1, |first, gradient| {
                    let saved = &saved[first..first + gradient.len()];
                    let _ = curve.backward_in_place(saved, 1.0, gradient);
                });
            }
        });
        [Some(gradient)]
    }
}

#[derive(Clone, Debug)]
struct Dropped {
    mask: Arc<Vec<Word>>,
    scale: f32,
}

/// Each number as `outcome` says, dropped where the source draws it.
pub(crate) fn drop<const D: usize>(
    input: Tensor<D>,
    drawn: Drawn,
    outcome: Outcome,
) -> Result<Tensor<D>, Tensor<D>> {
    Ok(dropped(Input::of(input)?, drawn, outcome).tensor())
}

fn dropped(input: Input, Drawn { source, rate }: Drawn, outcome: Outcome) -> Input {
    applied([input], |[input], keep| {
        let mut mask = vec![Word::default(); dropout::words(input.layout().num_elements())];
        // Both borrow the mask; one of them runs.
        let mask_of = std::cell::RefCell::new(&mut mask);
        let output = map(
            input,
            |numbers| {
                over_masked(
                    numbers,
                    &mut mask_of.borrow_mut(),
                    |first, numbers, mask| {
                        let _ =
                            dropout::forward_in_place(source, rate, outcome, first, numbers, mask);
                    },
                );
            },
            |from, output| {
                over_masked(output, &mut mask_of.borrow_mut(), |first, output, mask| {
                    let place = first as usize * dropout::WORD;
                    let from = &from[place..place + output.len()];
                    let _ = dropout::forward(source, rate, outcome, first, from, output, mask);
                });
            },
        );
        let derived = keep.then(|| Dropped {
            mask: Arc::new(mask),
            scale: outcome.scale,
        });
        (output, derived)
    })
}

impl Derived<1> for Dropped {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let Self { mask, scale } = self;
        let masked = |first: usize, count: usize| {
            let first = first / dropout::WORD;
            &mask[first..first + dropout::words(count)]
        };
        let gradient = map(
            gradient,
            |gradient| {
                over(gradient, dropout::WORD, |first, gradient| {
                    let mask = masked(first, gradient.len());
                    let _ = dropout::backward_in_place(scale, mask, gradient);
                });
            },
            |gradient, into| {
                over(into, dropout::WORD, |first, into| {
                    let mask = masked(first, into.len());
                    let gradient = &gradient[first..first + into.len()];
                    let _ = dropout::backward(scale, mask, gradient, into);
                });
            },
        );
        [Some(gradient)]
    }
}

#[derive(Clone, Debug)]
struct Noisy {
    source: Source,
    kind: Kind,
    deviation: f32,
}

impl Noisy {
    fn act(&self, numbers: &mut [f32]) {
        let Self {
            source,
            kind,
            deviation,
        } = *self;
        over(numbers, noise::WORD, |first, numbers| {
            noise::apply(
                source,
                kind,
                deviation,
                (first / noise::WORD) as u64,
                numbers,
            );
        });
    }
}

/// Noise of mean 0, added to every number or multiplying it.
pub(crate) fn noise<const D: usize>(
    input: Tensor<D>,
    source: Source,
    kind: Kind,
    deviation: f32,
) -> Result<Tensor<D>, Tensor<D>> {
    let input = Input::of(input)?;
    let noise = Noisy {
        source,
        kind,
        deviation,
    };
    Ok(noisy(input, noise).tensor())
}

fn noisy(input: Input, noise: Noisy) -> Input {
    applied([input], |[input], keep| {
        let output = change(input, |numbers| noise.act(numbers));
        (output, keep.then_some(noise))
    })
}

impl Derived<1> for Noisy {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        match self.kind {
            Kind::Add => [Some(gradient)],
            Kind::Multiply => [Some(change(gradient, |gradient| self.act(gradient)))],
            Kind::Replace => [None],
        }
    }
}

/// One factor for each group of numbers.
#[derive(Clone, Debug)]
struct Grouped {
    factors: Arc<Vec<f32>>,
    /// How many groups of the same factors follow one another: those of an outer axis have factors of their own.
    repeats: usize,
    /// How many factors a repetition has.
    width: usize,
    /// How many numbers share a factor.
    inner: usize,
}

impl Grouped {
    fn act(&self, numbers: &mut [f32]) {
        let Self {
            repeats,
            width,
            inner,
            ..
        } = *self;
        let row = width * inner;
        if row == 0 {
            return;
        }
        over(numbers, row, |first, numbers| {
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
        });
    }
}

/// Multiplies `[outer, repeats, width, inner]` by factors `[outer, 1, width, 1]`.
pub(crate) fn scale_groups<const D: usize>(
    input: Tensor<D>,
    factors: Vec<f32>,
    [outer, repeats, width, inner]: [usize; 4],
) -> Result<Tensor<D>, Tensor<D>> {
    let count = outer * width;
    if factors.len() != count || input.shape().num_elements() != count * repeats * inner {
        return Err(input);
    }
    let input = Input::of(input)?;
    let groups = Grouped {
        factors: Arc::new(factors),
        repeats,
        width,
        inner,
    };
    Ok(grouped(input, groups).tensor())
}

fn grouped(input: Input, groups: Grouped) -> Input {
    applied([input], |[input], keep| {
        let output = change(input, |numbers| groups.act(numbers));
        (output, keep.then_some(groups))
    })
}

impl Derived<1> for Grouped {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        [Some(change(gradient, |gradient| self.act(gradient)))]
    }
}

/// `keep * average + (1 - keep) * new`, over the average's own memory; not part of a graph.
pub(crate) fn blend<const D: usize>(
    average: Tensor<D>,
    new: Tensor<D>,
    keep: f64,
) -> Result<Tensor<D>, (Tensor<D>, Tensor<D>)> {
    if average.is_autodiff() || new.is_autodiff() || average.dims() != new.dims() {
        return Err((average, new));
    }
    let given = new.clone();
    let new = match Input::of(new) {
        Ok(new) => readable(new.into_primitive()),
        Err(new) => return Err((average, new)),
    };
    let average = match Input::of(average) {
        Ok(average) => average.into_primitive(),
        Err(average) => return Err((average, given)),
    };
    Ok(Input::Plain(blended(average, &new, keep)).tensor())
}

fn blended(average: Primitive, new: &Primitive, keep: f64) -> Primitive {
    let (keep, rest) = (keep as f32, (1.0 - keep) as f32);
    change(average, |average| {
        let new = new.as_slice::<f32>().unwrap_or_default();
        over(average, 1, |first, average| {
            for (average, new) in average.iter_mut().zip(&new[first..]) {
                *average = keep * *average + rest * new;
            }
        });
    })
}
