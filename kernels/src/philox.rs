//! Philox4x32 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): random bits as a
//! function of a key and a counter, without a state.
//!
//! It has seven rounds, the fewest that pass all tests of `TestU01`'s `BigCrush` (table 2 of the paper). The usual ten
//! rounds would be a safety margin that masks do not need, for a third of the time.

/// A source of random bits. Two sources that differ in any field are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The training's seed.
    pub seed: u64,
    /// The step of the training.
    pub step: u32,
    /// The layer, or any other use of random bits within a step.
    pub layer: u32,
}

/// The number of counters that are processed at once.
pub const LANES: usize = 8;

const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

const ROUNDS: usize = 7;

/// The 128 bits of one counter.
pub fn block(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    block_of::<ROUNDS>(counter, key)
}

fn block_of<const ROUNDS: usize>(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let state = counter.map(|word| [u64::from(word)]);
    rounds::<ROUNDS, 1>(state, key).map(|[word]| word as u32)
}

/// The words of the counters `first`, `first + 1`, .. in the first (low) and second word of the counter; only the
/// low 32 bits of each number are random.
#[inline(always)]
fn lanes<const N: usize>(first: u64, rest: [u32; 2], key: [u32; 2]) -> [[u64; N]; 4] {
    let counters: [u64; N] = core::array::from_fn(|lane| first.wrapping_add(lane as u64));
    let above = core::array::from_fn(|lane| counters[lane] >> 32);
    let [third, fourth] = rest.map(|word| [u64::from(word); N]);
    let state = [counters, above, third, fourth];
    rounds::<ROUNDS, N>(state, key)
}

/// The 1024 bits at an index of the source: 16 for each number of a mask of 64.
#[inline(always)]
pub(crate) fn words(source: Source, index: u64) -> [[u64; LANES]; 4] {
    let Source { seed, step, layer } = source;
    let first = index.wrapping_mul(LANES as u64);
    lanes(first, [step, layer], [seed as u32, (seed >> 32) as u32])
}

#[inline(always)]
// Loops over lane indices, because the four words of a lane change together.
#[allow(clippy::needless_range_loop)]
fn rounds<const ROUNDS: usize, const N: usize>(
    mut state: [[u64; N]; 4],
    mut key: [u32; 2],
) -> [[u64; N]; 4] {
    for _ in 0..ROUNDS {
        // The bits above the low 32 are cut off before each product.
        for lane in 0..N {
            let first = (state[0][lane] & 0xFFFF_FFFF) * MULTIPLIERS[0];
            let second = (state[2][lane] & 0xFFFF_FFFF) * MULTIPLIERS[1];
            state[0][lane] = (second >> 32) ^ state[1][lane] ^ u64::from(key[0]);
            state[1][lane] = second;
            state[2][lane] = (first >> 32) ^ state[3][lane] ^ u64::from(key[1]);
            state[3][lane] = first;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of Random123 (`kat_vectors`, `philox4x32 7` and `philox4x32 10`).
    #[test]
    fn known_answers() {
        let digits = [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344];
        let key = [0xA409_3822, 0x299F_31D0];
        for (counter, key, seven, ten) in [
            (
                [0; 4],
                [0; 2],
                [0x5F6F_B709, 0x0D89_3F64, 0x4F12_1F81, 0x4F73_0A48],
                [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x5207_DDC2, 0x4516_5E59, 0x4D8E_E751, 0x8C52_F662],
                [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD],
            ),
            (
                digits,
                key,
                [0x4DFC_CABA, 0x190A_87F0, 0xC473_62BA, 0xB6B5_242A],
                [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
            ),
        ] {
            assert_eq!(block(counter, key), seven);
            assert_eq!(block_of::<10>(counter, key), ten);
        }
    }

    #[test]
    fn a_lane_is_the_block_of_its_counter() {
        let first = u64::from(u32::MAX) - 3;
        let words = lanes::<LANES>(first, [5, 6], [7, 8]);
        for lane in 0..LANES {
            let counter = first + lane as u64;
            let expected = block([counter as u32, (counter >> 32) as u32, 5, 6], [7, 8]);
            assert_eq!(words.map(|word| word[lane] as u32), expected);
        }
    }
}
