//! The attention of all heads as one node of the graph. Scores, softmax and dropout stay in the cache, and queries, keys,
//! values and results of the heads are not copied to another layout.

use crate::memory::{Buffer, Checked, make_contiguous, read, tensor};
use crate::op::{CustomBackward, Input, Primitive, run_op};
use crate::product::{Matrix, MatrixMut, product_here};
use burn::tensor::Tensor;
use damper_kernels::dropout::{self, DropoutMask, Word};
use damper_kernels::{LengthMismatch, softmax};
use rayon::prelude::*;
use std::sync::Arc;

/// The sizes of an attention layer.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    time: usize,
    heads: usize,
    /// The number of features of a head.
    size: usize,
}

impl Sizes {
    fn features(self) -> usize {
        self.heads * self.size
    }

    /// The number of scores of a head.
    fn scores(self) -> usize {
        self.time * self.time
    }

    fn scale(self) -> f32 {
        (self.size as f32).sqrt().recip()
    }

    /// The queries, keys or values (`part` 0, 1 or 2) of a head of a sample.
    fn part(self, numbers: &[f32], head: usize, part: usize) -> Checked<Matrix<'_>> {
        let first = part * self.features() + head * self.size;
        Matrix::strided(
            numbers.get(first..).unwrap_or_default(),
            [self.time, self.size],
            [3 * self.features(), 1],
        )
    }
}

/// The backward pass of attention.
#[derive(Clone, Debug)]
struct AttentionBackward {
    sizes: Sizes,
    /// Queries, keys and values: `[batch, time, 3 * features]`.
    all: Primitive,
    /// The output of softmax, before dropout: `[batch, heads, time, time]`.
    weights: Arc<Buffer>,
    mask: Option<(Arc<Vec<Word>>, f32)>,
}

/// Multi-head attention of queries, keys and values, which are concatenated as `[batch, time, 3 * features]`:
/// `[batch, time, features]`.
///
/// With `causal`, a step attends to itself and earlier steps. No other step attends to one that is padding (`[batch, time]`,
/// sample by sample). `drop` acts on the attention weights; each head begins at a [whole word](dropout::WORD) of its mask.
///
/// # Errors
/// The input: it is empty, the heads do not divide the features, the padding has another size, or the memory cannot be
/// reached (see [`Input::of`]).
pub fn attention(
    all: Tensor<3>,
    heads: usize,
    causal: bool,
    padding: Option<&[bool]>,
    drop: Option<DropoutMask>,
) -> Result<Tensor<3>, Tensor<3>> {
    let [batch, time, width] = all.dims();
    let size = width / 3 / heads.max(1);
    let fits = heads * size * 3 == width && batch * time * size > 0;
    if !fits || padding.is_some_and(|padding| padding.len() != batch * time) {
        return Err(all);
    }
    let sizes = Sizes {
        batch,
        time,
        heads,
        size,
    };
    Ok(run_attention(Input::of(all)?, sizes, causal, padding, drop).into_tensor())
}

