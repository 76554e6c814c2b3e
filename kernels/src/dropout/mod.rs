//! Fused dropout (Srivastava et al. 2014), forward and backward, with a mask of one bit for each number.
//!
//! [`forward`] and [`backward`] write to another slice; functions that end in `_in_place` overwrite their input. The mask
//! depends only on the seed, the step, the layer and the index of each number, not on threads or on how the work is
//! split, if every chunk begins at a multiple of [`WORD`].

mod mask;
mod rate;

pub use crate::philox::Source;
pub use mask::{WORD, Word, keeps, words};
pub use rate::{Outcome, Rate};

use crate::{LengthMismatch, philox};
use mask::{Words, positive};
use pulp::{Arch, Simd, WithSimd};

/// The mask of a layer in one forward pass: the source of its random bits, and the rate.
///
/// The bits themselves are a function of these, and are not stored here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutMask {
    /// The source of the random bits.
    pub source: Source,
    /// The probability that a number is dropped.
    pub rate: Rate,
}

impl DropoutMask {
    /// The same random bits at another rate, in [0, 1].
    #[must_use]
    pub fn with_rate(self, rate: f64) -> Self {
        Self {
            rate: Rate::new(rate as f32),
            ..self
        }
    }

    /// The first `count` factors of the inverted mask: the rate's [scale](Rate::scale) if kept, 0 if dropped.
    pub fn factors(self, count: usize) -> Vec<f32> {
        let mut factors = vec![0.0; count];
        inverted_mask(self.source, self.rate, &mut factors);
        factors
    }
}

/// Drops numbers of `input` at `rate`: writes the results of `outcome` to `output`, and the bits to `mask`.
///
/// `first` is the index of the slice's first word in the whole tensor: 0 unless the work is split into chunks.
///
/// # Errors
/// `output` and `input` have different lengths, or `mask` does not have [`words`]`(input.len())` words.
pub fn forward(
    source: Source,
    rate: Rate,
    outcome: Outcome,
    first: u64,
    input: &[f32],
    output: &mut [f32],
    mask: &mut [Word],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("output", output.len(), input.len())?;
    LengthMismatch::check("mask", mask.len(), words(input.len()))?;
    Arch::new().dispatch(Forward {
        source,
        rate,
        first,
        outcome,
        input: Some(input),
        output,
        mask,
    });
    Ok(())
}

/// As [`forward`], in place.
///
/// # Errors
/// `mask` does not have [`words`]`(values.len())` words.
pub fn forward_in_place(
    source: Source,
    rate: Rate,
    outcome: Outcome,
    first: u64,
    values: &mut [f32],
    mask: &mut [Word],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("mask", mask.len(), words(values.len()))?;
    Arch::new().dispatch(Forward {
        source,
        rate,
        first,
        outcome,
        input: None,
        output: values,
        mask,
    });
    Ok(())
}

/// Applies relu to `values`, then dropout if `drop` is given. The bits of `mask` are 1 for positive numbers that are kept.
///
/// Because both share the mask, [`backward_in_place`] is the backward pass of both. NaN counts as positive.
///
/// # Errors
/// `mask` does not have [`words`]`(values.len())` words.
pub fn relu_dropout_in_place(
    drop: Option<(Source, Rate)>,
    first: u64,
    values: &mut [f32],
    mask: &mut [Word],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("mask", mask.len(), words(values.len()))?;
    Arch::new().dispatch(ReluDropout {
        drop,
        first,
        values,
        mask,
    });
    Ok(())
}

/// Writes `gradient` to `into`: scaled if `mask` keeps the number, else 0.
///
/// # Errors
/// `into` and `gradient` have different lengths, or `mask` does not have [`words`]`(gradient.len())` words.
pub fn backward(
    scale: f32,
    mask: &[Word],
    gradient: &[f32],
    into: &mut [f32],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("into", into.len(), gradient.len())?;
    LengthMismatch::check("mask", mask.len(), words(gradient.len()))?;
    Arch::new().dispatch(Backward {
        scale,
        mask,
        gradient: Some(gradient),
        into,
    });
    Ok(())
}

/// As [`backward`], in place.
///
/// # Errors
/// `mask` does not have [`words`]`(gradient.len())` words.
pub fn backward_in_place(
    scale: f32,
    mask: &[Word],
    gradient: &mut [f32],
) -> Result<(), LengthMismatch> {
    LengthMismatch::check("mask", mask.len(), words(gradient.len()))?;
    Arch::new().dispatch(Backward {
        scale,
        mask,
        gradient: None,
        into: gradient,
    });
    Ok(())
}

/// Writes an inverted mask: the rate's scale if kept, 0 if dropped.
pub fn inverted_mask(source: Source, rate: Rate, output: &mut [f32]) {
    Arch::new().dispatch(InvertedMask {
        source,
        rate,
        output,
    });
}

