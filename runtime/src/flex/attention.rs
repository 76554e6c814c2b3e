//! Attention of every head as one node of the graph: scores, softmax and dropout stay in the cache, and neither
//! queries, keys and values nor what the heads give are moved to other places.

use super::memory::Buffer;
use super::product::{Matrix, MatrixMut, product_here};
use super::{Derived, Input, Primitive, apply, memory, readable};
use crate::layer::Drawn;
use burn::tensor::Tensor;
use damper_kernels::dropout::{self, Word};
use damper_kernels::rows;
use rayon::prelude::*;
use std::sync::Arc;

/// How a sequence is attended to.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    time: usize,
    heads: usize,
    /// Features of a head.
    size: usize,
}

impl Sizes {
    fn features(self) -> usize {
        self.heads * self.size
    }

    /// Numbers in the scores of a head.
    fn scores(self) -> usize {
        self.time * self.time
    }

    fn scale(self) -> f32 {
        (self.size as f32).sqrt().recip()
    }

    /// The numbers of a head within those of a sample: queries, keys or values for `part` 0, 1, 2.
    fn part(self, numbers: &[f32], head: usize, part: usize) -> Option<Matrix<'_>> {
        let first = part * self.features() + head * self.size;
        Matrix::strided(
            numbers.get(first..)?,
            [self.time, self.size],
            [3 * self.features(), 1],
        )
    }
}

/// What the gradients are computed from.
#[derive(Clone, Debug)]
struct Attention {
    sizes: Sizes,
    /// Queries, keys and values: `[batch, time, 3 * features]`.
    all: Primitive,
    /// Behind the softmax, before dropout: `[batch, heads, time, time]`.
    weights: Arc<Buffer>,
    mask: Option<(Arc<Vec<Word>>, f32)>,
}

/// What each step gathers from the steps it sees: `[batch, time, 3 * features]` to `[batch, time, features]`. A step
/// that is padding (`[batch, time]`) is seen by itself alone.
pub(crate) fn attend(
    all: Tensor<3>,
    heads: usize,
    causal: bool,
    padding: Option<&[bool]>,
    drop: Option<Drawn>,
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
    let all = Input::of(all)?;
    Ok(apply([all], |[all], _| {
        let all = readable(all);
        let (output, weights, mask) = forward(sizes, &all, causal, padding, drop);
        let derived = Attention {
            sizes,
            all,
            weights: Arc::new(Buffer(weights)),
            mask: drop.map(|drop| (Arc::new(mask), drop.rate.scale())),
        };
        let output = memory::tensor(output, [batch, time, sizes.features()]);
        (output, Some(derived))
    }))
}

fn forward(
    sizes: Sizes,
    all: &Primitive,
    causal: bool,
    padding: Option<&[bool]>,
    drop: Option<Drawn>,
) -> (Vec<f32>, Vec<f32>, Vec<Word>) {
    let Sizes {
        batch, time, heads, ..
    } = sizes;
    let (features, scores) = (sizes.features(), sizes.scores());
    let words = dropout::words(scores);
    let mut output = memory::buffer(batch * time * features);
    let mut weights = memory::buffer(batch * heads * scores);
    let mut mask = vec![
        Word::default();
        if drop.is_some() {
            batch * heads * words
        } else {
            0
        }
    ];
    let all = all.as_slice::<f32>().unwrap_or_default();
    let mut masks: Vec<&mut [Word]> = mask.chunks_mut((heads * words).max(1)).collect();
    masks.resize_with(batch, Default::default);
    let samples = output
        .par_chunks_mut(time * features)
        .zip(weights.par_chunks_mut(heads * scores))
        .zip(masks)
        .enumerate();
    samples.for_each_init(
        || vec![0.0_f32; if drop.is_some() { scores } else { 0 }],
        |dropped, (sample, ((output, weights), mask))| {
            let all = &all[sample * time * 3 * features..][..time * 3 * features];
            let padding = padding.map(|padding| &padding[sample * time..][..time]);
            for (head, weights) in weights.chunks_mut(scores).enumerate() {
                let _ = sizes.attend(head, all, weights, causal, padding);
                let mixed = match drop {
                    Some(Drawn { source, rate }) => {
                        let mask = &mut mask[head * words..][..words];
                        // Each head begins at a word of its own.
                        let first = ((sample * heads + head) * words) as u64;
                        // Lengths that do not fit are the kernels' only errors; these do.
                        let _ = dropout::forward(
                            source,
                            rate,
                            rate.into(),
                            first,
                            weights,
                            dropped,
                            mask,
                        );
                        &*dropped
                    }
                    None => &*weights,
                };
                let _ = sizes.mix(head, all, mixed, output);
            }
        },
    );
    (output, weights, mask)
}