fn run_attention(
    all: Input,
    sizes: Sizes,
    causal: bool,
    padding: Option<&[bool]>,
    drop: Option<DropoutMask>,
) -> Input {
    let Sizes {
        batch, time, heads, ..
    } = sizes;
    run_op([all], |[all], keep| {
        let all = make_contiguous(all);
        let words = batch * heads * dropout::words(sizes.scores());
        let mut mask = vec![Word::default(); if drop.is_some() { words } else { 0 }];
        let counts = [
            batch * time * sizes.features(),
            batch * heads * sizes.scores(),
        ];
        let [output, weights] = Buffer::all_written(counts, |[output, weights]| {
            let all = read("input", &all, batch * time * 3 * sizes.features())?;
            forward(
                sizes, all, causal, padding, drop, output, weights, &mut mask,
            )
        });
        let output = tensor(output, [batch, time, sizes.features()]);
        let backward = keep.then(|| AttentionBackward {
            sizes,
            all,
            weights: Arc::new(weights),
            mask: drop.map(|drop| (Arc::new(mask), drop.rate.scale())),
        });
        (output, backward)
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "what is read, and what is written"
)]
fn forward(
    sizes: Sizes,
    all: &[f32],
    causal: bool,
    padding: Option<&[bool]>,
    drop: Option<DropoutMask>,
    output: &mut [f32],
    weights: &mut [f32],
    mask: &mut [Word],
) -> Checked {
    let Sizes {
        batch, time, heads, ..
    } = sizes;
    let (features, scores) = (sizes.features(), sizes.scores());
    let words = dropout::words(scores);
    if let Some(padding) = padding {
        LengthMismatch::check("padding", padding.len(), batch * time)?;
    }
    let mut masks: Vec<&mut [Word]> = mask.chunks_mut((heads * words).max(1)).collect();
    masks.resize_with(batch, Default::default);
    let samples = output
        .par_chunks_mut(time * features)
        .zip(weights.par_chunks_mut(heads * scores))
        .zip(masks)
        .enumerate();
    samples.try_for_each_init(
        || vec![0.0_f32; if drop.is_some() { scores } else { 0 }],
        |dropped, (sample, ((output, weights), mask))| {
            let all = &all[sample * time * 3 * features..][..time * 3 * features];
            let padding = padding.map(|padding| &padding[sample * time..][..time]);
            for (head, weights) in weights.chunks_mut(scores).enumerate() {
                sizes.attend(head, all, weights, causal, padding)?;
                let mixed = match drop {
                    Some(DropoutMask { source, rate }) => {
                        let mask = &mut mask[head * words..][..words];
                        // Each head begins at a new word of the mask.
                        let first = ((sample * heads + head) * words) as u64;
                        dropout::forward(source, rate, rate.into(), first, weights, dropped, mask)?;
                        &*dropped
                    }
                    None => &*weights,
                };
                sizes.mix(head, all, mixed, output)?;
            }
            Ok(())
        },
    )
}

impl Sizes {
    /// The attention weights of a head: the output of softmax.
    fn attend(
        self,
        head: usize,
        all: &[f32],
        weights: &mut [f32],
        causal: bool,
        padding: Option<&[bool]>,
    ) -> Checked {
        let time = self.time;
        let (query, key) = (self.part(all, head, 0)?, self.part(all, head, 1)?);
        let out = MatrixMut::rows(weights, [time, time])?;
        product_here(out, self.scale(), query, key.transposed())?;
        for (step, row) in weights.chunks_mut(time).enumerate() {
            if causal {
                row[step + 1..].fill(f32::NEG_INFINITY);
            }
            for (other, is_padding) in padding.into_iter().flatten().enumerate() {
                if *is_padding && other != step {
                    row[other] = f32::NEG_INFINITY;
                }
            }
        }
        softmax::softmax_in_place(weights, time)
    }

    /// Writes the values of a head, averaged with the attention weights.
    fn mix(self, head: usize, all: &[f32], weights: &[f32], output: &mut [f32]) -> Checked {
        let weights = Matrix::rows(weights, [self.time; 2])?;
        let output = output.get_mut(head * self.size..).unwrap_or_default();
        let out = MatrixMut::strided(output, [self.time, self.size], self.features())?;
        product_here(out, 1.0, weights, self.part(all, head, 2)?)
    }

    /// Writes the gradients of the queries, keys and values of a head.
    #[expect(clippy::too_many_arguments, reason = "slices that belong to one head")]
    fn backward(
        self,
        head: usize,
        all: &[f32],
        gradient: &[f32],
        mixed: &[f32],
        into: &mut [f32],
        slopes: &mut [f32],
        softmax_backward: impl FnOnce(&mut [f32]) -> Checked,
    ) -> Checked {
        let (time, features) = (self.time, self.features());
        let gradient = gradient.get(head * self.size..).unwrap_or_default();
        let gradient = Matrix::strided(gradient, [time, self.size], [features, 1])?;
        let out = MatrixMut::rows(slopes, [time, time])?;
        let value = self.part(all, head, 2)?;
        product_here(out, 1.0, gradient, value.transposed())?;
        softmax_backward(slopes)?;
        let (query, key) = (self.part(all, head, 0)?, self.part(all, head, 1)?);
        let slopes = Matrix::rows(slopes, [time, time])?;
        let mixed = Matrix::rows(mixed, [time, time])?;
        let parts = [
            (self.scale(), slopes, key),
            (self.scale(), slopes.transposed(), query),
            (1.0, mixed.transposed(), gradient),
        ];
        for (part, (scale, left, right)) in parts.into_iter().enumerate() {
            let first = part * features + head * self.size;
            let into = into.get_mut(first..).unwrap_or_default();
            let out = MatrixMut::strided(into, [time, self.size], 3 * features)?;
            product_here(out, scale, left, right)?;
        }
        Ok(())
    }
}

impl CustomBackward<1> for AttentionBackward {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let Sizes { batch, time, .. } = self.sizes;
        let width = 3 * self.sizes.features();
        let gradient = make_contiguous(gradient);
        let into = Buffer::written(batch * time * width, |into| self.write(&gradient, into));
        [Some(tensor(into, [batch, time, width]))]
    }
}