struct Forward<'a> {
    source: Source,
    rate: Rate,
    first: u64,
    outcome: Outcome,
    /// `None` to read `output`.
    input: Option<&'a [f32]>,
    output: &'a mut [f32],
    mask: &'a mut [Word],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            source,
            rate,
            first,
            outcome,
            input,
            output,
            mask,
        } = self;
        let mut words = Words::new(source, rate, first);
        match input {
            Some(input) => {
                let pieces = input.chunks(WORD).zip(output.chunks_mut(WORD));
                for (word, (input, output)) in mask.iter_mut().zip(pieces) {
                    *word = words.next();
                    apply(simd, *word, outcome, input, output);
                }
            }
            None => {
                for (word, values) in mask.iter_mut().zip(output.chunks_mut(WORD)) {
                    *word = words.next();
                    apply_in_place(simd, *word, outcome, values);
                }
            }
        }
    }
}

struct ReluDropout<'a> {
    drop: Option<(Source, Rate)>,
    first: u64,
    values: &'a mut [f32],
    mask: &'a mut [Word],
}

impl WithSimd for ReluDropout<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            drop,
            first,
            values,
            mask,
        } = self;
        match drop {
            Some((source, rate)) => {
                let outcome = rate.into();
                let mut words = Words::new(source, rate, first);
                for (word, values) in mask.iter_mut().zip(values.chunks_mut(WORD)) {
                    let (kept, positive) = (words.next(), positive(values));
                    *word = core::array::from_fn(|lane| kept[lane] & positive[lane]);
                    apply_in_place(simd, *word, outcome, values);
                }
            }
            None => {
                for (word, values) in mask.iter_mut().zip(values.chunks_mut(WORD)) {
                    *word = positive(values);
                    apply_in_place(simd, *word, Outcome::scaled(1.0), values);
                }
            }
        }
    }
}

struct Backward<'a> {
    scale: f32,
    mask: &'a [Word],
    /// `None` to read `into`.
    gradient: Option<&'a [f32]>,
    into: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let outcome = Outcome::scaled(self.scale);
        let pieces = self.mask.iter().zip(self.into.chunks_mut(WORD));
        match self.gradient {
            Some(gradient) => {
                for ((word, into), gradient) in pieces.zip(gradient.chunks(WORD)) {
                    apply(simd, *word, outcome, gradient, into);
                }
            }
            None => {
                for (word, into) in pieces {
                    apply_in_place(simd, *word, outcome, into);
                }
            }
        }
    }
}

struct InvertedMask<'a> {
    source: Source,
    rate: Rate,
    output: &'a mut [f32],
}

impl WithSimd for InvertedMask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut words = Words::new(self.source, self.rate, 0);
        for output in self.output.chunks_mut(WORD) {
            apply(
                simd,
                words.next(),
                self.rate.into(),
                &[1.0; WORD][..output.len()],
                output,
            );
        }
    }
}

/// The bit of each number of a word, in its byte.
const PLACES: [u32; WORD] = {
    let mut places = [0; WORD];
    let mut place = 0;
    while place < WORD {
        places[place] = 1 << (place / philox::LANES);
        place += 1;
    }
    places
};

/// Writes the results of the outcome for at most one word of numbers.
#[inline(always)]
fn apply<S: Simd>(simd: S, word: Word, outcome: Outcome, from: &[f32], to: &mut [f32]) {
    let Outcome {
        scale,
        shift,
        dropped,
    } = outcome;
    if from.len() < WORD || to.len() < WORD {
        for (place, (to, from)) in to.iter_mut().zip(from).enumerate() {
            let kept = word[place % philox::LANES] >> (place / philox::LANES) & 1 == 1;
            *to = if kept {
                from.mul_add(scale, shift)
            } else {
                dropped
            };
        }
        return;
    }
    // A SIMD vector has at most 16 numbers.
    let bytes: [u32; 2 * philox::LANES] =
        core::array::from_fn(|lane| u32::from(word[lane % philox::LANES]));
    let (bytes, (places, _)) = (S::as_simd_u32s(&bytes).0, S::as_simd_u32s(&PLACES));
    let ((from, _), (to, _)) = (S::as_simd_f32s(from), S::as_mut_simd_f32s(to));
    let nothing = simd.splat_u32s(0);
    let [scale, shift, dropped] = [scale, shift, dropped].map(|value| simd.splat_f32s(value));
    for (index, ((to, from), place)) in to.iter_mut().zip(from).zip(places).enumerate() {
        let there = simd.mul_add_f32s(*from, scale, shift);
        let kept = simd.and_u32s(bytes[index % bytes.len()], *place);
        *to = simd.select_f32s(simd.greater_than_u32s(kept, nothing), there, dropped);
    }
}

/// As [`apply`], in place.
#[inline(always)]
fn apply_in_place<S: Simd>(simd: S, word: Word, outcome: Outcome, values: &mut [f32]) {
    let mut from = [0.0; WORD];
    if let Some(from) = from.get_mut(..values.len()) {
        from.copy_from_slice(values);
        apply(simd, word, outcome, from, values);
    }
}
