//! The mask of dropout: one bit for each number, in words of 64.

use super::rate::Rate;
use crate::philox::{self, Source};

/// The number of bits in a word of the mask. Chunks of work begin at a multiple of it.
pub const WORD: usize = 64;

/// The number of rows in a word, each with one number for each lane.
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

/// An iterator over the words of a mask.
pub(super) struct Words {
    source: Source,
    rate: Rate,
    index: u64,
    /// The words that are drawn together with the one at `index`.
    block: [u64; philox::LANES],
}

impl Words {
    #[inline(always)]
    pub(super) fn new(source: Source, rate: Rate, index: u64) -> Self {
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
    pub(super) fn next(&mut self) -> Word {
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
pub(super) fn positive(values: &[f32]) -> Word {
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
