//! The split of the work on many numbers into chunks for threads.

use crate::memory::Checked;
use rayon::prelude::*;

/// From this number of values on, a second thread is worth it.
pub(crate) const SERIAL: usize = 1 << 16;

/// The largest number of chunks.
pub(crate) const CHUNKS: usize = 16;

/// The number of values in a chunk of the work, a multiple of `unit`; all of them if they are few.
///
/// It does not depend on the number of threads, so sums over chunks do not either.
#[must_use]
pub fn chunk_len(numbers: usize, unit: usize) -> usize {
    if numbers < SERIAL {
        return numbers.max(1);
    }
    let chunks = (numbers / (SERIAL / 4)).min(CHUNKS);
    numbers.div_ceil(chunks).next_multiple_of(unit.max(1))
}

/// Calls `run` with each chunk of the numbers and the index of its first number, on all threads.
pub(crate) fn for_each_chunk(
    numbers: &mut [f32],
    unit: usize,
    run: impl Fn(usize, &mut [f32]) -> Checked + Sync,
) -> Checked {
    let size = chunk_len(numbers.len(), unit);
    if size >= numbers.len() {
        return run(0, numbers);
    }
    let chunks = numbers.par_chunks_mut(size).enumerate();
    chunks.try_for_each(|(index, numbers)| run(index * size, numbers))
}

/// Chunks of `size`, followed by empty ones until there are `count`.
pub(crate) fn padded_chunks<T>(all: &mut [T], size: usize, count: usize) -> Vec<&mut [T]> {
    let mut chunks: Vec<&mut [T]> = all.chunks_mut(size.max(1)).collect();
    chunks.resize_with(count, Default::default);
    chunks
}
