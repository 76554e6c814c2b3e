//! Dropout (Srivastava et al. 2014) in one pass forward and one backward, with one bit for each number.
//!
//! [`forward`] and [`backward`] write to other memory, what ends in `_in_place` over what it reads. Whether a number is kept depends on the seed, the step, the layer and the number's place alone: not on threads,
//! nor on how the work is cut, as long as every piece begins at a [whole word](WORD).

use pulp::{Arch, Simd, WithSimd};

use crate::{Lengths, philox};

/// How many numbers a word of the mask holds; pieces of work begin at a multiple of it.
pub const WORD: usize = 64;

const ROWS: usize = WORD / philox::LANES;

/// Eight bytes: bit `j` of byte `l` says whether number `8 j + l` of the word is kept, so that a vector of numbers
/// takes its bits from the bytes without moving them between lanes.
pub type Word = [u8; philox::LANES];

/// How many words hold a mask of so many numbers.
pub const fn words(numbers: usize) -> usize {
    numbers.div_ceil(WORD)
}

/// Whether a mask keeps the number at an index; `None` behind its end.
pub fn keeps(mask: &[Word], index: usize) -> Option<bool> {
    let place = index % WORD;
    mask.get(index / WORD)
        .map(|word| word[place % philox::LANES] >> (place / philox::LANES) & 1 == 1)
}

/// With what probability a number is dropped: a multiple of 1/65536, the nearest to what is asked.
///
/// Kept numbers are scaled by the inverse of the exact probability of being kept: expectations stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// 16 random bits below it drop a number.
    threshold: u32,
    scale: f32,
}

impl Rate {
    /// The rate nearest to `probability`; below 0 and NaN are 0, above 1 is 1, where everything is dropped.
    pub fn new(probability: f32) -> Self {
        let threshold = (probability.clamp(0.0, 1.0) * 65536.0).round() as u32;
        let scale = if threshold == 65536 {
            0.0
        } else {
            65536.0 / (65536 - threshold) as f32
        };
        Self { threshold, scale }
    }

    /// The exact probability with which a number is dropped.
    pub fn probability(self) -> f32 {
        self.threshold as f32 / 65536.0
    }

    /// What kept numbers are multiplied by.
    pub const fn scale(self) -> f32 {
        self.scale
    }
}

/// What becomes of a number: `scale x + shift` if it is kept, `dropped` if not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// What a kept number is multiplied by, and its gradient with it.
    pub scale: f32,
    /// What is added to a kept number.
    pub shift: f32,
    /// What stands in place of a dropped one.
    pub dropped: f32,
}

impl From<Rate> for Outcome {
    /// Dropout: kept numbers are scaled, dropped ones are 0.
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

/// Where random bits come from: two sources that differ in any field are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The training's seed.
    pub seed: u64,
    /// The step of the training.
    pub step: u32,
    /// The layer, or any other use of random bits within a step.
    pub layer: u32,
}

/// Writes what becomes of `input`, with numbers dropped at `rate`, to `output`, and what is kept to `mask`.
///
/// `first` is the index of the slice's first word within the whole tensor: 0 unless the work is cut into pieces.
///
/// # Errors
/// `output` is not as long as `input`, or `mask` has not [`words`]`(input.len())`.
pub fn forward(
    source: Source,
    rate: Rate,
    outcome: Outcome,
    first: u64,
    input: &[f32],
    output: &mut [f32],
    mask: &mut [Word],
) -> Result<(), Lengths> {
    Lengths::check("output", output.len(), input.len())?;
    Lengths::check("mask", mask.len(), words(input.len()))?;
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

/// As [`forward`], over the numbers themselves.
///
/// # Errors
/// `mask` has not [`words`]`(values.len())`.
pub fn forward_in_place(
    source: Source,
    rate: Rate,
    outcome: Outcome,
    first: u64,
    values: &mut [f32],
    mask: &mut [Word],
) -> Result<(), Lengths> {
    Lengths::check("mask", mask.len(), words(values.len()))?;
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

/// Rectifies `values`, drops at a rate if there is one, and marks in `mask` what is neither negative nor dropped.
///
/// One mask serves both, so that one pass goes back: [`backward_in_place`]. NaN counts as positive.
///
/// # Errors
/// `mask` has not [`words`]`(values.len())`.
pub fn rectify_in_place(
    drop: Option<(Source, Rate)>,
    first: u64,
    values: &mut [f32],
    mask: &mut [Word],
) -> Result<(), Lengths> {
    Lengths::check("mask", mask.len(), words(values.len()))?;
    Arch::new().dispatch(Rectify {
        drop,
        first,
        values,
        mask,
    });
    Ok(())
}

/// Writes `gradient`, scaled where `mask` keeps it and 0 elsewhere, to `into`.
///
/// # Errors
/// `into` is not as long as `gradient`, or `mask` has not [`words`]`(gradient.len())`.
pub fn backward(
    scale: f32,
    mask: &[Word],
    gradient: &[f32],
    into: &mut [f32],
) -> Result<(), Lengths> {
    Lengths::check("into", into.len(), gradient.len())?;
    Lengths::check("mask", mask.len(), words(gradient.len()))?;
    Arch::new().dispatch(Backward {
        scale,
        mask,
        gradient: Some(gradient),
        into,
    });
    Ok(())
}

/// As [`backward`], over the gradient itself.
///
/// # Errors
/// `mask` has not [`words`]`(gradient.len())`.
pub fn backward_in_place(scale: f32, mask: &[Word], gradient: &mut [f32]) -> Result<(), Lengths> {
    Lengths::check("mask", mask.len(), words(gradient.len()))?;
    Arch::new().dispatch(Backward {
        scale,
        mask,
        gradient: None,
        into: gradient,
    });
    Ok(())
}

/// Writes an inverted mask: the rate's scale with the probability of being kept, else 0.
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
    /// None: what stands in `output`.
    input: Option<&'a [f32]>,
    output: &'a mut [f32],
    mask: &'a mut [Word],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            source,
            rate,
            first,
            outcome,
            input,
            output,
            mask,
        } = self;
        match input {
            Some(input) => {
                let pieces = input.chunks(WORD).zip(output.chunks_mut(WORD));
                for ((index, word), (input, output)) in (first..).zip(mask).zip(pieces) {
                    *word = draw(source, rate, index);
                    apply(*word, outcome, input, output);
                }
            }
            None => {
                for ((index, word), values) in (first..).zip(mask).zip(output.chunks_mut(WORD)) {
                    *word = draw(source, rate, index);
                    apply_in_place(*word, outcome, values);
                }
            }
        }
    }
}