impl Sizes {
    /// The weights of a head, behind the softmax.
    fn attend(
        self,
        head: usize,
        all: &[f32],
        weights: &mut [f32],
        causal: bool,
        padding: Option<&[bool]>,
    ) -> Option<()> {
        let time = self.time;
        let (query, key) = (self.part(all, head, 0)?, self.part(all, head, 1)?);
        let out = MatrixMut::rows(weights, [time, time])?;
        product_here(out, self.scale(), query, key.transposed());
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
        rows::softmax_in_place(weights, time).ok()
    }

    /// The values of a head, by their weights.
    fn mix(self, head: usize, all: &[f32], weights: &[f32], output: &mut [f32]) -> Option<()> {
        let weights = Matrix::rows(weights, [self.time; 2])?;
        let output = output.get_mut(head * self.size..)?;
        let out = MatrixMut::strided(output, [self.time, self.size], self.features())?;
        product_here(out, 1.0, weights, self.part(all, head, 2)?);
        Some(())
    }

    /// The gradients of a head's queries, keys and values, to `into`.
    #[expect(clippy::too_many_arguments, reason = "slices that belong to one head")]
    fn backward(
        self,
        head: usize,
        all: &[f32],
        gradient: &[f32],
        mixed: &[f32],
        into: &mut [f32],
        slopes: &mut [f32],
        through: impl FnOnce(&mut [f32]) -> Option<()>,
    ) -> Option<()> {
        let (time, features) = (self.time, self.features());
        let gradient = gradient.get(head * self.size..)?;
        let gradient = Matrix::strided(gradient, [time, self.size], [features, 1])?;
        let out = MatrixMut::rows(slopes, [time, time])?;
        let value = self.part(all, head, 2)?;
        product_here(out, 1.0, gradient, value.transposed());
        through(slopes)?;
        let (query, key) = (self.part(all, head, 0)?, self.part(all, head, 1)?);
        let slopes = Matrix::rows(slopes, [time, time])?;
        let mixed = Matrix::rows(mixed, [time, time])?;
        let parts = [
            (self.scale(), slopes, key),
            (self.scale(), slopes.transposed(), query),
            (1.0, mixed.transposed(), gradient),
        ];
        for (part, (scale, left, right)) in parts.into_iter().enumerate() {
            let into = into.get_mut(part * features + head * self.size..)?;
            let out = MatrixMut::strided(into, [time, self.size], 3 * features)?;
            product_here(out, scale, left, right);
        }
        Some(())
    }
}

impl Derived<1> for Attention {
    fn backward(self, gradient: Primitive, _: [bool; 1]) -> [Option<Primitive>; 1] {
        let Self {
            sizes,
            all,
            weights,
            mask,
        } = self;
        let Sizes {
            batch, time, heads, ..
        } = sizes;
        let (features, scores) = (sizes.features(), sizes.scores());
        let words = dropout::words(scores);
        let gradient = readable(gradient);
        let (Some(gradient), Some(numbers)) = (gradient.as_slice::<f32>(), all.as_slice::<f32>())
        else {
            return [None];
        };
        let mut into = memory::buffer(batch * time * 3 * features);
        let samples = into.par_chunks_mut(time * 3 * features).enumerate();
        samples.for_each_init(
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
                            let _ = dropout::backward(scale, mask, weights, dropped);
                            &*dropped
                        }
                        None => weights,
                    };
                    let through = |slopes: &mut [f32]| {
                        if let Some((mask, scale)) = mask {
                            dropout::backward_in_place(scale, mask, slopes).ok()?;
                        }
                        rows::softmax_backward_in_place(weights, slopes, time).ok()
                    };
                    let _ = sizes.backward(head, all, gradient, mixed, into, slopes, through);
                }
            },
        );
        [Some(memory::tensor(into, [batch, time, 3 * features]))]
    }
}
