//! Fused dropout (Srivastava et al. 2014), forward and backward, with a mask of one bit for each number.
//!
//! [`forward`] and [`backward`] write to another slice; functions that end in `_in_place` overwrite their input. The mask
//! depends only on the seed, the step, the layer and the index of each number, not on threads or on how the work is
//! split, if every chunk begins at a multiple of [`WORD`].

pub use crate::philox::Source;
use pulp::{Arch, Simd, WithSimd};

use crate::{LengthMismatch, philox};

/// The number of bits in a word of the mask. Chunks of work begin at a multiple of it.
pub const WORD: usize = 64;

const ROWS: usize = WORD / philox::LANES;

/// Eight bytes. Bit `j` of byte `l` is 1 if number `8 j + l` of the word is kept: a SIMD vector of numbers then gets its
/// bits from the bytes without moving them between lanes.
pub type Word = [u8; philox::LANES];

/// The number of words in the mask of `numbers` numbers.
pub const fn words(numbers: usize) -> usize {
    numbers.div_ceil(WORD)
}

/// True if a mask keeps the number at this index; `None` if the index is out of range.
pub fn keeps(mask: &[Word], index: usize) -> Option<bool> {
    let place = index % WORD;
    mask.get(index / WORD)
        .map(|word| word[place % philox::LANES] >> (place / philox::LANES) & 1 == 1)
}

/// The probability that a number is dropped, rounded to a multiple of 1/65536.
///
/// Kept numbers are scaled by the inverse of the exact probability of being kept, so that the expectation is the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// A number is dropped if its 16 random bits are below this threshold.
    threshold: u32,
    scale: f32,
}

impl Rate {
    /// The rate nearest to `probability`. Negative numbers and NaN count as 0, numbers above 1 as 1.
    pub fn new(probability: f32) -> Self {
        let threshold = (probability.clamp(0.0, 1.0) * 65536.0).round() as u32;
        let scale = if threshold == 65536 {
            0.0
        } else {
            65536.0 / (65536 - threshold) as f32
        };
        Self { threshold, scale }
    }

    /// The exact probability that a number is dropped.
    pub fn probability(self) -> f32 {
        self.threshold as f32 / 65536.0
    }

    /// The factor of kept numbers.
    pub const fn scale(self) -> f32 {
        self.scale
    }
}

/// The results of dropout for a number `x`: `scale x + shift` if it is kept, `dropped` if not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The factor of a kept number and of its gradient.
    pub scale: f32,
    /// The term added to a kept number.
    pub shift: f32,
    /// The value of a dropped number.
    pub dropped: f32,
}

impl From<Rate> for Outcome {
    /// Ordinary dropout: kept numbers are scaled, dropped ones are 0.
    fn from(rate: Rate) -> Self {
        Self::scaled(rate.scale())
    }
}

impl Outcome {
    /// Kept numbers are scaled, dropped ones are 0.
    pub const fn scaled(scale: f32) -> Self {
        Self {
            scale,
            shift: 0.0,
            dropped: 0.0,
        }
    }
}

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

/// An iterator over the words of a mask.
struct Words {
    source: Source,
    rate: Rate,
    index: u64,
    /// The words that are drawn together with the one at `index`.
    block: [u64; philox::LANES],
}

impl Words {
    #[inline(always)]
    fn new(source: Source, rate: Rate, index: u64) -> Self {
        let block = if index.is_multiple_of(BLOCK) {
            [0; philox::LANES]
        } else {
            draw(source, rate, index / BLOCK)
        };
        Self {
            source,
            rate,
            index,
            block,
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Word {
        let place = self.index % BLOCK;
        if place == 0 {
            self.block = draw(self.source, self.rate, self.index / BLOCK);
        }
        self.index += 1;
        self.block[place as usize].to_le_bytes()
    }
}

/// The number of words that are drawn together.
const BLOCK: u64 = philox::LANES as u64;

/// The words of a block: a bit is 1 if its 16 random bits are not below the threshold.
///
/// The 16 bits of one number are in 16 words, so that one operation for each bit compares all numbers of a block. Bits
/// below the last 1 bit of the threshold cannot change the result and are not drawn: a rate of a half takes one bit for
/// each number.
#[inline(always)]
fn draw(source: Source, rate: Rate, block: u64) -> [u64; philox::LANES] {
    let threshold = rate.threshold;
    let mut kept = [if threshold < 65536 { u64::MAX } else { 0 }; philox::LANES];
    let bits = 16 - (threshold | 65536).trailing_zeros();
    // Each lane has four words of 32 bits: two bits of each number, the higher one first.
    for pair in (0..bits.div_ceil(2)).rev() {
        let random = philox::words(source, block * 8 + u64::from(pair));
        let ones =
            [threshold >> (14 - 2 * pair), threshold >> (15 - 2 * pair)].map(|bits| bits & 1 == 1);
        for (one, words) in ones.into_iter().zip([[2, 3], [0, 1]]) {
            let [high, low] = words.map(|word| random[word]);
            for lane in 0..philox::LANES {
                let bit = (high[lane] << 32) | (low[lane] & 0xFFFF_FFFF);
                kept[lane] = if one {
                    kept[lane] & bit
                } else {
                    kept[lane] | bit
                };
            }
        }
    }
    kept
}

/// The bits of at most one word: 1 for numbers above 0 and NaN.
#[inline(always)]
fn positive(values: &[f32]) -> Word {
    let mut bits = [0_u32; philox::LANES];
    if let Ok(values) = <&[f32; WORD]>::try_from(values) {
        for row in 0..ROWS {
            for (lane, bits) in bits.iter_mut().enumerate() {
                *bits |= above_zero(values[row * philox::LANES + lane]) << row;
            }
        }
    } else {
        for (place, value) in values.iter().enumerate() {
            bits[place % philox::LANES] |= above_zero(*value) << (place / philox::LANES);
        }
    }
    bits.map(|bits| bits as u8)
}

#[inline(always)]
fn above_zero(value: f32) -> u32 {
    u32::from(value > 0.0 || value.is_nan())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The 16 bits of a number are two bits of each of eight counters.
    #[test]
    fn a_number_is_kept_if_its_sixteen_bits_are_not_below_the_threshold() {
        let source = Source {
            seed: 0x1234_5678_9ABC_DEF0,
            step: 5,
            layer: 6,
        };
        let block = 9;
        for probability in [0.0, 1.0 / 65536.0, 0.1, 0.25, 0.3, 0.5, 0.75, 0.9, 1.0] {
            let rate = Rate::new(probability);
            let drawn = draw(source, rate, block);
            for (lane, word) in drawn.into_iter().enumerate() {
                for place in 0..WORD {
                    let mut number = 0;
                    for pair in 0..8 {
                        let counter = ((block * 8 + pair) * 8) as u32 + lane as u32;
                        let random = philox::block(
                            [counter, 0, source.step, source.layer],
                            [0x9ABC_DEF0, 0x1234_5678],
                        );
                        for [high, low] in [[random[0], random[1]], [random[2], random[3]]] {
                            let bits = (u64::from(high) << 32) | u64::from(low);
                            number = number << 1 | (bits >> place & 1) as u32;
                        }
                    }
                    let kept = word >> place & 1 == 1;
                    assert_eq!(kept, number >= rate.threshold, "{probability}: {number}");
                }
            }
        }
    }
}