struct Rectify<'a> {
    drop: Option<(Source, Rate)>,
    first: u64,
    values: &'a mut [f32],
    mask: &'a mut [Word],
}

impl WithSimd for Rectify<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            drop,
            first,
            values,
            mask,
        } = self;
        match drop {
            Some((source, rate)) => {
                let outcome = rate.into();
                for ((index, word), values) in (first..).zip(mask).zip(values.chunks_mut(WORD)) {
                    let (kept, positive) = (draw(source, rate, index), positive(values));
                    *word = core::array::from_fn(|lane| kept[lane] & positive[lane]);
                    apply_in_place(*word, outcome, values);
                }
            }
            None => {
                for (word, values) in mask.iter_mut().zip(values.chunks_mut(WORD)) {
                    *word = positive(values);
                    apply_in_place(*word, Outcome::scaled(1.0), values);
                }
            }
        }
    }
}

struct Backward<'a> {
    scale: f32,
    mask: &'a [Word],
    /// None: what stands in `into`.
    gradient: Option<&'a [f32]>,
    into: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let outcome = Outcome::scaled(self.scale);
        let pieces = self.mask.iter().zip(self.into.chunks_mut(WORD));
        match self.gradient {
            Some(gradient) => {
                for ((word, into), gradient) in pieces.zip(gradient.chunks(WORD)) {
                    apply(*word, outcome, gradient, into);
                }
            }
            None => {
                for (word, into) in pieces {
                    apply_in_place(*word, outcome, into);
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
    fn with_simd<S: Simd>(self, _: S) {
        for (index, output) in (0..).zip(self.output.chunks_mut(WORD)) {
            let word = draw(self.source, self.rate, index);
            apply(word, self.rate.into(), &[1.0; WORD][..output.len()], output);
        }
    }
}

/// The word of a mask at an index: 16 bits of the generator for each number.
#[inline(always)]
fn draw(source: Source, rate: Rate, index: u64) -> Word {
    let random = philox::words(source, index);
    let mut kept = [0_u32; philox::LANES];
    for (row, words) in random.iter().enumerate() {
        for lane in 0..philox::LANES {
            let word = words[lane] as u32;
            let low = u32::from(word & 0xFFFF >= rate.threshold);
            let high = u32::from(word >> 16 >= rate.threshold);
            kept[lane] |= (low << (2 * row)) | (high << (2 * row + 1));
        }
    }
    kept.map(|bits| bits as u8)
}

/// Which of at most one word's numbers are not 0 or less.
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

/// What becomes of the numbers of at most one word.
#[inline(always)]
fn apply(word: Word, outcome: Outcome, from: &[f32], to: &mut [f32]) {
    let bits = word.map(u32::from);
    let (Ok(from), Ok(to)) = (
        <&[f32; WORD]>::try_from(from),
        <&mut [f32; WORD]>::try_from(&mut *to),
    ) else {
        for (place, (to, from)) in to.iter_mut().zip(from).enumerate() {
            let kept = bits[place % philox::LANES] >> (place / philox::LANES) & 1 == 1;
            *to = decide(kept, outcome, *from);
        }
        return;
    };
    for row in 0..ROWS {
        for (lane, bits) in bits.iter().enumerate() {
            let place = row * philox::LANES + lane;
            to[place] = decide(bits & (1 << row) != 0, outcome, from[place]);
        }
    }
}

/// As [`apply`], over the numbers themselves.
#[inline(always)]
fn apply_in_place(word: Word, outcome: Outcome, values: &mut [f32]) {
    let mut from = [0.0; WORD];
    if let Some(from) = from.get_mut(..values.len()) {
        from.copy_from_slice(values);
        apply(word, outcome, from, values);
    }
}

#[inline(always)]
fn decide(kept: bool, outcome: Outcome, value: f32) -> f32 {
    let Outcome {
        scale,
        shift,
        dropped,
    } = outcome;
    let there = value.mul_add(scale, shift);
    if kept { there } else { dropped }
}