impl AttentionBackward {
    /// Writes the gradients of queries, keys and values.
    fn write(&self, gradient: &Primitive, into: &mut [f32]) -> Checked {
        let Self {
            sizes,
            all,
            weights,
            mask,
        } = self;
        let Sizes {
            batch, time, heads, ..
        } = *sizes;
        let (features, scores) = (sizes.features(), sizes.scores());
        let words = dropout::words(scores);
        let gradient = read("gradient", gradient, batch * time * features)?;
        let numbers = read("input", all, batch * time * 3 * features)?;
        LengthMismatch::check("weights", weights.len(), batch * heads * scores)?;
        if let Some((mask, _)) = mask {
            LengthMismatch::check("mask", mask.len(), batch * heads * words)?;
        }
        let samples = into.par_chunks_mut(time * 3 * features).enumerate();
        samples.try_for_each_init(
            || {
                let dropped = vec![0.0_f32; if mask.is_some() { scores } else { 0 }];
                (dropped, vec![0.0_f32; scores])
            },
            |(dropped, slopes), (sample, into)| {
                let all = &numbers[sample * time * 3 * features..][..time * 3 * features];
                let gradient = &gradient[sample * time * features..][..time * features];
                for head in 0..heads {
                    let place = sample * heads + head;
                    let weights = &weights[place * scores..][..scores];
                    let mask = mask
                        .as_ref()
                        .map(|(mask, scale)| (&mask[place * words..][..words], *scale));
                    let mixed = match mask {
                        Some((mask, scale)) => {
                            dropout::backward(scale, mask, weights, dropped)?;
                            &*dropped
                        }
                        None => weights,
                    };
                    let softmax_backward = |slopes: &mut [f32]| {
                        if let Some((mask, scale)) = mask {
                            dropout::backward_in_place(scale, mask, slopes)?;
                        }
                        softmax::softmax_backward_in_place(weights, slopes, time)
                    };
                    sizes.backward(head, all, gradient, mixed, into, slopes, softmax_backward)?;
                }
                Ok(())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use damper_kernels::dropout::{Rate, Source};

    const SIZES: Sizes = Sizes {
        batch: 2,
        time: 3,
        heads: 2,
        size: 4,
    };

    fn ones(count: usize) -> Primitive {
        tensor(vec![1.0; count], [count])
    }

    #[test]
    fn a_gradient_of_another_length_gives_nan() {
        for dropped in [false, true] {
            let words = 4 * dropout::words(9);
            let backward = AttentionBackward {
                sizes: SIZES,
                all: ones(2 * 3 * 24),
                weights: Arc::new(vec![0.1; 36].into()),
                mask: dropped.then(|| (Arc::new(vec![Word::default(); words]), 2.0)),
            };
            for wrong in [0, 2 * 3 * 8 - 1, 2 * 3 * 8 + 8] {
                crate::assert_nan(backward.clone().backward(ones(wrong), [true]));
            }
        }
    }

    #[test]
    fn an_input_of_another_length_gives_nan() {
        let source = Source {
            seed: 1,
            step: 2,
            layer: 3,
        };
        let rate = Rate::new(0.5);
        for drop in [None, Some(DropoutMask { source, rate })] {
            let input = Input::Plain(ones(2 * 3 * 24 - 1));
            let output = run_attention(input, SIZES, true, None, drop);
            crate::assert_nan([Some(output.into_primitive())]);
        }
    }
}
