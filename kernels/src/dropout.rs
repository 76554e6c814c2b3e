//! Dropout (Srivastava et al. 2014) in one pass forward and one backward, with one bit for each number.
//!
//! Whether a number is kept depends on the seed, the step, the layer and the number's place alone: not on threads,
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

/// Writes `input`, with numbers dropped at `rate` and the kept ones scaled, to `output`, and what is kept to `mask`.
///
/// `first` is the index of the slice's first word within the whole tensor: 0 unless the work is cut into pieces.
///
/// # Errors
/// `output` is not as long as `input`, or `mask` has not [`words`]`(input.len())`.
pub fn forward(
    source: Source,
    rate: Rate,
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
        input,
        output,
        mask,
    });
    Ok(())
}

/// Writes `gradient`, scaled where `mask` keeps it and 0 elsewhere, to `into`.
///
/// # Errors
/// `into` is not as long as `gradient`, or `mask` has not [`words`]`(gradient.len())`.
pub fn backward(
    rate: Rate,
    mask: &[Word],
    gradient: &[f32],
    into: &mut [f32],
) -> Result<(), Lengths> {
    Lengths::check("into", into.len(), gradient.len())?;
    Lengths::check("mask", mask.len(), words(gradient.len()))?;
    Arch::new().dispatch(Backward {
        rate,
        mask,
        gradient,
        into,
    });
    Ok(())
}

struct Forward<'a> {
    source: Source,
    rate: Rate,
    first: u64,
    input: &'a [f32],
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
            input,
            output,
            mask,
        } = self;
        let pieces = input.chunks(WORD).zip(output.chunks_mut(WORD));
        for ((index, word), (input, output)) in (first..).zip(mask).zip(pieces) {
            *word = draw(source, rate, index);
            apply(*word, rate.scale, input, output);
        }
    }
}

struct Backward<'a> {
    rate: Rate,
    mask: &'a [Word],
    gradient: &'a [f32],
    into: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let pieces = self.gradient.chunks(WORD).zip(self.into.chunks_mut(WORD));
        for (word, (gradient, into)) in self.mask.iter().zip(pieces) {
            apply(*word, self.rate.scale, gradient, into);
        }
    }
}

/// The word of a mask at an index: 16 bits of the generator for each number.
#[inline(always)]
fn draw(source: Source, rate: Rate, index: u64) -> Word {
    let Source { seed, step, layer } = source;
    let first = index.wrapping_mul(philox::LANES as u64);
    let random = philox::lanes(first, [step, layer], [seed as u32, (seed >> 32) as u32]);
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

/// Numbers of at most one word: scaled where its bit is set, 0 elsewhere.
#[inline(always)]
fn apply(word: Word, scale: f32, from: &[f32], to: &mut [f32]) {
    let bits = word.map(u32::from);
    let (Ok(from), Ok(to)) = (
        <&[f32; WORD]>::try_from(from),
        <&mut [f32; WORD]>::try_from(&mut *to),
    ) else {
        for (place, (to, from)) in to.iter_mut().zip(from).enumerate() {
            let kept = bits[place % philox::LANES] >> (place / philox::LANES) & 1 == 1;
            *to = if kept { from * scale } else { 0.0 };
        }
        return;
    };
    for row in 0..ROWS {
        for (lane, bits) in bits.iter().enumerate() {
            let place = row * philox::LANES + lane;
            let scaled = from[place] * scale;
            to[place] = if bits & (1 << row) == 0 { 0.0 } else { scaled };
        }
    }
}
